package dialplans

import (
	"github.com/yuin/gopher-lua/ast"
)

const (
	// concatName is the global that the operator .. calls. It is no Lua name,
	// so that no script can call, replace or see it.
	concatName = "\x00.."
	// maxOperands is how many operands of a chain go into one call; each takes
	// a register.
	maxOperands = 40
)

// budgetConcat makes every a .. b of a chunk a call of the function concat of
// the library: the operator of the interpreter would build strings of any size,
// and s = s .. s fills the memory in 30 instructions.
func budgetConcat(chunk []ast.Stmt) {
	for _, s := range chunk {
		concatInStmt(s)
	}
}

func concatInStmt(stmt ast.Stmt) {
	switch s := stmt.(type) {
	case *ast.AssignStmt:
		concatInList(s.Lhs)
		concatInList(s.Rhs)
	case *ast.LocalAssignStmt:
		concatInList(s.Exprs)
	case *ast.FuncCallStmt:
		s.Expr = concatIn(s.Expr)
	case *ast.DoBlockStmt:
		budgetConcat(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = concatIn(s.Condition)
		budgetConcat(s.Stmts)
	case *ast.RepeatStmt:
		s.Condition = concatIn(s.Condition)
		budgetConcat(s.Stmts)
	case *ast.IfStmt:
		s.Condition = concatIn(s.Condition)
		budgetConcat(s.Then)
		budgetConcat(s.Else)
	case *ast.NumberForStmt:
		s.Init, s.Limit, s.Step = concatIn(s.Init), concatIn(s.Limit), concatIn(s.Step)
		budgetConcat(s.Stmts)
	case *ast.GenericForStmt:
		concatInList(s.Exprs)
		budgetConcat(s.Stmts)
	case *ast.FuncDefStmt:
		s.Name.Func, s.Name.Receiver = concatIn(s.Name.Func), concatIn(s.Name.Receiver)
		budgetConcat(s.Func.Stmts)
	case *ast.ReturnStmt:
		concatInList(s.Exprs)
	}
}

func concatInList(list []ast.Expr) {
	for i := range list {
		list[i] = concatIn(list[i])
	}
}

// concatIn gives the expression to put in the place of expr.
func concatIn(expr ast.Expr) ast.Expr {
	switch e := expr.(type) {
	case *ast.StringConcatOpExpr:
		return concatCall(e)
	case *ast.AttrGetExpr:
		e.Object, e.Key = concatIn(e.Object), concatIn(e.Key)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			f.Key, f.Value = concatIn(f.Key), concatIn(f.Value)
		}
	case *ast.FuncCallExpr:
		e.Func, e.Receiver = concatIn(e.Func), concatIn(e.Receiver)
		concatInList(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = concatIn(e.Lhs), concatIn(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = concatIn(e.Lhs), concatIn(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = concatIn(e.Lhs), concatIn(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = concatIn(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = concatIn(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = concatIn(e.Expr)
	case *ast.FunctionExpr:
		budgetConcat(e.Stmts)
	}
	return expr
}

// concatCall makes a chain of .. into a call. A long chain becomes nested ones,
// the first operands innermost, so that few registers are taken at a time; the
// operator would begin at the right, which only __concat could tell.
func concatCall(e *ast.StringConcatOpExpr) ast.Expr {
	line := e.Line()
	var operands []ast.Expr
	var rest ast.Expr = e
	for {
		pair, ok := rest.(*ast.StringConcatOpExpr)
		if !ok {
			break
		}
		operands = append(operands, single(concatIn(pair.Lhs)))
		rest = pair.Rhs
	}
	operands = append(operands, single(concatIn(rest)))
	for len(operands) > maxOperands {
		rest := operands[maxOperands-1:]
		rest[0] = call(line, append([]ast.Expr(nil), operands[:maxOperands]...))
		operands = rest
	}
	return call(line, operands)
}

func call(line int, operands []ast.Expr) ast.Expr {
	function := &ast.IdentExpr{Value: concatName}
	function.SetLine(line)
	c := &ast.FuncCallExpr{Func: function, Args: operands, AdjustRet: true}
	c.SetLine(line)
	c.SetLastLine(line)
	return c
}

// single cuts what may give several values to one, as an operator does.
func single(expr ast.Expr) ast.Expr {
	switch e := expr.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return expr
}
