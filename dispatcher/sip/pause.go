package sip

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// A door is one socket that is listened on.
type door struct {
	address string // as it was asked for
	conn    syscall.Conn
	read    func()                // until the socket is closed, or its deadline has come
	until   func(time.Time) error // sets that deadline
}

// Pause stops reading from every socket and connection, and accepting, and returns when
// all that was read has been handed on. What arrives from then on waits in the kernel's
// buffers. It can still be sent.
func (e *Edge) Pause() {
	e.mu.Lock()
	e.paused.Store(true)
	for _, d := range e.doors {
		d.until(longAgo)
	}
	for _, s := range e.byPeer {
		s.mu.Lock()
		if s.conn != nil {
			s.conn.SetReadDeadline(longAgo)
		}
		s.mu.Unlock()
	}
	e.mu.Unlock()
	e.reading.Wait()
}

// longAgo is a deadline that ends a read at once.
var longAgo = time.Unix(1, 0)

// Read begins to read from what is bound and adopted, or reads on after a Pause.
func (e *Edge) Read() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.paused.Store(false)
	for _, d := range e.doors {
		d.until(time.Time{})
		e.reading.Go(d.read)
	}
	for _, s := range e.byPeer {
		s.mu.Lock()
		connected := s.conn != nil
		s.mu.Unlock()
		if connected {
			e.startReading(s)
		}
	}
}

// startReading starts the reader of a stream that has none, unless the edge is paused
// or closed. The caller holds the lock.
func (e *Edge) startReading(s *stream) {
	select {
	case <-e.closed:
		return
	default:
	}
	if e.paused.Load() || s.reading {
		return
	}
	s.reading = true
	e.reading.Go(func() {
		s.read()
		e.mu.Lock()
		s.reading = false
		e.mu.Unlock()
	})
}

// pausedBy reports whether an error only says that the edge is paused.
func (e *Edge) pausedBy(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && e.paused.Load()
}
