package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

type line struct{ Call int }

func TestRecords(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "data", "records.jsonl")
	const writers, each = 4, 5000
	r := openRecords(t, path)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				if err := r.Append(line{w*each + i}, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, l := range readLines(t, path) {
		seen[l.Call] = true
	}
	if len(seen) != writers*each || r.Dropped() != 0 || r.Err() != nil {
		t.Errorf("%d records, %d dropped, error %v", len(seen), r.Dropped(), r.Err())
	}
	if err := r.Append(line{}, nil); err == nil || r.Dropped() != 1 {
		t.Errorf("after Close: error %v, %d dropped", err, r.Dropped())
	}
	if err := r.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// TestRecordsPace holds when a record is in the file: at once after a pause,
// and 10 ms later in a row of them.
func TestRecordsPace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.jsonl")
	synctest.Test(t, func(t *testing.T) {
		r := openRecords(t, path)
		defer r.Close()
		appendAndSettle := func(call, want int) {
			t.Helper()
			if err := r.Append(line{call}, nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := len(readLines(t, path)); got != want {
				t.Errorf("after record %d: %d in the file, want %d", call, got, want)
			}
		}
		appendAndSettle(1, 1)
		appendAndSettle(2, 1)
		time.Sleep(recordPause / 2)
		appendAndSettle(3, 1)
		time.Sleep(recordPause/2 + time.Millisecond)
		appendAndSettle(4, 3)
		time.Sleep(time.Second)
		appendAndSettle(5, 5)
	})
}

func TestRecordsJoinTornFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.jsonl")
	writeFile(t, path, `{"Call":1}`+"\n"+`{"Ca`)
	r := openRecords(t, path)
	r.Append(line{2}, nil)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"Call":1}` + "\n" + `{"Ca` + "\n" + `{"Call":2}` + "\n"; string(content) != want {
		t.Errorf("got %q, want %q", content, want)
	}
}

// TestRecordsFullDisk fills a queue against a disk without room: the error is
// told, the caller never waits, and what was given up is counted.
func TestRecordsFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	synctest.Test(t, func(t *testing.T) {
		r := openRecords(t, "/dev/full")
		const appended = 2 * recordQueue
		refused := 0
		for i := range appended {
			if r.Append(strings.Repeat("x", 100), nil) != nil {
				refused++
			}
			if i%100 == 0 {
				synctest.Wait()
			}
		}
		if refused == 0 || r.Dropped() != uint64(refused) {
			t.Errorf("%d refused, %d counted", refused, r.Dropped())
		}
		failures := r.Failures()
		time.Sleep(time.Second)
		if !errors.Is(r.Err(), syscall.ENOSPC) || r.Failures() < failures+9 {
			t.Errorf("error %v after %d failures, %d a second ago", r.Err(), r.Failures(), failures)
		}
		if err := r.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Close: %v", err)
		}
		if r.Dropped() != appended {
			t.Errorf("%d dropped of %d", r.Dropped(), appended)
		}
	})
}

// TestRecordsDiskRecovers lets the disk take a part of a batch, refuse the
// rest, and then have room again: no record is lost, torn or doubled.
func TestRecordsDiskRecovers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.jsonl")
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		r := openRecords(t, path)
		const appended = 1000
		limit := old
		limit.Cur = 1234 // in the middle of a line
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old)
		for i := range appended {
			if err := r.Append(line{i}, nil); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if r.Err() == nil || r.Failures() == 0 {
			t.Fatal("the disk had room")
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if r.Err() != nil {
			t.Errorf("with room again: %v", r.Err())
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		lines := readLines(t, path)
		if len(lines) != appended || r.Dropped() != 0 {
			t.Fatalf("%d records, %d dropped", len(lines), r.Dropped())
		}
		for i, l := range lines {
			if l.Call != i {
				t.Fatalf("record %d is %d", i, l.Call)
			}
		}
	})
}

func TestRecordThatCannotBeEncoded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.jsonl")
	r := openRecords(t, path)
	r.Append(func() {}, nil)
	r.Append(line{1}, nil)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if lines := readLines(t, path); len(lines) != 1 || r.Dropped() != 1 {
		t.Errorf("%d records, %d dropped", len(lines), r.Dropped())
	}
}

func openRecords(t *testing.T, path string) *Records {
	t.Helper()
	r, err := OpenRecords(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func readLines(t *testing.T, path string) []line {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []line
	scanner := bufio.NewScanner(bytes.NewReader(content))
	for scanner.Scan() {
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			t.Fatalf("%v in %q", err, scanner.Text())
		}
		lines = append(lines, l)
	}
	return lines
}
