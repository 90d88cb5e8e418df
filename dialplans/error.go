package dialplans

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"dialyard/proto"
)

// Bounds of what an Error carries over the wire, in bytes.
const (
	maxMessage = 1 << 10
	maxStack   = 4 << 10
	maxSource  = 256
)

// Error is a mistake in a script: where it is, what it is and, for a mistake
// made at run time, how the script got there.
type Error struct {
	File    string // within the bundle; empty when no file is to blame
	Line    int    // from 1; 0 when unknown
	Column  int    // from 1, in bytes; 0 when unknown
	Message string
	Stack   string // Lua stack, innermost first
	Source  string // text of the offending line, for syntax errors
}

// Error renders the mistake on one line, as "main.lua:3:14: message".
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		for _, n := range []int{e.Line, e.Column} {
			if n <= 0 {
				break
			}
			fmt.Fprintf(&b, ":%d", n)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Caret renders the offending line with a ^ under the column, on two lines; it
// is empty when either is unknown.
func (e *Error) Caret() string {
	if e.Source == "" || e.Column <= 0 {
		return ""
	}
	end := min(e.Column-1, len(e.Source))
	margin := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, e.Source[:end])
	return e.Source + "\n" + margin + "^"
}

// Proto is the error as the wire carries it, cut to the wire's limits.
func (e *Error) Proto() *proto.ScriptError {
	if e == nil {
		return nil
	}
	return &proto.ScriptError{
		File:    validText(e.File, maxSource),
		Line:    uint32(max(e.Line, 0)),
		Column:  uint32(max(e.Column, 0)),
		Message: validText(e.Message, maxMessage),
		Stack:   validText(e.Stack, maxStack),
		Source:  validText(e.Source, maxSource),
	}
}

// ErrorFromProto is the reverse of [Error.Proto]; nil gives nil.
func ErrorFromProto(m *proto.ScriptError) *Error {
	if m == nil {
		return nil
	}
	return &Error{
		File:    m.GetFile(),
		Line:    int(m.GetLine()),
		Column:  int(m.GetColumn()),
		Message: m.GetMessage(),
		Stack:   m.GetStack(),
		Source:  m.GetSource(),
	}
}

// validText makes s fit for a protobuf string: at most limit bytes, UTF-8.
func validText(s string, limit int) string {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
