package dispatcher

import (
	"reflect"
	"testing"

	"dialyard/dispatcher/call"
	"dialyard/proto"
)

// TestTranslateDropsHeadersOfTargets: nothing behind a ? reaches the caller, least
// of all what would end the Contact or its line.
func TestTranslateDropsHeadersOfTargets(t *testing.T) {
	for _, target := range []string{
		"sip:a@example.net?Route=%3Csip:evil%3E", "sip:a@example.net?x=\r\nX-Evil: 1",
		"sip:a@example.net?x>, <sip:b@example.net", "sip:a@example.net?",
	} {
		l := &live{script: script{seq: 1}}
		want := call.Redirect{Code: 302, Targets: []string{"sip:a@example.net"}}
		if got := l.translate(said(redirect(302, target))); !reflect.DeepEqual(got, want) {
			t.Errorf("%q became %#v", target, got)
		}
	}
}

// TestTranslateCountsInstructions: a worker cannot fill a call's record or answers
// without end.
func TestTranslateCountsInstructions(t *testing.T) {
	l := &live{script: script{seq: 1}}
	for seq := uint32(1); seq <= maxInstructions+1; seq++ {
		i := tag("a", "1")
		i.Seq = seq
		got := l.translate(&proto.Report{Is: &proto.Report_Instruction{Instruction: i}})
		if allowed := seq <= maxInstructions; (got != brokenProtocol) != allowed {
			t.Fatalf("instruction %d became %#v", seq, got)
		}
	}
}
