package worker

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	plugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"dialyard/proto"
)

const (
	outboxSize   = 4096             // orders waiting for a worker's stream, at the least
	ordersOfRun  = 4                // that may be under way at once: start, result, cancel and one to spare
	batchSize    = 128              // orders or reports in one message
	startTimeout = 10 * time.Second // from exec to the handshake
	maxWire      = 1 << 20          // octets of one message, as in worker.proto
	maxHasty     = 100              // heartbeats of one worker that come too soon
	batchOctets  = 256 << 10        // beyond which a message takes no more; the largest order is 256 KiB
	wireBuffer   = 64 << 10
	// wireWindow is HTTP/2's flow control window. That it is set at all keeps gRPC
	// from measuring the bandwidth of a unix socket with a ping for each message.
	wireWindow = 4 << 20
)

// A process is one worker process, as seen by the host: its stream, its counters
// and its pid. It is made by start and ends when exited is closed.
type process struct {
	name       string // "w1.3": slot and generation
	slot       int
	generation uint32
	started    time.Time

	pid      atomic.Int64 // while it lives
	born     atomic.Int64 // the same, and also afterwards
	inflight atomic.Int64
	held     holdings
	total    atomic.Uint64
	beat     atomic.Pointer[proto.Beat]
	beatAt   atomic.Int64 // ns since started, so that a clock that is set does no harm
	failures atomic.Int32 // orders it did not take, and runs it did not end, in a row

	profiled   atomic.Pointer[proto.Profiled]
	breacher   atomic.Pointer[Version] // that made it break the protocol, if it is known
	examined   atomic.Bool             // RecycleSick was called
	youngUntil atomic.Int64            // ns since started; its share of runs is small before
	needed     atomic.Int64            // by a suspect, ns since started
	signalled  atomic.Bool             // by this pool

	hasty int // beats that came too soon; the reader's

	outbox chan *proto.Order
	stop   chan struct{} // closed to end the stream
	once   sync.Once
	exited chan struct{} // closed when the process has been reaped
	exit   string        // how it ended; set before exited is closed
	stderr *tail
}

// newProcess makes one that is to have so many runs at work at once.
func newProcess(name string, slot int, generation uint32, runs int) *process {
	return &process{
		name: name, slot: slot, generation: generation, started: time.Now(),
		outbox: make(chan *proto.Order, max(outboxSize, ordersOfRun*(1+waitingFactor)*(runs+1))), stop: make(chan struct{}),
		exited: make(chan struct{}), stderr: &tail{},
	}
}

// connect starts the process by go-plugin and opens its stream. It returns when
// the stream is open; a process that does not get so far is killed.
func (p *process) connect(dir string, spawn *spawner, args []string) (*plugin.Client, grpc.BidiStreamingClient[proto.ToWorker, proto.ToHost], error) {
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          plugin.PluginSet{pluginName: &gluePlugin{}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     startTimeout,
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: dir},
		Logger:           hclog.NewNullLogger(),
		Stderr:           p.stderr,
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxWire)),
			grpc.WithReadBufferSize(wireBuffer), grpc.WithWriteBufferSize(wireBuffer),
			grpc.WithInitialWindowSize(wireWindow), grpc.WithInitialConnWindowSize(wireWindow),
		},
		RunnerFunc: func(_ hclog.Logger, spec *execSpec, _ string) (runner.Runner, error) {
			return spawn.runner(p, args, spec.Env)
		},
	})
	stream, err := p.open(client)
	if err != nil {
		p.signal(syscall.SIGKILL)
		return client, nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return client, stream, nil
}

func (p *process) open(client *plugin.Client) (grpc.BidiStreamingClient[proto.ToWorker, proto.ToHost], error) {
	rpc, err := client.Client()
	if err != nil {
		return nil, err
	}
	raw, err := rpc.Dispense(pluginName)
	if err != nil {
		return nil, err
	}
	return raw.(proto.WorkerClient).Serve(context.Background())
}

// beats takes a heartbeat. A worker that stood still may send what it owes at once;
// one that goes on like this only costs the host's time.
func (p *process) beats(b *proto.Beat, now time.Time) error {
	at, first := now.Sub(p.started), p.beat.Load() == nil
	last := time.Duration(p.beatAt.Swap(int64(at)))
	p.beat.Store(b)
	if first || at-last >= beatEvery/2 {
		return nil
	}
	if p.hasty++; p.hasty > maxHasty {
		return fmt.Errorf("%d heartbeats too many", p.hasty)
	}
	return nil
}

// offer queues an order without waiting; false means that the outbox is full.
func (p *process) offer(o *proto.Order) bool {
	select {
	case p.outbox <- o:
		return true
	default:
		return false
	}
}

// write sends what is queued, as much as there is in one message, until the
// stream or the process ends.
func (p *process) write(stream grpc.BidiStreamingClient[proto.ToWorker, proto.ToHost]) {
	for {
		select {
		case <-p.stop:
			stream.CloseSend()
			return
		case o := <-p.outbox:
			batch := &proto.ToWorker{Orders: []*proto.Order{o}}
			p.gather(batch)
			if stream.Send(batch) != nil {
				return // the reader sees why
			}
		}
	}
}

func (p *process) gather(batch *proto.ToWorker) {
	octets := weightOfOrder(batch.Orders[0])
	for len(batch.Orders) < batchSize && octets < batchOctets {
		select {
		case o := <-p.outbox:
			batch.Orders = append(batch.Orders, o)
			octets += weightOfOrder(o)
		default:
			return
		}
	}
}

// close ends the stream from this side.
func (p *process) close() { p.once.Do(func() { close(p.stop) }) }

// lastBreath is how long a worker whose stream has ended may take to exit by
// itself, and how long its exit may take to be noticed.
const lastBreath = 50 * time.Millisecond

// end kills what is left of the process and says how it ended.
func (p *process) end(otherwise string) string {
	p.close()
	for range 2 {
		select {
		case <-p.exited:
			return p.exit
		case <-time.After(lastBreath):
			p.signal(syscall.SIGKILL)
		}
	}
	return otherwise
}

// signal sends a signal to the worker's process group.
func (p *process) signal(sig syscall.Signal) {
	if pid := int(p.pid.Load()); pid > 0 {
		p.signalled.Store(true)
		syscall.Kill(-pid, sig)
	}
}

// tail keeps the end of what a worker wrote to standard error: a stack dump, most
// likely, when it dies. Safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 64 << 10

var _ io.Writer = (*tail)(nil)

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text = append(t.text, b...); len(t.text) > 2*tailSize {
		t.text = append(t.text[:0], t.text[len(t.text)-tailSize:]...)
	}
	return len(b), nil
}

// String is the tail, at most 64 KiB.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text[max(0, len(t.text)-tailSize):])
}
