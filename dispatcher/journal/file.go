package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// The bounds of the file.
const (
	maxFile   = 4 << 20         // octets; then it becomes events.1.jsonl and another begins
	batch     = 100             // events in one write
	retryTime = time.Second     // after a write that failed
	closeTime = 2 * time.Second // that Close waits for the last write
)

// file is where events outlive the process: path and, before it, older.
type file struct {
	path, older string
	closing     chan struct{} // closed by Close
	done        chan struct{} // closed when the writer has ended
	err         atomic.Pointer[error]

	// The writer's own.
	out     *os.File // nil while it is not open
	size    int64
	written uint64 // number of the newest event that is in the file, or was missed
}

// write carries events to the file until the journal is closed and all is written, or
// cannot be.
func (j *Journal) write() {
	f := j.file
	defer close(f.done)
	defer f.shut()
	for j.Wait(forever, f.written) == nil {
		missed, err := f.flush(j)
		if err == nil {
			f.recovered(j, missed)
			continue
		}
		f.failed(j, err)
		select {
		case <-time.After(retryTime):
		case <-f.closing:
			return
		}
	}
}

// flush writes the next events. missed is how many fell off before they could be.
func (f *file) flush(j *Journal) (missed uint64, err error) {
	list, missed, upTo := j.After(f.written, batch, nil)
	text, err := encode(list)
	if err != nil {
		return 0, err
	}
	if f.size+int64(len(text)) > maxFile {
		if err := f.rotate(); err != nil {
			return 0, err
		}
	}
	if err := f.append(text); err != nil {
		return 0, err
	}
	f.written = upTo
	return missed, nil
}

func encode(list []Event) ([]byte, error) {
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	lines.SetEscapeHTML(false)
	for i := range list {
		if err := lines.Encode(&list[i]); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// append writes whole lines, or leaves the file as it was.
func (f *file) append(text []byte) error {
	if f.out == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	n, err := f.out.Write(text)
	if err == nil {
		f.size += int64(n)
		return nil
	}
	err = errors.Join(err, f.out.Truncate(f.size))
	f.shut()
	return err
}

// open opens the file to append to. Half a line that a crash left is closed, so that it
// spoils no other.
func (f *file) open() error {
	out, err := os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := out.Stat()
	if err == nil && info.Size() > 0 && !endsLine(f.path, info.Size()) {
		_, err = out.WriteString("\n")
	}
	if err != nil {
		return errors.Join(err, out.Close())
	}
	f.out, f.size = out, info.Size()
	return nil
}

func endsLine(path string, size int64) bool {
	in, err := os.Open(path)
	if err != nil {
		return false
	}
	defer in.Close()
	var end [1]byte
	_, err = in.ReadAt(end[:], size-1)
	return err == nil && end[0] == '\n'
}

func (f *file) rotate() error {
	f.shut()
	if err := os.Rename(f.path, f.older); err != nil {
		return err
	}
	f.size = 0
	return nil
}

func (f *file) shut() {
	if f.out != nil {
		f.out.Close() // every write is over
		f.out = nil
	}
}

// failed remembers why the file cannot be written, and tells when that is new.
func (f *file) failed(j *Journal, err error) {
	if f.err.Swap(&err) == nil {
		j.Add(Event{Kind: Store, Subject: subject, What: "failing", Reason: err.Error()})
	}
}

// recovered tells that the file is written again, and what it lacks.
func (f *file) recovered(j *Journal, missed uint64) {
	if f.err.Swap(nil) != nil {
		j.Add(Event{Kind: Store, Subject: subject, What: "well again"})
	}
	if missed > 0 {
		j.Add(Event{
			Kind: Store, Subject: subject, What: "incomplete", Reason: "the disk was too slow for the events",
			Numbers: map[string]float64{"missing": float64(missed)},
		})
	}
}
