package dialplans

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// numbered repeats a piece of source with %d counting, up to size bytes.
func numbered(piece string, size int) string {
	var b strings.Builder
	for i := 10000; b.Len() < size; i++ {
		if strings.Contains(piece, "%[1]d") {
			fmt.Fprintf(&b, piece, i)
		} else {
			b.WriteString(piece)
		}
	}
	return b.String()
}

// hostileSource are shapes of source that keep parsers and compilers busy or
// exhaust their stacks, each as large as a bundle may be.
var hostileSource = map[string]string{
	"concat chain":           "return 'a'" + numbered(" .. 'a'", 250<<10),
	"concat in brackets":     "return " + strings.Repeat("('a' .. ", 40) + "'a'" + strings.Repeat(")", 40),
	"arithmetic chain":       "return 1" + numbered("+1", 250<<10),
	"power chain":            "return 1" + numbered("^1", 250<<10),
	"and chain":              "return a" + numbered(" and a", 250<<10),
	"comparison chain":       "return a" + numbered("<a", 250<<10),
	"not chain":              "return " + numbered("not ", 250<<10) + "1",
	"minus chain":            "return " + numbered("- ", 250<<10) + "1",
	"length chain":           "return " + numbered("#", 250<<10) + "a",
	"index chain":            "return a" + numbered(".a", 250<<10),
	"bracket index chain":    "return a" + numbered("[1]", 250<<10),
	"call chain":             "f" + numbered("()", 250<<10),
	"string call chain":      "f" + numbered(`""`, 250<<10),
	"table call chain":       "f" + numbered(`{}`, 250<<10),
	"method chain":           "f" + numbered(`:f()`, 250<<10),
	"brackets":               "return " + numbered("(", 120<<10) + "1" + numbered(")", 120<<10),
	"tables":                 "return " + numbered("{", 120<<10) + numbered("}", 120<<10),
	"open brackets":          "return " + numbered("(", 250<<10),
	"nested calls":           numbered("f(", 120<<10) + numbered(")", 120<<10),
	"nested functions":       numbered("return function() ", 250<<10),
	"nested do":              numbered("do ", 250<<10),
	"nested if":              numbered("if a then ", 250<<10),
	"nested while":           numbered("while a do ", 250<<10),
	"nested for":             numbered("for i = 1, 2 do ", 250<<10),
	"nested repeat":          numbered("repeat ", 250<<10),
	"elseif chain":           "if a then " + numbered("elseif a then ", 250<<10) + " end",
	"locals":                 numbered("local a%[1]d ", 250<<10),
	"locals in one":          "local a" + numbered(",a%[1]d", 250<<10),
	"assignment list":        "a" + numbered(",a", 125<<10) + "=1" + numbered(",1", 120<<10),
	"assignments":            numbered("a%[1]d=%[1]d ", 250<<10),
	"parameters":             "return function(a" + numbered(",a%[1]d", 250<<10) + ") end",
	"arguments":              "f(1" + numbered(",1", 250<<10) + ")",
	"returns":                "return 1" + numbered(",1", 250<<10),
	"numbers":                "return {" + numbered("%[1]d,", 250<<10) + "}",
	"ones":                   "return {" + numbered("1,", 250<<10) + "}",
	"strings":                "return {" + numbered("'%[1]d',", 250<<10) + "}",
	"keys":                   "return {" + numbered("a%[1]d=1,", 250<<10) + "}",
	"keys in functions":      strings.Repeat("f=function() return {"+numbered("a%[1]d=1,", 17<<10)+"} end ", 14),
	"same constant again":    "local a = {" + numbered("%[1]d,", 25<<10) + "}" + numbered(" f(14000)", 220<<10),
	"functions":              numbered("f=function()end ", 250<<10),
	"constants in functions": strings.Repeat("f=function() x={"+numbered("%[1]d,", 17<<10)+"} end ", 14),
	"empty statements":       numbered("do end ", 250<<10),
	"calls":                  numbered("f()\n", 250<<10),
	"gotos":                  numbered("goto a ", 250<<10),
	"labels":                 numbered("::a%[1]d::", 250<<10),
	"gotos and labels":       numbered("goto a%[1]d ", 120<<10) + numbered("::a%[1]d::", 120<<10),
	"closures of upvalues":   "local a" + numbered(" function f() a=a end", 250<<10),
	"long string":            "return [[" + numbered("a", 250<<10) + "]]",
	"long comment":           "--[[" + numbered("a", 250<<10) + "]]",
	"unclosed comment":       "--[==[" + numbered("]=]", 250<<10),
	"long name":              numbered("a", 250<<10),
	"long number":            "return " + numbered("9", 250<<10),
	"escapes":                "return '" + numbered(`\9`, 250<<10) + "'",
	"newlines":               numbered("\n", 250<<10),
	"carriage returns":       numbered("\r", 250<<10),
	"nul bytes":              numbered("\x00", 250<<10),
	"high bytes":             numbered("\xff", 250<<10),
	"quotes":                 numbered("'", 250<<10),
	"equal signs":            numbered("=", 250<<10),
	"open long strings":      numbered("[=", 250<<10),
	"nested elseif chains":   strings.Repeat("if a then "+strings.Repeat("elseif a then ", 199), 62) + strings.Repeat(" end ", 62),
	"many sums":              strings.Repeat("x = a"+strings.Repeat("+a", maxChain)+"\n", 1000),
	"many powers":            strings.Repeat("x = a"+strings.Repeat("^a", maxChain)+"\n", 1000),
	"many comparisons":       strings.Repeat("x = a"+strings.Repeat("<a", maxChain)+"\n", 1000),
	"many concats":           strings.Repeat("x = a"+strings.Repeat("..a", maxChain)+"\n", 700),
	"many indexes":           strings.Repeat("x = a"+strings.Repeat("[a]", maxChain)+"\n", 700),
	"many calls":             strings.Repeat("x = a"+strings.Repeat("{}", maxChain)+"\n", 1000),
	"while conditions":       numbered("while not not not a do end ", 250<<10),
	"or in if":               "if a" + numbered(" or a==1", 250<<10) + " then end",
}

// TestHostileSourceCompilesQuickly gives all of them to Compile. Whether it
// takes or refuses them, it must be quick.
func TestHostileSourceCompilesQuickly(t *testing.T) {
	slowest, name := time.Duration(0), ""
	for shape, source := range hostileSource {
		source = source[:min(len(source), maxBundle)]
		began := time.Now()
		_, err := Compile(map[string][]byte{mainFile: []byte(source)})
		took := time.Since(began)
		if testing.Verbose() {
			t.Logf("%-24s %8v  %.90v", shape, took.Round(time.Millisecond), err)
		}
		if took > slowest {
			slowest, name = took, shape
		}
	}
	t.Logf("slowest: %s, %v", name, slowest)
	if slowest > 600*time.Millisecond {
		t.Errorf("%s took %v", name, slowest)
	}
}
