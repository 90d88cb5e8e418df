package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// written are the events in the files of a directory, in order.
func written(t *testing.T, dir string) (list []Event) {
	t.Helper()
	for _, name := range []string{older, newest} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var e Event
			if json.Unmarshal(line, &e) == nil {
				list = append(list, e)
			}
		}
	}
	return list
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not within 5 s: " + what)
		}
	}
}

func mustClose(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.Close("test"); err != nil {
		t.Fatal(err)
	}
}

func TestARestartGoesOnWithTheNumbers(t *testing.T) {
	dir := t.TempDir()
	j := Open(dir)
	j.Add(Event{Kind: Verdict, Subject: "w1.1", What: "kill", Reason: "hang", By: "ann", Numbers: map[string]float64{"runs": 2.5}})
	mustClose(t, j)
	mustClose(t, j)
	j = Open(dir)
	if list := j.Newest(Kept, nil); len(list) != 2 || list[0].By != "ann" || list[0].Numbers["runs"] != 2.5 || list[1].What != Stopped {
		t.Errorf("after a restart: %+v", list)
	}
	if n := j.Add(Event{Kind: Front}); n != 3 {
		t.Errorf("the third event has number %d", n)
	}
	j.Counts(func(c Count, n uint64) {
		if c != (Count{Front, ""}) || n != 1 {
			t.Errorf("%d of %v are counted that an earlier process had", n, c)
		}
	})
	mustClose(t, j)
}

func TestNumbersLeapAfterADisorderlyEnd(t *testing.T) {
	dir := t.TempDir()
	j := Open(dir)
	fill(j, 5)
	mustClose(t, j)
	text, err := os.ReadFile(filepath.Join(dir, newest))
	if err != nil {
		t.Fatal(err)
	}
	text = text[:bytes.Index(text, []byte(`{"number":5`))+9] // as a crash in mid-line leaves it
	if err := os.WriteFile(filepath.Join(dir, newest), text, 0o600); err != nil {
		t.Fatal(err)
	}
	j = Open(dir)
	if n := j.Add(Event{Kind: Front, What: "started"}); n != 4+leap+1 {
		t.Errorf("after 4 whole lines the next is %d, want %d", n, 4+leap+1)
	}
	list, missed, _ := j.After(4, 10, nil)
	if len(list) != 1 || missed != 0 {
		t.Errorf("%d events, missed %d: a leap is no loss", len(list), missed)
	}
	mustClose(t, j)
	if list := written(t, dir); len(list) != 6 || list[4].What != "started" {
		t.Errorf("half a line has spoilt another: %v", numbers(list))
	}
}

func TestTheFileIsBounded(t *testing.T) {
	dir := t.TempDir()
	j := Open(dir)
	long := strings.Repeat("x", maxText)
	const events = 3 * maxFile / maxText
	for i := range events {
		j.Add(Event{Kind: Worker, Subject: "w1", What: "ready", Reason: long})
		if i%(Kept/2) == 0 {
			mark := fmt.Sprintf(`{"number":%d,`, j.Last())
			eventually(t, "the file keeps up", func() bool {
				text, _ := os.ReadFile(filepath.Join(dir, newest))
				return bytes.Contains(text, []byte(mark))
			})
		}
	}
	mustClose(t, j)
	total := int64(0)
	for _, name := range []string{newest, older} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if total += info.Size(); info.Size() > maxFile || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has %d octets and mode %v", name, info.Size(), info.Mode())
		}
	}
	list := written(t, dir)
	if last := list[len(list)-1]; last.Number < events || total < maxFile {
		t.Errorf("the last is %d, of %d octets", last.Number, total)
	}
	j = Open(dir)
	if list := j.Newest(Kept, nil); len(list) != Kept || j.Last() < events {
		t.Errorf("%d events up to %d come back", len(list), j.Last())
	}
	mustClose(t, j)
}

// TestAHungDiskDelaysNobody: a pipe that nobody reads is a disk that does not answer.
func TestAHungDiskDelaysNobody(t *testing.T) {
	dir := t.TempDir()
	j := Open(dir)
	path := filepath.Join(dir, newest)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	fill(j, 3*Kept)
	if took := time.Since(begun); took > time.Second {
		t.Errorf("%d events took %v", 3*Kept, took)
	}
	if list, missed, _ := j.After(0, Kept, nil); len(list) != Kept || missed != 2*Kept {
		t.Errorf("readers get %d and miss %d", len(list), missed)
	}
	begun = time.Now()
	err := j.Close("test")
	if took := time.Since(begun); err == nil || took < closeTime || took > 2*closeTime {
		t.Errorf("Close says %v after %v", err, took)
	}
	text := make(chan []byte)
	go func() { // the disk comes back
		in, err := os.Open(path)
		if err != nil {
			t.Error(err)
		}
		defer in.Close()
		all, _ := io.ReadAll(in)
		text <- all
	}()
	if all := <-text; bytes.Count(all, []byte("\n")) < Kept || !bytes.Contains(all, []byte(`"what":"stopped"`)) {
		t.Errorf("%d lines were written in the end", bytes.Count(all, []byte("\n")))
	}
	<-j.file.done
}

func TestAFullDiskIsToldAndSurvived(t *testing.T) {
	dir := t.TempDir()
	j := Open(dir)
	path := filepath.Join(dir, newest)
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	fill(j, 3)
	eventually(t, "a failure", func() bool { return j.Err() != nil })
	failing := func(e *Event) bool { return e.Kind == Store && e.What == "failing" }
	eventually(t, "it is told", func() bool {
		list := j.Newest(1, failing)
		return len(list) == 1 && strings.Contains(list[0].Reason, "no space")
	})
	fill(j, Kept+500) // more than is kept
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is written again", func() bool { return j.Err() == nil && j.Newest(1, nil)[0].What == "incomplete" })
	if e := j.Newest(1, nil)[0]; e.Numbers["missing"] < 500 {
		t.Errorf("missing are %v", e.Numbers)
	}
	mustClose(t, j)
	list := written(t, dir)
	for i := range list[1:] {
		if list[i+1].Number != list[i].Number+1 {
			t.Errorf("after %d comes %d", list[i].Number, list[i+1].Number)
		}
	}
	if got := fmt.Sprint(list[len(list)-2].What, list[len(list)-1].What); got != "incomplete"+Stopped {
		t.Errorf("the file ends with %s", got)
	}
}
