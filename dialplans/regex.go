package dialplans

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

const (
	// maxRegex is the longest regular expression, in bytes.
	maxRegex = 512
	// maxRegexSize is the largest expression, in instructions once repetitions
	// like {1,100} are written out.
	maxRegexSize = 2000
	// maxRegexWork bounds one match: the size of the compiled expression times
	// the length of the subject. RE2 takes some ten nanoseconds for each.
	maxRegexWork = 4 << 20
)

// regex is a compiled RE2 expression.
type regex struct {
	*regexp.Regexp
	size   int  // instructions
	around bool // looks at what is around a match: ^ $ \b
}

// compileRegex reads an RE2 expression.
func compileRegex(src string) (*regex, error) {
	if len(src) > maxRegex {
		return nil, fmt.Errorf("regular expression of %d bytes is too long, the limit is %d", len(src), maxRegex)
	}
	parsed, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if n := writtenOut(parsed); n > maxRegexSize {
		return nil, errors.New("the regular expression is too large once its repetitions are written out")
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	compiled, err := regexp.Compile(src)
	if err != nil {
		return nil, err
	}
	around := slices.ContainsFunc(program.Inst, func(i syntax.Inst) bool { return i.Op == syntax.InstEmptyWidth })
	return &regex{compiled, len(program.Inst), around}, nil
}

// writtenOut estimates how many instructions an expression compiles to, before
// anything is spent on it.
func writtenOut(x *syntax.Regexp) int {
	n := 1 + len(x.Rune)/2
	for _, sub := range x.Sub {
		n += writtenOut(sub)
	}
	if x.Op == syntax.OpRepeat {
		n *= max(x.Min, x.Max, 1)
	}
	return min(n, 1<<20)
}

// all finds up to limit matches, one by one and each paid for: to find them in
// one go may take the square of the text's length. Expressions that look around
// need the whole text, so for these the text must be short.
func (x *regex) all(b *budget, text string, limit int) ([][]int, error) {
	if x.around {
		cost, err := x.work(len(text) * (1 + len(text)/64))
		if err == nil && !b.spend(cost) {
			err = b.Err()
		}
		if err != nil {
			return nil, err
		}
		return x.FindAllStringSubmatchIndex(text, limit), nil
	}
	var found [][]int
	for at, last := 0, -1; at <= len(text) && len(found) < limit; {
		cost, err := x.work(len(text) - at)
		if err != nil {
			return nil, err
		}
		if !b.spend(cost) {
			return nil, b.Err()
		}
		match := x.FindStringSubmatchIndex(text[at:])
		if match == nil {
			break
		}
		for i := range match {
			if match[i] >= 0 {
				match[i] += at
			}
		}
		if match[1] > match[0] || match[0] != last {
			found = append(found, match)
		}
		last = match[1]
		at = max(match[1], at)
		if match[1] == match[0] {
			at = match[1] + 1
		}
	}
	return found, nil
}

// work is what one match in n bytes may cost, in the units of maxRegexWork; the
// error says that it is too much.
func (x *regex) work(n int) (int, error) {
	if cost := x.size * (n + 1); cost <= maxRegexWork {
		return cost, nil
	}
	return 0, fmt.Errorf("text of %d bytes is too long for this regular expression, the limit is %d", n, maxRegexWork/x.size)
}

// regex compiles an RE2 expression, or finds it among those the state knows.
func (s *state) regex(src string) (*regex, error) {
	if x, ok := s.regexps[src]; ok {
		return x, nil
	}
	x, err := compileRegex(src)
	if err != nil {
		return nil, err
	}
	if s.regexSize += x.size; s.regexSize > maxCached {
		clear(s.regexps)
		s.regexSize = 0
	}
	s.regexps[strings.Clone(src)] = x
	return x, nil
}
