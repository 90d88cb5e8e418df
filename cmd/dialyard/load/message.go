package load

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
)

// Holes in a form. They are control characters, which no target, header or address can contain.
const (
	holeCall   = '\x01' // the call's number, callDigits hexadecimal digits
	holeTo     = '\x02' // the To value of the response, with the tag of the called side
	holeRemote = '\x03' // the remote target: the URI in the Contact of a 2xx
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
)

// form is the prebuilt text of a request: literal pieces, each followed by a hole but the last.
type form []piece

type piece struct {
	literal []byte
	hole    byte // 0 in the last piece
}

func newForm(text string) form {
	var f form
	for {
		i := strings.IndexAny(text, string([]byte{holeCall, holeTo, holeRemote}))
		if i < 0 {
			return append(f, piece{literal: []byte(text)})
		}
		f = append(f, piece{literal: []byte(text[:i]), hole: text[i]})
		text = text[i+1:]
	}
}

// append writes the request to b. to and remote may be nil where the form has no hole for them.
func (f form) append(b []byte, call uint32, to, remote []byte) []byte {
	for i := range f {
		b = append(b, f[i].literal...)
		switch f[i].hole {
		case holeCall:
			b = appendNumber(b, call)
		case holeTo:
			b = append(b, to...)
		case holeRemote:
			b = append(b, remote...)
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
	sdp := offer(local)
	rest := append([]string{fmt.Sprintf("Contact: <sip:load@%v>", local)}, headers...)
	rest = append(rest, "Content-Type: application/sdp", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(sdp), sdp))
	return requests{
		invite:     request("INVITE", t.uri, "<"+t.uri+">", kindInvite, 1, rest...),
		ackFailure: request("ACK", t.uri, to, kindInvite, 1, empty),
		ackSuccess: request("ACK", remote, to, kindAck, 1, empty),
		bye:        request("BYE", remote, to, kindBye, 2, empty),
	}
}

// offer is the session description of every INVITE (RFC 4566). Nothing listens at its port.
func offer(local netip.AddrPort) string {
	family := "IP4"
	if local.Addr().Is6() {
		family = "IP6"
	}
	return strings.Join([]string{
		"v=0",
		fmt.Sprintf("o=load 1 1 IN %s %v", family, local.Addr()),
		"s=-",
		fmt.Sprintf("c=IN %s %v", family, local.Addr()),
		"t=0 0",
		"m=audio 9 RTP/AVP 8 0 101",
		"a=rtpmap:101 telephone-event/8000",
		"",
	}, "\r\n")
}
