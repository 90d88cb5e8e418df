package sip

import (
	"strconv"
	"strings"
)

// A Refusal says why a message may not live and what its sender is told.
type Refusal struct {
	Status int    // final status; 0 means silence
	Why    string // for Warning and the log: our words, never the sender's octets

	// Reply is the message to answer, nil if it cannot or must not be
	// answered: a response, an ACK, or one without the headers an answer needs.
	Reply *Message

	// Unsupported lists option tags for a 420.
	Unsupported string
}

// Error makes a Refusal an error for logs.
func (r *Refusal) Error() string {
	if r.Why == "" {
		return "refused: " + Phrase(r.Status)
	}
	return "refused: " + r.Why
}

// judge applies the rules every message must keep (RFC 3261 §8.1.1, §8.2, §16.3),
// in the order in which an answer is most useful to the sender.
func (m *Message) judge(start, lines *Refusal) *Refusal {
	answerable := m.readIdentity()
	refusal := firstOf(start, lines, answerable, m.readSequence())
	if refusal == nil && m.IsRequest() {
		refusal = m.judgeRequest()
	}
	if refusal == nil {
		refusal = m.cutBody()
	}
	if refusal == nil {
		return nil
	}
	if answerable != nil {
		return refusal
	}
	r := m.refuse(refusal.Status, refusal.Why)
	r.Unsupported = refusal.Unsupported
	return r
}

// refuse makes a refusal of m that is answered if m is a request other than ACK.
func (m *Message) refuse(status int, why string) *Refusal {
	r := &Refusal{Status: status, Why: why}
	if m.IsRequest() && m.Method != "ACK" && m.Method != "" {
		r.Reply = m
	}
	return r
}

func firstOf(faults ...*Refusal) *Refusal {
	for _, f := range faults {
		if f != nil {
			return f
		}
	}
	return nil
}

// readIdentity fills in what the top Via says and sees that all is there that is
// copied into an answer. Without it there is none.
func (m *Message) readIdentity() *Refusal {
	for _, n := range [...]Name{Via, From, To, CallID, CSeq} {
		if m.Get(n) == "" {
			return &Refusal{Status: 400, Why: "no " + n.String()}
		}
	}
	via, ok := parseVia(m.Get(Via))
	if !ok {
		return &Refusal{Status: 400, Why: "bad Via"}
	}
	m.via, m.Branch, m.SentBy = via, via.branch, strings.ToLower(via.sentBy)
	return nil
}

// readSequence reads the CSeq, whose method must be that of the request.
func (m *Message) readSequence() *Refusal {
	number, method := m.Get(CSeq), ""
	if end := strings.IndexAny(number, " \t"); end >= 0 {
		number, method = number[:end], strings.TrimLeft(number[end:], " \t")
	}
	seq, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return &Refusal{Status: 400, Why: "CSeq number is not below 2^31"}
	}
	m.Seq = uint32(seq)
	if !m.IsRequest() {
		m.Method = method
	} else if m.Method != "" && method != m.Method {
		return &Refusal{Status: 400, Why: "CSeq names another method"}
	}
	return nil
}

// branchCookie starts every branch made by an RFC 3261 peer (§8.1.1.7).
const branchCookie = "z9hG4bK"

func (m *Message) judgeRequest() *Refusal {
	bad := func(why string) *Refusal { return &Refusal{Status: 400, Why: why} }
	fromTag := parameter(m.Get(From), "tag")
	switch {
	case len(m.Branch) <= len(branchCookie) || !strings.EqualFold(m.Branch[:len(branchCookie)], branchCookie):
		return bad("Via branch is not of RFC 3261")
	case len(m.Branch) > maxID || len(fromTag) > maxID || len(m.Get(CallID)) > maxID || len(m.ToTag()) > maxID:
		return bad("branch, tag or Call-ID over 256 octets")
	case fromTag == "":
		return bad("no From tag")
	case strings.ContainsAny(m.Get(CallID), " \t,;"):
		return bad("bad Call-ID")
	}
	if n := m.count(Via); n > maxVias {
		return bad("more than 32 Via")
	}
	if hops := m.Get(MaxForwards); m.Has(MaxForwards) {
		if _, err := strconv.ParseUint(hops, 10, 8); err != nil {
			return bad("Max-Forwards is not 0 to 255")
		}
	}
	return m.judgeTarget()
}

func (m *Message) judgeTarget() *Refusal {
	scheme, _, ok := strings.Cut(m.URI, ":")
	if !ok {
		return &Refusal{Status: 400, Why: "Request-URI without scheme"}
	}
	switch strings.ToLower(scheme) {
	case "sip", "sips", "tel":
	default:
		return &Refusal{Status: 416}
	}
	if m.Method != "ACK" && m.Method != "CANCEL" && m.Has(Require) {
		if unknown := unsupported(m.all(Require)); unknown != "" {
			return &Refusal{Status: 420, Unsupported: unknown}
		}
	}
	if m.Method == "ACK" {
		return nil // never answered, and matched by branch alone
	}
	var err error
	if m.Caller, err = ParseAddress(m.Get(From)); err != nil {
		return &Refusal{Status: 400, Why: "bad From"}
	}
	if m.Callee, err = ParseAddress(m.Get(To)); err != nil {
		return &Refusal{Status: 400, Why: "bad To"}
	}
	if m.Target, err = ParseURI(m.URI); err != nil {
		return &Refusal{Status: 400, Why: "bad Request-URI"}
	}
	return nil
}

// passed are the extensions that work from end to end, through a front that does no
// more than pass their headers on. 100rel is not among them: each leg would need
// its own sequence.
var passed = map[string]bool{"timer": true, "replaces": true, "norefersub": true, "histinfo": true}

// unsupported lists the option tags that nobody here understands (RFC 3261
// §8.2.2.3).
func unsupported(tags string) string {
	var unknown []string
	for tag := range strings.SplitSeq(tags, ",") {
		if tag = strings.TrimSpace(tag); tag != "" && !passed[strings.ToLower(tag)] {
			unknown = append(unknown, tag)
		}
	}
	return strings.Join(unknown, ", ")
}

// Offered keeps of a Supported or Require header what a front may pass on.
func Offered(tags string) string {
	var known []string
	for tag := range strings.SplitSeq(tags, ",") {
		if tag = strings.TrimSpace(tag); passed[strings.ToLower(tag)] {
			known = append(known, tag)
		}
	}
	return strings.Join(known, ", ")
}

// all joins the values of every header called n, which is the same as one header
// (RFC 3261 §7.3.1).
func (m *Message) all(n Name) string {
	var values []string
	for i := range m.Headers {
		if m.Headers[i].Name == n {
			values = append(values, m.Headers[i].Value)
		}
	}
	return strings.Join(values, ", ")
}

func (m *Message) count(n Name) (found int) {
	for i := range m.Headers {
		if m.Headers[i].Name == n {
			found++
		}
	}
	return found
}

// cutBody trims the body to its Content-Length: octets behind it are no part
// of the message, octets missing make it a torn one (RFC 3261 §18.3).
func (m *Message) cutBody() *Refusal {
	if !m.Has(ContentLength) {
		return nil
	}
	n, err := strconv.ParseUint(m.Get(ContentLength), 10, 31)
	if err != nil {
		return &Refusal{Status: 400, Why: "bad Content-Length"}
	}
	if int(n) > len(m.Body) {
		return &Refusal{Status: 400, Why: "body shorter than Content-Length"}
	}
	m.Body = m.Body[:n]
	return nil
}
