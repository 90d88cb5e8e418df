package main_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"dialyard/cmd/dialyard/load"
)

// lockFile takes the write lock of one of the server's databases, so that each write of
// the server hangs, then fails. unlock may be called twice.
func (s *server) lockFile(name string) (unlock func()) {
	s.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.dir, "data", name)+"?_pragma=busy_timeout(5000)")
	s.must(err)
	conn, err := db.Conn(context.Background())
	s.must(err)
	_, err = conn.ExecContext(context.Background(), "BEGIN IMMEDIATE")
	s.must(err)
	unlock = func() {
		conn.ExecContext(context.Background(), "ROLLBACK")
		conn.Close()
		db.Close()
	}
	s.t.Cleanup(unlock)
	return unlock
}

// TestAHungStoreStopsNoCall: the file that answered calls are kept in cannot be written
// for five seconds. Calls are answered and hung up as ever, a little later, and no
// worker is held responsible.
func TestAHungStoreStopsNoCall(t *testing.T) {
	t.Parallel()
	answer := freePort(t, "udp")
	s := startServer(t, dials("dial", "sip:callee@"+answer))
	first := s.ready()
	calls := s.loadAs("plan-dial", load.Options{Rate: 30, Duration: 9 * time.Second, Answer: "udp://" + answer, Hold: 300 * time.Millisecond})
	time.Sleep(2 * time.Second)
	unlock := s.lockFile("calls.db")
	time.Sleep(5 * time.Second)
	unlock()
	r := calls.wait()
	t.Logf("answered %v, %v, %v", r.Answered, r.Latency, r.Err())
	onlyStatus(t, r, 200)
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if r.Latency.Max > 3*time.Second {
		t.Errorf("a call waited for the store: %v", r.Latency)
	}
	s.same(first)
	s.eventually(6*time.Second, "a record for each call", func() bool { return len(s.records()) == r.Sent })
}

// TestHungKeysStopOnlyWhoWantsThem: a plan that uses them is told in time, and may go on.
func TestHungKeysStopOnlyWhoWantsThem(t *testing.T) {
	t.Parallel()
	s := startServer(t, plan("count", `local n, err = kv.incr("calls") call:reject(486, n and "counted" or err)`))
	first := s.ready()
	if a := s.call("plan-count"); a.Reason != "counted" {
		t.Fatalf("answered %d %q", a.Status, a.Reason)
	}
	good := s.load("100", 50, 30*time.Second)
	bad := s.load("plan-count", 20, 5*time.Second)
	unlock := s.lockFile("keeps.db")
	begun := time.Now()
	a := s.call("plan-count")
	t.Logf("a plan that counts hears %d %q after %v", a.Status, a.Reason, time.Since(begun).Round(time.Millisecond))
	if took := time.Since(begun); a.Status != 486 || a.Reason == "counted" || took > 9*time.Second {
		t.Errorf("answered %d %q after %v, want 486 and what is wrong", a.Status, a.Reason, took)
	}
	r := bad.wait()
	if r.Lost > 0 {
		t.Errorf("of %d calls that wanted a key %d were lost", r.Sent, r.Lost)
	}
	unlock()
	s.eventually(9*time.Second, "keys are there again", func() bool { return s.call("plan-count").Reason == "counted" })
	r = good.stop()
	onlyStatus(t, r, 302)
	if r.Latency.P99 > 500*time.Millisecond {
		t.Errorf("others waited: %v", r.Latency)
	}
	s.same(first)
}

// TestAFullDiskStopsNoCall: the data directory has one mebibyte, and it fills up.
func TestAFullDiskStopsNoCall(t *testing.T) {
	t.Parallel()
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("no small disk can be made here: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(small, syscall.MNT_DETACH) })
	answer := freePort(t, "udp")
	s := startServer(t, settings("data: {dir: "+small+"}"), dials("dial", "sip:callee@"+answer))
	first := s.ready()
	calls := s.load("100", 50, 8*time.Second)
	dialled := s.loadAs("plan-dial", load.Options{Rate: 30, Duration: 8 * time.Second, Answer: "udp://" + answer, Hold: 300 * time.Millisecond})
	time.Sleep(2 * time.Second)
	s.must(fill(filepath.Join(small, "filler")))
	time.Sleep(4 * time.Second)
	if _, text := s.request("GET", "/readyz?verbose", "", ""); !strings.Contains(text, "no space left") && !strings.Contains(text, "disk is full") {
		t.Errorf("the server does not say that its disk is full:\n%s", text)
	}
	s.must(os.Remove(filepath.Join(small, "filler")))
	onlyStatus(t, calls.wait(), 302)
	onlyStatus(t, dialled.wait(), 200)
	s.same(first)
}

// fill writes until nothing more can be written.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, size := range []int{64 << 10, 512} {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
	return nil
}
