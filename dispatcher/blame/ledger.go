package blame

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Version names one version of a plan.
type Version struct {
	Account string `json:"account"`
	Plan    string `json:"plan"`
	Number  uint32 `json:"version"`
}

func (v Version) String() string {
	return v.Account + "/" + v.Plan + "@" + strconv.Itoa(int(v.Number))
}

// Standing is what is thought of a version.
type Standing uint8

// The standings.
const (
	Innocent Standing = iota
	Suspect           // it runs apart
	Guilty            // it does not run
)

func (s Standing) String() string { return [...]string{"innocent", "suspect", "guilty"}[s] }

// MarshalText is the standing's name in JSON.
func (s Standing) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the name.
func (s *Standing) UnmarshalText(text []byte) error {
	for _, known := range []Standing{Innocent, Suspect, Guilty} {
		if known.String() == string(text) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("no standing is called %.20q", text)
}

const (
	firstGood = 3      // good runs apart that clear a version accused for the first time
	maxGood   = 10_000 // and at the most
	memory    = time.Hour
	maxCases  = 1000 // beyond which the oldest suspicion is dropped
	maxGuilty = 20   // versions of one plan; one that was forgotten is soon found out again
)

// A Death is the end of a worker that a version had a run on.
type Death struct {
	At      time.Time `json:"at"`
	Worker  string    `json:"worker"`
	Reason  string    `json:"reason"`
	Apart   bool      `json:"apart"`             // on a penalty worker, with runs of nobody else
	Outside bool      `json:"outside"`           // by a signal that nobody here sent
	Settled bool      `json:"settled,omitempty"` // the version was cleared since: it proves nothing any more
}

// A Case is what is known of one version that is not innocent, or was not lately.
type Case struct {
	Version
	Standing Standing  `json:"standing"`
	Since    time.Time `json:"since"`
	Deaths   []Death   `json:"deaths"`    // the newest last, at most 5
	Accused  int       `json:"accused"`   // how often, deaths from outside and of others' doing aside
	Good     int       `json:"good_runs"` // apart, since it was last accused
	Needed   int       `json:"good_runs_needed"`
}

// maxDeaths is how many deaths a case remembers.
const maxDeaths = 5

// A Ledger holds the cases. Its zero value has none. It must not be copied.
type Ledger struct {
	// Changed, if not nil, is told of each change of a standing, by the goroutine
	// that caused it. It must not call the Ledger and must return soon.
	Changed func(Case)

	standings atomic.Pointer[map[Version]Standing] // who is not innocent; what the call path reads

	mu    sync.Mutex // guards cases; taken when somebody is accused, runs apart or asks
	cases map[Version]*Case
}

// Standing is what is thought of a version now.
func (l *Ledger) Standing(v Version) Standing {
	m := l.standings.Load()
	if m == nil {
		return Innocent
	}
	return (*m)[v]
}

// Accuse says that a worker died with a run of this version. Several runs of one
// version on one worker are one accusation.
func (l *Ledger) Accuse(v Version, d Death) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(d.At)
	c := l.cases[v]
	if c == nil {
		c = l.open(v)
	}
	if c.Standing == Guilty || c.knows(d.Worker) {
		return
	}
	if c.Deaths = append(c.Deaths, d); len(c.Deaths) > maxDeaths {
		c.Deaths = slices.Delete(c.Deaths, 0, 1)
	}
	if !d.Outside {
		c.Accused++
	}
	c.Good, c.Needed = 0, needed(c.Accused)
	if c.proven() {
		l.enter(c, Guilty, d.At)
		l.explain(c, d.At)
		l.forgetGuilty(c)
		return
	}
	l.enter(c, Suspect, d.At)
}

// Acquit counts a run of a suspect that ended apart and left its worker alive.
func (l *Ledger) Acquit(v Version, now time.Time) {
	if l.Standing(v) != Suspect {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cases[v]
	if c == nil || c.Standing != Suspect {
		return
	}
	c.Good++
	for i := range c.Deaths {
		d := &c.Deaths[i]
		d.Settled = d.Settled || c.Good >= c.Needed || d.Outside && c.Good >= firstGood
	}
	if c.Good >= c.Needed {
		l.enter(c, Innocent, now)
	}
}

// forgetGuilty drops what was proven longest ago of a plan that has too many guilty
// versions; never the one that was proven now, whatever its number.
func (l *Ledger) forgetGuilty(of *Case) {
	var oldest *Case
	n := 1
	for _, c := range l.cases {
		if c != of && c.Standing == Guilty && c.Account == of.Account && c.Plan == of.Plan {
			if n++; oldest == nil || c.Since.Before(oldest.Since) {
				oldest = c
			}
		}
	}
	if n > maxGuilty {
		delete(l.cases, oldest.Version)
		l.publish()
	}
}

// explain takes back what others were accused of that the guilty one has done.
func (l *Ledger) explain(guilty *Case, now time.Time) {
	for _, c := range l.cases {
		if c.Standing == Guilty {
			continue
		}
		before := len(c.Deaths)
		c.Deaths = slices.DeleteFunc(c.Deaths, func(d Death) bool {
			explained := guilty.knows(d.Worker)
			if explained && !d.Outside {
				c.Accused--
			}
			return explained
		})
		if len(c.Deaths) == before {
			continue
		}
		c.Needed = needed(c.Accused)
		unsettled := slices.ContainsFunc(c.Deaths, func(d Death) bool { return !d.Settled })
		if c.Standing == Suspect && (!unsettled || c.Good >= c.Needed) {
			l.enter(c, Innocent, now)
		}
	}
}

// Release takes all that is held against a version back. It reports false if there is
// nothing.
func (l *Ledger) Release(v Version, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.cases[v]
	if c == nil || c.Standing == Innocent {
		return false
	}
	l.enter(c, Innocent, now)
	delete(l.cases, v)
	return true
}

// Cases lists what is held against versions, the guilty first, then by name.
func (l *Ledger) Cases(now time.Time) []Case {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(now)
	var list []Case
	for _, c := range l.cases {
		if c.Standing != Innocent {
			list = append(list, c.copy())
		}
	}
	slices.SortFunc(list, func(a, b Case) int {
		return cmp.Or(cmp.Compare(b.Standing, a.Standing), cmp.Compare(a.Version.String(), b.Version.String()))
	})
	return list
}

// Case is what is held against one version; false if nothing is.
func (l *Ledger) Case(v Version) (Case, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.cases[v]; c != nil && c.Standing != Innocent {
		return c.copy(), true
	}
	return Case{}, false
}

// Restore takes over the cases of an earlier process.
func (l *Ledger) Restore(cases []Case) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range cases {
		if l.cases == nil {
			l.cases = map[Version]*Case{}
		}
		l.cases[c.Version] = &c
	}
	l.publish()
}

// open begins a case. When there are too many, the oldest suspicion gives way.
func (l *Ledger) open(v Version) *Case {
	if l.cases == nil {
		l.cases = map[Version]*Case{}
	}
	if len(l.cases) >= maxCases {
		var oldest *Case
		for _, c := range l.cases {
			if c.Standing != Guilty && (oldest == nil || c.Since.Before(oldest.Since)) {
				oldest = c
			}
		}
		if oldest != nil {
			delete(l.cases, oldest.Version)
		}
	}
	c := &Case{Version: v}
	l.cases[v] = c
	return c
}

// forget drops suspicion that nothing has renewed for long.
func (l *Ledger) forget(now time.Time) {
	for v, c := range l.cases {
		if c.Standing != Guilty && now.Sub(c.Since) > memory {
			if delete(l.cases, v); c.Standing == Suspect {
				l.publish()
			}
		}
	}
}

func (l *Ledger) enter(c *Case, to Standing, now time.Time) {
	changed := c.Standing != to
	c.Standing, c.Since = to, now
	if !changed {
		return
	}
	l.publish()
	if l.Changed != nil {
		l.Changed(c.copy())
	}
}

// publish makes the standings anew that the call path reads.
func (l *Ledger) publish() {
	m := map[Version]Standing{}
	for v, c := range l.cases {
		if c.Standing != Innocent {
			m[v] = c.Standing
		}
	}
	if len(m) == 0 {
		l.standings.Store(nil)
		return
	}
	l.standings.Store(&m)
}

// knows reports whether a worker's death is in the case already.
func (c *Case) knows(worker string) bool {
	return slices.ContainsFunc(c.Deaths, func(d Death) bool { return d.Worker == worker })
}

// proven reports whether the deaths apart leave no doubt.
func (c *Case) proven() bool {
	weight := 0
	for _, d := range c.Deaths {
		switch {
		case d.Settled:
		case d.Apart && !d.Outside:
			weight += 2
		case d.Apart:
			weight++
		}
	}
	return weight >= 2
}

func (c *Case) copy() Case {
	copied := *c
	copied.Deaths = slices.Clone(c.Deaths)
	return copied
}

// needed is how many good runs apart clear a version that was accused n times.
func needed(n int) int {
	good := firstGood
	for ; n > 1 && good < maxGood; n-- {
		good *= 10
	}
	return min(good, maxGood)
}

// OnlyGuilty keeps of some cases what outlives a process: suspicion does not.
func OnlyGuilty(cases []Case) []Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return c.Standing != Guilty })
}
