package sip

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	parser "github.com/emiago/sipgo/sip"
)

// A URI is what plans and routes may know of a SIP, SIPS or tel URI. Headers
// behind a ? are dropped: nobody may smuggle header fields in through one.
type URI struct {
	Text string // without headers
	User string // undecoded; of a tel URI the number
	Host string // lower case; empty in a tel URI
}

// ParseURI reads a URI as in a Request-URI: no brackets, no spaces.
func ParseURI(text string) (URI, error) {
	if u, ok := plainURI(text); ok {
		return u, nil
	}
	text = withoutHeaders(text)
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok || !clean(text) || strings.ContainsAny(text, " \t<>\"") {
		return URI{}, fmt.Errorf("bad URI")
	}
	if strings.EqualFold(scheme, "tel") {
		number, _, _ := strings.Cut(rest, ";")
		return URI{Text: text, User: number}, nil
	}
	var u parser.Uri
	if err := parser.ParseUri(text, &u); err != nil || !hasHost(rest, u.Host) {
		return URI{}, fmt.Errorf("bad URI")
	}
	return URI{Text: text, User: u.User, Host: strings.ToLower(u.Host)}, nil
}

// plainURI reads the form nearly all URIs have, sip:USER@HOST or sip:USER@HOST:PORT
// with letters, digits and little else, in one pass. It knows no other: the rest
// is sipgo's.
func plainURI(text string) (URI, bool) {
	rest, ok := strings.CutPrefix(text, "sip:")
	at := strings.IndexByte(rest, '@')
	if !ok || at <= 0 {
		return URI{}, false
	}
	host, port, hasPort := strings.Cut(rest[at+1:], ":")
	for i := range at {
		if !isPlain[rest[i]] && rest[i] != '+' && rest[i] != '_' {
			return URI{}, false
		}
	}
	for i := range len(host) {
		if !isPlain[host[i]] || host[i] >= 'A' && host[i] <= 'Z' {
			return URI{}, false
		}
	}
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return URI{}, false
		}
	}
	if host == "" || len(port) > 5 || hasPort && port == "" {
		return URI{}, false
	}
	return URI{Text: text, User: rest[:at], Host: host}, true
}

// isPlain holds letters, digits, dot and hyphen.
var isPlain = func() (set [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-" {
		set[c] = true
	}
	return set
}()

// PortOf reads the port of a SIP URI, 0 if it has none.
func PortOf(text string) uint16 {
	text = withoutHeaders(text)
	_, rest, _ := strings.Cut(text, ":")
	if at := strings.IndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	host, _, _ := strings.Cut(rest, ";")
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") {
		return 0
	}
	port, err := strconv.ParseUint(host[colon+1:], 10, 16)
	if err != nil {
		return 0
	}
	return uint16(port)
}

// withoutHeaders cuts a URI at the ? that begins its headers. One before the @
// is an octet of the user (RFC 3261 §25.1 user-unreserved).
func withoutHeaders(text string) string {
	host := strings.IndexByte(text, '@') + 1
	if headers := strings.IndexByte(text[host:], '?'); headers >= 0 {
		return text[:host+headers]
	}
	return text
}

// hasHost holds the host that sipgo read against the rest of a URI behind its
// scheme: sipgo passes over what it does not expect there.
func hasHost(rest, host string) bool {
	if _, after, found := strings.Cut(rest, "@"); found {
		rest = after
	}
	after, found := strings.CutPrefix(rest, host)
	if !found || after != "" && after[0] != ':' && after[0] != ';' {
		return false
	}
	if strings.HasPrefix(host, "[") {
		addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
		return err == nil && addr.Is6()
	}
	return IsToken(host)
}

// An Address is a name-addr or addr-spec of a From, To or Contact.
type Address struct {
	Name string
	URI  URI
}

// ParseAddress reads the value of a From or To header.
func ParseAddress(value string) (Address, error) {
	name, text, err := splitAddress(value)
	if err != nil {
		return Address{}, err
	}
	scheme, _, _ := strings.Cut(text, ":")
	switch strings.ToLower(scheme) {
	case "sip", "sips", "tel":
		uri, err := ParseURI(text)
		return Address{Name: name, URI: uri}, err
	}
	// Any URI scheme may stand in From and To (RFC 3261 §25.1 addr-spec).
	if !IsToken(scheme) || strings.ContainsAny(text, " \t<>\"") {
		return Address{}, fmt.Errorf("bad address")
	}
	return Address{Name: name, URI: URI{Text: text}}, nil
}

// splitAddress parts a display name from the URI. It is written out here because
// a ';' in a quoted name must not end it.
func splitAddress(value string) (name, uri string, err error) {
	open := -1
	quoted := false
	for i := 0; i < len(value) && open < 0; i++ {
		switch c := value[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '<' && !quoted:
			open = i
		}
	}
	if quoted {
		return "", "", fmt.Errorf("unbalanced quote")
	}
	if open < 0 {
		uri, _, _ = strings.Cut(value, ";")
		return "", strings.TrimSpace(uri), nil
	}
	end := strings.IndexByte(value[open:], '>')
	if end < 0 {
		return "", "", fmt.Errorf("no closing bracket")
	}
	name = strings.TrimSpace(value[:open])
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		name = unquote(name[1 : len(name)-1])
	} else if !isTokens(name) {
		return "", "", fmt.Errorf("bad display name")
	}
	return name, value[open+1 : open+end], nil
}

func unquote(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// isTokens reports whether an unquoted display name is tokens and blanks; octets
// above 0x7F are let through, as peers write names in UTF-8 without quotes.
func isTokens(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isTokenOctet[c] && c != ' ' && c != '\t' && c < 0x80 {
			return false
		}
	}
	return true
}
