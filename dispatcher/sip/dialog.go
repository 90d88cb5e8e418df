package sip

import (
	"fmt"
	"strings"
)

// A Dialog is one of the two peer-to-peer relations of a connected call (RFC 3261
// §12): what it takes to make a request within it, and to know one that comes.
//
// Its strings are its own, so that it holds no message in memory. It is plain data
// and can be stored.
type Dialog struct {
	CallID              string
	Local, Remote       string // From and To of a request made here, with tags
	LocalTag, RemoteTag string
	Target              string   // the peer's Contact: the remote target
	Routes              []string `json:",omitempty"` // to be visited on the way, nearest first
	LocalSeq, RemoteSeq uint32   // of the last request made and seen
}

// AnsweredBy makes the caller's dialog from its INVITE, which is answered with tag.
func AnsweredBy(invite *Message, tag string) Dialog {
	remote := invite.Get(From)
	d := Dialog{
		CallID: strings.Clone(invite.Get(CallID)), Local: invite.Get(To) + ";tag=" + tag, Remote: strings.Clone(remote),
		LocalTag: strings.Clone(tag), RemoteTag: strings.Clone(parameter(remote, "tag")), RemoteSeq: invite.Seq,
	}
	d.Target = strings.Clone(invite.Caller.URI.Text) // better than nothing, if there is no Contact
	d.Refresh(invite)
	for _, r := range invite.routes() {
		d.Routes = append(d.Routes, strings.Clone(r))
	}
	return d
}

// Established makes a leg's dialog from its INVITE and the 2xx to it.
func Established(invite *Request, answer *Message) Dialog {
	d := Dialog{
		CallID: invite.CallID, Local: invite.From, Remote: strings.Clone(answer.Get(To)),
		LocalTag: parameter(invite.From, "tag"), RemoteTag: strings.Clone(answer.ToTag()), LocalSeq: invite.Seq,
		Target: invite.URI,
	}
	d.Refresh(answer)
	routes := answer.routes()
	for i := len(routes) - 1; i >= 0; i-- {
		d.Routes = append(d.Routes, strings.Clone(routes[i]))
	}
	return d
}

// Refresh takes a new remote target from a message's Contact, if it has a usable
// one, and reports whether that changed anything (RFC 3261 §12.2.1.2).
func (d *Dialog) Refresh(m *Message) bool {
	uri, err := ContactOf(m)
	if err != nil || uri == d.Target {
		return false
	}
	d.Target = strings.Clone(uri)
	return true
}

// Matches reports whether a request belongs to the dialog (RFC 3261 §12.2.2).
func (d *Dialog) Matches(m *Message) bool {
	return m.Get(CallID) == d.CallID && m.ToTag() == d.LocalTag && parameter(m.Get(From), "tag") == d.RemoteTag
}

// Request makes the next request within the dialog (RFC 3261 §12.2.1.1).
func (d *Dialog) Request(method string) *Request {
	d.LocalSeq++
	return d.request(method, d.LocalSeq)
}

// Ack makes the ACK for the 2xx to the INVITE with this CSeq number.
func (d *Dialog) Ack(seq uint32) *Request { return d.request("ACK", seq) }

func (d *Dialog) request(method string, seq uint32) *Request {
	r := &Request{
		Method: method, URI: d.Target, From: d.Local, To: d.Remote, CallID: d.CallID, Seq: seq, Route: d.Routes, Hops: MaxHops,
	}
	if len(d.Routes) > 0 && !isLoose(d.Routes[0]) {
		// A strict router of RFC 2543 wants its own address as Request-URI.
		_, r.URI, _ = splitAddress(d.Routes[0])
		r.Route = append(append([]string(nil), d.Routes[1:]...), "<"+d.Target+">")
	}
	return r
}

// NextHop is the URI whose address a request within the dialog goes to.
func (d *Dialog) NextHop() string {
	if len(d.Routes) == 0 {
		return d.Target
	}
	_, uri, err := splitAddress(d.Routes[0])
	if err != nil {
		return d.Target
	}
	return uri
}

// isLoose reports whether a route's URI has the lr parameter.
func isLoose(route string) bool {
	_, uri, err := splitAddress(route)
	return err == nil && hasParameter(uri, "lr")
}

// hasParameter reports whether a URI carries a parameter of that name.
func hasParameter(uri, name string) bool {
	_, ok := URIParameter(uri, name)
	return ok
}

// URIParameter finds a parameter of a SIP URI; its name is in lower case.
func URIParameter(uri, name string) (value string, ok bool) {
	at := strings.IndexByte(uri, '@') + 1
	_, rest, _ := strings.Cut(withoutHeaders(uri)[at:], ";")
	for part := range strings.SplitSeq(rest, ";") {
		if key, value, _ := strings.Cut(part, "="); strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// ContactOf reads the URI of a message's first Contact.
func ContactOf(m *Message) (string, error) {
	contacts := m.list(Contact)
	if len(contacts) == 0 {
		return "", fmt.Errorf("no Contact")
	}
	return addressURI(contacts[0])
}

// ContactsOf reads the URIs of all Contacts of a 3xx, at most ten; what is not a SIP
// URI is left out.
func ContactsOf(m *Message) (uris []string) {
	for _, c := range m.list(Contact) {
		if uri, err := addressURI(c); err == nil && len(uris) < 10 {
			uris = append(uris, uri)
		}
	}
	return uris
}

func addressURI(value string) (string, error) {
	_, text, err := splitAddress(value)
	if err != nil {
		return "", err
	}
	uri, err := ParseURI(text)
	if err == nil && uri.Host == "" {
		return "", fmt.Errorf("not a SIP URI")
	}
	return uri.Text, err
}

// list parts the values of all headers called n at their commas (RFC 3261 §7.3.1).
func (m *Message) list(n Name) (values []string) {
	for i := range m.Headers {
		if m.Headers[i].Name != n {
			continue
		}
		for rest := m.Headers[i].Value; rest != ""; {
			end := endOfAddress(rest)
			if v := strings.TrimSpace(rest[:end]); v != "" {
				values = append(values, v)
			}
			rest = strings.TrimPrefix(rest[end:], ",")
		}
	}
	return values
}

// endOfAddress finds the comma behind the first address of a list.
func endOfAddress(value string) int {
	quoted, bracket := false, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"' && !bracket:
			quoted = !quoted
		case quoted:
		case c == '<':
			bracket = true
		case c == '>':
			bracket = false
		case c == ',' && !bracket:
			return i
		}
	}
	return len(value)
}

// routes are the Record-Routes of a message that can be routed to, within reason.
func (m *Message) routes() (routes []string) {
	for _, r := range m.list(RecordRoute) {
		if _, err := addressURI(r); err == nil && len(routes) < maxVias {
			routes = append(routes, r)
		}
	}
	return routes
}
