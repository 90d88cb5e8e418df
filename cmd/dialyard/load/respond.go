package load

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// appendBlock writes the lines which all responses to the request have in common: what they repeat of it,
// and To with the tag. Only an INVITE has a tag to be added.
func (q *request) appendBlock(b []byte, peer netip.AddrPort, tag []byte) []byte {
	for i, line := range q.echoed[:q.echoes] {
		if i == q.viaAt {
			b = appendVia(b, line, peer)
		} else {
			b = append(b, line...)
		}
		b = append(b, crlf...)
	}
	b = append(b, "To: "...)
	b = append(b, q.to...)
	if q.tag == nil && tag != nil {
		b = append(b, ";tag="...)
		b = append(b, tag...)
	}
	return append(b, crlf...)
}

// appendVia writes the line with the topmost Via and fills in where the request came from, if it asks
// (RFC 3581 section 4).
func appendVia(b, line []byte, peer netip.AddrPort) []byte {
	const name = ";rport"
	i := bytes.Index(line, []byte(name)) + len(name)
	if i < len(name) || i < len(line) && line[i] != ';' && line[i] != ',' {
		return append(b, line...)
	}
	b = append(b, line[:i]...)
	b = append(b, '=')
	b = strconv.AppendUint(b, uint64(peer.Port()), 10)
	b = append(b, ";received="...)
	b = peer.Addr().AppendTo(b)
	return append(b, line[i:]...)
}

// answer is a response which the generator gives.
type answer uint8

const (
	answerRinging answer = iota
	answerPickUp         // 2xx to INVITE
	answerDone           // to BYE
	answerAble           // to OPTIONS
	answerNobody         // to an INVITE which is none of our calls
	answerGone           // to a request outside of every dialog
	answerBusy           // to a second leg of one call
	answerUnable         // to a method which is not spoken here
	answers
)

// frame is a response without its block: the status line, and what stands behind the block.
type frame struct {
	line, rest []byte
}

// newFrames writes the frames for what answers at the local address.
func newFrames(local netip.AddrPort) (frames [answers]frame) {
	set := func(a answer, status string, headers ...string) {
		headers = append(headers, "Content-Length: 0", "", "")
		frames[a] = frame{[]byte("SIP/2.0 " + status + "\r\n"), []byte(strings.Join(headers, "\r\n"))}
	}
	contact := fmt.Sprintf("Contact: <sip:load@%v>", local)
	const allow = "Allow: INVITE, ACK, BYE, OPTIONS"
	set(answerRinging, "180 Ringing", contact)
	set(answerPickUp, "200 OK")
	set(answerDone, "200 OK")
	set(answerAble, "200 OK", contact, allow, "Accept: application/sdp")
	set(answerNobody, "480 Temporarily Unavailable")
	set(answerGone, "481 Call/Transaction Does Not Exist")
	set(answerBusy, "486 Busy Here")
	set(answerUnable, "501 Not Implemented", allow)
	sdp := counterOffer(local)
	frames[answerPickUp].rest = fmt.Appendf(nil, "%s\r\n%s\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		contact, allow, len(sdp), sdp)
	return frames
}

// append writes the whole response to b.
func (f *frame) append(b, block []byte) []byte {
	b = append(b, f.line...)
	b = append(b, block...)
	return append(b, f.rest...)
}
