package sip

import "strings"

// A Request is what the front sends of its own: the INVITE of a leg, or a request
// within a dialog. The edge adds Via and Content-Length; nothing in Headers can
// replace what stands in fields of its own, nor begin a line of its own.
type Request struct {
	Method   string
	URI      string
	From, To string // whole values, with tags
	CallID   string
	Seq      uint32 // CSeq number
	Route    []string
	Hops     int // Max-Forwards
	Headers  []Field
	Body     string
}

// UserAgent names the program in what it sends of its own.
const UserAgent = "Dialyard"

// encode renders the request as sent from a socket.
func (r *Request) encode(transport, sentBy, branch string) []byte {
	b := make([]byte, 0, 512+len(r.URI)+len(r.From)+len(r.To)+len(r.Body))
	b = appendClean(b, r.Method)
	b = append(b, ' ')
	b = appendWord(b, r.URI)
	b = append(b, " SIP/2.0\r\n"...)
	b = r.appendFixed(b, transport, sentBy, branch)
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

// appendFixed writes the headers that every request has, in the order in which
// peers like to read them.
func (r *Request) appendFixed(b []byte, transport, sentBy, branch string) []byte {
	b = append(b, "Via: SIP/2.0/"...)
	b = append(b, strings.ToUpper(transport)...)
	b = append(b, ' ')
	b = append(b, sentBy...)
	b = append(b, ";branch="...)
	b = append(b, branch...)
	b = append(b, ";rport\r\nMax-Forwards: "...)
	b = appendInt(b, r.Hops)
	b = append(b, "\r\n"...)
	for _, route := range r.Route {
		b = appendField(b, "Route", route)
	}
	b = appendField(b, "From", r.From)
	b = appendField(b, "To", r.To)
	b = appendField(b, "Call-ID", r.CallID)
	b = append(b, "CSeq: "...)
	b = appendInt(b, int(r.Seq))
	b = append(b, ' ')
	b = appendClean(b, r.Method)
	return append(b, "\r\n"...)
}

// hopByHop makes the ACK for a failure or the CANCEL of this request: the same Via,
// Request-URI, Route, From, Call-ID and CSeq number (RFC 3261 §9.1, §17.1.1.3).
func (r *Request) hopByHop(method, to string, headers []Field) *Request {
	return &Request{
		Method: method, URI: r.URI, From: r.From, To: to, CallID: r.CallID, Seq: r.Seq,
		Route: r.Route, Hops: MaxHops, Headers: headers,
	}
}

// MaxHops is the Max-Forwards of a request that begins here (RFC 3261 §8.1.1.6).
const MaxHops = 70

// appendWord keeps a Request-URI one word of the start line.
func appendWord(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c <= 0x20 || c == 0x7F || c == '<' || c == '>' || c == '"' {
			b = append(b, "%20"...)
		} else {
			b = append(b, c)
		}
	}
	return b
}
