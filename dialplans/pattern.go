package dialplans

import (
	"errors"
	"fmt"
)

const (
	// maxCaptures is how many captures one pattern may have.
	maxCaptures = 32
	// maxPattern is the longest pattern, in bytes; it bounds the depth of the
	// matcher's recursion too.
	maxPattern = 1 << 10
)

// pattern is a compiled Lua pattern: a list of items matched from left to right
// with backtracking.
type pattern struct {
	items    []item
	anchored bool // begins with ^
	captures int
	literal  string // set when the pattern is nothing but this text
}

// item is one element of a pattern.
type item struct {
	op     op
	repeat byte  // for opByte: 0, '?', '*', '+' or '-'
	index  int   // of the capture that is opened, closed or repeated
	set    class // for opByte and opFrontier
	from   byte  // for opBalance
	to     byte
}

type op uint8

const (
	opByte     op = iota // one byte of a class, perhaps repeated
	opOpen               // (
	opClose              // )
	opPosition           // ()
	opRepeat             // %1: what a capture matched, again
	opBalance            // %bxy
	opFrontier           // %f[set]
	opEnd                // $ at the end
)

// patternParser turns the text of a pattern into items.
type patternParser struct {
	src  string
	at   int
	out  pattern
	open []int // captures not yet closed
}

// compilePattern reads a Lua 5.1 pattern. The error says what is malformed.
func compilePattern(src string) (*pattern, error) {
	if len(src) > maxPattern {
		return nil, fmt.Errorf("pattern of %d bytes is too long, the limit is %d", len(src), maxPattern)
	}
	p := &patternParser{src: src}
	if src != "" && src[0] == '^' {
		p.out.anchored = true
		p.at = 1
	}
	for p.at < len(p.src) {
		it, err := p.item()
		if err != nil {
			return nil, err
		}
		p.out.items = append(p.out.items, it)
	}
	if len(p.open) > 0 {
		return nil, errors.New("malformed pattern (a '(' is never closed)")
	}
	p.out.literal = p.out.plain()
	return &p.out, nil
}

func (p *patternParser) item() (item, error) {
	switch c := p.src[p.at]; {
	case c == '(':
		return p.opening()
	case c == ')':
		p.at++
		if len(p.open) == 0 {
			return item{}, errors.New("malformed pattern (a ')' closes nothing)")
		}
		last := p.open[len(p.open)-1]
		p.open = p.open[:len(p.open)-1]
		return item{op: opClose, index: last}, nil
	case c == '$' && p.at == len(p.src)-1:
		p.at++
		return item{op: opEnd}, nil
	case c == '%' && p.at+1 < len(p.src):
		switch next := p.src[p.at+1]; {
		case next == 'b':
			return p.balance()
		case next == 'f':
			return p.frontier()
		case isDigit(next):
			return p.repetition(int(next - '0'))
		}
	}
	return p.single()
}

func (p *patternParser) opening() (item, error) {
	p.at++
	index := p.out.captures
	if p.out.captures++; p.out.captures > maxCaptures {
		return item{}, fmt.Errorf("pattern has more than %d captures", maxCaptures)
	}
	if p.at < len(p.src) && p.src[p.at] == ')' {
		p.at++
		return item{op: opPosition, index: index}, nil
	}
	p.open = append(p.open, index)
	return item{op: opOpen, index: index}, nil
}

func (p *patternParser) balance() (item, error) {
	if p.at+4 > len(p.src) {
		return item{}, errors.New("malformed pattern (two characters must follow %b)")
	}
	it := item{op: opBalance, from: p.src[p.at+2], to: p.src[p.at+3]}
	p.at += 4
	return it, nil
}

func (p *patternParser) frontier() (item, error) {
	p.at += 2
	if p.at >= len(p.src) || p.src[p.at] != '[' {
		return item{}, errors.New("malformed pattern (a '[' must follow %f)")
	}
	set, n, err := parseSet(p.src[p.at:])
	p.at += n
	return item{op: opFrontier, set: set}, err
}

func (p *patternParser) repetition(number int) (item, error) {
	p.at += 2
	index := number - 1
	if index < 0 || index >= p.out.captures {
		return item{}, fmt.Errorf("pattern refers to capture %%%d, which does not exist", number)
	}
	for _, open := range p.open {
		if open == index {
			return item{}, fmt.Errorf("pattern refers to capture %%%d inside itself", number)
		}
	}
	return item{op: opRepeat, index: index}, nil
}

// single reads one class of bytes and its repetition.
func (p *patternParser) single() (item, error) {
	set, n, err := parseClass(p.src[p.at:])
	if err != nil {
		return item{}, err
	}
	p.at += n
	it := item{op: opByte, set: set}
	if p.at < len(p.src) {
		switch c := p.src[p.at]; c {
		case '*', '+', '-', '?':
			it.repeat = c
			p.at++
		}
	}
	return it, nil
}

// plain is the text the pattern stands for if it is only text, else empty.
func (p *pattern) plain() string {
	text := make([]byte, 0, len(p.items))
	for i := range p.items {
		c, only := p.items[i].set.only()
		if p.items[i].op != opByte || p.items[i].repeat != 0 || !only {
			return ""
		}
		text = append(text, c)
	}
	return string(text)
}
