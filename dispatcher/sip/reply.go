package sip

import (
	"net/netip"
	"strconv"
)

// A Reply is what the dispatcher answers to a request. The edge adds Via, From,
// To, Call-ID, CSeq and Content-Length itself; nothing in Headers can replace
// them, nor begin a line of its own.
type Reply struct {
	Status  int     // 100 to 699
	Reason  string  `json:",omitempty"` // empty means the usual phrase
	Headers []Field `json:",omitempty"`
	Body    string
	Tag     string `json:",omitempty"` // To tag in place of the transaction's; empty for that
}

// A Field is a header to be sent.
type Field struct{ Name, Value string }

// Allow lists the methods the front understands.
const Allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, MESSAGE, NOTIFY, REFER"

// Warning is the header value that tells a peer what was wrong in words that
// reveal nothing (RFC 3261 §20.43).
func Warning(why string) Field {
	return Field{Name: "Warning", Value: `399 dialyard "` + why + `"`}
}

// Encode renders the answer to m, as sent to source. tag goes into To unless
// the request brought one.
func (r *Reply) Encode(m *Message, source netip.AddrPort, tag string) []byte {
	b := make([]byte, 0, 256+len(m.Get(Via))+len(m.Get(From))+len(m.Get(To))+len(m.Get(CallID))+len(r.Body))
	b = append(b, "SIP/2.0 "...)
	b = appendInt(b, r.Status)
	b = append(b, ' ')
	if r.Reason == "" {
		b = append(b, Phrase(r.Status)...)
	} else {
		b = appendClean(b, r.Reason)
	}
	b = append(b, "\r\n"...)
	b = appendVias(b, m, source)
	b = appendField(b, "From", m.Get(From))
	b = append(b, "To: "...)
	b = append(b, m.Get(To)...)
	if tag != "" && r.Status != 100 && m.ToTag() == "" {
		b = append(b, ";tag="...)
		b = appendClean(b, tag)
	}
	b = append(b, "\r\n"...)
	b = appendField(b, "Call-ID", m.Get(CallID))
	b = appendField(b, "CSeq", m.Get(CSeq))
	if r.Status > 100 && r.Status < 300 && m.Method == "INVITE" {
		b = appendRecordRoutes(b, m)
	}
	for _, f := range r.Headers {
		if !Reserved(f.Name) {
			b = appendField(b, f.Name, f.Value)
		}
	}
	b = append(b, "Content-Length: "...)
	b = appendInt(b, len(r.Body))
	b = append(b, "\r\n\r\n"...)
	return append(b, r.Body...)
}

// Reserved reports whether a header belongs to the edge and may not be set from
// above. Contact is not among them: a redirect carries it, a script may not.
func Reserved(name string) bool {
	switch lookup(name) {
	case Via, From, To, CallID, CSeq, MaxForwards, ContentLength, Route, RecordRoute:
		return true
	}
	return !IsToken(name)
}

func appendVias(b []byte, m *Message, source netip.AddrPort) []byte {
	top := true
	for i := range m.Headers {
		if m.Headers[i].Name != Via {
			continue
		}
		value := m.Headers[i].Value
		if top {
			b = m.via.answered(b, value[endOfVia(value):], source)
			top = false
			continue
		}
		b = appendField(b, "Via", value)
	}
	return b
}

// appendRecordRoutes copies the proxies that want to see the dialog (RFC 3261
// §12.1.1).
func appendRecordRoutes(b []byte, m *Message) []byte {
	for i := range m.Headers {
		if m.Headers[i].Name == RecordRoute {
			b = appendField(b, "Record-Route", m.Headers[i].Value)
		}
	}
	return b
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = appendClean(b, value)
	return append(b, "\r\n"...)
}

// appendClean is the one gate through which text reaches the wire: a control
// octet, which could end the line, becomes a space.
func appendClean(b []byte, s string) []byte {
	if clean(s) {
		return append(b, s...)
	}
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == 0x7F {
			b = append(b, ' ')
		} else {
			b = append(b, c)
		}
	}
	return b
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// Phrase is the reason phrase of a status (RFC 3261 §21 and its successors).
func Phrase(status int) string {
	if p, ok := phrases[status]; ok {
		return p
	}
	switch status / 100 {
	case 1:
		return "Progress"
	case 3:
		return "Redirect"
	case 4:
		return "Request Failure"
	case 5:
		return "Server Failure"
	case 6:
		return "Global Failure"
	}
	return "OK"
}

var phrases = map[int]string{
	100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
	200: "OK", 202: "Accepted",
	300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy",
	400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
	405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout", 410: "Gone",
	413: "Request Entity Too Large", 414: "Request-URI Too Long", 415: "Unsupported Media Type",
	416: "Unsupported URI Scheme", 420: "Bad Extension", 421: "Extension Required",
	480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
	483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
	487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending", 493: "Undecipherable",
	500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
	504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large",
	600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}
