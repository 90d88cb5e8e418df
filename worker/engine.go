package worker

import (
	"cmp"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"dialyard/proto"
)

// A Runtime makes plans of bundles. The script runtime is given to the worker by
// whoever starts it, so that this package knows processes and not scripts.
type Runtime func(files map[string][]byte) (Plan, *proto.ScriptError)

// A Plan is a compiled bundle, safe for concurrent use.
type Plan interface {
	// NewRun prepares one execution; host takes what its script wants.
	NewRun(start *proto.Start, host Host, now time.Time) Run
}

// A Run is one execution of a plan.
type Run interface {
	// Execute runs the script to its end on this goroutine. It never panics.
	Execute() *proto.Done
	// Stop ends the script soon, from any goroutine.
	Stop(outcome proto.Outcome, why string)
	// Result gives the script the answer it waits for, from any goroutine. It
	// does not block; an answer to something else has no effect.
	Result(*proto.Result)
	// Active is the time spent in the script so far, without waits, from any
	// goroutine.
	Active() time.Duration
	// Waiting reports whether the script waits for a result, from any goroutine.
	Waiting() bool
}

// A Host takes what a script wants, from the script's goroutine. What has an
// answer gets it by the run's Result.
type Host interface {
	Instruct(*proto.Instruction)
	Log(*proto.Log)
}

// An engine is the heart of the child side: it starts, stops and answers for
// runs. Each run has a goroutine of its own for as long as its script lasts; a few
// goroutines wait for the next, as their stacks have grown to a script's needs.
type engine struct {
	runtime Runtime
	limits  Limits
	reports chan *proto.Report
	gone    <-chan struct{} // the stream has ended

	mu    sync.Mutex // guards what runs' goroutines and the stream's share
	runs  map[uint64]*running
	await map[uint64]string // ordered and not begun: why they were stopped already, or empty
	total uint64

	jobs  chan job     // to a goroutine that waits for one
	idle  atomic.Int64 // how many do
	plans *shelf       // the stream goroutine's, but for its own lock
}

// running is a run under way.
type running struct {
	Run
	id      uint64
	stopped time.Time // when it was told to stop; zero before
}

// take carries out one order. It is called by the stream's goroutine and does not
// wait for any script.
func (e *engine) take(o *proto.Order) {
	switch o := o.Is.(type) {
	case *proto.Order_Start:
		e.start(o.Start)
	case *proto.Order_Cancel:
		e.stop(o.Cancel.GetRun(), proto.Outcome_OUTCOME_CANCELLED, o.Cancel.GetReason())
	case *proto.Order_Result:
		e.answer(o.Result)
	case *proto.Order_Bundle:
		go e.compile(o.Bundle)
	case *proto.Order_Check:
		go e.check(o.Check)
	case *proto.Order_Profile:
		go e.profile()
	}
}

// start begins a run, or asks for its plan first.
func (e *engine) start(s *proto.Start) {
	e.mu.Lock()
	e.await[s.Run] = ""
	e.mu.Unlock()
	plan, asked := e.plans.get(s)
	switch {
	case plan != nil:
		e.launch(job{s, plan})
	case !asked:
		e.report(&proto.Report{Is: &proto.Report_NeedBundle{NeedBundle: &proto.NeedBundle{Hash: s.Bundle}}})
	}
}

// compile makes a plan of a bundle and begins the runs that waited for it.
func (e *engine) compile(b *proto.Bundle) {
	plan, err := e.runtime(filesOf(b))
	if b.Missing {
		err = &proto.ScriptError{Message: "the plan's files are gone"}
	}
	for _, s := range e.plans.put(b.Hash, plan, err) {
		if err != nil {
			e.fail(s, err)
			continue
		}
		e.launch(job{s, plan})
	}
}

// A job is a run to be executed.
type job struct {
	start *proto.Start
	plan  Plan
}

// maxIdle is how many goroutines wait for the next run at the most.
const maxIdle = 64

// launch gives a run to a goroutine that waits for one, or to a new one.
func (e *engine) launch(j job) {
	select {
	case e.jobs <- j:
	default:
		go e.work(j)
	}
}

// work executes runs until there are enough others to do it.
func (e *engine) work(j job) {
	for {
		e.run(j.start, j.plan)
		if e.idle.Add(1) > maxIdle {
			e.idle.Add(-1)
			return
		}
		select {
		case j = <-e.jobs:
			e.idle.Add(-1)
		case <-e.gone:
			return
		}
	}
}

func (e *engine) fail(s *proto.Start, err *proto.ScriptError) {
	e.mu.Lock()
	delete(e.await, s.Run)
	e.mu.Unlock()
	done := &proto.Done{Run: s.Run, Outcome: proto.Outcome_OUTCOME_ERROR, Error: err}
	e.report(&proto.Report{Is: &proto.Report_Done{Done: done}})
}

// run executes one run and reports its end.
func (e *engine) run(s *proto.Start, plan Plan) {
	r := &running{Run: plan.NewRun(s, e, time.Now()), id: s.Run}
	e.begin(r)
	done := r.Execute()
	e.mu.Lock()
	if e.runs[r.id] == r {
		delete(e.runs, r.id)
	}
	e.mu.Unlock()
	e.report(&proto.Report{Is: &proto.Report_Done{Done: done}})
}

// begin makes a run known by its id, and stops it if that was asked for before.
func (e *engine) begin(r *running) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if why := e.await[r.id]; why != "" {
		r.stop(proto.Outcome_OUTCOME_CANCELLED, why)
	}
	delete(e.await, r.id)
	e.runs[r.id] = r
	e.total++
}

// stop ends a run, or sees to it that it ends when it begins.
func (e *engine) stop(run uint64, outcome proto.Outcome, why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.runs[run]; r != nil {
		r.stop(outcome, why)
	} else if _, ordered := e.await[run]; ordered {
		e.await[run] = cmp.Or(why, "cancelled")
	}
}

// answer gives a result to the run that waits for it. There may be none any more.
func (e *engine) answer(result *proto.Result) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.runs[result.GetRun()]; r != nil {
		r.Result(result)
	}
}

func (r *running) stop(outcome proto.Outcome, why string) {
	r.Stop(outcome, why)
	if r.stopped.IsZero() {
		r.stopped = time.Now()
	}
}

func (e *engine) stopAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.runs {
		r.stop(proto.Outcome_OUTCOME_CANCELLED, "the worker leaves")
	}
	for id := range e.await {
		e.await[id] = "the worker leaves"
	}
}

// check compiles a bundle and says what is wrong with it.
func (e *engine) check(c *proto.Check) {
	_, err := e.runtime(filesOf(c.Bundle))
	answer := &proto.Checked{Id: c.Id, Error: err}
	e.report(&proto.Report{Is: &proto.Report_Checked{Checked: answer}})
}

// Instruct passes a script's instruction on. The script waits while the stream
// is full; its own limits go on counting.
func (e *engine) Instruct(i *proto.Instruction) {
	e.report(&proto.Report{Is: &proto.Report_Instruction{Instruction: i}})
}

// Log passes a script's line on.
func (e *engine) Log(l *proto.Log) { e.report(&proto.Report{Is: &proto.Report_Log{Log: l}}) }

func (e *engine) report(r *proto.Report) {
	select {
	case e.reports <- r:
	case <-e.gone:
	}
}

// send writes reports to the stream, those that are ready together in one message.
func (e *engine) send(stream grpc.BidiStreamingServer[proto.ToWorker, proto.ToHost]) {
	for {
		select {
		case <-e.gone:
			return
		case r := <-e.reports:
			batch := &proto.ToHost{Reports: []*proto.Report{r}}
			e.gather(batch)
			if stream.Send(batch) != nil {
				return
			}
		}
	}
}

// gather adds what else is ready. It lets other goroutines go first once: a run
// that has just given its last instruction is about to say that it is done.
func (e *engine) gather(batch *proto.ToHost) {
	yielded, octets := false, weightOfReport(batch.Reports[0])
	for len(batch.Reports) < batchSize && octets < batchOctets {
		select {
		case r := <-e.reports:
			batch.Reports = append(batch.Reports, r)
			octets += weightOfReport(r)
		default:
			if yielded {
				return
			}
			yielded = true
			runtime.Gosched()
		}
	}
}

func filesOf(b *proto.Bundle) map[string][]byte {
	files := make(map[string][]byte, len(b.GetFiles()))
	for _, f := range b.GetFiles() {
		files[f.Name] = f.Source
	}
	return files
}
