package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dialyard/cmd/dialyard/load"
)

// clockSource becomes a file of package time in the program under test: the wall clock is
// set at the instants that the file "clock" names, in ns of the monotonic clock, which
// all processes of the machine share. A worker reads it as it starts, like everybody.
const clockSource = `package time

import "syscall"

type setting struct{ from, by int64 }

var settings = readSettings()

func readSettings() (list []setting) {
	fd, err := syscall.Open("clock", syscall.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	var text [256]byte
	n, _ := syscall.Read(fd, text[:])
	var from, number, sign int64 = 0, 0, 1
	for _, c := range text[:max(0, n)] {
		switch {
		case c == '-':
			sign = -1
		case c == ' ':
			from, number = number, 0
		case c == '\n':
			list, number, sign = append(list, setting{from, sign * number}), 0, 1
		default:
			number = 10*number + int64(c-'0')
		}
	}
	return list
}

// ahead is how many seconds the wall clock is off at an instant.
func ahead(mono int64) (seconds int64) {
	for _, s := range settings {
		if mono >= s.from {
			seconds = s.by
		}
	}
	return seconds
}
`

// buildWithClock makes the program with a clock that can be set.
func buildWithClock(t *testing.T) (program string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	must(err)
	dir, folder := t.TempDir(), filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(folder, "time.go"))
	must(err)
	const reading = "	sec, nsec, mono := runtimeNow()\n	if mono == 0 {"
	changed := strings.Replace(string(source), reading, "	sec, nsec, mono := runtimeNow()\n	sec += ahead(mono)\n	if mono == 0 {", 1)
	if changed == string(source) {
		t.Fatal("this Go reads its clock in another way")
	}
	replace := map[string]string{}
	for name, text := range map[string]string{"time.go": changed, "setting.go": clockSource} {
		replace[filepath.Join(folder, name)] = filepath.Join(dir, name)
		must(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	must(err)
	must(os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	program = filepath.Join(dir, "dialyard")
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return program
}

// TestTheClockIsSet five hours ahead, further than a call may last, and then to an hour
// before the right time, under every process: nobody notices but by the times in the
// records.
func TestTheClockIsSet(t *testing.T) {
	t.Parallel()
	program := buildWithClock(t)
	answer := freePort(t, "udp")
	s := newServer(t, plan("dial", `call:dial("sip:100@`+answer+`")`), settings("accounts: [{name: test, load: 0.5}]"))
	s.program = program
	var now unix.Timespec
	s.must(unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	in := func(d time.Duration) int64 { return now.Nano() + int64(d) }
	s.write("clock", fmt.Sprintf("%d %d\n%d %d\n", in(6*time.Second), 5*3600, in(11*time.Second), -3600))
	begun := time.Now()
	s.start()
	s.waitReady()
	first := s.ready()

	calls := s.load("100", 50, 14*time.Second)
	dialled := s.loadAs("plan-dial", load.Options{
		Rate: 5, Duration: 12 * time.Second, Answer: "udp://" + answer,
		Ring: 300 * time.Millisecond, PickUp: 300 * time.Millisecond, Hold: 2 * time.Second,
	})
	onlyStatus(t, calls.wait(), 302)
	r := dialled.wait()
	if onlyStatus(t, r, 200); r.CutOff != 0 || r.ByesAnswered != r.Sent {
		t.Errorf("of %d calls %d were cut off, %d hung up", r.Sent, r.CutOff, r.ByesAnswered)
	}
	s.same(first)
	for _, word := range []string{"alarm", "suspect", "lapse"} {
		if strings.Contains(s.logText(), word) {
			t.Errorf("the log speaks of a %s", word)
		}
	}

	early, late := 0, 0
	for _, r := range s.records() {
		switch start := r.Start.Sub(begun); {
		case start > 4*time.Hour:
			late++
		case start < -30*time.Minute:
			early++
		}
		if took := r.Seconds(); took < 0 || took > 10 {
			t.Errorf("a call of %v s", took)
		}
	}
	if early < 100 || late < 100 {
		t.Errorf("%d calls began early and %d late: the clock was not set", early, late)
	}
}
