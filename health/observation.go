package health

import "time"

// Standing is a worker's state, as far as it matters here.
type Standing uint8

// The standings.
const (
	Unproven Standing = iota // started, takes no calls before a good probe
	Good
	Doubtful
	Parting // takes no new calls and ends those it has: only its death and a hang matter
	Leaving // nothing to judge
)

func (s Standing) String() string {
	return [...]string{"unproven", "good", "doubtful", "parting", "leaving"}[s]
}

// A Worker is what the fleet says of one of its members.
type Worker struct {
	Name string // with its generation, "w1.3"
	Observation
}

// Observation is all that is known of one worker at one moment. What comes first
// is the fleet's to say, the rest is the ward's.
type Observation struct {
	Standing   Standing
	Replaced   bool          // a successor is on its way already
	Age        time.Duration // since the start
	InState    time.Duration // since the standing changed
	BeatAge    time.Duration // since the last heartbeat
	Failures   int           // runs in a row that it lost, refused or did not begin in time
	Overstay   int           // runs that were told to end a second ago and have not
	Runs       int           // that it has, waiting ones included
	RSS        uint64        // bytes
	Heap       uint64        // bytes, live after the last collection
	Goroutines int
	Fds        int // open descriptors

	GoodRow     int           // good probes in a row
	BadRow      int           // bad ones; 0 while probes are mistrusted
	Complaint   string        // what the last bad probe came to
	Overstaying time.Duration // how long there have been overstaying runs
	Falls       int           // how often it fell into doubt lately
	Slope       float64       // bytes of live heap per second now, robust; 0 unknown
	Growth      [measures]Growth
	Jitter      float64 // -1 to 1, the worker's own, so that not all age together
}

// used is the present value of a measure.
func (o *Observation) used(m Measure) float64 {
	switch m {
	case Heap, RSS:
		return float64(o.RSS) // a heap that grows takes the process with it
	case Goroutines:
		return float64(max(0, o.Goroutines-o.Runs))
	}
	return float64(o.Fds)
}
