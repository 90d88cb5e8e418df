package dispatcher

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/gateway"
	"dialyard/dispatcher/sip"
)

// A simFront drives the shards of a Dispatcher as their goroutines would: it hands
// them events, lets deadlines expire, saves, and sends what lies in the outbox.
type simFront struct {
	began time.Duration // on the world's clock
	*Dispatcher
	w        *simWorld
	up       bool
	mail     [][]event
	log      bytes.Buffer
	gateways []*gateway.Gateway
}

func newSimFront(w *simWorld) *simFront {
	f := &simFront{w: w, began: w.clock, up: true, mail: make([][]event, w.shards)}
	o := Options{
		Shards: w.shards, Workers: w.fleet, Policy: call.DefaultPolicy(), Record: w.store.record,
		Log: slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	if w.keeps {
		o.Keep = w.store
	}
	f.Dispatcher = New(o)
	for i := range f.shards {
		var seed [32]byte
		for j := range seed {
			seed[j] = byte(w.random.Uint32())
		}
		f.shards[i] = newShard(f.Dispatcher, byte(i), seed)
	}
	f.Route = func(transport string, addr netip.AddrPort) (sip.Peer, error) { return simPeer(transport, addr), nil }
	f.IsLocal = func(addr netip.AddrPort) bool { return addr == simFrontAddr }
	f.SetTable(f.table())
	f.shards[0].ping(w.now())
	return f
}

func simPeer(transport string, addr netip.AddrPort) sip.Peer {
	return sip.Peer{Transport: transport, Addr: addr, Self: simFrontAddr.String()}
}

// receive takes a datagram from the network to the shard it belongs to.
func (f *simFront) receive(from netip.AddrPort, data []byte) {
	if !f.up {
		f.w.noteMessage("at a dead front:", from, simFrontAddr, data)
		if m, refusal := sip.Scan(data); refusal == nil && m.Method == "INVITE" && m.ToTag() == "" {
			f.w.owners[m.Get(sip.CallID)].unheard++
		}
		return
	}
	f.w.noteMessage("", from, simFrontAddr, data)
	m, refusal := sip.Scan(data)
	if refusal != nil {
		f.w.fault(nil, "the guard refused what a phone sent: %v: %q", refusal, data)
		return
	}
	if s := f.shardOf(m); s != nil {
		f.give(int(s.index), event{packet: sip.Packet{Message: m, Peer: simPeer("udp", from)}})
	}
}

// give puts an event into a shard's mailbox. Mostly its turn comes at once.
func (f *simFront) give(i int, ev event) {
	f.mail[i] = append(f.mail[i], ev)
	if len(f.mail[i]) > 1 {
		return // its turn is coming
	}
	if f.w.chance(0.9) {
		f.turn(i)
		return
	}
	f.w.after(f.w.upTo(5*time.Millisecond), func() { f.turn(i) })
}

// turn is one round of a shard's loop.
func (f *simFront) turn(i int) {
	if !f.up {
		return
	}
	s, now := f.shards[i], f.w.now()
	mail := f.mail[i]
	f.mail[i] = nil
	for _, ev := range mail {
		if isLoss(ev) {
			f.lose(s, now, ev.worker)
			continue
		}
		s.handle(now, ev)
	}
	s.expire(now)
	s.saveDirty(now)
	for _, d := range s.layer.Outbox() {
		f.owns(d)
		f.w.send(simFrontAddr, d.Peer.Addr, d.Data)
	}
	f.collect()
	if f.Stats.Panics.Load() > 0 && len(f.w.faults) == 0 {
		f.w.fault(nil, "panic: %s", strings.ReplaceAll(f.log.String(), `\n`, "\n"))
	}
}

// isLoss tells whether handle would take an event for the loss of a worker.
func isLoss(ev event) bool { return ev.packet.Message == nil && ev.reports == nil && ev.task == nil }

// lose does what takeLoss does, in an order that is the same each time.
func (f *simFront) lose(s *shard, now time.Time, worker string) {
	for _, run := range slices.Sorted(maps.Keys(s.runs)) {
		if l := s.runs[run]; l != nil && l.call.Worker == worker {
			s.lose(now, l)
		}
	}
}

// owns notes whose the Call-ID of a new leg is: the user of its From says it.
func (f *simFront) owns(d sip.Datagram) {
	if !bytes.HasPrefix(d.Data, []byte("INVITE sip:")) {
		return
	}
	m, refusal := sip.Scan(d.Data)
	if refusal != nil || m.ToTag() != "" {
		return
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(m.Caller.URI.User, "c")); err == nil && n < len(f.w.calls) {
		f.w.owners[m.Get(sip.CallID)] = f.w.calls[n]
	}
}

// collect takes what shards have put into mailboxes, and records.
func (f *simFront) collect() {
	for i, s := range f.shards {
		for len(s.mailbox) > 0 {
			ev := <-s.mailbox
			f.w.after(f.w.upTo(time.Millisecond), func() {
				if f.up {
					f.give(i, ev)
				}
			})
		}
	}
	for len(f.chronicle.queue) > 0 {
		e := <-f.chronicle.queue
		f.w.after(f.w.upTo(10*time.Millisecond), func() {
			if f.up {
				f.chronicle.writeEntry(e)
			}
		})
	}
}

// next is the shard that has to wake first, and when; -1 if none has to.
func (f *simFront) next() (shard int, at time.Duration) {
	shard = -1
	if !f.up {
		return shard, 0
	}
	for i, s := range f.shards {
		next := s.queue.Next()
		if next.IsZero() {
			continue
		}
		if d := next.Sub(f.w.start); shard < 0 || d < at {
			shard, at = i, d
		}
	}
	return shard, at
}

// crash kills the front with all that is in its memory and starts another, which takes
// back what the store has. Its workers die with it.
func (w *simWorld) crash() {
	w.tally["crashes"]++
	w.note(simEverybody, "the front is killed")
	w.front.up = false
	w.tally["restored"] += int(w.front.Stats.Restored.Load())
	for _, c := range w.calls {
		c.killed(w.front)
	}
	for _, p := range w.phones {
		for _, a := range p.asked {
			a.orphan = a.status >= 300
		}
	}
	w.fleet.killAll()
	w.store.crash()
	w.after(w.between(50*time.Millisecond, 3*time.Second), func() {
		w.note(simEverybody, "a new front")
		w.front = newSimFront(w)
		for _, id := range slices.Sorted(maps.Keys(w.store.rows)) {
			w.note(w.store.owner(id), "restored: %.150s", w.store.rows[id])
			if w.store.written[id] {
				w.store.Delete(id, nil)
			} else if err := w.front.Restore(id, w.store.rows[id]); err != nil {
				w.fault(nil, "the store's %s cannot be read: %v", id, err)
			}
		}
		w.front.takeRestored()
	})
}

// takeRestored has the shards take the calls of the earlier process: Serve reads nothing
// before these lie in the mailboxes.
func (f *simFront) takeRestored() {
	for i, s := range f.shards {
		for len(s.mailbox) > 0 {
			f.mail[i] = append(f.mail[i], <-s.mailbox)
		}
	}
	for i := range f.shards {
		f.turn(i)
	}
}

// leftovers tells what the front still holds, "" if nothing.
func (f *simFront) leftovers() string {
	var b strings.Builder
	say := func(what string, n int) {
		if n != 0 {
			fmt.Fprintf(&b, " %s %d", what, n)
		}
	}
	if !f.up {
		return " dead"
	}
	for i, s := range f.shards {
		timers := s.queue.Len()
		if i == 0 {
			timers-- // the pinger's
		}
		say("calls", len(s.calls))
		say("early", len(s.early))
		say("runs", len(s.runs))
		say("dialogs", len(s.dialogs))
		say("transactions", s.layer.Len())
		say("talking", s.talking)
		say("held", len(s.held))
		say("dirty", len(s.dirty))
		say("mail", len(f.mail[i]))
		say("timers", timers)
	}
	for name, a := range f.Table().Accounts {
		say("runs of "+name, a.Running())
		say("calls of "+name, int(a.used().calls.Load()))
	}
	for _, g := range f.gateways {
		say("calls of "+g.Config().Name, g.State().Calls)
	}
	return b.String()
}

// stopPings lets the gateways be, so that nothing goes on for ever.
func (f *simFront) stopPings() { clear(f.Table().Gateways) }

// table is the table of routes, accounts and gateways; each front has its own.
func (f *simFront) table() *Table {
	plan := PlanName{Account: "a", Plan: "p"}
	account := f.w.account()
	t := &Table{
		Routes: []Route{{To: plan}}, Plans: map[PlanName]Plan{plan: {Version: 1}},
		Accounts: map[string]*Account{"a": account}, Gateways: map[GatewayName]*gateway.Gateway{},
		Forbidden: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")},
	}
	for _, c := range f.w.gatewayConfigs() {
		g := gateway.New(c)
		t.Gateways[GatewayName{"a", c.Name}] = g
		f.gateways = append(f.gateways, g)
	}
	return t
}
