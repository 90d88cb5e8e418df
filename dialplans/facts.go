package dialplans

import (
	"strings"
)

// maxHeaders is how many header lines of a request a script can see.
const maxHeaders = 200

// header is one line of the request's header block.
type header struct{ name, value string }

// compact maps the one-letter header names of RFC 3261 §7.3.3 and its
// extensions to the long ones, in lower case.
var compact = map[string]string{
	"a": "accept-contact", "b": "referred-by", "c": "content-type", "e": "content-encoding", "f": "from",
	"i": "call-id", "k": "supported", "l": "content-length", "m": "contact", "o": "event", "r": "refer-to",
	"s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires",
}

// parseHeaders splits a header block, CRLF between lines, into its lines.
func parseHeaders(block string) []header {
	var list []header
	for line := range strings.SplitSeq(block, "\r\n") {
		name, value, found := strings.Cut(line, ":")
		if !found || len(list) == maxHeaders {
			continue
		}
		list = append(list, header{strings.TrimRight(name, " \t"), strings.Trim(value, " \t")})
	}
	return list
}

// sameHeader reports whether two header names mean the same header: case does
// not matter, and a compact form is as good as the long one.
func sameHeader(a, b string) bool {
	if len(a) != 1 && len(b) != 1 {
		return strings.EqualFold(a, b)
	}
	return canonical(a) == canonical(b)
}

// canonical is a header name in lower case and long form.
func canonical(name string) string {
	name = strings.ToLower(name)
	if long, ok := compact[name]; ok {
		return long
	}
	return name
}

// firstHeader is the value of the first line called name.
func firstHeader(list []header, name string) (value string, ok bool) {
	for _, h := range list {
		if sameHeader(h.name, name) {
			return h.value, true
		}
	}
	return "", false
}
