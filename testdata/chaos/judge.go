package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// toll is what became of the calls of the well-behaved.
type toll struct {
	calls, wrong, excused int
	lost                  int // beside the wrong ones
}

const (
	onceIn     = 10_000 // calls, one may meet a worker that dies after an effect
	fewCalls   = 10     // that many may in a short execution, which has as many faults and few calls
	growthMost = 1 << 20
	enough     = 5 // of a figure, to judge its median
)

// judge names the rules that are broken, none if all is well.
func (t *trouble) judge() (broken []string) {
	broken = append(broken, t.remarks...)
	broken = append(broken, t.toll().judge()...)
	if r := t.recycled; r.Sent > 0 && (r.Lost > 0 || r.Answered[302] != r.Sent) {
		broken = append(broken, fmt.Sprintf("planned replacements under %g calls/s cost calls: of %d %v, lost %d", t.recycle, r.Sent, r.Answered, r.Lost))
	}
	if t.attack.Lost > 0 {
		broken = append(broken, fmt.Sprintf("of %d calls of the hostile %d were never answered", t.attack.Sent, t.attack.Lost))
	}
	for _, p := range promised {
		broken = append(broken, late(p.what, p.limit, p.worst, t.figures[p.what])...)
	}
	if slope, ok := t.watched.growth(); ok && slope > growthMost {
		broken = append(broken, fmt.Sprintf("the front grows by %.2f MiB an hour", slope/(1<<20)))
	}
	return append(broken, t.rest.judge()...)
}

// toll adds up the calls.
func (t *trouble) toll() (all toll) {
	for _, a := range everybody()[:behavedAccounts] {
		r := t.traffic[a.name]
		all.calls += r.Sent
		all.wrong += r.Sent - r.Answered[a.status] - r.Lost + r.Byes - r.ByesAnswered + r.CutOff
		all.lost += r.Lost
		if d := r.Dialled; d != nil {
			all.wrong += d.DoubleLegs + d.Answered - d.Connected + d.Stranded
		}
	}
	all.excused = t.rest.excused
	return all
}

func (c toll) judge() (broken []string) {
	if c.calls == 0 {
		broken = append(broken, "no calls were placed")
	}
	if c.wrong > c.excused {
		broken = append(broken, fmt.Sprintf("of %d calls that behave well %d went wrong, and only %d were on a worker that died after an effect", c.calls, c.wrong, c.excused))
	}
	if c.lost > 0 {
		broken = append(broken, fmt.Sprintf("of %d calls that behave well %d were never answered", c.calls, c.lost))
	}
	if c.excused > max(fewCalls, c.calls/onceIn) {
		broken = append(broken, fmt.Sprintf("of %d calls that behave well %d were on a worker that died after an effect: more than one in %d", c.calls, c.excused, onceIn))
	}
	return broken
}

// late compares a figure with what is promised.
func late(what string, limit, worst time.Duration, took []time.Duration) (broken []string) {
	if m := median(took); m > limit && len(took) >= enough {
		broken = append(broken, fmt.Sprintf("%s: %v in the median of %d, promised are %v", what, m.Round(time.Millisecond), len(took), limit))
	}
	if w := longestOf(took); w > worst {
		broken = append(broken, fmt.Sprintf("%s: %v at the worst, %v may be", what, w.Round(time.Millisecond), worst))
	}
	return broken
}

func (r *rest) judge() (broken []string) {
	for _, version := range r.guilty {
		if !strings.HasPrefix(version, "bad") {
			broken = append(broken, version+" behaves well and is in quarantine")
		}
	}
	more := max(0, r.after.workers-r.before.workers)
	if have, may := total(r.after.open), total(r.before.open)+spare+more*eachWorker; have > may {
		broken = append(broken, fmt.Sprintf("the front has %d descriptors, at most %d are right: first %v, now %v", have, may, r.before.open, r.after.open))
	}
	if len(r.orphans) > 0 {
		broken = append(broken, fmt.Sprintf("workers outlived their front: %v", r.orphans))
	}
	if r.ended != nil {
		broken = append(broken, r.ended.Error())
	}
	return broken
}

// write prints what happened, the figures, and the rules that were broken.
func (t *trouble) write(out io.Writer, broken []string) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nFAULT\tTIMES\t\t")
	for _, name := range slices.Sorted(maps.Keys(t.counts)) {
		fmt.Fprintf(w, "%s\t%d\t\t\n", name, t.counts[name])
	}
	fmt.Fprintln(w, "\nFIGURE\tTIMES\tMEDIAN\tWORST\tPROMISED")
	for _, p := range promised {
		took := t.figures[p.what]
		fmt.Fprintf(w, "%s\t%d\t%v\t%v\t%v\n", p.what, len(took), median(took).Round(time.Millisecond), longestOf(took).Round(time.Millisecond), p.limit)
	}
	w.Flush()
	c, n := t.toll(), t.rest
	fmt.Fprintf(out, "\nreplaced under %g calls/s: %d calls, %d lost, %v\n", t.recycle, t.recycled.Sent, t.recycled.Lost, t.recycled.Answered)
	fmt.Fprintf(out, "well-behaved: %d calls, %d wrong, %d of them on a worker that died after an effect, %d lost; %d records\n", c.calls, c.wrong, c.excused, c.lost, n.records)
	fmt.Fprintf(out, "hostile: %d attacks, %d calls, %d lost, %v\n", t.attacks, t.attack.Sent, t.attack.Lost, t.attack.Answered)
	fmt.Fprintf(out, "quarantined: %s\n", strings.Join(n.guilty, " "))
	fmt.Fprintf(out, "processes: %d workers in all, %d left over\n", len(t.watched.workers), len(n.orphans))
	fmt.Fprintf(out, "descriptors of the front: %d before with %d workers, %d at most, %d after with %d workers\n",
		total(n.before.open), n.before.workers, t.watched.most, total(n.after.open), n.after.workers)
	t.writeMemory(out)
	for _, rule := range broken {
		fmt.Fprintf(out, "BROKEN: %s\n", rule)
	}
	if len(broken) == 0 {
		fmt.Fprintln(out, "no rule was broken")
	}
}

func (t *trouble) writeMemory(out io.Writer) {
	memory := t.watched.memory
	if len(memory) == 0 {
		return
	}
	largest := slices.MaxFunc(memory, func(a, b sample) int { return int(a.bytes - b.bytes) })
	fmt.Fprintf(out, "memory of the front: %.1f MiB at first, %.1f at most, %.1f at last", memory[0].bytes/(1<<20), largest.bytes/(1<<20), memory[len(memory)-1].bytes/(1<<20))
	if slope, ok := t.watched.growth(); ok {
		fmt.Fprintf(out, ", %+.2f MiB an hour", slope/(1<<20))
	} else {
		fmt.Fprint(out, "; too short to tell a slope")
	}
	fmt.Fprint(out, "\nwhat it fell back to, every five minutes:")
	for i, minute := range t.watched.floor() {
		if i%5 == 0 {
			fmt.Fprintf(out, " %.1f", minute.bytes/(1<<20))
		}
	}
	fmt.Fprintln(out, " MiB")
}
