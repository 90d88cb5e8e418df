package sip

import (
	"testing"
	"time"
)

// TestPace: a reader pauses only while datagrams come faster than busyRate, and
// not when a whole batch was waiting.
func TestPace(t *testing.T) {
	for name, row := range map[string]struct {
		rate, each int
		want       time.Duration
	}{
		"quiet":              {busyRate / 10, 1, 0},
		"just below":         {busyRate - 500, 1, 0},
		"just above":         {busyRate + 500, 1, gatherTime},
		"busy":               {10 * busyRate, 8, gatherTime},
		"busy, full batches": {10 * busyRate, udpBatch, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var p pace
			var got time.Duration
			p.after(dawn, 1)
			between := time.Second * time.Duration(row.each) / time.Duration(row.rate)
			for at := between; at < 5*paceWindow; at += between {
				got = p.after(dawn.Add(at), row.each)
			}
			if got != row.want {
				t.Errorf("it pauses for %v, want %v", got, row.want)
			}
		})
	}
}

// TestPaceForgets: after a burst the next lone datagram is not kept waiting twice.
func TestPaceForgets(t *testing.T) {
	var p pace
	p.after(dawn, 1)
	p.after(dawn.Add(paceWindow), busyRate)
	if !p.busy {
		t.Fatal("a burst leaves no trace")
	}
	if d := p.after(dawn.Add(time.Second), 1); d != 0 {
		t.Errorf("a second later it pauses for %v", d)
	}
}
