package main

import (
	"strings"
	"unicode"
)

// shorten makes text fit a column: one line, nothing that a terminal obeys, and no more
// characters than that. What a worker or a caller said may be in it.
func shorten(text string, most int) string {
	clean := []rune(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, text))
	if len(clean) <= most {
		return string(clean)
	}
	return string(clean[:most-1]) + "…"
}
