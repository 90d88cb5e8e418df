package sip

import "time"

// Timer values of RFC 3261 §17.1.1.1 and its table 4.
const (
	T1 = 500 * time.Millisecond
	T2 = 4 * time.Second
	T4 = 5 * time.Second

	giveUp = 64 * T1          // timers B, F, H, J, L, M
	timerD = 32 * time.Second // unreliable transports

	timerC = 3*time.Minute + time.Second // §16.6 step 11: longer than three minutes
)

// State is the state of a transaction, client or server.
type State uint8

// The states of the figures in RFC 3261 §17 and RFC 6026 §7.
const (
	Calling State = iota // client INVITE
	Trying               // non-INVITE
	Proceeding
	Completed
	Confirmed // server INVITE
	Accepted  // INVITE, RFC 6026
	Terminated
)

func (s State) String() string {
	return [...]string{"Calling", "Trying", "Proceeding", "Completed", "Confirmed", "Accepted", "Terminated"}[s]
}

// Input is what can happen to a transaction. The caller classifies; the machine
// never sees a message.
type Input uint8

// The inputs, all of them.
const (
	Repeat      Input = iota // server: the same request again
	Ack                      // server INVITE: its ACK
	Provisional              // 1xx, from the user on a server, from the network on a client
	Success                  // 2xx
	Failure                  // 300 to 699
	Tick                     // the deadline has come
	Broken                   // the transport reported an error
)

func (i Input) String() string {
	return [...]string{"Repeat", "Ack", "Provisional", "Success", "Failure", "Tick", "Broken"}[i]
}

// Output is the set of things the shell owes for one input.
type Output uint8

// The outputs, all of them.
const (
	Send     Output = 1 << iota // send what came with the input (server), or the request (client)
	Resend                      // send the last message again
	SendAck                     // client INVITE: acknowledge the failure
	Deliver                     // hand the message to the user
	TimedOut                    // tell the user: no answer, or no ACK
	Failed                      // tell the user: transport broken
	GaveUp                      // client INVITE: Timer C, the user cancels
)

var outputNames = []string{"send", "resend", "ack", "deliver", "timeout", "failed", "timer-c"}

func (o Output) String() string {
	text := ""
	for i, name := range outputNames {
		if o&(1<<i) != 0 {
			if text != "" {
				text += "+"
			}
			text += name
		}
	}
	return text
}

// A Machine is one transaction without its messages. Step is pure: the same
// state, time and input give the same output and the same next state.
type Machine interface {
	Step(now time.Time, in Input) Output
	State() State
	// Deadline is when a Tick is due; zero means never.
	Deadline() time.Time
}

// life is what the four machines have in common.
type life struct {
	state    State
	reliable bool
	timers
}

// State tells where the transaction stands.
func (l *life) State() State { return l.state }

// terminate ends the transaction: no deadline remains.
func (l *life) terminate() {
	l.state = Terminated
	l.stop()
}

// timers holds the two deadlines a transaction can have at once: to send again,
// and to end.
type timers struct {
	again    time.Time
	interval time.Duration
	end      time.Time
}

// Deadline is the earlier of the two.
func (t *timers) Deadline() time.Time {
	if t.again.IsZero() || !t.end.IsZero() && t.end.Before(t.again) {
		return t.end
	}
	return t.again
}

func (t *timers) repeatAfter(now time.Time, d time.Duration) {
	t.interval = d
	t.again = now.Add(d)
}

func (t *timers) endAfter(now time.Time, d time.Duration) { t.end = now.Add(d) }

func (t *timers) stop() { *t = timers{} }

// due reports which of the deadlines have come.
func (t *timers) due(now time.Time) (again, end bool) {
	return !t.again.IsZero() && !now.Before(t.again), !t.end.IsZero() && !now.Before(t.end)
}

// linger is how long a finished transaction absorbs stragglers: not at all
// where the transport keeps order and loses nothing.
func linger(reliable bool, d time.Duration) time.Duration {
	if reliable {
		return 0
	}
	return d
}
