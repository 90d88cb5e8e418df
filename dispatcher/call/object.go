package call

import (
	"encoding/json"
	"strconv"
	"time"
)

// An Object is a JSON object under construction, for what is encoded once for each call:
// encoding/json takes three times as long. What it writes is what encoding/json would.
// Names of members are plain ASCII, but for those of Named.
type Object struct {
	b     []byte
	start time.Time // that times are told from, see Time; zero for none
}

// NewObject begins an object at the end of b.
func NewObject(b []byte) Object { return Object{b: append(b, '{')} }

// End gives all that was there before, and the object.
func (o *Object) End() []byte { return append(o.b, '}') }

func (o *Object) key(name string) {
	o.next()
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *Object) next() {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
}

// Append adds a member whose value add writes.
func (o *Object) Append(name string, add func([]byte) []byte) {
	o.key(name)
	o.b = add(o.b)
}

// List adds an array of n values, each of which add writes.
func (o *Object) List(name string, n int, add func(b []byte, i int) []byte) {
	o.key(name)
	o.b = append(o.b, '[')
	for i := range n {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = add(o.b, i)
	}
	o.b = append(o.b, ']')
}

// Text adds a string.
func (o *Object) Text(name, value string) {
	o.key(name)
	o.b = appendString(o.b, value)
}

// Named adds a string under whatever name.
func (o *Object) Named(name, value string) {
	o.next()
	o.b = appendString(o.b, name)
	o.b = append(o.b, ':')
	o.b = appendString(o.b, value)
}

// TextIf adds a string that is not empty.
func (o *Object) TextIf(name, value string) {
	if value != "" {
		o.Text(name, value)
	}
}

// Number adds an integer.
func (o *Object) Number(name string, n int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

// NumberIf adds an integer other than 0.
func (o *Object) NumberIf(name string, n int64) {
	if n != 0 {
		o.Number(name, n)
	}
}

// TrueIf adds a member that is true, if it is.
func (o *Object) TrueIf(name string, is bool) {
	if is {
		o.key(name)
		o.b = append(o.b, "true"...)
	}
}

// Time adds an instant, by the clock as it went at the object's start if it has one.
func (o *Object) Time(name string, t time.Time) {
	if !t.IsZero() && !o.start.IsZero() {
		t = o.start.Add(t.Sub(o.start))
	}
	o.key(name)
	o.b = append(o.b, '"')
	o.b = t.AppendFormat(o.b, time.RFC3339Nano)
	o.b = append(o.b, '"')
}

// TimeIf adds an instant that is not zero.
func (o *Object) TimeIf(name string, t time.Time) {
	if !t.IsZero() {
		o.Time(name, t)
	}
}

// Value leaves what is rare to encoding/json; it must be encodable.
func (o *Object) Value(name string, v any) {
	o.key(name)
	text, _ := json.Marshal(v)
	o.b = append(o.b, text...)
}

// plain are the bytes that stand for themselves in a string.
var plain = func() (is [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		is[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return is
}()

// appendString quotes s. ASCII is written here, anything else by encoding/json.
func appendString(b []byte, s string) []byte {
	begun, done := len(b), 0
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case plain[c]:
		case c < 0x80:
			b = append(b, s[done:i]...)
			b = appendEscaped(b, c)
			done = i + 1
		default:
			quoted, _ := json.Marshal(s)
			return append(b[:begun], quoted...)
		}
	}
	b = append(b, s[done:]...)
	return append(b, '"')
}

func appendEscaped(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xF])
}
