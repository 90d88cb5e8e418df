package health

import (
	"fmt"
	"time"
)

// Verdict is what the monitor concludes of a worker.
type Verdict uint8

// The verdicts, from mild to harsh.
const (
	Keep    Verdict = iota
	Trust           // its probes are good (again): it may take calls
	Doubt           // no new calls until its probes are good again
	Stall           // it does not answer at all: its runs go elsewhere
	Recycle         // replace it without haste
	Kill            // end it now
)

func (v Verdict) String() string {
	return [...]string{"keep", "trust", "suspect", "stall", "recycle", "kill"}[v]
}

// Judge says what to do with a worker by what is known of it alone, and why, in a
// line whose first word is the kind of cause. It is pure. Whether the others can do
// without it is for the Ward to weigh.
func (p *Policy) Judge(o Observation) (Verdict, string) {
	if o.Standing == Leaving {
		return Keep, ""
	}
	if v, why := p.judgeBeats(o); v != Keep {
		return v, why
	}
	rise := p.rise(o.Falls)
	switch {
	case p.hangs(o) && o.Standing != Unproven:
		return Kill, fmt.Sprintf("hang: %d runs do not end, for %v", o.Overstay, tenths(o.Overstaying))
	case o.Standing == Parting:
		return Keep, ""
	case o.Standing == Unproven && o.GoodRow >= 1:
		return Trust, fmt.Sprintf("probes: the first is good, %v after the start", tenths(o.Age))
	case o.Standing == Unproven:
		return Keep, ""
	case o.Standing == Doubtful && o.GoodRow >= rise && o.BeatAge < p.BeatsMissed:
		return Trust, fmt.Sprintf("probes: %d good in a row, %d needed", o.GoodRow, rise)
	case o.Standing == Doubtful && o.InState >= p.DoubtTime && o.BadRow > 0:
		return Kill, fmt.Sprintf("hang: in doubt for %v, %s", o.InState.Round(time.Second), complaint(o))
	case o.Standing == Good && o.BadRow >= p.Fall:
		return Doubt, "probes: " + complaint(o)
	}
	return p.judgeWear(o)
}

// rise is how many good probes in a row clear a worker: more each time it has
// fallen lately, as long as it is not simply replaced for it.
func (p *Policy) rise(falls int) int {
	if p.FlapMany > 0 {
		falls = min(falls, p.FlapMany)
	}
	return p.Rise * max(1, falls)
}

func (p *Policy) hangs(o Observation) bool {
	return p.OverstayMany > 0 && o.Overstay >= p.OverstayMany && o.Overstaying >= p.OverstayTime
}

// judgeBeats tells the dead by their silence.
func (p *Policy) judgeBeats(o Observation) (Verdict, string) {
	silence := fmt.Sprintf("no heartbeat for %v", tenths(o.BeatAge))
	switch {
	case o.Standing == Leaving:
		return Keep, ""
	case o.BeatAge >= p.BeatsGone:
		return Kill, "hang: " + silence
	case o.BeatAge >= p.BeatsMissed && (o.Standing == Good || o.Standing == Parting):
		return Stall, "beats: " + silence
	}
	return Keep, ""
}

func complaint(o Observation) string {
	text := fmt.Sprintf("%d bad in a row", o.BadRow)
	if o.Complaint != "" {
		text += fmt.Sprintf(", the last: %.80s", o.Complaint)
	}
	return text
}

func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
