package dialplans

import (
	"fmt"
	"strings"
)

// Bounds on the shape of source. They keep the parser and the compiler, whose
// work on some shapes grows with the square of their size or with the depth of
// their stack, within milliseconds; scripts written by people stay far below.
const (
	maxBundle    = 256 << 10 // bytes in all files
	maxFiles     = 64
	maxNesting   = 64   // brackets and blocks open at once
	maxChain     = 120  // operators, indexes and calls of one expression
	maxElseif    = 200  // in one if, those around it included
	maxGotos     = 200  // goto and labels in a bundle
	maxList      = 8000 // items between commas in one bracket or statement
	maxFunctions = 4000 // in a bundle

	// maxLookups bounds what the compiler spends on finding constants: for
	// each name, number or string it searches those of the function so far, one
	// by one. A function may have some 4,800 different ones.
	maxLookups = 12_000_000
	// maxFolds bounds what it spends on long expressions: at each operator it
	// looks at all that are below.
	maxFolds = 3_000_000
)

// bracket is one thing that is open at a point of the source.
type bracket struct {
	chain     int // operators of the expression being read here
	items     int // commas
	elseifs   int
	constants map[string]int // of a function only: each with its place
}

// prescan walks the tokens of a bundle's files, one after the other, and refuses
// shapes that the compiler could not take. It knows no grammar: what it does not
// understand it leaves to the parser.
type prescan struct {
	lexer
	open    []bracket
	chain   int  // sum of chain over open
	elseifs int  // sum of elseifs over open
	operand bool // the last token could end an operand

	gotos, functions, lookups, folds int // of the bundle
}

// file checks one file; the error is an *Error.
func (p *prescan) file(name string, source []byte) error {
	p.lexer = lexer{src: source, line: 1}
	p.open, p.chain, p.elseifs, p.operand = nil, 0, 0, false
	p.push()
	p.top().constants = map[string]int{}
	for {
		tok := p.next()
		if tok.kind == endOfFile {
			return nil
		}
		if complaint := p.take(tok); complaint != "" {
			return &Error{File: name, Line: tok.line, Column: tok.column, Message: complaint, Source: lineOf(source, tok.line)}
		}
	}
}

// take notes one token and gives the complaint it deserves, if any.
func (p *prescan) take(tok token) string {
	wasOperand := p.operand
	p.operand = false
	switch tok.kind {
	case word:
		return p.takeWord(tok, wasOperand)
	case number, text:
		p.operand = true
		if wasOperand && tok.kind == text {
			if complaint := p.link(); complaint != "" {
				return complaint
			}
		}
		return p.constant(tok.text)
	default:
		return p.takeMark(tok.text, wasOperand)
	}
}

func (p *prescan) takeWord(tok token, wasOperand bool) string {
	switch tok.text {
	case "and", "or", "not":
		return p.link()
	case "function", "if", "do", "repeat":
		if wasOperand || tok.text != "function" {
			p.statement()
		}
		complaint := p.push()
		if tok.text == "function" {
			p.top().constants = map[string]int{}
			if p.functions++; p.functions > maxFunctions {
				return fmt.Sprintf("more than %d functions in a bundle", maxFunctions)
			}
		}
		return complaint
	case "end", "until":
		p.pop()
		p.operand = tok.text == "end"
	case "elseif":
		p.statement()
		p.top().elseifs++
		if p.elseifs++; p.elseifs > maxElseif {
			return fmt.Sprintf("more than %d elseif in one if; use a table", maxElseif)
		}
	case "goto":
		return p.label()
	case "local", "then", "else", "return", "break", "in", "for", "while":
		p.statement()
	default: // a name, nil, true or false
		if wasOperand {
			p.statement()
		}
		p.operand = true
		return p.constant(tok.text)
	}
	return ""
}

func (p *prescan) takeMark(mark string, wasOperand bool) string {
	switch mark {
	case "(", "{", "[":
		if wasOperand {
			if complaint := p.link(); complaint != "" {
				return complaint
			}
		}
		return p.push()
	case ")", "}", "]":
		p.pop()
		p.operand = true
	case "...":
		p.operand = true
	case ",":
		p.expression()
		if p.top().items++; p.top().items > maxList {
			return fmt.Sprintf("more than %d items in one list", maxList)
		}
	case ";", "=":
		p.expression()
	case "::":
		return p.label()
	default:
		return p.link()
	}
	return ""
}

// link notes an operator, an index or a call: one more level of expression.
func (p *prescan) link() string {
	p.top().chain++
	if p.chain++; p.chain > maxChain {
		return fmt.Sprintf("more than %d operators and calls in one expression; use several statements", maxChain)
	}
	if p.folds += p.chain; p.folds > maxFolds {
		return "too many long expressions"
	}
	return ""
}

func (p *prescan) label() string {
	p.statement()
	if p.gotos++; p.gotos > maxGotos {
		return fmt.Sprintf("more than %d goto and labels in a bundle", maxGotos)
	}
	return ""
}

// constant notes a name or literal of the function being read.
func (p *prescan) constant(text string) string {
	for i := len(p.open) - 1; i >= 0; i-- {
		constants := p.open[i].constants
		if constants == nil {
			continue
		}
		place, known := constants[text]
		if !known {
			place = len(constants)
			constants[text] = place
		}
		if p.lookups += place; p.lookups > maxLookups {
			return "too many different names, numbers and strings in one function; spread them over several"
		}
		break
	}
	return ""
}

// expression begins a new expression at the same depth.
func (p *prescan) expression() {
	p.chain -= p.top().chain
	p.top().chain = 0
}

// statement begins a new statement at the same depth.
func (p *prescan) statement() {
	p.expression()
	p.top().items = 0
}

func (p *prescan) top() *bracket { return &p.open[len(p.open)-1] }

func (p *prescan) push() string {
	p.open = append(p.open, bracket{})
	if len(p.open) > maxNesting {
		return fmt.Sprintf("nested more than %d deep", maxNesting)
	}
	return ""
}

// pop closes the innermost bracket; a stray one is the parser's to report.
func (p *prescan) pop() {
	if len(p.open) > 1 {
		p.chain -= p.top().chain
		p.elseifs -= p.top().elseifs
		p.open = p.open[:len(p.open)-1]
	}
}

// lineOf is the text of one line of source, from 1, without its line end.
func lineOf(source []byte, line int) string {
	rest := string(source)
	for ; line > 1; line-- {
		_, after, found := strings.Cut(rest, "\n")
		if !found {
			return ""
		}
		rest = after
	}
	text, _, _ := strings.Cut(rest, "\n")
	return validText(strings.TrimRight(text, "\r"), maxSource)
}
