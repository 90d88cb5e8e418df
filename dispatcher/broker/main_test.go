package broker

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dialyard/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open makes a broker that is closed with the test.
func open(t testing.TB, o Options) *Broker {
	t.Helper()
	b := New(o)
	t.Cleanup(b.Close)
	return b
}

// hosts reads an allow-list.
func hosts(t testing.TB, texts ...string) []Host {
	t.Helper()
	var list []Host
	for _, text := range texts {
		h, err := ParseHost(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, h)
	}
	return list
}

// atHome is a policy that reaches every port of this machine.
func atHome(t testing.TB) *Policy {
	return &Policy{Hosts: hosts(t, "*:*"), Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, FetchTime: 5 * time.Second}
}

// asker is a new run of the account "a".
func asker(p *Policy) Asker {
	return Asker{Account: "a", Call: "c", Policy: p, Allowance: &Allowance{}}
}

// answer asks and waits; it fails the test if there is not exactly one answer.
func answer(t testing.TB, b *Broker, from Asker, ask *proto.Ask) *proto.Answer {
	t.Helper()
	return answerUnder(t.Context(), t, b, from, ask)
}

func answerUnder(ctx context.Context, t testing.TB, b *Broker, from Asker, ask *proto.Ask) *proto.Answer {
	t.Helper()
	answers := make(chan *proto.Answer, 10)
	b.Ask(ctx, from, ask, func(a *proto.Answer) { answers <- a })
	select {
	case a := <-answers:
		for k := range b.crowds { // whoever was at work has left: nobody could answer again
			if b.crowds[k].places > 0 {
				waitUntil(t, func() bool { return b.UnderWay(Kind(k)) == 0 })
			}
		}
		if n := len(answers); n > 0 {
			t.Fatalf("%d answers too many", n)
		}
		return a
	case <-time.After(20 * time.Second):
		t.Fatal("no answer")
		return nil
	}
}

func waitUntil(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

func get(url string) *proto.Ask { return fetchOf(&proto.Fetch{Method: "GET", Url: url}) }

func fetchOf(f *proto.Fetch) *proto.Ask { return &proto.Ask{Is: &proto.Ask_Fetch{Fetch: f}} }

func lookupOf(kind, name string) *proto.Ask {
	return &proto.Ask{Is: &proto.Ask_Lookup{Lookup: &proto.Lookup{Name: name, Type: kind}}}
}

func keepOf(k *proto.Keep) *proto.Ask { return &proto.Ask{Is: &proto.Ask_Keep{Keep: k}} }

func claimOf(c *proto.Claim) *proto.Ask { return &proto.Ask{Is: &proto.Ask_Claim{Claim: c}} }

// wantError checks the words of a refusal.
func wantError(t testing.TB, a *proto.Answer, words string) {
	t.Helper()
	if a.GetError() != words {
		t.Errorf("answer is %v, want error %q", a, words)
	}
	if a.GetIs() != nil {
		t.Errorf("error %q comes with %v", a.GetError(), a.GetIs())
	}
}

// wantBody checks what was fetched.
func wantBody(t testing.TB, a *proto.Answer, status uint32, body string) {
	t.Helper()
	if f := a.GetFetched(); f == nil || f.Status != status || string(f.Body) != body {
		t.Errorf("answer is %.300v, want %d %q", a, status, body)
	}
}

// gather collects answers by their words, "" for those that are no refusal.
type gather struct {
	mu    sync.Mutex
	words map[string]int
	wait  sync.WaitGroup
}

func (g *gather) expect() func(*proto.Answer) {
	g.wait.Add(1)
	return func(a *proto.Answer) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.words == nil {
			g.words = make(map[string]int)
		}
		g.words[a.GetError()]++
		g.wait.Done() // panics if it is one too many
	}
}
