package dispatcher

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// A simWorld is a front with all that surrounds it: a network that loses, doubles and
// delays, phones, workers, a store, gateways. It has one clock, which leaps from one
// thing that happens to the next, and one source of chance.
//
//	phones ◀── simNetwork ──▶ simFront: shards, layers, calls ──▶ simFleet (workers)
//	   │                          │            ▲
//	   └── what they saw ──▶ simCall ◀── records ── simStore
type simWorld struct {
	simSettings
	seed   uint64
	random *rand.Rand
	start  time.Time
	clock  time.Duration // since start
	agenda simAgenda

	net    simNetwork
	front  *simFront
	store  *simStore
	fleet  *simFleet
	phones map[netip.AddrPort]*simPhone
	calls  []*simCall
	owners map[string]*simCall // of Call-IDs, the callers' and the legs'
	tally  simTally

	faults []simFault
	traced bool
	trace  []simLine
}

// simSettings are what tells one world from another.
type simSettings struct {
	size    int           // calls
	span    time.Duration // in which they begin
	shards  int
	fair    bool // nothing is lost more than twice
	keeps   bool // there is a store
	crashes int
	deaths  int  // of workers
	legs    int  // at once, of one call
	limited bool // the account has limits

	patience *call.Policy // of the account
}

// simFault is a rule that was broken, and by which call; nil for the world's.
type simFault struct {
	call *simCall
	text string
}

// simLine is a line of the trace.
type simLine struct {
	at   time.Duration
	call *simCall
	text string
}

var (
	simFrontAddr = netip.MustParseAddrPort("192.0.2.1:5060")
	simNoon      = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
)

func newSimWorld(seed uint64, traced bool) *simWorld {
	w := &simWorld{
		seed: seed, random: rand.New(rand.NewPCG(seed, 0x5eed)), start: simNoon, traced: traced,
		phones: map[netip.AddrPort]*simPhone{}, owners: map[string]*simCall{}, tally: simTally{},
	}
	w.simSettings = simSettings{
		size: 20 + w.random.IntN(130), span: w.between(5*time.Second, 90*time.Second), shards: 1 + w.random.IntN(3),
		fair: !w.chance(0.1), keeps: !w.chance(0.15), legs: 1 + w.random.IntN(4), limited: w.chance(0.2),
	}
	if w.chance(0.5) {
		w.patience = newSimPolicy(w)
	}
	if w.chance(0.5) {
		w.deaths = w.random.IntN(6)
	}
	if w.keeps && w.chance(0.4) && *simCrashes {
		w.crashes = 1 + w.random.IntN(2)
	}
	w.net = newSimNetwork(w)
	w.store = &simStore{w: w, rows: map[string][]byte{}, written: map[string]bool{}}
	w.fleet = newSimFleet(w)
	w.front = newSimFront(w)
	for i := range w.size {
		w.calls = append(w.calls, newSimCall(w, i))
	}
	w.plan()
	return w
}

// plan enters what happens by itself: workers die, the store sulks, the front is
// killed, and in the end the network gets well.
func (w *simWorld) plan() {
	for range w.deaths {
		w.after(w.upTo(w.span+30*time.Second), w.fleet.kill)
	}
	for range w.random.IntN(4) {
		w.after(w.upTo(w.span), w.store.sulk)
	}
	at := w.upTo(w.span)
	for range w.crashes {
		w.after(at, w.crash)
		at += w.between(80*time.Second, 160*time.Second)
	}
	w.after(w.span+4*time.Minute, w.calm)
}

// calm ends all faults: what is still open has to come to its end now.
func (w *simWorld) calm() {
	w.net.calm = true
	w.front.stopPings()
}

// simAgenda is a heap of what will happen. Of two things at one time the one that was
// entered first happens first.
type simAgenda struct {
	heap []simEntry
	last uint64
}

type simEntry struct {
	at    time.Duration
	order uint64
	do    func()
}

func (a simEntry) before(b simEntry) bool { return a.at < b.at || a.at == b.at && a.order < b.order }

// after lets something happen.
func (w *simWorld) after(d time.Duration, do func()) {
	a := &w.agenda
	a.last++
	a.heap = append(a.heap, simEntry{w.clock + max(0, d), a.last, do})
	for i := len(a.heap) - 1; i > 0 && a.heap[i].before(a.heap[(i-1)/2]); i = (i - 1) / 2 {
		a.heap[i], a.heap[(i-1)/2] = a.heap[(i-1)/2], a.heap[i]
	}
}

func (a *simAgenda) pop() simEntry {
	first, last := a.heap[0], len(a.heap)-1
	a.heap[0], a.heap[last] = a.heap[last], simEntry{}
	a.heap = a.heap[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if a.heap[child].before(a.heap[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		a.heap[i], a.heap[least] = a.heap[least], a.heap[i]
		i = least
	}
}

// run lets the world go on until a moment, or until it is still.
func (w *simWorld) run(until time.Duration) {
	for last, same := w.clock, 0; ; same++ {
		if w.clock != last {
			last, same = w.clock, 0
		}
		if same > 100_000 {
			w.fault(nil, "time stands still")
			return
		}
		shard, at := w.front.next()
		if len(w.agenda.heap) > 0 && (shard < 0 || w.agenda.heap[0].at <= at) {
			if w.agenda.heap[0].at > until {
				break
			}
			e := w.agenda.pop()
			w.clock = e.at
			e.do()
			continue
		}
		if shard < 0 || at > until {
			break
		}
		w.clock = max(w.clock, at)
		w.front.turn(shard)
	}
	w.clock = max(w.clock, until)
}

// live runs the world to its end and judges it.
func (w *simWorld) live() {
	const most = time.Hour
	for step := w.span + 2*time.Minute; w.clock < most && len(w.faults) == 0; step = 20 * time.Second {
		if w.run(w.clock + step); w.net.calm && (len(w.faults) > 0 || w.still()) {
			break
		}
	}
	if len(w.faults) == 0 {
		w.judge()
	}
}

// still reports whether nobody has anything to do any more. Gateways are pinged for
// ever, which is the only thing that may still be under way.
func (w *simWorld) still() bool {
	for _, c := range w.calls {
		if !c.settled() {
			return false
		}
	}
	return w.front.leftovers() == "" && len(w.store.rows)+len(w.store.waiting) == 0
}

func (w *simWorld) now() time.Time { return w.start.Add(w.clock) }

func (w *simWorld) chance(p float64) bool { return w.random.Float64() < p }

func (w *simWorld) upTo(d time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(d) + 1))
}

func (w *simWorld) between(a, b time.Duration) time.Duration { return a + w.upTo(b-a) }

// pick chooses one of several by chance.
func pick[T any](w *simWorld, of ...T) T { return of[w.random.IntN(len(of))] }

// fault notes that a rule was broken.
func (w *simWorld) fault(c *simCall, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.faults = append(w.faults, simFault{c, text})
	w.note(c, "!!! %s", text)
}

func (w *simWorld) note(c *simCall, format string, args ...any) {
	if w.traced {
		w.trace = append(w.trace, simLine{w.clock, c, fmt.Sprintf(format, args...)})
	}
}

// noteMessage traces a datagram.
func (w *simWorld) noteMessage(what string, from, to netip.AddrPort, data []byte) {
	if !w.traced {
		return
	}
	line, _, _ := strings.Cut(string(data), "\r\n")
	m, refusal := sip.Scan(data)
	if refusal != nil {
		w.note(nil, "%s %v▶%v %s", what, from, to, line)
		return
	}
	tail := m.Branch[max(0, len(m.Branch)-4):]
	w.note(w.owners[m.Get(sip.CallID)], "%s %s▶%s  %s  [%s cseq %s to-tag %s …%s body %d]", what, simName(from), simName(to), line,
		m.Get(sip.CallID), m.Get(sip.CSeq), m.ToTag(), tail, len(m.Body))
}

// simName makes addresses easier to read.
func simName(a netip.AddrPort) string {
	if a == simFrontAddr {
		return "front"
	}
	return a.String()
}

// report is what a failed world says.
func (w *simWorld) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "world %d: %+v\n", w.seed, w.simSettings)
	for i, f := range w.faults {
		if i < 10 {
			fmt.Fprintf(&b, "  %s: %s\n", f.call, f.text)
		}
	}
	shown := w.faults[0].call
	if *simShow >= 0 && *simShow < len(w.calls) {
		shown = w.calls[*simShow]
	}
	for _, l := range w.trace {
		if l.call == shown || l.call == simEverybody {
			fmt.Fprintf(&b, "%12.3f %s\n", l.at.Seconds(), l.text)
		}
	}
	return b.String()
}

// simEverybody is whose concern it is when a front or a worker dies.
var simEverybody = &simCall{}
