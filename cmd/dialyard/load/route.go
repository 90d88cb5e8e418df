package load

import "bytes"

const (
	recordRoute = "record-route"
	maxRoutes   = 8 // lines in one message
)

// routes are the Record-Route values of a message in its order, one for each header line.
type routes struct {
	values [maxRoutes][]byte
	n      int
}

// add is false when there are too many.
func (r *routes) add(value []byte) bool {
	if r.n == maxRoutes {
		return false
	}
	r.values[r.n] = value
	r.n++
	return true
}

// append writes the Route lines of a caller's later requests: what the servers on the way recorded, the
// last one first (RFC 3261 section 12.1.2). They are loose routers all, so the Request-URI stays the
// remote target.
func (r *routes) append(b []byte) []byte {
	for i := r.n - 1; i >= 0; i-- {
		for list := r.values[i]; list != nil; {
			var last []byte
			list, last = cutLastRoute(list)
			b = append(b, "Route: "...)
			b = append(b, last...)
			b = append(b, crlf...)
		}
	}
	return b
}

// cutLastRoute splits a list of name-addr before its last. A comma between quotes or angle brackets is no
// separator. before is nil when there is no other.
func cutLastRoute(list []byte) (before, last []byte) {
	comma, quoted, bracketed := -1, false, false
	for i, c := range list {
		switch {
		case c == '"' && !bracketed:
			quoted = !quoted
		case quoted:
		case c == '<', c == '>':
			bracketed = c == '<'
		case c == ',' && !bracketed:
			comma = i
		}
	}
	if comma < 0 {
		return nil, list
	}
	return bytes.TrimRight(list[:comma], " \t"), bytes.TrimLeft(list[comma+1:], " \t")
}
