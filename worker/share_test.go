package worker

import (
	"fmt"
	"math/bits"
	"testing"
	"time"

	"dialyard/proto"
)

// TestAccountsShareFewSlots: each has its two, all slots are used, and few pairs of
// accounts share both.
func TestAccountsShareFewSlots(t *testing.T) {
	const slots, accounts = 8, 400
	p := &Pool{Options: Options{Slots: slots}}
	used, masks := map[uint64]int{}, []uint64{}
	for i := range accounts {
		mask := p.slotsOf(fmt.Sprintf("account-%d", i))
		if bits.OnesCount64(mask) != shardUsual || mask >= 1<<slots {
			t.Fatalf("account %d touches %b", i, mask)
		}
		if again := p.slotsOf(fmt.Sprintf("account-%d", i)); again != mask {
			t.Fatalf("account %d touches %b, then %b", i, mask, again)
		}
		masks = append(masks, mask)
		for slot := range slots {
			used[uint64(slot)] += int(mask >> slot & 1)
		}
	}
	for slot, n := range used {
		if usual := accounts * shardUsual / slots; n < usual/2 || n > usual*2 {
			t.Errorf("slot %d has %d accounts, usual are %d", slot, n, usual)
		}
	}
	same := 0
	for i := range masks {
		for j := range i {
			if masks[i] == masks[j] {
				same++
			}
		}
	}
	pairs := accounts * (accounts - 1) / 2
	if share := float64(same) / float64(pairs); share > 0.06 { // 1 of 28 sets of two
		t.Errorf("%.1f %% of all pairs of accounts share both slots", 100*share)
	}
}

func TestHowManySlotsAnAccountTouches(t *testing.T) {
	for _, c := range []struct{ slots, shard, want int }{
		{1, 0, 1}, {2, 0, 2}, {3, 0, 3}, {4, 0, 2}, {64, 0, 2}, {8, 3, 3}, {8, 8, 8}, {2, 1, 1},
	} {
		p := &Pool{Options: Options{Slots: c.slots, Shard: c.shard}}
		mask, got := p.slotsOf("a"), c.slots
		if mask != allSlots {
			got = bits.OnesCount64(mask)
		}
		if got != c.want {
			t.Errorf("%d slots, shard %d: an account touches %d, want %d", c.slots, c.shard, got, c.want)
		}
	}
}

// rosterOf gives a pool ready workers without processes, and one for suspects.
func rosterOf(t *testing.T, slots int) (*Pool, *roster) {
	p := NewPool(Options{Slots: slots, Runs: 1000})
	t.Cleanup(p.spawner.close)
	r := &roster{}
	for i := range slots + 1 {
		proc := newProcess(p.nameOf(i, 1), i, 1, 1000)
		r.members = append(r.members, status{ID: p.slotName(i), penalty: i >= slots, Member: Member{Generation: 1, State: Ready}, proc: proc})
		if i < slots {
			r.ready = append(r.ready, proc)
		} else {
			r.penalty = append(r.penalty, proc)
		}
	}
	p.roster.Store(r)
	return p, r
}

// TestAStormStaysOnItsSlots, and goes elsewhere when these are gone.
func TestAStormStaysOnItsSlots(t *testing.T) {
	p, r := rosterOf(t, 8)
	own := p.slotsOf("storm")
	start := func(n uint64) string {
		worker, ok := p.Start(&proto.Start{Run: n, Account: "storm"}, "", "", false)
		if !ok {
			t.Fatal("no worker")
		}
		return worker
	}
	for n := range uint64(300) {
		start(n + 1)
	}
	var left []*process
	for _, proc := range r.ready {
		mine := own&(1<<proc.slot) != 0
		if n := proc.inflight.Load(); mine && n != 150 || !mine && n != 0 {
			t.Errorf("%s, the storm's own: %v, has %d runs", proc.name, mine, n)
		}
		if !mine {
			left = append(left, proc)
		}
	}
	p.roster.Store(&roster{ready: left, penalty: r.penalty, members: r.members})
	start(1000)
}

// TestAYoungWorkerGetsAQuarter of what an old one gets.
func TestAYoungWorkerGetsAQuarter(t *testing.T) {
	p, r := rosterOf(t, 2)
	r.ready[1].youngUntil.Store(int64(time.Since(r.ready[1].started) + time.Hour))
	for n := range uint64(500) {
		p.Start(&proto.Start{Run: n + 1}, "", "", false)
	}
	old, young := r.ready[0].inflight.Load(), r.ready[1].inflight.Load()
	if old+young != 500 || young < 95 || young > 105 {
		t.Errorf("the old worker has %d runs, the young one %d", old, young)
	}
}

// TestSuspectsGoApart: to a penalty worker, each version by itself while there is room.
func TestSuspectsGoApart(t *testing.T) {
	p, r := rosterOf(t, 2)
	start := func(n uint64, plan string) string {
		worker, _ := p.Start(&proto.Start{Run: n, Account: "a", Plan: plan, Version: 1}, "", "", true)
		return worker
	}
	wanted := func() bool {
		select {
		case <-p.penalties:
			return true
		default:
			return false
		}
	}
	if got := start(1, "x"); got != "p1.1" || wanted() {
		t.Fatalf("the first suspect went to %q", got)
	}
	if got := start(2, "x"); got != "p1.1" || wanted() {
		t.Errorf("the same version went to %q", got)
	}
	if got := start(3, "y"); got != "p1.1" || !wanted() {
		t.Errorf("another version went to %q; one more worker for suspects should be wanted", got)
	}
	l := p.loss(r.penalty[0], SlotEffect{Kind: GiveUp, Blame: true, Reason: "exit status 2"})
	if !l.Penalty || len(l.Versions) != 2 {
		t.Errorf("the loss of a shared penalty worker: %+v", l)
	}
	if l := p.loss(r.penalty[0], SlotEffect{Kind: GiveUp}); len(l.Versions) != 0 {
		t.Errorf("a planned loss blames %v", l.Versions)
	}
	for _, proc := range r.ready {
		if proc.inflight.Load() != 0 {
			t.Errorf("%s has a suspect's run", proc.name)
		}
	}
}
