package main

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"dialyard/cmd/dialyard/config"
)

// pages is a file that writes as long as it is let.
type pages struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *pages) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// TestABlockedLogStopsNobody: lines are lost, and that is told when it is over.
func TestABlockedLogStopsNobody(t *testing.T) {
	file := &pages{}
	file.mu.Lock()
	log := newLog(file, config.Log{Format: "json"}, &slog.LevelVar{})
	const lines = maxLogLines + 100
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		for range lines {
			log.Info("line")
		}
	}()
	select {
	case <-logged:
	case <-time.After(10 * time.Second):
		t.Fatal("who logs waits for the file")
	}
	flushed := time.Now()
	flushLog(log)
	if took := time.Since(flushed); took > 3*time.Second {
		t.Errorf("the end waited %v for the file", took)
	}
	file.mu.Unlock()
	flushLog(log)
	file.mu.Lock()
	defer file.mu.Unlock()
	text := file.text.String()
	if n := strings.Count(text, `"msg":"line"`); n < maxLogLines || n >= lines {
		t.Errorf("%d of %d lines were written", n, lines)
	}
	if !strings.Contains(text, "log lines lost") {
		t.Error("nothing is said of the lines that were lost")
	}
}

func TestALogIsWholeWhenItIsFlushed(t *testing.T) {
	read, write := io.Pipe()
	var got []byte
	done := make(chan struct{})
	go func() {
		defer close(done)
		got, _ = io.ReadAll(read)
	}()
	log := newLog(write, config.Log{Format: "text"}, &slog.LevelVar{})
	for range 1000 {
		log.Info("line")
	}
	flushLog(log)
	write.Close()
	<-done
	if n := bytes.Count(got, []byte("msg=line")); n != 1000 {
		t.Errorf("%d of 1000 lines", n)
	}
}
