package call

import (
	"testing"
	"time"
)

// TestACallHasTwentyLegs counts what a dial of too many, and one whose redirects lead
// to too many, may have.
func TestACallHasTwentyLegs(t *testing.T) {
	policy := DefaultPolicy()
	c := dialling(&policy, 15)
	if invited := count[Invite](c.Step(noon, Failed{Leg: 0, Code: 302, Contacts: make([]string, 9)})); invited != 5 {
		t.Errorf("a redirect to nine led to %d legs beside fifteen", invited)
	}
	c = NewCall(Record{Start: noon}, &policy)
	c.Step(noon, Begin{})
	c.Step(noon, Placed{Worker: "w1.1"})
	if invited := count[Invite](c.Step(noon, Dial{Groups: [][]Target{make([]Target, 25)}})); invited != 20 {
		t.Errorf("%d legs of twenty-five", invited)
	}
}

// TestAKeptCallSharesNothing changes a restored call and looks at the first.
func TestAKeptCallSharesNothing(t *testing.T) {
	policy := DefaultPolicy()
	c := dialling(&policy, 2)
	c.Step(noon, Sent{Leg: 0, Address: "192.0.2.1:5060"})
	before := string(noted(t, c))
	other := restored(t, noted(t, c), &policy)
	later := noon.Add(time.Second)
	other.Step(later, Progress{Leg: 0, Code: 180})
	other.Step(later, Failed{Leg: 0, Code: 486})
	other.Step(later, Answered{Leg: 1, Code: 200})
	other.Step(later, Bye{From: Callee})
	if after := string(noted(t, c)); after != before {
		t.Errorf("it was  %s\nnow it is %s", before, after)
	}
	if other.State() != Ended || c.State() != Dialling {
		t.Errorf("the restored call is in %v, the first in %v", other.State(), c.State())
	}
}

// dialling is a call with one group of legs that follow redirects.
func dialling(policy *Policy, legs int) *Call {
	c := NewCall(Record{Start: noon}, policy)
	c.Step(noon, Begin{})
	c.Step(noon, Placed{Worker: "w1.1"})
	group := make([]Target, legs)
	for i := range group {
		group[i] = Target{URI: "sip:a@example.net", Redirects: RedirectsFollow}
	}
	c.Step(noon, Dial{Groups: [][]Target{group}})
	return c
}

// count is how many effects are of one kind.
func count[E Effect](effects []Effect) (n int) {
	for _, e := range effects {
		if _, ok := e.(E); ok {
			n++
		}
	}
	return n
}
