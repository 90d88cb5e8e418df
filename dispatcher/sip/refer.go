package sip

import (
	"fmt"
	"net/url"
	"strings"
)

// Replaces names the dialog that a new call is to take the place of (RFC 3891 §6.1),
// as the party that is to give it up knows it.
type Replaces struct{ CallID, ToTag, FromTag string }

// ReferTo reads where a REFER points to (RFC 3515 §2.1): a SIP URI without headers,
// and what stands in its Replaces header, zero if it has none.
func ReferTo(value string) (uri URI, r Replaces, err error) {
	_, text, err := splitAddress(value)
	if err != nil {
		return URI{}, r, err
	}
	if uri, err = ParseURI(text); err != nil {
		return URI{}, r, err
	}
	_, headers, _ := strings.Cut(text[strings.IndexByte(text, '@')+1:], "?")
	for header := range strings.SplitSeq(headers, "&") {
		name, value, _ := strings.Cut(header, "=")
		if !strings.EqualFold(name, "Replaces") || value == "" {
			continue
		}
		if value, err = url.PathUnescape(value); err != nil {
			return URI{}, r, err
		}
		id, parameters, _ := strings.Cut(value, ";")
		r = Replaces{CallID: id}
		for parameter := range strings.SplitSeq(parameters, ";") {
			switch key, tag, _ := strings.Cut(parameter, "="); strings.ToLower(key) {
			case "to-tag":
				r.ToTag = tag
			case "from-tag":
				r.FromTag = tag
			}
		}
		if !isWord(r.CallID) || !IsToken(r.ToTag) || !IsToken(r.FromTag) {
			return URI{}, Replaces{}, fmt.Errorf("bad Replaces")
		}
	}
	return uri, r, nil
}

// isWord reports whether s may be a Call-ID (RFC 3261 §25.1 callid), strictly enough
// that it can end no header and no parameter.
func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7F || c == ',' || c == ';' {
			return false
		}
	}
	return s != ""
}

// String is the value of a Replaces header.
func (r Replaces) String() string {
	return r.CallID + ";to-tag=" + r.ToTag + ";from-tag=" + r.FromTag
}

// ReferTo is the value of a Refer-To that points to a URI with this Replaces.
func (r Replaces) ReferTo(uri string) string {
	return "<" + uri + "?Replaces=" + url.QueryEscape(r.String()) + ">"
}
