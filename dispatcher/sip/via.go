package sip

import (
	"net/netip"
	"strings"
)

// topVia is the part of the first Via that routes an answer and names a
// transaction (RFC 3261 §20.42).
type topVia struct {
	value  string // this Via alone, without what follows a comma
	sentBy string
	branch string
	rport  bool // asked for by a bare ;rport (RFC 3581)
}

// parseVia reads "SIP/2.0/UDP host:port;branch=...". A comma outside quotes
// ends it: what follows is the next Via.
func parseVia(value string) (topVia, bool) {
	end, balanced := firstVia(value)
	v := topVia{value: strings.TrimSpace(value[:end])}
	rest, ok := afterProtocol(v.value)
	if !ok || !balanced {
		return v, false
	}
	if end = strings.IndexByte(rest, ';'); end < 0 {
		end = len(rest)
	}
	v.sentBy = strings.TrimSpace(rest[:end])
	for rest = rest[end:]; rest != ""; {
		rest = strings.TrimLeft(rest, "; \t")
		n := nextParameter(rest)
		key, value, given := strings.Cut(rest[:n], "=")
		switch key = strings.TrimSpace(key); {
		case strings.EqualFold(key, "branch"):
			v.branch = strings.TrimSpace(value)
		case strings.EqualFold(key, "rport") && !given:
			v.rport = true
		}
		rest = rest[n:]
	}
	return v, v.sentBy != "" && !strings.ContainsAny(v.sentBy, " \t\"<>")
}

// afterProtocol skips "SIP/2.0/UDP " and its like. Version and transport are any
// tokens, and blanks may surround the slashes (RFC 3261 §25.1): a message of
// another version can then be answered 505.
func afterProtocol(value string) (rest string, ok bool) {
	name, value, _ := strings.Cut(value, "/")
	version, value, _ := strings.Cut(value, "/")
	value = strings.TrimLeft(value, " \t")
	end := strings.IndexAny(value, " \t")
	if end < 0 || !strings.EqualFold(strings.TrimRight(name, " \t"), "SIP") {
		return "", false
	}
	return strings.TrimLeft(value[end:], " \t"), IsToken(strings.Trim(version, " \t")) && IsToken(value[:end])
}

func endOfVia(value string) int {
	end, _ := firstVia(value)
	return end
}

// firstVia finds the end of the first Via and whether its quotes are closed: what
// an answer appends to it must not fall into one.
func firstVia(value string) (end int, balanced bool) {
	quoted := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return i, true
		}
	}
	return len(value), !quoted
}

// answered appends this Via as an answer must carry it: with the address the
// request really came from (RFC 3261 §18.2.1, RFC 3581 §4). rest is what stood
// behind it in the same header.
func (v topVia) answered(b []byte, rest string, source netip.AddrPort) []byte {
	b = append(b, "Via: "...)
	addr := source.Addr().Unmap().WithZone("")
	if v.rport {
		// Keep everything but the bare parameter, then say both.
		for part, more := v.value, true; more; {
			n := nextParameter(part)
			if !strings.EqualFold(strings.TrimSpace(part[:n]), "rport") {
				if len(part) != len(v.value) {
					b = append(b, ';')
				}
				b = append(b, part[:n]...)
			}
			if more = n < len(part); more {
				part = part[n+1:]
			}
		}
		b = append(b, ";rport="...)
		b = appendInt(b, int(source.Port()))
	} else {
		b = append(b, v.value...)
	}
	if v.rport || hostOf(v.sentBy) != addr.String() {
		b = append(b, ";received="...)
		b = addr.AppendTo(b)
	}
	b = append(b, rest...)
	return append(b, "\r\n"...)
}

// hostOf strips the port of a sent-by and the brackets of an IPv6 literal.
func hostOf(sentBy string) string {
	if strings.HasPrefix(sentBy, "[") {
		host, _, _ := strings.Cut(sentBy[1:], "]")
		return host
	}
	host, _, _ := strings.Cut(sentBy, ":")
	return host
}
