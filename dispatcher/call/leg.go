package call

import "time"

// A Target is whom a leg calls, and how.
type Target struct {
	URI       string        // sip:, sips: or USER@GATEWAY
	Ring      time.Duration // how long it may ring; 0 = Policy.Ring
	Delay     time.Duration // after the start of its group
	Max       time.Duration // how long the call may last once answered; 0 = Policy.Duration
	From      From
	Headers   []Field
	Redirects Redirects
	Transfer  Transfer
}

// From overrides what the callee sees as the caller; what is empty stays.
type From struct{ Name, User, Host string }

// Redirects is what becomes of a leg that answers 3xx.
type Redirects uint8

// The ways to take a redirect.
const (
	RedirectsFail   Redirects = iota // the leg has failed with that code
	RedirectsFollow                  // its contacts are called in its place
	RedirectsReturn                  // the dial ends and the script is told the contacts
)

// maxDepth bounds redirects that lead to redirects.
const maxDepth = 5

// LegState is where a leg stands.
//
//	Waiting ── its delay is over ──▶ Calling ── 180 to 183 ──▶ Ringing
//	   │                              │  │                    │  │
//	   │ dial over                    │  └──────── 2xx ───────┴──┼──▶ Up
//	   │                              │ final answer, unreachable │     │ hung up
//	   ▼                              ▼                          │     ▼
//	 Ended ◀──────────────────────── Ended ◀─────────────────────┘   Ended
//	   ▲                                              no answer in time, dial
//	   └── final answer, or 2xx: hung up ── Quitting ◀── over, caller gave up
//
// A leg in Quitting has been told to stop; the call goes on without it, but is not
// over before it has an end.
type LegState uint8

// The states of a leg.
const (
	Waiting LegState = iota
	Calling
	Ringing
	Quitting
	Up
	LegEnded
)

func (s LegState) String() string {
	return [...]string{"Waiting", "Calling", "Ringing", "Quitting", "Up", "Ended"}[s]
}

// A Leg is one outgoing attempt of a call.
type Leg struct {
	Target
	LegRecord

	state    LegState
	deadline time.Time // Waiting: when it begins; Calling and Ringing: when it has rung too long
	depth    int       // redirects that led here
	refusal  []Field   // headers of its final answer, until the dial is over
	unsent   bool      // it was never called
	followed bool      // it redirected, and its contacts were called in its place
}

// A LegRecord is what a call's record says of one leg.
type LegRecord struct {
	Called  string    `json:"target"`
	Address string    `json:"address,omitempty"` // that it was last sent to
	CallID  string    `json:"call_id,omitempty"`
	Start   time.Time `json:"start,omitzero"` // of its INVITE
	Rang    time.Time `json:"ring,omitzero"`
	Answer  time.Time `json:"answer,omitzero"`
	End     time.Time `json:"end,omitzero"`
	Status  int       `json:"status,omitempty"` // 408 when it rang too long, 0 when it was not called
	Reason  string    `json:"reason,omitempty"`
}

// State tells where the leg stands.
func (l *Leg) State() LegState { return l.state }

// trying reports whether the leg may still answer for its dial.
func (l *Leg) trying() bool { return l.state <= Ringing }

// due reports whether the leg's deadline has come.
func (l *Leg) due(now time.Time) bool {
	return !l.deadline.IsZero() && !now.Before(l.deadline)
}

// end closes the leg's record. What a leg was given up for stands; the answer to
// its cancellation does not replace it.
func (l *Leg) end(now time.Time, status int, reason string) {
	l.state, l.End, l.deadline = LegEnded, now, time.Time{}
	if l.Status == 0 {
		l.Status, l.Reason = status, reason
	}
}
