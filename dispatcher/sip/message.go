package sip

import (
	"strings"
)

// A Message is one request or response that passed the guard. It is immutable
// and may be shared between goroutines; its strings all lie in one copy of the
// packet.
type Message struct {
	Method string // of a request; of the CSeq in a response
	URI    string // Request-URI; empty in a response
	Status int    // 0 in a request
	Reason string

	Headers []Header
	Body    string

	Branch string // of the top Via
	SentBy string // of the top Via, host[:port] in lower case
	Seq    uint32 // CSeq number

	// Who asks for what: From, To and Request-URI of a request, read.
	Caller, Callee Address
	Target         URI

	via   topVia
	block string // all header lines, each with its CRLF
	first [names]uint8
	array [inlineHeaders]Header
}

// inlineHeaders is how many headers a message holds without a second allocation.
const inlineHeaders = 14

// IsRequest tells a request from a response.
func (m *Message) IsRequest() bool { return m.Status == 0 }

// Get returns the value of the first header called n, or "".
func (m *Message) Get(n Name) string {
	if i := m.first[n]; i > 0 {
		return m.Headers[i-1].Value
	}
	return ""
}

// Has reports whether the message carries the header at all.
func (m *Message) Has(n Name) bool { return m.first[n] > 0 }

// Find returns the value of the first header with this name, in any case, or "".
func (m *Message) Find(name string) string {
	for i := range m.Headers {
		if len(m.Headers[i].Text) == len(name) && strings.EqualFold(m.Headers[i].Text, name) {
			return m.Headers[i].Value
		}
	}
	return ""
}

// Block is the header block as received, unfolded, CRLF after each line.
func (m *Message) Block() string { return m.block }

// ToTag is the tag parameter of To: present within a dialog, empty outside.
func (m *Message) ToTag() string { return parameter(m.Get(To), "tag") }

// All returns the values of every header with this name, in any case.
func (m *Message) All(name string) (values []string) {
	for i := range m.Headers {
		if strings.EqualFold(m.Headers[i].Text, name) {
			values = append(values, m.Headers[i].Value)
		}
	}
	return values
}

// Text is a request as it came, its folded lines joined.
func (m *Message) Text() string {
	return m.Method + " " + m.URI + " SIP/2.0\r\n" + m.block + "\r\n\r\n" + m.Body
}

// Tag reads the tag of a From or To value.
func Tag(value string) string { return parameter(value, "tag") }

// add appends a header and remembers where its name stood first.
func (m *Message) add(h Header) {
	m.Headers = append(m.Headers, h)
	if m.first[h.Name] == 0 {
		m.first[h.Name] = uint8(min(len(m.Headers), 255))
	}
}

// parameter returns the value of a header parameter of a name-addr or of a bare
// address: what follows the closing bracket, or the first semicolon.
func parameter(value, name string) string {
	rest := afterAddress(value)
	for rest != "" {
		rest = strings.TrimLeft(rest, "; \t")
		end := nextParameter(rest)
		key, v, _ := strings.Cut(rest[:end], "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.TrimSpace(v)
		}
		rest = rest[end:]
	}
	return ""
}

// afterAddress skips the display name and URI of a From, To or Contact value.
func afterAddress(value string) string {
	quoted := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			if end := strings.IndexByte(value[i:], '>'); end >= 0 {
				return value[i+end+1:]
			}
			return ""
		case c == ';':
			return value[i:]
		}
	}
	return ""
}

// nextParameter is the length of the parameter that rest begins with, quoted
// values included.
func nextParameter(rest string) int {
	quoted := false
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			return i
		}
	}
	return len(rest)
}
