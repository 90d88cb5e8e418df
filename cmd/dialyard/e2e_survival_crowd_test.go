package main_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dialyard/dispatcher/call"
)

// A group is a number of calls alike: so many callers of one plan, and their callees.
type group struct {
	plan   string // its name; the plan dials the callees
	dial   string // options of the dial, in Lua
	calls  int
	caller string // scenario, and what its pause without a length lasts
	waits  time.Duration
	callee string
	rests  time.Duration

	// What becomes of each call, in its record.
	status   int
	endedBy  string
	statuses string // of its legs

	callers, callees *phone
}

// A crowd is many calls at once, of several groups.
type crowd struct {
	t      *testing.T
	groups []*group
	ramp   time.Duration // all calls begin within it
	begun  time.Time
}

// full is the size of a crowd's two halves, the answered calls and the ringing ones.
func full(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("DIALYARD_SURVIVAL"); text != "" {
		return number(t, text)
	}
	return 1000
}

// newCrowd starts the callees. They must be there before the plans that dial them.
func newCrowd(t *testing.T, ramp time.Duration, groups ...*group) *crowd {
	t.Helper()
	c := &crowd{t: t, groups: groups, ramp: ramp}
	for _, g := range groups {
		g.callees = newCallee(t, g.callee, g.times(g.rests)...)
	}
	return c
}

func (g *group) times(pause time.Duration) []string {
	return []string{"-m", fmt.Sprint(g.calls), "-d", fmt.Sprint(pause.Milliseconds()), "-trace_err", "-buff_size", "4000000"}
}

// plans gives the server a plan for each group, and room for a run per call.
func (c *crowd) plans(s *server) {
	for _, g := range c.groups {
		plan(g.plan, fmt.Sprintf("call:dial(%q, {%s})", g.callees.uri(), g.dial))(s)
	}
	roomy(s)
}

// roomy lets each worker run as many scripts as ring in these tests.
func roomy(s *server) {
	name := s.dir + "/dialyard.yaml"
	text, err := os.ReadFile(name)
	s.must(err)
	wide := strings.Replace(string(text), "workers: {count: 2}", "workers: {count: 2, runs: 2048}", 1)
	if wide == string(text) {
		s.t.Fatal("the configuration has no workers to change")
	}
	s.write("dialyard.yaml", wide)
}

// call has all calls begin, evenly spread over the ramp, and waits until each of them
// is answered, or rings.
func (c *crowd) call(s *server) {
	c.t.Helper()
	c.begun = time.Now()
	for _, g := range c.groups {
		pace := []string{"-l", fmt.Sprint(g.calls + 1), "-r", fmt.Sprint(g.calls), "-rp", fmt.Sprint(c.ramp.Milliseconds())}
		g.callers = s.dial(g.caller, g.plan, append(g.times(g.waits), pace...)...)
	}
	answered, ringing := c.expected()
	s.eventually(c.ramp+10*time.Second, fmt.Sprintf("%d calls answered, %d ringing", answered, ringing), func() bool {
		all := s.metrics()
		return gauge(all, "dialyard_answered_calls") == answered && gauge(all, "dialyard_calls") == ringing
	})
	c.ring()
	c.t.Logf("%d answered and %d ringing calls after %v", answered, ringing, c.since())
}

// ring gives the last calls the time a call has to ring before it is kept.
func (c *crowd) ring() { time.Sleep(300 * time.Millisecond) }

func (c *crowd) since() time.Duration { return time.Since(c.begun).Round(10 * time.Millisecond) }

// expected is how many calls are answered and ringing when all have begun.
func (c *crowd) expected() (answered, ringing int) {
	for _, g := range c.groups {
		if g.ringsFirst() {
			ringing += g.calls
		} else {
			answered += g.calls
		}
	}
	return answered, ringing
}

// ringsFirst reports whether the group's calls are not answered at once.
func (g *group) ringsFirst() bool {
	return g.callee != "survive_uas_talks" && g.callee != "survive_uas_hangs_up" && (g.callee != "survive_uas_hears_bye" || g.rests > 0)
}

func gauge(metrics, name string) (n int) {
	_, rest, _ := strings.Cut(metrics, "\n"+name+" ")
	if _, err := fmt.Sscan(rest, &n); err != nil {
		return -1
	}
	return n
}

// end waits for every caller and callee to come to the end of its scenario, and
// compares what they saw with the records, of which there is one for each call.
func (c *crowd) end(s *server) {
	c.t.Helper()
	total := 0
	for _, g := range c.groups {
		g.callers.wait()
		g.callees.wait()
		total += g.calls
	}
	c.t.Logf("all calls over after %v", c.since())
	s.eventually(5*time.Second, "no call is left", func() bool {
		all := s.metrics()
		return gauge(all, "dialyard_answered_calls") == 0 && gauge(all, "dialyard_calls") == 0 && gauge(all, "dialyard_runs") == 0
	})
	s.eventually(5*time.Second, fmt.Sprintf("%d records", total), func() bool { return len(s.records()) >= total })
	c.compare(s.records(), total)
}

// compare holds the records against what both ends saw.
func (c *crowd) compare(records []call.Record, total int) {
	c.t.Helper()
	if len(records) != total {
		c.t.Errorf("%d records of %d calls", len(records), total)
	}
	byCall := map[string][]call.Record{}
	for _, r := range records {
		byCall[r.CallID] = append(byCall[r.CallID], r)
	}
	for _, g := range c.groups {
		callers, callees := g.callers.talks(), g.callees.talks()
		faults := newFaults(c.t, g.plan)
		if len(callers) != g.calls || len(callees) != g.calls {
			faults.add("%d calls were made and %d taken, want %d", len(callers), len(callees), g.calls)
		}
		for id, caller := range callers {
			if of := byCall[id]; len(of) != 1 {
				faults.add("call %s has %d records", id, len(of))
			} else {
				g.compare(faults, caller, callees, &of[0])
			}
		}
		faults.report()
	}
}

// compare holds one record against what the caller and the callee saw.
func (g *group) compare(faults *faults, caller *talk, callees map[string]*talk, r *call.Record) {
	if r.Status != g.status || r.EndedBy != g.endedBy || legs(*r) != g.statuses {
		faults.add("record %s: %d, ended by %q, legs %s; want %d, %q, %s", r.CallID, r.Status, r.EndedBy, legs(*r), g.status, g.endedBy, g.statuses)
		return
	}
	if !slices.Equal(caller.finals, []int{r.Status}) {
		faults.add("call %s: the caller heard %v, its record says %d", r.CallID, caller.finals, r.Status)
	}
	callee := callees[r.Legs[0].CallID]
	if callee == nil {
		faults.add("call %s: no callee knows the leg %q of its record", r.CallID, r.Legs[0].CallID)
		return
	}
	if len(callee.finals) != 1 || callee.invites != 1 {
		faults.add("call %s: the callee was invited %d times and answered %v", r.CallID, callee.invites, callee.finals)
	}
	if r.Status >= 300 || len(r.Legs) > 1 {
		return // who hung up on the fallback target, its own phone knows
	}
	if by := hungUpBy(caller, callee); by != r.EndedBy {
		faults.add("call %s: ended by %q, its record says %q", r.CallID, by, r.EndedBy)
	}
	if seen := caller.bye.Sub(caller.answered); (seen - r.Duration()).Abs() > time.Second {
		faults.add("call %s: it took %v, its record says %v", r.CallID, seen, r.Duration())
	}
}

// hungUpBy says who sent a BYE of his own.
func hungUpBy(caller, callee *talk) string {
	switch {
	case caller.byes == "sent" && callee.byes == "received":
		return "caller"
	case caller.byes == "received" && callee.byes == "sent":
		return "callee"
	case caller.byes == "received" && callee.byes == "received":
		return "system"
	}
	return fmt.Sprintf("BYE %s by the caller, %s by the callee", caller.byes, callee.byes)
}

// faults gathers what is wrong with many calls, so that a thousand alike are one.
type faults struct {
	t     *testing.T
	group string
	first []string
	more  int
}

func newFaults(t *testing.T, group string) *faults { return &faults{t: t, group: group} }

func (f *faults) add(format string, args ...any) {
	if len(f.first) == 4 {
		f.more++
		return
	}
	f.first = append(f.first, fmt.Sprintf(format, args...))
}

func (f *faults) report() {
	f.t.Helper()
	if len(f.first) > 0 {
		f.t.Errorf("%s: %s; and %d more", f.group, strings.Join(f.first, "\n\t"), f.more)
	}
}
