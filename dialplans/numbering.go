package dialplans

import (
	"errors"
	"fmt"
	"strings"
)

// E.164 numbers have up to 15 digits; shorter than 7 they are not worth the +.
const (
	minE164 = 7
	maxE164 = 15
)

// stripNumber takes away what people put between digits: spaces, dots, dashes,
// slashes and brackets. A + at the beginning stays.
func stripNumber(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-/()[]\t\u00a0", r) {
			return -1
		}
		return r
	}, s)
}

// isE164 reports whether s is + and 7 to 15 digits, not beginning with 0.
func isE164(s string) bool {
	digits, plus := strings.CutPrefix(s, "+")
	return plus && len(digits) >= minE164 && len(digits) <= maxE164 && digits[0] != '0' && allDigits(digits)
}

func allDigits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// e164 makes an international number of one dialled in a country: with +, with
// the international prefix, or national with or without the trunk prefix. ok is
// false for what cannot be one.
func e164(number, country, trunk, international string) (result string, ok bool, err error) {
	country = strings.TrimPrefix(country, "+")
	if country == "" || len(country) > 3 || !allDigits(country) {
		return "", false, fmt.Errorf("%q is not a country code", clip(country))
	}
	if !allDigits(trunk) || !allDigits(international) || international == "" {
		return "", false, errors.New("a trunk or international prefix has digits only")
	}
	digits := stripNumber(number)
	if rest, plus := strings.CutPrefix(digits, "+"); plus {
		result = "+" + rest
	} else if rest, abroad := strings.CutPrefix(digits, international); abroad {
		result = "+" + rest
	} else {
		result = "+" + country + strings.TrimPrefix(digits, trunk)
	}
	return result, isE164(result), nil
}

// rewrite replaces a prefix; ok is false if number does not begin with it.
func rewrite(number, prefix, replacement string) (result string, ok bool) {
	rest, ok := strings.CutPrefix(number, prefix)
	if !ok {
		return number, false
	}
	return replacement + rest, true
}
