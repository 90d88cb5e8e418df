package load

import "bytes"

// Sides of a call, the last letter of a tag. A caller's tag has none.
const (
	sideCaller = 0
	sideCallee = 'c'
	sideBusy   = 'x' // a leg too many, which was refused
)

// appendTag writes the tag with which the side answers.
func appendTag(b []byte, run, call uint32, side byte) []byte {
	b = appendNumber(appendNumber(b, run), call)
	if side != sideCaller {
		b = append(b, side)
	}
	return b
}

// parseTag reads what appendTag wrote.
func parseTag(tag []byte) (run, call uint32, side byte, ok bool) {
	if len(tag) == 2*callDigits+1 {
		side, tag = tag[2*callDigits], tag[:2*callDigits]
	}
	if len(tag) != 2*callDigits {
		return 0, 0, 0, false
	}
	run, okRun := parseNumber(tag[:callDigits])
	call, okCall := parseNumber(tag[callDigits:])
	return run, call, side, okRun && okCall
}

// tagOf is the tag of a To or From value, nil if it has none.
func tagOf(value []byte) []byte {
	_, tag, found := bytes.Cut(value[bytes.LastIndexByte(value, '>')+1:], []byte(";tag="))
	if !found {
		return nil
	}
	if end := bytes.IndexAny(tag, "; \t"); end >= 0 {
		tag = tag[:end]
	}
	return tag
}
