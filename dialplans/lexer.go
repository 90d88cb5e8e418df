package dialplans

import (
	"bytes"
	"strings"
)

// kind is what a token is, as far as the pre-scan cares.
type kind int

const (
	endOfFile kind = iota
	word           // name or keyword
	number
	text // string literal
	mark // operator or punctuation
)

// token is a piece of source and where it begins; line and column count from 1.
type token struct {
	kind         kind
	text         string
	line, column int
}

// lexer cuts Lua source into tokens. It is lenient: a malformed token becomes
// some token, and the parser reports it.
type lexer struct {
	src   []byte
	at    int
	line  int
	begin int // offset at which the line begins
}

func (x *lexer) next() token {
	x.skip()
	tok := token{line: x.line, column: x.at - x.begin + 1}
	start := x.at
	if start >= len(x.src) {
		return tok
	}
	c := x.src[start]
	switch {
	case isLetter(c):
		tok.kind = word
		x.while(isWord)
	case isDigit(c) || c == '.' && isDigit(x.peek(1)):
		tok.kind = number
		x.while(func(c byte) bool { return isWord(c) || c == '.' })
	case c == '"' || c == '\'':
		tok.kind = text
		x.quoted(c)
	case c == '[' && x.long():
		tok.kind = text
	default:
		tok.kind = mark
		x.at += markLength(x.src[x.at:])
	}
	tok.text = string(x.src[start:x.at])
	return tok
}

// skip passes white space and comments.
func (x *lexer) skip() {
	for x.at < len(x.src) {
		switch c := x.src[x.at]; {
		case c == '\n':
			x.newline()
		case c == ' ' || c == '\t' || c == '\r':
			x.at++
		case c == '-' && x.peek(1) == '-':
			x.at += 2
			if x.peek(0) != '[' || !x.long() {
				x.while(func(c byte) bool { return c != '\n' })
			}
		default:
			return
		}
	}
}

func (x *lexer) newline() {
	x.at++
	x.line++
	x.begin = x.at
}

// quoted passes a string in quotes, up to the line's end at most.
func (x *lexer) quoted(quote byte) {
	for x.at++; x.at < len(x.src); {
		switch c := x.src[x.at]; {
		case c == quote:
			x.at++
			return
		case c == '\\' && x.peek(1) == '\n':
			x.at++
			x.newline()
		case c == '\\':
			x.at = min(x.at+2, len(x.src))
		case c == '\n':
			return
		default:
			x.at++
		}
	}
}

// long passes a [[...]] or [==[...]==] and reports whether there was one.
func (x *lexer) long() bool {
	level := 0
	for x.peek(1+level) == '=' {
		level++
	}
	if x.peek(1+level) != '[' {
		return false
	}
	from := x.at + level + 2
	length := bytes.Index(x.src[from:], []byte("]"+strings.Repeat("=", level)+"]"))
	end := len(x.src)
	if length >= 0 {
		end = from + length + level + 2
	}
	x.line += bytes.Count(x.src[x.at:end], []byte("\n"))
	if i := bytes.LastIndexByte(x.src[x.at:end], '\n'); i >= 0 {
		x.begin = x.at + i + 1
	}
	x.at = end
	return true
}

func (x *lexer) while(ok func(byte) bool) {
	for x.at < len(x.src) && ok(x.src[x.at]) {
		x.at++
	}
}

func (x *lexer) peek(ahead int) byte {
	if x.at+ahead < len(x.src) {
		return x.src[x.at+ahead]
	}
	return 0
}

// markLength is the length of the operator that src begins with.
func markLength(src []byte) int {
	for _, m := range []string{"...", "..", "::", "==", "~=", "<=", ">="} {
		if bytes.HasPrefix(src, []byte(m)) {
			return len(m)
		}
	}
	return 1
}

func isLetter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) }
