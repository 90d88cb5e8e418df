package load

import (
	"strings"
	"testing"
)

func TestSumDrops(t *testing.T) {
	const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  101: 0100007F:9C41 0100007F:13C4 01 00000000:00000000 00:00000000 00000000     0        0 900 2 0000000000000000 7
  102: 0100007F:9C42 0100007F:13C4 01 00000000:00000000 00:00000000 00000000     0        0 901 2 0000000000000000 5
  103: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 902 2 0000000000000000 90
`
	if got := sumDrops(strings.NewReader(table), map[uint16]bool{0x9c41: true, 0x9c42: true}); got != 12 {
		t.Errorf("%d drops, want 12", got)
	}
}

func TestReportForPeople(t *testing.T) {
	r := Report{
		Target: "sip:100@127.0.0.1:5060", Rate: 1000, Planned: 100, Sent: 100, Timeout: 4000 * ms, Elapsed: 100 * ms,
		Answered: map[int]int{503: 2, 302: 97}, Lost: 1, Byes: 3, ByesAnswered: 2, Overflowed: 1, SendErrors: 4,
		FirstUnexpected: errNotResponse.Error() + ": hello", Unexpected: 1, Strays: 2, CPU: 2 * ms,
	}
	text := r.String()
	for _, want := range []string{
		"sip:100@127.0.0.1:5060  1000 calls/s, 100 of 100 calls in 100ms\n",
		"answered   302: 97, 503: 2\n",
		"lost       1 (late 0, timeout 4s)\n",
		"hung up    3, answered 2\n",
		"unexpected not a SIP response: hello\n",
		"NOT IN ORDER: 1 messages overflowed",
		"NOT IN ORDER: the generator fell behind",
		"generator  20.0 µs of CPU per call\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	want := "1 of 100 calls lost, 1 of 3 BYEs unanswered, 1 unexpected messages"
	if got := r.Err().Error(); got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestFirstLineIsPrintable(t *testing.T) {
	for datagram, want := range map[string]string{
		"SIP/2.0 999 X\r\nVia": "SIP/2.0 999 X",
		"a\x1b[2J":             "a",
		"":                     "",
	} {
		if got := firstLine([]byte(datagram)); got != want {
			t.Errorf("%q: %q, want %q", datagram, got, want)
		}
	}
}

func TestReportOfDialledCalls(t *testing.T) {
	r := Report{
		Planned: 9, Sent: 9, Answered: map[int]int{200: 9}, Byes: 8, ByesAnswered: 8, CutOff: 1, MostHeld: 5, InOrder: true,
		Dialled: &Dialled{Invited: 9, Rung: 8, Answered: 9, Connected: 7, Released: 6, Stranded: 3, DoubleLegs: 4},
	}
	text := r.String()
	for _, want := range []string{
		"callee     invited 9, rung 8, answered 9, connected 7, released 6\n",
		"faults     stranded 3, double legs 4, repeats 0, answers resent 0\n",
		"held       5 at most, cut off 1\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	want := "1 calls cut off by the server, 4 calls placed twice, 2 of 9 answers never acknowledged, 3 of 9 callees never heard the BYE"
	if got := r.Err().Error(); got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	r.CutOff, r.Dialled = 0, &Dialled{Repeats: 1}
	if r.Err() != nil || r.Clean() {
		t.Errorf("a repeated request: %v, clean %v", r.Err(), r.Clean())
	}
}
