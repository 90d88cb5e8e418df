package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally is what a run counts. Every started call is answered or lost in the end, and never both.
type tally struct {
	sent          int
	answered      [700]int // by status, within the Timeout
	lost          int
	late          int // of the lost: a final response came after the Timeout
	provisional   int
	duplicates    int
	retransmitted int
	byes          int
	byesAnswered  int
	byesRepeated  int
	rung          int
	mostHeld      int
	cutOff        int
	released      int // over at both ends
	callee        calleeTally
	unexpected    int
	strays        int
	sendErrors    int

	firstUnexpected string
	latency         *spread
	lag             *spread
	postDial        *spread
	release         *spread
}

// calleeTally is what the callee counts. Every answered call is acknowledged and hung up in the end.
type calleeTally struct {
	invited      int
	doubled      int // legs too many
	answered     int
	acknowledged int
	hungUp       int
	repeats      int // requests which came again
	repeated     int // 2xx sent again
}

func newTally(timeout time.Duration) *tally {
	return &tally{
		latency:  newSpread(timeout),
		lag:      newSpread(maxTimeout),
		postDial: newSpread(timeout),
		release:  newSpread(maxTimeout),
	}
}

// ring counts the first ringing of a call.
func (t *tally) ring(delay time.Duration) {
	t.rung++
	t.postDial.record(delay)
}

// byeAnswered counts the first 2xx to the BYE of a call.
func (t *tally) byeAnswered(delay time.Duration) {
	t.byesAnswered++
	t.release.record(delay)
}

// answer counts the first final response of a call.
func (t *tally) answer(status int, latency time.Duration) {
	t.answered[status]++
	t.latency.record(latency)
}

// firstLineLimit bounds the sample of an unexpected datagram, in bytes.
const firstLineLimit = 120

// surprise counts a datagram which cannot be explained and keeps the beginning of the first.
func (t *tally) surprise(why error, datagram []byte) {
	t.unexpected++
	if t.firstUnexpected == "" {
		t.firstUnexpected = why.Error() + ": " + firstLine(datagram)
	}
}

// firstLine is the printable beginning of a datagram.
func firstLine(datagram []byte) string {
	line := datagram[:min(len(datagram), firstLineLimit)]
	for i, c := range line {
		if c < ' ' || c >= 0x7f {
			return string(line[:i])
		}
	}
	return string(line)
}

// spread is a distribution of times, kept to three significant digits and at best to 0.5 µs.
type spread struct {
	histogram *hdrhistogram.Histogram
}

// newSpread tracks times up to the limit; what is above counts as the limit.
func newSpread(limit time.Duration) *spread {
	return &spread{hdrhistogram.New(int64(time.Microsecond), int64(limit), 3)}
}

func (s *spread) record(d time.Duration) {
	// Clamped into the histogram's range, a value cannot be refused.
	_ = s.histogram.RecordValue(min(max(int64(d), 0), s.histogram.HighestTrackableValue()))
}

func (s *spread) quantiles() Quantiles {
	at := func(percent float64) time.Duration {
		return time.Duration(s.histogram.ValueAtPercentile(percent))
	}
	return Quantiles{
		Min:  time.Duration(s.histogram.Min()),
		Mean: time.Duration(s.histogram.Mean()),
		P50:  at(50),
		P90:  at(90),
		P99:  at(99),
		P999: at(99.9),
		Max:  time.Duration(s.histogram.Max()),
	}
}
