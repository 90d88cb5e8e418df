//go:build faults

package worker

import (
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"dialyard/proto"
)

// With the build tag faults a worker may fail at each step of its life. Which, says
// the file fault in the directory where the server was started, when there is one as
// the worker starts:
//
//	start exit        before the handshake
//	start wait 3s     late
//	stream exit       connected, before the first heartbeat
//	bundle exit       when it would ask for a plan other than that of probes
//
// and it may break the protocol when a script calls fault.lie; see lies.
var step = readStep()

const stepFile = "fault"

// readStep is read before anything else in the process happens, and carries out what
// concerns the start. The host is told nothing: it is to find out.
func readStep() string {
	if len(os.Args) < 2 || os.Args[1] != "worker" {
		return ""
	}
	text, _ := os.ReadFile(stepFile)
	what := strings.TrimSpace(string(text))
	if what == "start exit" {
		os.Exit(7)
	}
	if pause, found := strings.CutPrefix(what, "start wait "); found {
		d, _ := time.ParseDuration(pause)
		time.Sleep(d)
	}
	return what
}

func dieAt(what string) {
	if step == what+" exit" {
		os.Exit(7)
	}
}

type stream = grpc.BidiStreamingServer[proto.ToWorker, proto.ToHost]

// A liar is the child's stream: it watches for what scripts want it to say.
type liar struct {
	stream
	mu   sync.Mutex  // between the engine's sender and answers to probes
	deaf atomic.Bool // probes fail
	heap atomic.Pointer[uint64]

	asked int // for bundles; the sender's
}

func spoken(s stream) stream {
	dieAt("stream")
	return &liar{stream: s}
}

// Recv takes probes for itself while it is deaf to them.
func (l *liar) Recv() (*proto.ToWorker, error) {
	batch, err := l.stream.Recv()
	if err != nil {
		return nil, err
	}
	if l.deaf.Load() {
		batch.Orders = slices.DeleteFunc(batch.Orders, l.fails)
	}
	return batch, nil
}

// fails ends a probe's run with an error.
func (l *liar) fails(o *proto.Order) bool {
	s := o.GetStart()
	if s == nil || s.Account != "" {
		return false
	}
	done := &proto.Done{Run: s.Run, Outcome: proto.Outcome_OUTCOME_ERROR, Error: &proto.ScriptError{Message: "deaf to probes"}}
	l.say(&proto.Report{Is: &proto.Report_Done{Done: done}})
	return true
}

func (l *liar) say(reports ...*proto.Report) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stream.Send(&proto.ToHost{Reports: reports})
}

// Send says what the engine wants said, and lies where a script wants it.
func (l *liar) Send(batch *proto.ToHost) error {
	var kept []*proto.Report
	for _, r := range batch.Reports {
		if r.GetNeedBundle() != nil {
			if l.asked++; l.asked > 1 {
				dieAt("bundle")
			}
		}
		if heap := l.heap.Load(); heap != nil && r.GetBeat() != nil {
			r.GetBeat().HeapBytes = *heap
		}
		if line := r.GetLog(); line != nil && line.Level == "fault" {
			if lie := lies[line.Text]; lie != nil {
				lie(l, line.Run)
			}
			continue
		}
		kept = append(kept, r)
	}
	if len(kept) == 0 {
		return nil
	}
	return l.say(kept...)
}

// lies are what a worker can say that an honest one does not; run is that of the
// script that asked for it.
var lies = map[string]func(l *liar, run uint64){
	"garbage": func(l *liar, run uint64) { l.garble(run) },
	"nothing": func(l *liar, _ uint64) { l.say() },
	"no kind": func(l *liar, _ uint64) { l.say(&proto.Report{}) },
	"no run":  func(l *liar, run uint64) { l.say(ended(run + 1<<40)) },
	"twice":   func(l *liar, run uint64) { l.say(ended(run), ended(run)) },
	"large":   func(l *liar, run uint64) { l.say(logged(run, strings.Repeat("x", 10<<20))) },
	"flood":   func(l *liar, run uint64) { l.repeat(logged(run, "flood")) },
	"beats":   func(l *liar, _ uint64) { l.repeat(&proto.Report{Is: &proto.Report_Beat{Beat: &proto.Beat{}}}) },
	"bundle": func(l *liar, _ uint64) {
		l.say(&proto.Report{Is: &proto.Report_NeedBundle{NeedBundle: &proto.NeedBundle{Hash: "none"}}})
	},
	"sequence": func(l *liar, run uint64) { l.say(refusal(run, 7, "No")) },
	"smuggle":  func(l *liar, run uint64) { l.say(refusal(run, 1, "No\r\nX-Smuggled: 1")) },
	"all well": func(l *liar, _ uint64) { l.heap.Store(new(uint64)) },
	"bloated":  func(l *liar, _ uint64) { heap := uint64(1 << 50); l.heap.Store(&heap) },
	"deaf":     func(l *liar, _ uint64) { l.deaf.Store(true) },
	"hears":    func(l *liar, _ uint64) { l.deaf.Store(false) },
}

func ended(run uint64) *proto.Report {
	return &proto.Report{Is: &proto.Report_Done{Done: &proto.Done{Run: run, Outcome: proto.Outcome_OUTCOME_FINISHED}}}
}

func logged(run uint64, text string) *proto.Report {
	return &proto.Report{Is: &proto.Report_Log{Log: &proto.Log{Run: run, Level: "info", Text: text}}}
}

func refusal(run uint64, seq uint32, reason string) *proto.Report {
	i := &proto.Instruction{Run: run, Seq: seq, Is: &proto.Instruction_Reject{Reject: &proto.Reject{Code: 486, Reason: reason}}}
	return &proto.Report{Is: &proto.Report_Instruction{Instruction: i}}
}

// repeat says the same until nobody listens any more.
func (l *liar) repeat(r *proto.Report) {
	for l.say(r) == nil {
	}
}

// garble sends what cannot be decoded: an order, which on this way stands for a report
// that holds octets which are no message.
func (l *liar) garble(run uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	start := &proto.Start{Run: run, Attempt: 1, Bundle: "\x7f\x7f\x7f"}
	l.stream.SendMsg(&proto.ToWorker{Orders: []*proto.Order{{Is: &proto.Order_Start{Start: start}}}})
}
