package broker

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestClaimsModel does random things to Claims and holds it against lists of who
// has what, and against buckets that are counted in another way.
func TestClaimsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &claimsModel{claims: &Claims{}, now: nine, held: map[holder][]string{}, buckets: map[bucketName]*bucket{}}
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"place":   m.place,
			"rate":    m.rate,
			"release": m.release,
			"restart": m.restart,
			"wait":    m.wait,
		})
		for h := range m.held {
			m.claims.Release(h.account, h.call)
		}
		m.claims.Claim(m.now.Add(48*time.Hour), "x", "1", "last", 1, 0)
		for range 10 { // turns to look at what is left of the rates
			m.claims.Claim(m.now.Add(48*time.Hour), "x", "1", "last", 1, 0)
		}
		m.claims.Release("x", "1")
		if s := m.claims.Stats(); s != (ClaimStats{}) {
			t.Fatalf("left: %+v", s)
		}
	})
}

type claimsModel struct {
	claims  *Claims
	now     time.Time
	held    map[holder][]string
	buckets map[bucketName]*bucket
}

type holder struct{ account, call string }

type bucketName struct{ account, name string }

// A bucket refills evenly; its figures are those of its name.
type bucket struct {
	tokens float64
	at     time.Time
}

var (
	modelAccounts = rapid.SampledFrom([]string{"a", "b"})
	modelCalls    = rapid.SampledFrom([]string{"1", "2", "3", "4"})
	modelNames    = rapid.SampledFrom([]string{"trunk", "fax", "door"})
)

func drawHolder(t *rapid.T) holder {
	return holder{modelAccounts.Draw(t, "account"), modelCalls.Draw(t, "call")}
}

func (m *claimsModel) holders(account, name string) (n int) {
	for h, names := range m.held {
		if h.account == account && slices.Contains(names, name) {
			n++
		}
	}
	return n
}

func (m *claimsModel) place(t *rapid.T) {
	h, name, places := drawHolder(t), modelNames.Draw(t, "name"), rapid.IntRange(0, 3).Draw(t, "places")
	has := slices.Contains(m.held[h], name)
	want := places > 0 && (has || m.holders(h.account, name) < places)
	if got := m.claims.Claim(m.now, h.account, h.call, name, places, 0); got != want {
		t.Fatalf("%v of %d places: %v", h, places, got)
	}
	if want && !has {
		m.held[h] = append(m.held[h], name)
	}
}

func (m *claimsModel) rate(t *rapid.T) {
	h, name := drawHolder(t), modelNames.Draw(t, "name")
	places := map[string]int{"trunk": 1, "fax": 3, "door": 7}[name]
	b := m.buckets[bucketName{h.account, name}]
	if b == nil {
		b = &bucket{tokens: float64(places), at: m.now}
		m.buckets[bucketName{h.account, name}] = b
	}
	b.tokens = min(float64(places), b.tokens+m.now.Sub(b.at).Seconds()*float64(places))
	b.at = m.now
	granted := m.claims.Claim(m.now, h.account, h.call, name, places, time.Second)
	if granted && b.tokens < 1-1e-6 || !granted && b.tokens > 1+1e-6 {
		t.Fatalf("%s of %s with %v tokens: %v", name, h.account, b.tokens, granted)
	}
	if granted {
		b.tokens--
	}
}

func (m *claimsModel) release(t *rapid.T) {
	h := drawHolder(t)
	m.claims.Release(h.account, h.call)
	delete(m.held, h)
}

// restart takes some of the calls into a new process; rates begin anew.
func (m *claimsModel) restart(t *rapid.T) {
	next := &Claims{}
	for h := range m.held {
		if !rapid.Bool().Draw(t, "goes on") {
			delete(m.held, h)
			continue
		}
		next.Restore(h.account, h.call, m.claims.Held(h.account, h.call))
	}
	m.claims = next
	clear(m.buckets)
}

func (m *claimsModel) wait(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "wait")))
}

func (m *claimsModel) check(t *rapid.T) {
	places := 0
	for _, account := range []string{"a", "b"} {
		for _, call := range []string{"1", "2", "3", "4"} {
			h := holder{account, call}
			if got := m.claims.Held(account, call); !slices.Equal(got, m.held[h]) {
				t.Fatalf("%v holds %q, want %q", h, got, m.held[h])
			}
			places += len(m.held[h])
		}
	}
	if s := m.claims.Stats(); s.Places != places {
		t.Fatalf("%+v, want %d places", s, places)
	}
}
