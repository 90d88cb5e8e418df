package dispatcher

import (
	"log/slog"
	"testing"
	"time"
)

// crew is a pool of which only the number of ready workers is asked.
type crew struct {
	Workers
	ready int
}

func (c *crew) Ready() int { return c.ready }

func TestTheStateIsTrueInEveryPhase(t *testing.T) {
	workers := &crew{}
	d := New(Options{Shards: 1, Slots: 2, Workers: workers, Log: slog.New(slog.DiscardHandler)})
	for _, phase := range []struct {
		what  string
		enter func()
		state string
		able  bool
	}{
		{"nothing is ready yet", func() {}, "starting", false},
		{"the first worker is", func() { workers.ready = 1 }, "degraded", true},
		{"all are", func() { workers.ready = 2 }, "ready", true},
		{"all are lost", func() { workers.ready = 0 }, "degraded", false},
		{"one is back", func() { workers.ready = 1 }, "degraded", true},
		{"it means to drain", d.Unready, "draining", false},
		{"it drains", d.Drain, "draining", false},
		{"all are back", func() { workers.ready = 2 }, "draining", false},
	} {
		if phase.enter(); d.State() != phase.state || d.Able() != phase.able {
			t.Errorf("%s: %s, able %v; want %s, %v", phase.what, d.State(), d.Able(), phase.state, phase.able)
		}
	}
}

// TestAShardThatStandsStillIsNoticed: one that stands still, and one whose mailbox is full.
func TestAShardThatStandsStillIsNoticed(t *testing.T) {
	d := New(Options{Shards: 2, Slots: 2, Workers: &crew{}, Log: slog.New(slog.DiscardHandler)})
	if err := d.Serve(nil, nil); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if !d.Turning(turnLimit) {
		t.Fatal("shards that have nothing to do do not turn")
	}
	hang := make(chan struct{})
	held := make(chan struct{})
	d.shards[1].insist(event{task: func(time.Time) { close(held); <-hang }})
	<-held
	if d.Turning(20 * time.Millisecond) {
		t.Error("one shard hangs, and nobody sees it")
	}
	for d.shards[1].post(event{task: func(time.Time) {}}) {
	}
	if d.Turning(20 * time.Millisecond) {
		t.Error("its mailbox is full, and nobody sees it")
	}
	close(hang)
	if !d.Turning(turnLimit) {
		t.Error("the shard goes on, and is not seen to")
	}
}

const turnLimit = 5 * time.Second
