package dispatcher

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/proto"
)

const (
	// chronicleSize is how many records and script lines may wait to be written.
	chronicleSize = 16384
	// chronicleRest is how long they gather, so that writing them down does not
	// cost a wake-up for each call.
	chronicleRest = 5 * time.Millisecond
)

// A chronicle writes down what calls did: a record, a log line per outcome, and
// the lines scripts logged. It has a goroutine of its own, so that a slow disk or
// terminal delays no call; what does not fit is counted and dropped.
type chronicle struct {
	log   *slog.Logger
	sink  func(*call.Record, func())
	stats *Stats
	queue chan entry
	done  sync.WaitGroup
}

// An entry is a finished call's record, or a line of a script and whose it is.
type entry struct {
	record *call.Record
	then   func() // when it is written; may be nil
	line   *proto.Log
	owner  owner
}

// owner stamps a script's line: the dispatcher's word, never the script's.
type owner struct {
	callID, account, plan, worker string
	version                       uint32
}

func newChronicle(log *slog.Logger, sink func(*call.Record, func()), stats *Stats) *chronicle {
	return &chronicle{log: log, sink: sink, stats: stats, queue: make(chan entry, chronicleSize)}
}

func (c *chronicle) start() { c.done.Go(c.write) }

// close writes what is left. Nothing may be added any more.
func (c *chronicle) close() {
	close(c.queue)
	c.done.Wait()
}

// record takes a finished call's record, which must not change any more, and what
// is to be done once it is written.
func (c *chronicle) record(r *call.Record, then func()) {
	select {
	case c.queue <- entry{record: r, then: then}:
	default:
		c.stats.RecordsLost.Add(1)
		if then != nil {
			then()
		}
	}
}

// scriptLine takes a line that a script logged.
func (c *chronicle) scriptLine(l *live, line *proto.Log) {
	r := &l.call.Record
	if l.probe != "" {
		return
	}
	e := entry{line: line, owner: owner{r.CallID, r.Account, r.Plan, r.Worker, r.Version}}
	select {
	case c.queue <- e:
	default:
		c.stats.ScriptLinesLost.Add(1)
	}
}

func (c *chronicle) write() {
	for e := range c.queue {
		c.writeEntry(e)
		for range len(c.queue) {
			c.writeEntry(<-c.queue)
		}
		time.Sleep(chronicleRest)
	}
}

func (c *chronicle) writeEntry(e entry) {
	if e.record != nil {
		c.writeRecord(e)
	} else {
		c.writeLine(e)
	}
}

func (c *chronicle) writeRecord(e entry) {
	r := e.record
	c.sink(r, e.then)
	if !c.log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	attrs := []slog.Attr{
		slog.String("call_id", r.CallID), slog.String("account", r.Account), slog.String("plan", r.Plan),
		slog.Uint64("version", uint64(r.Version)), slog.String("worker", r.Worker),
		slog.Int("status", r.Status), slog.String("reason", r.Outcome.String()), slog.Float64("seconds", r.Seconds()),
	}
	if len(r.Legs) > 0 {
		attrs = append(attrs, slog.Int("legs", len(r.Legs)), slog.String("ended_by", r.EndedBy))
	}
	if r.Error != nil {
		attrs = append(attrs, slog.String("script_error", r.Error.Error()))
	}
	c.log.LogAttrs(context.Background(), slog.LevelInfo, "call", attrs...)
}

func (c *chronicle) writeLine(e entry) {
	var level slog.Level
	if level.UnmarshalText([]byte(e.line.Level)) != nil {
		level = slog.LevelInfo
	}
	c.log.LogAttrs(context.Background(), level, "script",
		slog.String("call_id", e.owner.callID), slog.String("account", e.owner.account), slog.String("plan", e.owner.plan),
		slog.Uint64("version", uint64(e.owner.version)), slog.String("worker", e.owner.worker),
		slog.String("text", cut(e.line.Text, maxURI)))
}
