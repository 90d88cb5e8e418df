package load

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Report is the outcome of a run. Sent equals the sum of Answered plus Lost. Durations marshal to JSON
// as whole nanoseconds.
type Report struct {
	Target   string        `json:"target"`
	Rate     float64       `json:"rate"`       // calls per second, as asked for
	Planned  int           `json:"planned"`    // calls of the whole schedule
	Sent     int           `json:"sent"`       // calls started; fewer than Planned when the run was cut short
	Elapsed  time.Duration `json:"elapsed_ns"` // from the start to the end of the last call
	Sockets  int           `json:"sockets"`
	Timeout  time.Duration `json:"timeout_ns"`
	Answered map[int]int   `json:"answered"` // calls by the status of their first final response
	Lost     int           `json:"lost"`     // calls without a final response within Timeout
	Late     int           `json:"late"`     // of the lost calls, those whose final response came later

	Provisional   int `json:"provisional"`   // 1xx responses
	Duplicates    int `json:"duplicates"`    // final responses which came again; each was acknowledged again
	Retransmitted int `json:"retransmitted"` // INVITEs sent again by Timer A, BYEs by Timer E
	Byes          int `json:"byes"`          // calls answered by a 2xx and hung up
	ByesAnswered  int `json:"byes_answered"` // of those, the BYE was answered by a 2xx
	CutOff        int `json:"cut_off"`       // calls answered by a 2xx and hung up by the server

	Dialled *Dialled `json:"dialled,omitempty"` // what the callee saw, when the run answered its own calls

	Unexpected      int    `json:"unexpected"`                 // datagrams without an explanation, second thoughts of the server included
	FirstUnexpected string `json:"first_unexpected,omitempty"` // the reason and first line of the first of these, if it has one
	Strays          int    `json:"strays"`                     // messages of an earlier run, ignored or refused
	SendErrors      int    `json:"send_errors"`                // messages the kernel refused to send, mostly for want of a listener
	Overflowed      int    `json:"overflowed"`                 // messages which the generator itself was too slow to read

	Latency Quantiles     `json:"latency"`  // from the instant a call was due to its final response, answered calls only
	SendLag Quantiles     `json:"send_lag"` // from the instant a call was due to its start
	InOrder bool          `json:"in_order"` // the generator kept to its schedule: the p99 of SendLag is 5 ms or less
	CPU     time.Duration `json:"cpu_ns"`   // user and system time of this process during the run

	Release  Quantiles `json:"release"`   // from the instant a BYE was due to its 2xx
	MostHeld int       `json:"most_held"` // calls held at once
}

// Quantiles summarise a distribution to three significant digits.
type Quantiles struct {
	Min  time.Duration `json:"min_ns"`
	Mean time.Duration `json:"mean_ns"`
	P50  time.Duration `json:"p50_ns"`
	P90  time.Duration `json:"p90_ns"`
	P99  time.Duration `json:"p99_ns"`
	P999 time.Duration `json:"p999_ns"`
	Max  time.Duration `json:"max_ns"`
}

// maxLag is how far behind the p99 of the starts may be in a run that counts as in order.
const maxLag = 5 * time.Millisecond

// report sums up the tally of a run.
func (t *tally) report(dialled bool) Report {
	r := Report{
		Sent:            t.sent,
		Answered:        map[int]int{},
		Lost:            t.lost,
		Late:            t.late,
		Provisional:     t.provisional,
		Duplicates:      t.duplicates,
		Retransmitted:   t.retransmitted + t.byesRepeated,
		Byes:            t.byes,
		ByesAnswered:    t.byesAnswered,
		CutOff:          t.cutOff,
		Release:         t.release.quantiles(),
		MostHeld:        t.mostHeld,
		Unexpected:      t.unexpected,
		FirstUnexpected: t.firstUnexpected,
		Strays:          t.strays,
		SendErrors:      t.sendErrors,
		Latency:         t.latency.quantiles(),
		SendLag:         t.lag.quantiles(),
	}
	for status, calls := range t.answered {
		if calls > 0 {
			r.Answered[status] = calls
		}
	}
	r.InOrder = r.SendLag.P99 <= maxLag
	if dialled {
		r.Dialled = t.dialled()
	}
	return r
}

// Err says what went wrong with the calls: any lost, any hung up in vain or not at all, any placed twice,
// anything unexpected. A message that came again or a generator behind its schedule is no error.
func (r Report) Err() error {
	var f faults
	f.add(r.Lost, fmt.Sprintf("of %d calls lost", r.Sent))
	f.add(r.Byes-r.ByesAnswered, fmt.Sprintf("of %d BYEs unanswered", r.Byes))
	f.add(r.CutOff, "calls cut off by the server")
	if r.Dialled != nil {
		r.Dialled.blame(&f)
	}
	f.add(r.Unexpected, "unexpected messages")
	if f == nil {
		return nil
	}
	return errors.New(strings.Join(f, ", "))
}

// faults are the parts of an error.
type faults []string

func (f *faults) add(n int, what string) {
	if n > 0 {
		*f = append(*f, fmt.Sprintf("%d %s", n, what))
	}
}

// Clean says that every planned call was answered in time and once, and that the generator kept its
// schedule, so that the figures describe the server.
func (r Report) Clean() bool {
	return r.Err() == nil && r.Sent == r.Planned && r.Duplicates == 0 && r.SendErrors == 0 && r.Overflowed == 0 && r.InOrder &&
		(r.Dialled == nil || r.Dialled.Repeats+r.Dialled.AnswersResent == 0)
}

// String is the report for people, several lines with a final line end.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %g calls/s, %d of %d calls in %v\n", r.Target, r.Rate, r.Sent, r.Planned, r.Elapsed.Round(time.Millisecond))
	fmt.Fprintf(&b, "  answered   %s\n", r.answers())
	fmt.Fprintf(&b, "  lost       %d (late %d, timeout %v)\n", r.Lost, r.Late, r.Timeout)
	fmt.Fprintf(&b, "  latency    %v\n", r.Latency)
	fmt.Fprintf(&b, "  send lag   %v\n", r.SendLag)
	fmt.Fprintf(&b, "  messages   provisional %d, duplicates %d, retransmitted %d, unexpected %d\n",
		r.Provisional, r.Duplicates, r.Retransmitted, r.Unexpected)
	for _, line := range r.remarks() {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	return b.String()
}

// answers lists the statuses in order: "302: 4990, 503: 10".
func (r Report) answers() string {
	if len(r.Answered) == 0 {
		return "none"
	}
	var parts []string
	for status, calls := range r.Answered {
		parts = append(parts, fmt.Sprintf("%d: %d", status, calls))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// remarks are the lines which only some reports need.
func (r Report) remarks() []string {
	var lines []string
	if r.Byes > 0 {
		lines = append(lines, fmt.Sprintf("hung up    %d, answered %d", r.Byes, r.ByesAnswered))
		lines = append(lines, fmt.Sprintf("release    %v", r.Release))
	}
	if r.MostHeld > 0 {
		lines = append(lines, fmt.Sprintf("held       %d at most, cut off %d", r.MostHeld, r.CutOff))
	}
	if r.Dialled != nil {
		lines = append(lines, r.Dialled.lines()...)
	}
	if r.FirstUnexpected != "" {
		lines = append(lines, "unexpected "+r.FirstUnexpected)
	}
	if r.Strays > 0 {
		lines = append(lines, fmt.Sprintf("strays     %d messages of an earlier run", r.Strays))
	}
	if r.SendErrors > 0 {
		lines = append(lines, fmt.Sprintf("not sent   %d messages: the target's port was closed or they were too large", r.SendErrors))
	}
	if r.Overflowed > 0 {
		lines = append(lines, fmt.Sprintf("NOT IN ORDER: %d messages overflowed the generator's sockets, some lost calls are its own", r.Overflowed))
	}
	if !r.InOrder {
		lines = append(lines, "NOT IN ORDER: the generator fell behind its schedule, the latencies are partly its own")
	}
	if r.Sent > 0 {
		lines = append(lines, fmt.Sprintf("generator  %.1f µs of CPU per call", float64(r.CPU.Microseconds())/float64(r.Sent)))
	}
	return lines
}

// String lists the quantiles on one line, in milliseconds.
func (q Quantiles) String() string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()*1000) }
	return fmt.Sprintf("p50 %s  p90 %s  p99 %s  p99.9 %s  max %s  mean %s ms",
		ms(q.P50), ms(q.P90), ms(q.P99), ms(q.P999), ms(q.Max), ms(q.Mean))
}
