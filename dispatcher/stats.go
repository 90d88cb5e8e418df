package dispatcher

import (
	"sync/atomic"
	"time"

	"dialyard/dispatcher/call"
)

// Stats are counters since the start, and gauges. All are safe to read at any
// time; on the call path they are all that shards share.
type Stats struct {
	Calls           atomic.Uint64 // INVITEs that began a call
	Outcomes        [call.Outcomes]atomic.Uint64
	Seconds         [len(Buckets) + 1]atomic.Uint64 // calls by how long they took, the last without bound
	SecondsSum      atomic.Uint64                   // nanoseconds
	Probes          atomic.Uint64
	Panics          atomic.Uint64
	ReportsLost     atomic.Uint64 // a shard's mailbox was full
	RecordsLost     atomic.Uint64 // the record sink was too slow
	ScriptLinesLost atomic.Uint64 // likewise
	Legs            atomic.Uint64 // INVITEs that were to be sent
	Strays          atomic.Uint64 // 2xx that belonged to nobody
	Restored        atomic.Uint64 // calls taken back from an earlier process
	Unsaved         atomic.Uint64 // 2xx that left before the store had the call

	gauges [256]gauges
}

// Buckets are the upper bounds of the histogram Seconds.
var Buckets = [...]time.Duration{
	250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, 10 * time.Second,
}

// gauges of one shard, alone on its cache line.
type gauges struct {
	calls, talking, runs, transactions atomic.Int64
	_                                  [32]byte
}

func (s *Stats) shard(index byte, calls, talking, runs, transactions int) {
	g := &s.gauges[index]
	g.calls.Store(int64(calls))
	g.talking.Store(int64(talking))
	g.runs.Store(int64(runs))
	g.transactions.Store(int64(transactions))
}

// Now returns how many calls wait for an answer, runs are out, and transactions
// are open, over all shards.
func (s *Stats) Now() (calls, runs, transactions int) {
	for i := range s.gauges {
		calls += int(s.gauges[i].calls.Load())
		runs += int(s.gauges[i].runs.Load())
		transactions += int(s.gauges[i].transactions.Load())
	}
	return calls, runs, transactions
}

// Talking is how many calls are answered and not yet hung up.
func (s *Stats) Talking() (calls int) {
	for i := range s.gauges {
		calls += int(s.gauges[i].talking.Load())
	}
	return calls
}

// EachOutcome calls f for every outcome, by its name in records and logs.
func (s *Stats) EachOutcome(f func(name string, calls uint64)) {
	for o := range s.Outcomes {
		f(call.Outcome(o).String(), s.Outcomes[o].Load())
	}
}

func (s *Stats) finished(r *call.Record) {
	s.Outcomes[r.Outcome].Add(1)
	took := r.End.Sub(r.Start)
	i := 0
	for i < len(Buckets) && took > Buckets[i] {
		i++
	}
	s.Seconds[i].Add(1)
	s.SecondsSum.Add(uint64(took))
}
