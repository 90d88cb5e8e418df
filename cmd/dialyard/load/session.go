package load

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
)

// A session description goes end to end through whatever connects the two parties, whereas a server
// between them may give its leg another Call-ID, other tags and another caller. The origin line of the
// offer therefore carries the numbers of run and call: "o=load RUN CALL IN IP4 ...", both in decimal, as
// RFC 4566 section 5.2 wants the session's id and version.
const originName = "load"

// offer is the session description of every INVITE, with a hole for the call. Nothing listens at its port.
func offer(local netip.AddrPort, run uint32) []byte {
	origin := fmt.Sprintf("%s %s %c", originName, appendDecimal(nil, run), holeNumber)
	return describe(origin, local.Addr())
}

// counterOffer is the session description of every 2xx.
func counterOffer(local netip.AddrPort) []byte {
	return describe("callee 1 1", local.Addr())
}

func describe(origin string, addr netip.Addr) []byte {
	family := "IP4"
	if addr.Is6() {
		family = "IP6"
	}
	return []byte(strings.Join([]string{
		"v=0",
		fmt.Sprintf("o=%s IN %s %v", origin, family, addr),
		"s=-",
		fmt.Sprintf("c=IN %s %v", family, addr),
		"t=0 0",
		"m=audio 9 RTP/AVP 8 0 101",
		"a=rtpmap:101 telephone-event/8000",
		"",
	}, "\r\n"))
}

// offeredBy reads run and call out of an offer of this generator.
func offeredBy(body []byte) (run, call uint32, ok bool) {
	_, origin, found := bytes.Cut(body, []byte("\r\no="+originName+" "))
	if !found || len(origin) < 2*numberDigits+2 || origin[numberDigits] != ' ' || origin[2*numberDigits+1] != ' ' {
		return 0, 0, false
	}
	run, okRun := parseDecimal(origin[:numberDigits])
	call, okCall := parseDecimal(origin[numberDigits+1 : 2*numberDigits+1])
	return run, call, okRun && okCall
}
