package load

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"strings"
)

// Holes in a form. They are control characters, which no target, header or address can contain.
const (
	holeCall   = '\x01' // the call's number, callDigits hexadecimal digits
	holeTo     = '\x02' // the To value of the response, with the tag of the called side
	holeRemote = '\x03' // the remote target: the URI in the Contact of a 2xx
	holeRoutes = '\x04' // Route header lines with their line ends, or nothing
	holeNumber = '\x05' // the call's number, numberDigits decimal digits
)

// The letter at the end of a branch says which request of its call made the transaction.
const (
	kindInvite = 'i'
	kindAck    = 'a' // of a 2xx; the ACK of any other final response shares the INVITE's branch
	kindBye    = 'b'
)

const (
	branchCookie = "z9hG4bK"
	callIDHost   = "@load"
	callDigits   = 8
	numberDigits = 10
)

// dialog is what a request after a 2xx, or the ACK to another final response, takes from the response.
type dialog struct {
	to     []byte // the To value, with the tag of the called side
	remote []byte // the remote target
	routes []byte // Route header lines with their line ends, see appendRoutes
}

// form is the prebuilt text of a request: literal pieces, each followed by a hole but the last.
type form []piece

type piece struct {
	literal []byte
	hole    byte // 0 in the last piece
}

func newForm(text string) form {
	var f form
	for {
		i := strings.IndexAny(text, string([]byte{holeCall, holeTo, holeRemote, holeRoutes, holeNumber}))
		if i < 0 {
			return append(f, piece{literal: []byte(text)})
		}
		f = append(f, piece{literal: []byte(text[:i]), hole: text[i]})
		text = text[i+1:]
	}
}

// append writes the request to b. What the form has no hole for is not looked at.
func (f form) append(b []byte, call uint32, d dialog) []byte {
	for i := range f {
		b = append(b, f[i].literal...)
		switch f[i].hole {
		case holeCall:
			b = appendNumber(b, call)
		case holeTo:
			b = append(b, d.to...)
		case holeRemote:
			b = append(b, d.remote...)
		case holeRoutes:
			b = append(b, d.routes...)
		case holeNumber:
			b = appendDecimal(b, call)
		}
	}
	return b
}

// appendNumber writes n as callDigits lower-case hexadecimal digits.
func appendNumber(b []byte, n uint32) []byte {
	const digits = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, digits[n>>shift&0xf])
	}
	return b
}

// parseNumber reads what appendNumber wrote.
func parseNumber(b []byte) (n uint32, ok bool) {
	if len(b) != callDigits {
		return 0, false
	}
	for _, c := range b {
		i := bytes.IndexByte([]byte("0123456789abcdef"), c)
		if i < 0 {
			return 0, false
		}
		n = n<<4 | uint32(i)
	}
	return n, true
}

// appendDecimal writes n as numberDigits decimal digits.
func appendDecimal(b []byte, n uint32) []byte {
	for unit := uint64(1_000_000_000); unit > 0; unit /= 10 {
		b = append(b, byte('0'+uint64(n)/unit%10))
	}
	return b
}

// parseDecimal reads what appendDecimal wrote.
func parseDecimal(b []byte) (n uint32, ok bool) {
	if len(b) != numberDigits {
		return 0, false
	}
	var sum uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		sum = sum*10 + uint64(c-'0')
	}
	return uint32(sum), sum <= math.MaxUint32
}

// requests are the forms of all that one socket sends in one run.
type requests struct {
	invite     form
	ackFailure form // to 300-699: a part of the INVITE transaction (RFC 3261 section 17.1.1.3)
	ackSuccess form // to 2xx: a transaction of its own, to the remote target (section 13.2.2.4)
	bye        form
}

// newRequests writes the forms for calls to t from the local address. run makes the identifiers of this
// run differ from those of any other; headers go into the INVITE only.
func newRequests(t target, local netip.AddrPort, run uint32, headers []string) requests {
	id := string(appendNumber(nil, run)) + string(rune(holeCall))
	request := func(method, uri, to string, branch rune, cseq int, rest ...string) form {
		lines := append([]string{
			method + " " + uri + " SIP/2.0",
			fmt.Sprintf("Via: SIP/2.0/UDP %v;branch=%s%s%c;rport", local, branchCookie, id, branch),
			"Max-Forwards: 70",
			fmt.Sprintf("From: <sip:load@%v>;tag=%s", local, id),
			"To: " + to,
			"Call-ID: " + id + callIDHost,
			fmt.Sprintf("CSeq: %d %s", cseq, method),
		}, rest...)
		return newForm(strings.Join(lines, "\r\n"))
	}
	const empty = "Content-Length: 0\r\n\r\n"
	to, remote := string(rune(holeTo)), string(rune(holeRemote))
	routed := string(rune(holeRoutes)) + empty
	sdp := string(offer(local, run))
	size := len(sdp) - 1 + numberDigits // the hole is one byte
	rest := append([]string{fmt.Sprintf("Contact: <sip:load@%v>", local)}, headers...)
	rest = append(rest, "Content-Type: application/sdp", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, sdp))
	return requests{
		invite:     request("INVITE", t.uri, "<"+t.uri+">", kindInvite, 1, rest...),
		ackFailure: request("ACK", t.uri, to, kindInvite, 1, empty),
		ackSuccess: request("ACK", remote, to, kindAck, 1, routed),
		bye:        request("BYE", remote, to, kindBye, 2, routed),
	}
}
