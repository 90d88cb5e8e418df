package sip

import (
	"testing"
	"time"
)

// TestPace: a reader pauses only while datagrams come faster than busyRate, for
// longer the faster they come, and not when a whole batch was waiting.
func TestPace(t *testing.T) {
	for name, row := range map[string]struct {
		rate, each  int
		least, most time.Duration
	}{
		"quiet":              {busyRate / 10, 1, 0, 0},
		"just below":         {busyRate - 500, 1, 0, 0},
		"half way":           {(busyRate + fullRate) / 2, 1, gatherMost * 4 / 10, gatherMost * 6 / 10},
		"busy":               {10 * fullRate, 8, gatherMost, gatherMost},
		"busy, full batches": {10 * fullRate, udpBatch, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var p pace
			var got time.Duration
			p.after(dawn, 1)
			between := time.Second * time.Duration(row.each) / time.Duration(row.rate)
			for at := between; at < 5*paceWindow; at += between {
				got = p.after(dawn.Add(at), row.each)
			}
			if got < row.least || got > row.most {
				t.Errorf("it pauses for %v, want %v to %v", got, row.least, row.most)
			}
		})
	}
}

// TestPaceForgets: after a burst the next lone datagram is not kept waiting twice.
func TestPaceForgets(t *testing.T) {
	var p pace
	p.after(dawn, 1)
	if p.after(dawn.Add(paceWindow), fullRate) == 0 {
		t.Fatal("a burst leaves no trace")
	}
	if d := p.after(dawn.Add(time.Second), 1); d != 0 {
		t.Errorf("a second later it pauses for %v", d)
	}
}
