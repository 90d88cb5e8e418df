package load

import (
	"bytes"
	"errors"
)

// Why a datagram is not a response of ours.
var (
	errNotResponse = errors.New("not a SIP response")
	errHeader      = errors.New("malformed header section")
	errIdentity    = errors.New("branch, CSeq and Call-ID do not name one call of this generator")
	errNoTag       = errors.New("final response without a To tag")
)

// response is what the generator wants from a response. The slices lie in the scanned datagram.
type response struct {
	run, call uint32
	kind      byte // of the request which is answered: kindInvite or kindBye
	status    int  // 100-699
	described bool // there is a session description, or something else in the body
	routes    routes
	dialog    dialog // remote is the URI of the first Contact, nil if there is none; routes stays nil
}

// scanResponse reads one datagram. It is strict about what tells one call from another and blind to all
// else: a header the generator has no use for is not looked at.
func scanResponse(b []byte) (response, error) {
	line, rest, found := bytes.Cut(b, crlf)
	status, ok := scanStatus(line)
	if !found || !ok {
		return response{}, errNotResponse
	}
	h, body, err := scanHeaders(rest)
	if err != nil {
		return response{}, err
	}
	r := response{status: status, described: len(body) > 0, routes: h.routes, dialog: dialog{to: h.to, remote: h.contact}}
	if !r.identify(h) {
		return response{}, errIdentity
	}
	if status >= 200 && !bytes.Contains(h.to, []byte(";tag=")) {
		return response{}, errNoTag
	}
	return r, nil
}

var crlf = []byte("\r\n")

// scanStatus reads the status of a status line, RFC 3261 section 7.2.
func scanStatus(line []byte) (status int, ok bool) {
	rest, found := bytes.CutPrefix(line, []byte("SIP/2.0 "))
	if !found || len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' {
		return 0, false
	}
	for _, c := range rest[:3] {
		if c < '0' || c > '9' {
			return 0, false
		}
		status = status*10 + int(c-'0')
	}
	return status, status >= 100 && status < 700
}

// headers are the values which scanResponse looks at; nil means absent.
type headers struct {
	via, to, callID, cseq, contact []byte
	routes                         routes
}

// scanHeaders reads up to the empty line and returns what is behind it. Each of Via, To, Call-ID and CSeq
// is there exactly once: more than one Via means that the response was not for us (RFC 3261 section
// 8.1.3.3).
func scanHeaders(b []byte) (h headers, body []byte, err error) {
	for {
		var f field
		if f, b, err = nextField(b); err != nil {
			return headers{}, nil, err
		}
		if f.line == nil {
			break
		}
		if !h.set(f.name, f.value) {
			return headers{}, nil, errHeader
		}
	}
	if h.via == nil || h.to == nil || h.callID == nil || h.cseq == nil {
		return headers{}, nil, errHeader
	}
	return h, b, nil
}

// field is one header line.
type field struct {
	line        []byte // without its line end; nil for the empty line that ends the headers
	name, value []byte
}

// nextField cuts the first line off b. Continued lines are refused: nobody sends them any more.
func nextField(b []byte) (f field, rest []byte, err error) {
	line, rest, found := bytes.Cut(b, crlf)
	if !found {
		return field{}, nil, errHeader
	}
	if len(line) == 0 {
		return field{}, rest, nil
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 1 || line[0] == ' ' || line[0] == '\t' {
		return field{}, nil, errHeader
	}
	return field{
		line:  line,
		name:  bytes.TrimRight(line[:colon], " \t"),
		value: bytes.Trim(line[colon+1:], " \t"),
	}, rest, nil
}

// set keeps the value if the name is one of those wanted. It is false for a second value of a header
// which must not have one.
func (h *headers) set(name, value []byte) bool {
	var field *[]byte
	switch len(name) {
	case 1:
		field = h.compact(name[0])
	case 2:
		field = match(name, "to", &h.to)
	case 3:
		field = match(name, "via", &h.via)
	case 4:
		field = match(name, "cseq", &h.cseq)
	case 7:
		if field = match(name, "call-id", &h.callID); field == nil {
			field = match(name, "contact", &h.contact)
		}
	case len(recordRoute):
		if named(name, recordRoute) {
			return h.routes.add(value)
		}
	}
	switch {
	case field == nil:
	case field == &h.contact:
		if *field == nil {
			*field = addressURI(value)
		}
	case *field != nil:
		return false
	default:
		*field = value
	}
	return true
}

// compact maps the one-letter header names of RFC 3261 section 7.3.3.
func (h *headers) compact(letter byte) *[]byte {
	switch letter | 0x20 {
	case 't':
		return &h.to
	case 'v':
		return &h.via
	case 'i':
		return &h.callID
	case 'm':
		return &h.contact
	}
	return nil
}

// match is field if the name is the wanted one, which is in lower case, else nil.
func match(name []byte, wanted string, field *[]byte) *[]byte {
	if !named(name, wanted) {
		return nil
	}
	return field
}

// named says whether a name is the wanted one, which is in lower case.
func named(name []byte, wanted string) bool {
	if len(name) != len(wanted) {
		return false
	}
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != wanted[i] {
			return false
		}
	}
	return true
}

// addressURI is the URI of a name-addr or addr-spec (RFC 3261 section 20.10).
func addressURI(value []byte) []byte {
	if open := bytes.IndexByte(value, '<'); open >= 0 {
		value = value[open+1:]
		if end := bytes.IndexByte(value, '>'); end >= 0 {
			return value[:end]
		}
		return value[:0]
	}
	if end := bytes.IndexAny(value, ";, "); end >= 0 {
		value = value[:end]
	}
	return value
}

// identify reads the call from its three identifiers, which must agree. The branch and the CSeq method
// together match a response to its request (RFC 3261 section 17.1.3).
func (r *response) identify(h headers) bool {
	id, found := bytes.CutSuffix(h.callID, []byte(callIDHost))
	if !found || len(id) != 2*callDigits {
		return false
	}
	var okRun, okCall bool
	r.run, okRun = parseNumber(id[:callDigits])
	r.call, okCall = parseNumber(id[callDigits:])
	branch, found := branchOf(h.via)
	if !okRun || !okCall || !found || len(branch) != len(id)+1 || !bytes.HasPrefix(branch, id) {
		return false
	}
	r.kind = branch[len(id)]
	switch r.kind {
	case kindInvite:
		return string(h.cseq) == "1 INVITE"
	case kindBye:
		return string(h.cseq) == "2 BYE"
	}
	return false
}

// branchOf is the branch of a Via without its magic cookie.
func branchOf(via []byte) (branch []byte, found bool) {
	const name = ";branch=" + branchCookie
	i := bytes.Index(via, []byte(name))
	if i < 0 {
		return nil, false
	}
	branch = via[i+len(name):]
	if end := bytes.IndexAny(branch, ";, \t"); end >= 0 {
		branch = branch[:end]
	}
	return branch, true
}
