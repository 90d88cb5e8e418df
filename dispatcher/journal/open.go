package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// The files, in the directory that Open is given.
const (
	newest  = "events.jsonl"
	older   = "events.1.jsonl"
	subject = newest // of events about them
)

// Stopped is What of the last event of a server that ended in order.
const Stopped = "stopped"

// leap is by how much numbers go on after a process that did not end in order: more
// than it can have told of without a disk that hung for long.
const leap = Kept

// forever is the writer's: it ends with the journal.
var forever = context.Background()

// Open makes a journal that goes on with what the files in a directory tell, and starts
// the goroutine that writes them; Close ends it. What cannot be read is passed over: a
// history is no reason not to serve.
func Open(dir string) *Journal {
	j := &Journal{file: &file{
		path: filepath.Join(dir, newest), older: filepath.Join(dir, older),
		closing: make(chan struct{}), done: make(chan struct{}),
	}}
	j.restore(j.file.older)
	j.restore(j.file.path)
	if n := len(j.ring); n > 0 {
		newest := j.ring[(j.next+n-1)%n]
		if newest.Kind != Front || newest.What != Stopped {
			j.last += leap
		}
	}
	j.file.written = j.last
	if info, err := os.Stat(j.file.path); err == nil {
		j.file.size = info.Size()
	}
	go j.write()
	return j
}

// restore takes in the events of a file, in order.
func (j *Journal) restore(path string) {
	for line := range bytes.Lines(content(path)) {
		var e Event
		if json.Unmarshal(line, &e) != nil || e.Number <= j.last {
			continue // half a line of a crash, or what somebody else has written
		}
		if len(j.ring) == 0 {
			j.fallen = e.Number - 1
		}
		e.bound()
		j.keep(e)
		j.last = e.Number
	}
}

// content is the end of a file, as far as one of ours is long.
func content(path string) []byte {
	in, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	in.Seek(max(0, info.Size()-2*maxFile), io.SeekStart)
	text, _ := io.ReadAll(io.LimitReader(in, 2*maxFile)) // what could be read is worth something
	return text
}

// errUnwritten is of a Close that the disk did not let write everything.
var errUnwritten = errors.New("the last events are not in the file")

// Close adds the event that this server has stopped, after which there are no more, and
// waits until the file has all. It gives up after two seconds, or at once if the disk
// refuses: then the writer's goroutine may be left, and the error says so. A second Close
// does nothing.
func (j *Journal) Close(reason string) error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.add(Event{At: time.Now().UTC(), Kind: Front, Subject: "front", What: Stopped, Reason: short(reason)})
	j.closed = true
	last := j.last
	j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	close(j.file.closing)
	select {
	case <-j.file.done:
		if j.file.written < last {
			return errors.Join(errUnwritten, j.Err())
		}
		return nil
	case <-time.After(closeTime):
		return errUnwritten
	}
}
