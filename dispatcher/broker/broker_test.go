package broker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dialyard/proto"
)

// TestStorm: one account throws all it can into a black hole; another's asks are
// answered meanwhile, and everyone gets exactly one answer.
func TestStorm(t *testing.T) {
	hole, web := serveRaw(t, swallow), serveWeb(t, "127.0.0.1:0", say("here"))
	b, p := open(t, Options{Fetches: 64}), atHome(t)
	p.FetchTime = time.Minute
	var storm, calm gather
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 150 {
		b.Ask(ctx, Asker{Account: "storm", Policy: p, Allowance: &Allowance{}}, get(hole), storm.expect())
	}
	began := time.Now()
	for range 4 {
		for range 16 {
			b.Ask(t.Context(), Asker{Account: "calm", Policy: p, Allowance: &Allowance{}}, get(web.URL), calm.expect())
		}
		calm.wait.Wait()
		waitUntil(t, func() bool { return b.UnderWay(Fetching) == 32 })
	}
	if took := time.Since(began); took > 5*time.Second || calm.words[""] != 64 {
		t.Errorf("beside a storm: %v after %v", calm.words, took)
	}
	cancel()
	storm.wait.Wait()
	if storm.words["busy"] != 118 || storm.words["cancelled"] != 32 {
		t.Errorf("the storm: %v", storm.words)
	}
	if b.Stats.Count(Fetching, Busy) != 118 || b.Stats.Count(Fetching, Answered) != 64 || b.Stats.Count(Fetching, Cancelled) != 32 {
		t.Error("the counters disagree")
	}
}

// TestAllowance: a run comes to the end of each kind by itself, others do not.
func TestAllowance(t *testing.T) {
	b := open(t, Options{})
	p := &Policy{Fetches: 3, Lookups: 2, Keeps: 1, Claims: 4}
	from := asker(p)
	asks := []struct {
		ask  *proto.Ask
		most int
		word string
	}{
		{get("http://a.test/"), 3, "not allowed: host"},
		{lookupOf("X", ""), 2, "bad request: type"},
		{keepOf(&proto.Keep{}), 1, "bad request: operation"},
		{claimOf(&proto.Claim{}), 4, "bad request: name"},
	}
	for _, tt := range asks {
		for range tt.most {
			wantError(t, answer(t, b, from, tt.ask), tt.word)
		}
		wantError(t, answer(t, b, from, tt.ask), "limit")
	}
	wantError(t, answer(t, b, asker(p), asks[0].ask), "not allowed: host")
	var a Allowance
	for k, most := range map[Kind]int{Fetching: 20, LookingUp: 50, Keeping: 200, Claiming: 50} {
		n := 0
		for a.Take(k, nothing) {
			n++
		}
		if n != most {
			t.Errorf("%v: %d by default", k, n)
		}
	}
}

// TestBegin: what is known at once is returned and done is not called; anything else
// is told by another goroutine.
func TestBegin(t *testing.T) {
	b := open(t, Options{})
	never := func(a *proto.Answer) { t.Errorf("done with %v", a) }
	for _, ask := range []*proto.Ask{nil, {}, {Is: &proto.Ask_Fetch{}}, get("http://a.test/"), claimOf(&proto.Claim{Name: "n", Places: 1})} {
		if a := b.Begin(t.Context(), asker(nil), ask, never); a.GetError() == "" {
			t.Errorf("%v: answer %v", ask, a)
		}
	}
	answers := make(chan *proto.Answer, 1)
	if a := b.Begin(t.Context(), asker(nil), keepOf(&proto.Keep{Op: proto.KeepOp_KEEP_OP_GET, Key: "k"}), func(a *proto.Answer) { answers <- a }); a != nil {
		t.Errorf("answer %v at once", a)
	}
	wantError(t, <-answers, "unavailable")
}

// keeperFunc is a Keeper as one function.
type keeperFunc func(ctx context.Context, account string, k *proto.Keep) (*proto.Kept, error)

func (f keeperFunc) Do(ctx context.Context, account string, k *proto.Keep) (*proto.Kept, error) {
	return f(ctx, account, k)
}

// TestKeep: the account is the asker's, and what went wrong inside stays there.
func TestKeep(t *testing.T) {
	b := open(t, Options{Keeper: keeperFunc(func(ctx context.Context, account string, k *proto.Keep) (*proto.Kept, error) {
		switch k.Key {
		case "quota":
			return nil, Refusal{Limit, "quota"}
		case "broken":
			return nil, errors.New("disk /dev/secret is on fire")
		case "flawed":
			panic("flaw")
		case "hangs":
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return &proto.Kept{Found: true, Value: []byte(account)}, nil
	})})
	ask := func(key string) *proto.Ask { return keepOf(&proto.Keep{Op: proto.KeepOp_KEEP_OP_GET, Key: key}) }
	if a := answer(t, b, asker(nil), ask("k")); string(a.GetKept().GetValue()) != "a" {
		t.Errorf("answer %v", a)
	}
	wantError(t, answer(t, b, asker(nil), ask("quota")), "limit: quota")
	wantError(t, answer(t, b, asker(nil), ask("broken")), "unavailable")
	wantError(t, answer(t, b, asker(nil), ask("flawed")), "unavailable")
	wantError(t, answer(t, b, asker(nil), ask("hangs")), "timeout")
	if n := b.Stats.Panics.Load(); n != 1 {
		t.Errorf("%d panics counted", n)
	}
}

// TestHungStore: a store that hangs fills its own places and nobody else's.
func TestHungStore(t *testing.T) {
	b := open(t, Options{Keeps: 8, Keeper: keeperFunc(func(ctx context.Context, _ string, _ *proto.Keep) (*proto.Kept, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})})
	web := serveWeb(t, "127.0.0.1:0", say("here"))
	ctx, cancel := context.WithCancel(t.Context())
	var stuck gather
	for _, account := range strings.Fields("a b c d e f g h i j k l m n o p") {
		for range 8 {
			from := Asker{Account: account, Allowance: &Allowance{}}
			b.Ask(ctx, from, keepOf(&proto.Keep{Op: proto.KeepOp_KEEP_OP_GET, Key: "k"}), stuck.expect())
		}
	}
	done := make(chan *proto.Answer, 1)
	b.Ask(t.Context(), asker(atHome(t)), get(web.URL), func(a *proto.Answer) { done <- a })
	wantBody(t, <-done, 200, "here")
	cancel()
	stuck.wait.Wait()
	if stuck.words["cancelled"] != 8 || stuck.words["busy"] != 16*8-8 {
		t.Errorf("asks of the store: %v", stuck.words)
	}
}

// TestClaim: the ledger is asked for the asker's account and call.
func TestClaim(t *testing.T) {
	ledger := &Claims{}
	b := open(t, Options{Claimer: ledger})
	first, second := asker(nil), asker(nil)
	second.Call = "d"
	ask := claimOf(&proto.Claim{Name: "trunk", Places: 1})
	if !answer(t, b, first, ask).GetClaimed().GetGranted() {
		t.Error("the first claim is not granted")
	}
	if a := answer(t, b, second, ask); a.GetClaimed() == nil || a.GetClaimed().Granted {
		t.Errorf("the second claim: %v", a)
	}
	ledger.Release("a", "c")
	if !answer(t, b, second, ask).GetClaimed().GetGranted() {
		t.Error("a place that was given back is not granted")
	}
	wantError(t, answer(t, open(t, Options{}), first, ask), "unavailable")
}

// TestOverBefore: a run that is over before it asks hears so, and nothing is sent.
func TestOverBefore(t *testing.T) {
	web := serveWeb(t, "127.0.0.1:0", say("here"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, answerUnder(ctx, t, open(t, Options{}), asker(atHome(t)), get(web.URL)), "cancelled")
	if n := web.hits.Load(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// TestWords: every outcome has its own.
func TestWords(t *testing.T) {
	seen := make(map[string]bool)
	for o := range Outcome(Outcomes) {
		if seen[o.String()] {
			t.Errorf("%q twice", o)
		}
		seen[o.String()] = true
	}
	var s Stats
	n := 0
	s.Each(func(kind, outcome string, _ uint64) { n++ })
	if n != Kinds*Outcomes {
		t.Errorf("%d counters", n)
	}
}
