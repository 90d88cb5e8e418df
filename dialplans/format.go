package dialplans

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxWidth is the largest width and precision of a format directive.
const maxWidth = 99

// directive is one % of a format string, as in "%-8.3f".
type directive struct {
	minus, plus, space, sharp, zero bool
	width, precision                int // precision is -1 when absent
	verb                            byte
}

// parseDirective reads the directive that follows a % and gives its length.
func parseDirective(s string) (d directive, n int, err error) {
	flags := map[byte]*bool{'-': &d.minus, '+': &d.plus, ' ': &d.space, '#': &d.sharp, '0': &d.zero}
	for n < len(s) && flags[s[n]] != nil {
		*flags[s[n]] = true
		n++
	}
	d.width, n = digits(s, n)
	d.precision = -1
	if n < len(s) && s[n] == '.' {
		d.precision, n = digits(s, n+1)
	}
	if n >= len(s) {
		return d, n, errors.New("the format ends inside a '%' directive")
	}
	if d.width > maxWidth || d.precision > maxWidth {
		return d, n, fmt.Errorf("a width or precision in the format is larger than %d", maxWidth)
	}
	d.verb = s[n]
	return d, n + 1, nil
}

// digits reads a number of at most a few digits at offset n.
func digits(s string, n int) (value, next int) {
	for n < len(s) && isDigit(s[n]) {
		value = min(value*10+int(s[n]-'0'), 10*maxWidth)
		n++
	}
	return value, n
}

// integer formats for the verbs d i u o x X c.
func (d directive) integer(n float64) string {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return d.pad(numberText(n), false)
	}
	if d.verb == 'c' {
		return d.pad(string([]byte{byte(int64(n))}), false)
	}
	whole := int64(n)
	magnitude := uint64(whole)
	if whole < 0 && strings.IndexByte("di", d.verb) >= 0 {
		magnitude = -magnitude
	}
	base := map[byte]int{'o': 8, 'x': 16, 'X': 16}[d.verb]
	text := strconv.FormatUint(magnitude, max(base, 10-10*min(base, 1)))
	if d.verb == 'X' {
		text = strings.ToUpper(text)
	}
	if missing := d.precision - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	if d.sharp && base == 16 && whole != 0 {
		text = "0" + string(d.verb) + text
	}
	return d.pad(d.sign(whole < 0 && base == 0 && d.verb != 'u')+text, d.precision < 0)
}

// float formats for the verbs e E f g G.
func (d directive) float(n float64) string {
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	finite := !math.IsNaN(n) && !math.IsInf(n, 0)
	magnitude, negative := math.Abs(n), math.Signbit(n)
	var text string
	switch {
	case !finite:
		text = strings.TrimPrefix(numberText(magnitude), "+")
		negative = negative && !math.IsNaN(n)
	case d.verb == 'g' || d.verb == 'G':
		text = general(magnitude, precision, d.verb-'g'+'e')
	default:
		text = strconv.FormatFloat(magnitude, d.verb, precision, 64)
	}
	return d.pad(d.sign(negative)+text, finite)
}

// text formats for the verb s.
func (d directive) text(s string) string {
	if d.precision >= 0 && d.precision < len(s) {
		s = s[:d.precision]
	}
	return d.pad(s, false)
}

func (d directive) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case d.plus:
		return "+"
	case d.space:
		return " "
	}
	return ""
}

// pad fills s to the width: with zeros after the sign if asked and allowed.
func (d directive) pad(s string, zeros bool) string {
	missing := d.width - len(s)
	switch {
	case missing <= 0:
		return s
	case d.minus:
		return s + strings.Repeat(" ", missing)
	case d.zero && zeros:
		at := 0
		if s[0] == '-' || s[0] == '+' || s[0] == ' ' {
			at = 1
		}
		return s[:at] + strings.Repeat("0", missing) + s[at:]
	}
	return strings.Repeat(" ", missing) + s
}

// quoted formats for the verb q: a Lua literal that reads back as s.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\r':
			b.WriteString(`\r`)
		case 0:
			b.WriteString(`\000`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
