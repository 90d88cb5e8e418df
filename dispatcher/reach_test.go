package dispatcher

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/broker"
	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
	"dialyard/proto"
)

// desk is a pool that writes down what it is told.
type desk struct {
	results   []*proto.Result
	cancelled []uint64
	apart     []bool
}

func (d *desk) Start(_ *proto.Start, _, _ string, apart bool) (string, bool) {
	d.apart = append(d.apart, apart)
	return "w1.1", true
}
func (d *desk) Cancel(_ string, run uint64, _ string) { d.cancelled = append(d.cancelled, run) }
func (d *desk) Result(_ string, r *proto.Result)      { d.results = append(d.results, r) }
func (d *desk) Ready() int                            { return 1 }

// hoard is a store that answers when it is told to.
type hoard struct {
	asked chan string
	free  chan struct{}
}

func (h *hoard) Do(ctx context.Context, account string, k *proto.Keep) (*proto.Kept, error) {
	h.asked <- account + " " + k.GetKey()
	select {
	case <-h.free:
		return &proto.Kept{Found: true}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// scripted is a shard with one call whose script runs, and all that is around it.
func scripted(t *testing.T) (*shard, *live, *desk, *hoard) {
	pool, keeper := &desk{}, &hoard{make(chan string, 8), make(chan struct{})}
	claims := &broker.Claims{}
	b := broker.New(broker.Options{Keeper: keeper, Claimer: claims})
	d := New(Options{Shards: 1, Workers: pool, Policy: call.DefaultPolicy(), Log: slog.New(slog.DiscardHandler), Broker: b, Claims: claims})
	t.Cleanup(func() {
		d.endLife()
		b.Close()
	})
	s := d.shards[0]
	account := &Account{}
	record := call.Record{ID: "id", Account: "acme", Plan: "main", Version: 1, Start: time.Now()}
	invite, refusal := sip.Scan([]byte(strings.ReplaceAll("INVITE sip:x@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\nFrom: <sip:a@b>;tag=1\n"+
		"To: <sip:x@127.0.0.1>\nCall-ID: x\nCSeq: 1 INVITE\nContent-Length: 0\n\n", "\n", "\r\n")))
	if refusal != nil {
		t.Fatal(refusal)
	}
	server := s.layer.Receive(time.Now(), sip.Packet{Message: invite, Peer: sip.Peer{Transport: "udp"}}).Server
	l := &live{account: account, waits: waits{server: server, invite: invite}, call: call.NewCall(record, &d.Policy)}
	l.start, l.Owner = &proto.Start{Run: 7, Account: "acme", Plan: "main", Version: 1, Attempt: 1}, l
	account.enter(time.Now())
	s.runs[7] = l
	s.step(time.Now(), l, call.Begin{})
	return s, l, pool, keeper
}

// say has the worker say something of the run.
func say(s *shard, l *live, i *proto.Instruction) {
	i.Run = 7
	s.takeReport(time.Now(), "w1.1", &proto.Report{Is: &proto.Report_Instruction{Instruction: i}})
}

func keepAsk(seq uint32) *proto.Instruction {
	keep := &proto.Keep{Op: proto.KeepOp_KEEP_OP_GET, Key: "k"}
	return &proto.Instruction{Seq: seq, Is: &proto.Instruction_Ask{Ask: &proto.Ask{Is: &proto.Ask_Keep{Keep: keep}}}}
}

func claim(seq uint32, places uint32) *proto.Instruction {
	c := &proto.Claim{Name: "door", Places: places}
	return &proto.Instruction{Seq: seq, Is: &proto.Instruction_Ask{Ask: &proto.Ask{Is: &proto.Ask_Claim{Claim: c}}}}
}

func TestAnAnswerGoesToTheScriptThatAsked(t *testing.T) {
	s, l, pool, keeper := scripted(t)
	say(s, l, keepAsk(1))
	if got := <-keeper.asked; got != "acme k" {
		t.Errorf("the store was asked %q", got)
	}
	if len(pool.results) != 0 {
		t.Fatal("answered before the store had")
	}
	keeper.free <- struct{}{}
	s.handle(time.Now(), <-s.mailbox)
	if len(pool.results) != 1 || pool.results[0].Run != 7 || pool.results[0].Seq != 1 || !pool.results[0].GetAnswer().GetKept().GetFound() {
		t.Errorf("the script hears %v", pool.results)
	}
}

func TestTwoAsksAtOnceBreakTheProtocol(t *testing.T) {
	s, l, pool, keeper := scripted(t)
	say(s, l, keepAsk(1))
	<-keeper.asked
	say(s, l, keepAsk(2))
	if l.call.Outcome != call.BadWorker || len(pool.cancelled) != 1 {
		t.Errorf("outcome %v, cancelled %v", l.call.Outcome, pool.cancelled)
	}
}

// TestTheEndOfARunEndsItsAsk: what comes of it later goes nowhere.
func TestTheEndOfARunEndsItsAsk(t *testing.T) {
	s, l, pool, keeper := scripted(t)
	say(s, l, keepAsk(1))
	<-keeper.asked
	s.takeReport(time.Now(), "w1.1", &proto.Report{Is: &proto.Report_Done{Done: &proto.Done{Run: 7, Outcome: proto.Outcome_OUTCOME_FINISHED}}})
	s.handle(time.Now(), <-s.mailbox) // the broker's last word
	if len(pool.results) != 0 {
		t.Errorf("a script that is over hears %v", pool.results)
	}
}

func TestPlacesEndWithTheCall(t *testing.T) {
	s, l, pool, _ := scripted(t)
	say(s, l, claim(1, 1))
	if len(pool.results) != 1 || !pool.results[0].GetAnswer().GetClaimed().GetGranted() {
		t.Fatalf("the script hears %v", pool.results)
	}
	if s.Claims.Claim(time.Now(), "acme", "other call", "door", 1, 0) {
		t.Error("another call has the only place, too")
	}
	s.takeReport(time.Now(), "w1.1", &proto.Report{Is: &proto.Report_Done{Done: &proto.Done{Run: 7, Outcome: proto.Outcome_OUTCOME_FINISHED}}})
	if !s.Claims.Claim(time.Now(), "acme", "other call", "door", 1, 0) {
		t.Error("the place is still taken when the call is over")
	}
}

// TestSuspectsAndTheGuilty follows a version from innocence to quarantine.
func TestSuspectsAndTheGuilty(t *testing.T) {
	s, _, pool, _ := scripted(t)
	v, now := blame.Version{Account: "acme", Plan: "main", Number: 1}, time.Now()
	place := func() call.Event {
		l := &live{call: call.NewCall(call.Record{Account: "acme", Plan: "main", Version: 1}, &s.Policy)}
		l.start = &proto.Start{Run: 9, Attempt: 1}
		return s.place(now, l, call.Run{Attempt: 1})
	}
	place()
	s.Blame.Accuse(v, blame.Death{At: now, Worker: "w1.1"})
	place()
	if got := pool.apart; len(got) != 3 || got[1] || !got[2] {
		t.Errorf("apart: %v", got)
	}
	s.Blame.Accuse(v, blame.Death{At: now, Worker: "p1.1", Apart: true})
	if _, barred := place().(call.Barred); !barred || len(pool.apart) != 3 {
		t.Error("a guilty version was run")
	}
}

// TestProbesTouchNoAccount: nothing that an account is bounded by counts them.
func TestProbesTouchNoAccount(t *testing.T) {
	s, l, pool, _ := scripted(t)
	account := l.account
	before := [4]int64{account.used().running.Load(), account.used().calls.Load(), account.used().next.Load(), account.used().paid.Load()}
	invite, refusal := sip.Scan([]byte(strings.ReplaceAll("INVITE sip:health@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKp\nFrom: <sip:m@b>;tag=1\n"+
		"To: <sip:health@127.0.0.1>\nCall-ID: p\nCSeq: 1 INVITE\nContent-Length: 0\n\n", "\n", "\r\n")))
	if refusal != nil {
		t.Fatal(refusal)
	}
	now := time.Now()
	server := s.layer.Receive(now, sip.Packet{Message: invite, Peer: sip.Peer{Transport: "udp"}}).Server
	probe := s.newProbe(now, server, "w1.1", "nonce")
	run := probe.start.Run
	s.begin(now, server, probe)
	placed := len(pool.apart)
	s.takeReport(now, "w1.1", &proto.Report{Is: &proto.Report_Done{Done: &proto.Done{Run: run, Outcome: proto.Outcome_OUTCOME_FINISHED, CpuUs: 1e6}}})
	after := [4]int64{account.used().running.Load(), account.used().calls.Load(), account.used().next.Load(), account.used().paid.Load()}
	if before != after || placed != 2 || len(s.Blame.Cases(now)) != 0 {
		t.Errorf("an account used %v before a probe and %v after it", before, after)
	}
}
