package dialplans

import (
	"math"
	"strconv"
	"strings"
)

// numberText is how Lua writes a number: whole ones without a point, others
// with up to 14 significant digits.
func numberText(n float64) string {
	switch {
	case n == math.Trunc(n) && math.Abs(n) < 1e15:
		return strconv.FormatInt(int64(n), 10)
	case math.IsNaN(n):
		return "nan"
	case math.IsInf(n, 1):
		return "inf"
	case math.IsInf(n, -1):
		return "-inf"
	}
	return general(n, 14, 'e')
}

// general writes a number as C's %.<digits>g does.
func general(n float64, digits int, exponent byte) string {
	if digits == 0 {
		digits = 1
	}
	s := strconv.FormatFloat(n, exponent, digits-1, 64)
	mantissa, exp, _ := strings.Cut(s, string(exponent))
	x, err := strconv.Atoi(exp)
	if err != nil { // inf, nan
		return s
	}
	if x < -4 || x >= digits {
		return trimZeros(mantissa) + string(exponent) + exp
	}
	return trimZeros(strconv.FormatFloat(n, 'f', digits-1-x, 64))
}

func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// maxNumeral is the longest text read as a number, in bytes.
const maxNumeral = 200

// parseNumber reads a number as Lua source would have it: decimal, with
// fraction and exponent, or 0x and hexadecimal; white space around it is fine.
func parseNumber(s string) (float64, bool) {
	s = strings.Trim(s, " \t\n\r\v\f")
	if s == "" || len(s) > maxNumeral {
		return 0, false
	}
	unsigned := strings.TrimLeft(s, "+-")
	if len(s)-len(unsigned) > 1 || unsigned == "" || !isDigit(unsigned[0]) && unsigned[0] != '.' {
		return 0, false
	}
	if hex, ok := strings.CutPrefix(strings.ToLower(unsigned), "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 64)
		if s[0] == '-' {
			return -float64(n), err == nil
		}
		return float64(n), err == nil
	}
	if strings.ContainsAny(s, "_xXpP") {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
}
