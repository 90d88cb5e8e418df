package load

import (
	"net/netip"
	"strings"
	"testing"
)

const plainInvite = "INVITE sip:100@127.0.0.1:5070 SIP/2.0\r\n" +
	"Record-Route: <sip:127.0.0.1;lr>\r\n" +
	"Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKb\r\n" +
	"v: SIP/2.0/UDP 127.0.0.1:4000;branch=z9hG4bKa;rport=4000\r\n" +
	"f: <sip:a@b>;tag=1\r\nTo: <sip:c@d;tag=no>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nX: y\r\n\r\n" +
	"v=0\r\no=load 0000048879 0000000042 IN IP4 127.0.0.1\r\n"

func TestResponseRepeatsTheRequest(t *testing.T) {
	q, err := scanRequest([]byte(plainInvite))
	if err != nil {
		t.Fatal(err)
	}
	if q.method != "INVITE" || q.tag != nil {
		t.Errorf("method %q, tag %q", q.method, q.tag)
	}
	if run, call, ok := offeredBy(q.body); !ok || run != 0xbeef || call != 42 {
		t.Errorf("offered by run %x, call %d, %v", run, call, ok)
	}
	frames := newFrames(netip.MustParseAddrPort("127.0.0.1:5070"))
	block := q.appendBlock(nil, netip.MustParseAddrPort("127.0.0.9:5061"), appendTag(nil, 0xbeef, 42, sideCallee))
	want := "SIP/2.0 180 Ringing\r\n" +
		"Record-Route: <sip:127.0.0.1;lr>\r\n" +
		"Via: SIP/2.0/UDP 127.0.0.1:5060;rport=5061;received=127.0.0.9;branch=z9hG4bKb\r\n" +
		"v: SIP/2.0/UDP 127.0.0.1:4000;branch=z9hG4bKa;rport=4000\r\n" +
		"f: <sip:a@b>;tag=1\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n" +
		"To: <sip:c@d;tag=no>;tag=0000beef0000002ac\r\n" +
		"Contact: <sip:load@127.0.0.1:5070>\r\nContent-Length: 0\r\n\r\n"
	if got := string(frames[answerRinging].append(nil, block)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	head, body, _ := strings.Cut(string(frames[answerPickUp].append(nil, block)), "\r\n\r\n")
	if !strings.HasSuffix(head, "\r\nContent-Length: 130") || len(body) != 130 {
		t.Errorf("200 with a body of %d bytes:\n%s", len(body), head)
	}
}

func TestOnlyARetransmissionIsTheSameLeg(t *testing.T) {
	leg := func(old, new string) uint64 {
		q, err := scanRequest([]byte(strings.Replace(plainInvite, old, new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return q.leg()
	}
	first := leg("", "")
	if again := leg("X: y", "X: z"); again != first {
		t.Error("the same transaction has another number")
	}
	if leg("bKb", "bKc") == first || leg("Call-ID: x", "Call-ID: z") == first {
		t.Error("another leg has the same number")
	}
}

func TestIncompleteRequestsAreRefused(t *testing.T) {
	for _, cut := range []string{"f: <sip:a@b>;tag=1\r\n", "To: <sip:c@d;tag=no>\r\n", "Call-ID: x\r\n", "CSeq: 1 INVITE\r\n", " SIP/2.0\r\nRecord"} {
		if _, err := scanRequest([]byte(strings.Replace(plainInvite, cut, "", 1))); err == nil {
			t.Errorf("accepted without %q", cut)
		}
	}
	for _, twice := range []string{"f: <sip:a@b>;tag=1\r\n", "To: <sip:c@d;tag=no>\r\n", "Call-ID: x\r\n", "CSeq: 1 INVITE\r\n"} {
		if _, err := scanRequest([]byte(strings.Replace(plainInvite, twice, twice+twice, 1))); err == nil {
			t.Errorf("accepted with %q twice", twice)
		}
	}
	many := strings.Repeat("v: SIP/2.0/UDP a\r\n", maxEchoed)
	if _, err := scanRequest([]byte(strings.Replace(plainInvite, "X: y\r\n", many, 1))); err == nil {
		t.Error("accepted with too many Vias")
	}
}

func FuzzScanRequest(f *testing.F) {
	f.Add([]byte(plainInvite))
	f.Add([]byte("BYE sip:a SIP/2.0\r\nv:x;rport\r\nf:\r\nt:<a>;tag=0000beef0000002ac\r\ni:\r\nCSeq:\r\n\r\n"))
	peer := netip.MustParseAddrPort("127.0.0.1:1")
	f.Fuzz(func(t *testing.T, datagram []byte) {
		q, err := scanRequest(datagram)
		if err != nil {
			return
		}
		offeredBy(q.body)
		parseTag(q.tag)
		block := string(q.appendBlock(nil, peer, []byte("t")))
		if n := strings.Count(block, "\r\n"); n != q.echoes+1 {
			t.Errorf("%d lines out of %d:\n%s", n, q.echoes+1, block)
		}
	})
}

func TestTagsLeadToTheirCall(t *testing.T) {
	for _, side := range []byte{sideCaller, sideCallee, sideBusy} {
		run, call, got, ok := parseTag(appendTag(nil, 1<<31, 7, side))
		if !ok || run != 1<<31 || call != 7 || got != side {
			t.Errorf("side %q: run %d, call %d, side %q, %v", side, run, call, got, ok)
		}
	}
	for _, tag := range []string{"", "0000beef0000002", "0000beef0000002acc", "zzzzbeef0000002a"} {
		if _, _, _, ok := parseTag([]byte(tag)); ok {
			t.Errorf("%q was taken for a tag", tag)
		}
	}
}

func TestDecimalsSurviveTheirText(t *testing.T) {
	for _, n := range []uint32{0, 1, 1_000_000_000, 1<<32 - 1} {
		if got, ok := parseDecimal(appendDecimal(nil, n)); !ok || got != n {
			t.Errorf("%d came back as %d, %v", n, got, ok)
		}
	}
	for _, s := range []string{"", "123456789", "12345678901", "000000000x", "4294967296"} {
		if _, ok := parseDecimal([]byte(s)); ok {
			t.Errorf("%q was taken for a number", s)
		}
	}
}

func TestRouteSetIsReversed(t *testing.T) {
	var r routes
	for _, value := range []string{"<sip:first;lr>", `<sip:a,b;lr>, "c,d" <sip:last;lr>`} {
		if !r.add([]byte(value)) {
			t.Fatal("too many")
		}
	}
	want := "Route: \"c,d\" <sip:last;lr>\r\nRoute: <sip:a,b;lr>\r\nRoute: <sip:first;lr>\r\n"
	if got := string(r.append(nil)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for r.n < maxRoutes {
		r.add(nil)
	}
	if r.add(nil) {
		t.Error("more than there is room for")
	}
}
