package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// The pace of a record file.
const (
	recordQueue = 32768                 // records that may wait to be encoded
	recordBatch = 64 << 10              // bytes that are written at the latest
	recordPause = 10 * time.Millisecond // between two writes of less, and after a failed one
)

var errRecordsClosed = errors.New("records are closed")

// Records appends call records to a file, one line of JSON each.
//
//	Append -> queue -> write loop: encode, gather -> file
//
// A record reaches the file at once when the calls are few, and within 10 ms
// or 64 KiB when they are many. It is not fsynced before Close: a power loss
// can cost the last seconds, a crash of the process the last 10 ms.
//
// When the disk does not take a write, it is tried again every 10 ms and the
// queue fills up; when the queue is full, new records are dropped and counted.
type Records struct {
	file  *os.File
	queue chan recordEntry
	stop  chan struct{} // closed by Close
	done  chan struct{} // closed when the write loop has ended

	closed  atomic.Bool
	dropped atomic.Uint64
	failed  atomic.Uint64
	err     atomic.Pointer[error] // of the last write, nil when it went well

	pending []byte   // encoded and not written; the write loop's
	written []func() // to be called when that is
}

// OpenRecords opens the file to append to, creating it and its directory
// readable by the owner only, and starts the goroutine that writes it; Close
// ends it. If a crash left half a line at the end, the line is closed so that
// it spoils no other.
func OpenRecords(path string) (*Records, error) {
	file, err := openRecordFile(path)
	if err != nil {
		return nil, fmt.Errorf("open records: %w", err)
	}
	r := &Records{
		file:  file,
		queue: make(chan recordEntry, recordQueue),
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	go r.write()
	return r, nil
}

// Append hands a record over to be written; it never waits. The record is
// encoded later, by another goroutine: it must not be changed any more. written, if
// not nil, is called when it is in the file, by that goroutine; never if it is dropped.
//
// The error says that the record is dropped, and counted: the queue is full, or
// Close has been called. A record appended while Close runs may be lost.
func (r *Records) Append(record any, written func()) error {
	if r.closed.Load() {
		r.dropped.Add(1)
		return errRecordsClosed
	}
	select {
	case r.queue <- recordEntry{record, written}:
		return nil
	default:
		r.dropped.Add(1)
		return errors.New("record queue is full")
	}
}

// Dropped counts the records that will never be in the file.
func (r *Records) Dropped() uint64 { return r.dropped.Load() }

// Failures counts the writes that the disk refused, whole or in part.
func (r *Records) Failures() uint64 { return r.failed.Load() }

// Err is the error of the last write, nil when it went well.
func (r *Records) Err() error {
	if err := r.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Close writes what has been appended, waits until it is on the disk, and
// closes the file. What the disk still refuses is dropped and counted. A second
// Close only waits for the first.
func (r *Records) Close() error {
	if r.closed.Swap(true) {
		<-r.done
		return nil
	}
	close(r.stop)
	<-r.done
	return errors.Join(r.Err(), r.file.Sync(), r.file.Close())
}

// write is the goroutine that owns pending and the file until Close.
func (r *Records) write() {
	defer close(r.done)
	var lastWrite time.Time
	for {
		queue := r.queue
		if len(r.pending) >= recordBatch {
			queue = nil // the disk refused it; leave the rest in the queue
		}
		var due <-chan time.Time
		if len(r.pending) > 0 {
			due = time.After(time.Until(lastWrite.Add(recordPause)))
		}
		select {
		case e := <-queue:
			r.encode(e)
			r.gather()
			full := len(r.pending) >= recordBatch
			if !full && time.Since(lastWrite) < recordPause {
				continue
			}
		case <-due:
		case <-r.stop:
			r.drain()
			return
		}
		r.flush()
		lastWrite = time.Now()
	}
}

// gather encodes what waits in the queue, up to a full batch.
func (r *Records) gather() {
	for len(r.pending) < recordBatch {
		select {
		case e := <-r.queue:
			r.encode(e)
		default:
			return
		}
	}
}

// recordEntry is a record in the queue.
type recordEntry struct {
	record  any
	written func()
}

// An Appender writes itself as JSON, faster than encoding/json would.
type Appender interface{ AppendJSON(b []byte) []byte }

func (r *Records) encode(e recordEntry) {
	if e.written != nil {
		r.written = append(r.written, e.written)
	}
	if a, ok := e.record.(Appender); ok {
		r.pending = append(a.AppendJSON(r.pending), '\n')
		return
	}
	line, err := json.Marshal(e.record)
	if err != nil {
		r.dropped.Add(1)
		r.setErr(fmt.Errorf("encode record: %w", err))
		return
	}
	r.pending = append(append(r.pending, line...), '\n')
}

// flush writes what is pending and keeps what the disk does not take.
func (r *Records) flush() {
	if len(r.pending) == 0 {
		return
	}
	n, err := r.file.Write(r.pending)
	r.pending = r.pending[:copy(r.pending, r.pending[n:])]
	r.setErr(err)
	if err != nil {
		r.failed.Add(1)
		return
	}
	for _, f := range r.written {
		f()
	}
	clear(r.written)
	r.written = r.written[:0]
}

// drain writes the rest of the queue, and gives up at the first refusal.
func (r *Records) drain() {
	for {
		r.gather()
		if len(r.pending) == 0 {
			return
		}
		if r.flush(); r.Err() != nil {
			r.dropped.Add(uint64(bytes.Count(r.pending, []byte("\n")) + len(r.queue)))
			return
		}
	}
}

func (r *Records) setErr(err error) {
	if err == nil {
		r.err.Store(nil)
		return
	}
	r.err.Store(&err)
}

func openRecordFile(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := closeLine(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// closeLine ends a last line that was only written in part.
func closeLine(file *os.File) error {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, info.Size()-1); err != nil {
		return err
	}
	if last[0] != '\n' {
		_, err = file.Write([]byte("\n"))
	}
	return err
}
