package load

import (
	"net/netip"
	"strings"
	"testing"
)

var testTarget = target{uri: "sip:100@127.0.0.1:5060", addr: netip.MustParseAddrPort("127.0.0.1:5060")}

func testRequests(headers ...string) requests {
	return newRequests(testTarget, netip.MustParseAddrPort("127.0.0.1:40001"), 0xbeef, headers)
}

func TestInviteIsComplete(t *testing.T) {
	r := testRequests("X-Campaign: spring", "Subject: \x7e")
	got := string(r.invite.append(nil, 0x2a, dialog{}))
	head, body, found := strings.Cut(got, "\r\n\r\n")
	if !found {
		t.Fatalf("no empty line in %q", got)
	}
	want := strings.Join([]string{
		"INVITE sip:100@127.0.0.1:5060 SIP/2.0",
		"Via: SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bK0000beef0000002ai;rport",
		"Max-Forwards: 70",
		"From: <sip:load@127.0.0.1:40001>;tag=0000beef0000002a",
		"To: <sip:100@127.0.0.1:5060>",
		"Call-ID: 0000beef0000002a@load",
		"CSeq: 1 INVITE",
		"Contact: <sip:load@127.0.0.1:40001>",
		"X-Campaign: spring",
		"Subject: ~",
		"Content-Type: application/sdp",
		"Content-Length: 146",
	}, "\r\n")
	if head != want {
		t.Errorf("head:\n%s\nwant:\n%s", head, want)
	}
	if len(body) != 146 {
		t.Errorf("body of %d bytes, want as in Content-Length", len(body))
	}
}

func TestAckToFailureSharesTheTransaction(t *testing.T) {
	r := testRequests()
	got := string(r.ackFailure.append(nil, 7, dialog{to: []byte("<sip:100@127.0.0.1:5060>;tag=srv")}))
	for _, want := range []string{
		"ACK sip:100@127.0.0.1:5060 SIP/2.0\r\n",
		";branch=z9hG4bK0000beef00000007i;",
		"\r\nTo: <sip:100@127.0.0.1:5060>;tag=srv\r\n",
		"\r\nCSeq: 1 ACK\r\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestAnsweredCallIsAcknowledgedAndHungUpAtItsContact(t *testing.T) {
	r := testRequests()
	d := dialog{to: []byte("<sip:100@x>;tag=srv"), remote: []byte("sip:leg@127.0.0.1:9")}
	ack := string(r.ackSuccess.append(nil, 7, d))
	bye := string(r.bye.append(nil, 7, d))
	if !strings.HasPrefix(ack, "ACK sip:leg@127.0.0.1:9 SIP/2.0\r\n") || !strings.Contains(ack, "00000007a;") {
		t.Errorf("ACK:\n%s", ack)
	}
	if !strings.HasPrefix(bye, "BYE sip:leg@127.0.0.1:9 SIP/2.0\r\n") || !strings.Contains(bye, "\r\nCSeq: 2 BYE\r\n") {
		t.Errorf("BYE:\n%s", bye)
	}
}

func TestNumbersSurviveTheirText(t *testing.T) {
	for _, n := range []uint32{0, 1, 0xdeadbeef, 1<<32 - 1} {
		if got, ok := parseNumber(appendNumber(nil, n)); !ok || got != n {
			t.Errorf("%d came back as %d, %v", n, got, ok)
		}
	}
	for _, s := range []string{"", "0000000", "000000000", "0000000G", "0000000A"} {
		if _, ok := parseNumber([]byte(s)); ok {
			t.Errorf("%q was taken for a number", s)
		}
	}
}

func TestWritingARequestAllocatesNothing(t *testing.T) {
	r := testRequests()
	buffer := make([]byte, 0, requestSize)
	allocs := testing.AllocsPerRun(100, func() { buffer = r.invite.append(buffer[:0], 5, dialog{}) })
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
