//go:build !linux || !(amd64 || arm64)

package dialplans

import "time"

// A breather pauses as exactly as Go's timers can.
type breather struct{}

func (*breather) open() {}

func (*breather) breathe(d time.Duration) { time.Sleep(d) }
