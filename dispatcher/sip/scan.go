package sip

import (
	"strconv"
	"strings"
)

// Sizes beyond which a message is refused rather than understood.
const (
	MaxMessage = 64 << 10 // octets, header and body
	maxLine    = 8 << 10  // octets of one header line, unfolded
	maxHeaders = 100
	maxVias    = 32
	maxURI     = 1 << 10
	maxID      = 256 // Call-ID, branch, tag
)

// Scan reads one whole datagram, or one message cut from a stream, and judges
// it. It returns either a Message or a Refusal, never both; data is not kept.
func Scan(data []byte) (*Message, *Refusal) {
	if len(data) > MaxMessage {
		return nil, &Refusal{Status: 513, Why: "message over 64 KiB"}
	}
	text := string(data)
	head, body, found := strings.Cut(text, "\r\n\r\n")
	if !found {
		return nil, &Refusal{Why: "header without end"}
	}
	if folded(head) {
		head = unfold(head)
	}
	start, block := cutLine(head)
	m := &Message{Body: body, block: block}
	m.Headers = m.array[:0]
	lines := m.readHeaders(block)
	begin := m.readStart(start)
	if r := m.judge(begin, lines); r != nil {
		return nil, r
	}
	return m, nil
}

// folded reports whether any line goes on in the next.
func folded(head string) bool {
	for {
		lf := strings.IndexByte(head, '\n')
		if lf < 0 || lf+1 == len(head) {
			return false
		}
		if head = head[lf+1:]; head[0] == ' ' || head[0] == '\t' {
			return true
		}
	}
}

// unfold joins header lines that go on in the next (RFC 3261 §7.3.1).
func unfold(head string) string {
	var b strings.Builder
	for i, line := range strings.Split(head, "\r\n") {
		if i > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			b.WriteString(" ")
			b.WriteString(strings.TrimLeft(line, " \t"))
			continue
		}
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(line)
	}
	return b.String()
}

// readStart splits the start line. The fault it returns waits until the headers
// are read, since they are needed to answer.
func (m *Message) readStart(line string) *Refusal {
	if rest, ok := strings.CutPrefix(line, "SIP/2.0 "); ok {
		return m.readStatus(rest)
	}
	first, last := strings.IndexByte(line, ' '), strings.LastIndexByte(line, ' ')
	if first <= 0 || last == first {
		return &Refusal{Status: 400, Why: "start line is not METHOD URI SIP/2.0"}
	}
	method, uri, version := line[:first], line[first+1:last], line[last+1:]
	m.Method, m.URI = method, uri
	switch {
	case !clean(line) || !IsToken(method):
		return &Refusal{Status: 400, Why: "bad octet in the start line"}
	case version != "SIP/2.0" && strings.HasPrefix(version, "SIP/"):
		return &Refusal{Status: 505}
	case version != "SIP/2.0":
		return &Refusal{Status: 400, Why: "start line is not METHOD URI SIP/2.0"}
	case len(uri) > maxURI:
		return &Refusal{Status: 414}
	case uri == "" || strings.ContainsAny(uri, " \t<>\""):
		return &Refusal{Status: 400, Why: "bad Request-URI"}
	}
	return nil
}

func (m *Message) readStatus(rest string) *Refusal {
	code, reason, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(code, 10, 16)
	if err != nil || len(code) != 3 || n < 100 || n > 699 || !clean(reason) {
		return &Refusal{Why: "bad status line"}
	}
	m.Status, m.Reason = int(n), reason
	return nil
}

// readHeaders splits the block into headers. Like readStart it goes on after a
// fault, so that a refusal can be answered where that is possible.
func (m *Message) readHeaders(block string) (fault *Refusal) {
	refuse := func(status int, why string) {
		if fault == nil {
			fault = &Refusal{Status: status, Why: why}
		}
	}
	for block != "" {
		var line string
		line, block = cutLine(block)
		colon := strings.IndexByte(line, ':')
		if colon <= 0 || len(line) > maxLine || !clean(line) {
			refuse(400, "bad header line")
			continue
		}
		text := strings.TrimRight(line[:colon], " \t")
		if !IsToken(text) {
			refuse(400, "bad header name")
			continue
		}
		if len(m.Headers) == maxHeaders {
			refuse(400, "more than 100 headers")
			return fault
		}
		h := Header{Name: lookup(text), Text: text, Value: strings.Trim(line[colon+1:], " \t")}
		if singular[h.Name] && m.Has(h.Name) {
			refuse(400, "second "+h.Name.String())
			continue
		}
		m.add(h)
	}
	return fault
}

// cutLine splits the first line off. A line ends with CRLF; a lone LF stays in it
// and is refused with it.
func cutLine(block string) (line, rest string) {
	for from := 0; ; {
		lf := strings.IndexByte(block[from:], '\n')
		if lf < 0 {
			return block, ""
		}
		if lf += from; lf > 0 && block[lf-1] == '\r' {
			return block[:lf-1], block[lf+1:]
		}
		from = lf + 1
	}
}

// clean reports whether a line holds only HTAB, visible ASCII, space and octets
// above 0x7F: no CR, LF, NUL or other control.
func clean(line string) bool {
	for i := range len(line) {
		if c := line[i]; c < 0x20 && c != '\t' || c == 0x7F {
			return false
		}
	}
	return true
}
