package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"dialyard/cmd/dialyard/config"
)

// newLog makes the process's logger: text on a terminal, else JSON, unless the
// configuration says which. level can be changed while it is in use. Who logs never
// waits for w; call flushLog before the process ends.
func newLog(w io.Writer, c config.Log, level *slog.LevelVar) *slog.Logger {
	level.Set(c.Level)
	options := &slog.HandlerOptions{Level: level}
	lines := newLogLines(w)
	if c.Format == "text" || c.Format == "" && isTerminal(w) {
		return slog.New(&logHandler{slog.NewTextHandler(lines, options), lines})
	}
	return slog.New(&logHandler{slog.NewJSONHandler(lines, options), lines})
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// flushLog waits a moment for what was logged to be written.
func flushLog(log *slog.Logger) {
	if h, ok := log.Handler().(*logHandler); ok {
		h.lines.flush(time.Second)
	}
}

// logHandler is a handler whose lines can be waited for.
type logHandler struct {
	slog.Handler
	lines *logLines
}

// logLines writes lines of log from a goroutine of its own, so that a pipe that nobody
// reads, or a disk that hangs, stops nothing but the log: the monitor and the pool log
// what they do while they do it. Lines that find no place are lost, counted and told of.
type logLines struct {
	queue chan []byte
	lost  atomic.Uint64
	idle  *sync.Cond
	open  int // lines that are not written yet; idle's lock guards it
}

const maxLogLines = 4096 // that wait to be written

func newLogLines(w io.Writer) *logLines {
	l := &logLines{queue: make(chan []byte, maxLogLines), idle: sync.NewCond(&sync.Mutex{})}
	go l.write(w) // it ends with the process, as the log does
	return l
}

// Write queues a line. It never waits and never fails.
func (l *logLines) Write(line []byte) (int, error) {
	l.idle.L.Lock()
	defer l.idle.L.Unlock()
	select {
	case l.queue <- bytes.Clone(line):
		l.open++
	default:
		l.lost.Add(1)
	}
	return len(line), nil
}

func (l *logLines) write(w io.Writer) {
	for line := range l.queue {
		w.Write(line) // nobody could be told of an error
		if n := l.lost.Swap(0); n > 0 {
			fmt.Fprintf(w, "{\"level\":\"ERROR\",\"msg\":\"log lines lost\",\"lines\":%d}\n", n)
		}
		l.idle.L.Lock()
		if l.open--; l.open == 0 {
			l.idle.Broadcast()
		}
		l.idle.L.Unlock()
	}
}

// flush returns when all lines are written, or after patience.
func (l *logLines) flush(patience time.Duration) {
	done := make(chan struct{})
	go func() {
		l.idle.L.Lock()
		defer l.idle.L.Unlock()
		for l.open > 0 {
			l.idle.Wait()
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
	}
}
