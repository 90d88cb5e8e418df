package call

import (
	"slices"
	"testing"
	"time"
)

func TestAbandonEndsACallInEveryState(t *testing.T) {
	now := time.Unix(1e9, 0)
	policy := DefaultPolicy()
	for name, c := range map[string]struct {
		before []Event
		want   []Effect
		status int
	}{
		"new":     {nil, []Effect{Respond{Status: 503}, Over{}}, 503},
		"placing": {[]Event{Begin{}, Unplaced{}}, []Effect{Respond{Status: 503}, Wake{}, Over{}}, 503},
		"running": {[]Event{Begin{}, Placed{Worker: "w1.1"}}, []Effect{Respond{Status: 503}, Stop{Reason: "not able"}, Release{}, Wake{}, Over{}}, 503},
		"closing": {[]Event{Begin{}, Placed{Worker: "w1.1"}, Reject{Code: 486}}, []Effect{Stop{Reason: "not able"}, Release{}, Wake{}, Over{}}, 486},
		"over":    {[]Event{Refused{Outcome: NoRoute}}, nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			call := NewCall(Record{Start: now}, &policy)
			for _, ev := range c.before {
				call.Step(now, ev)
			}
			got := call.Step(now, Abandon{Outcome: NotAble})
			if !slices.EqualFunc(got, c.want, sameEffect) || call.Status != c.status || call.End != now {
				t.Errorf("%v, status %d, end %v; want %v and %d", got, call.Status, call.End, c.want, c.status)
			}
		})
	}
}

// sameEffect compares effects; none of these answers carries headers.
func sameEffect(a, b Effect) bool {
	x, isRespond := a.(Respond)
	if y, ok := b.(Respond); isRespond && ok {
		return x.Status == y.Status && x.Reason == y.Reason && len(x.Headers)+len(y.Headers) == 0
	}
	return !isRespond && a == b
}
