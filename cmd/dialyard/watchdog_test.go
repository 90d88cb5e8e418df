package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTheWatchdogIsFedWhileTheFrontIsOfUse(t *testing.T) {
	patience := provenWithin(10*time.Second, 2*time.Second)
	if patience < 24*time.Second || patience > 30*time.Second {
		t.Errorf("patience of %v with a probe every 8 to 12 s", patience)
	}
	for name, c := range map[string]struct {
		vigour
		lacks string
	}{
		"all is well":                   {vigour{true, 11 * time.Second, patience, 2}, ""},
		"one probe lost":                {vigour{true, 25 * time.Second, patience, 2}, ""},
		"the path is broken":            {vigour{true, 27 * time.Second, patience, 2}, "no probe call has succeeded for 27s"},
		"all workers are replaced":      {vigour{true, 27 * time.Second, patience, 0}, ""},
		"and that goes on":              {vigour{true, patience + forlornTime, patience, 0}, ""},
		"for too long":                  {vigour{true, patience + forlornTime + 1, patience, 0}, "with 0 workers ready"},
		"a shard hangs":                 {vigour{false, time.Second, patience, 2}, "a shard stands still"},
		"a shard hangs, nobody probes":  {vigour{false, time.Hour, patience, 0}, "a shard stands still"},
		"nothing proven, just started":  {vigour{true, 0, patience, 0}, ""},
		"an hour without a good answer": {vigour{true, time.Hour, patience, 1}, "no probe call has succeeded for 1h0m0s"},
	} {
		if got := c.vigour.lacks(); c.lacks == "" && got != "" || !strings.Contains(got, c.lacks) {
			t.Errorf("%s: %q, want %q", name, got, c.lacks)
		}
	}
}

func TestTheWatchdogIsForThisProcess(t *testing.T) {
	own := strconv.Itoa(os.Getpid())
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"", "", 0}, {"60000000", "", 30 * time.Second}, {"60000000", own, 30 * time.Second},
		{"60000000", "1", 0}, {"much", "", 0}, {"-5", own, 0},
	} {
		env := map[string]string{"WATCHDOG_USEC": c.usec, "WATCHDOG_PID": c.pid}
		if got := watchdogInterval(func(name string) string { return env[name] }); got != c.want {
			t.Errorf("%v: %v, want %v", env, got, c.want)
		}
	}
}
