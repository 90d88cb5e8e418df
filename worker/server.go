package worker

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"dialyard/proto"
	"dialyard/worker/jail"
)

const (
	reportsSize = 4096 // reports waiting for the stream
	plansKept   = 256  // compiled bundles; the least recently used goes first
	beatEvery   = time.Second
	overstay    = time.Second // a run told to stop that goes on for longer is counted
)

// Limits are what a worker process holds itself to.
type Limits struct {
	MemorySoft, MemoryHard uint64 // bytes
	Jail                   jail.Level

	held string // what holds it, once it is confined
}

// Main is the life of a worker process. It returns when the host has closed the
// stream, and does not return when the host is gone.
func Main(runtime Runtime, l Limits) error {
	go leaveWithHost()
	go leaveWhenAsked()
	s := &server{runtime: runtime, limits: l}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         plugin.PluginSet{pluginName: &gluePlugin{server: s}},
		Logger:          hclog.NewNullLogger(),
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(o, grpc.MaxRecvMsgSize(maxWire),
				grpc.ReadBufferSize(wireBuffer), grpc.WriteBufferSize(wireBuffer),
				grpc.InitialWindowSize(wireWindow), grpc.InitialConnWindowSize(wireWindow))...)
		},
	})
	return nil
}

// leaveWithHost ends the process when its standard input does: the host is gone.
func leaveWithHost() {
	var b [1]byte
	for {
		if _, err := os.Stdin.Read(b[:]); err != nil {
			os.Exit(3)
		}
	}
}

// leaveWhenAsked ends the process at SIGTERM. Go would do that by the signal's
// default, which process 1 of a PID namespace does not have.
func leaveWhenAsked() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	<-asked
	os.Exit(0)
}

// server is the child's end of the stream.
type server struct {
	proto.UnimplementedWorkerServer
	runtime Runtime
	limits  Limits
	taken   atomic.Bool // there is one stream in a worker's life
}

// Serve runs what the host orders until the stream ends; then the process is of
// no more use and leaves.
func (s *server) Serve(stream grpc.BidiStreamingServer[proto.ToWorker, proto.ToHost]) error {
	if s.taken.Swap(true) {
		return fmt.Errorf("this worker has its host already")
	}
	stream = spoken(stream)
	// From here on others' scripts may run; all files and sockets are open.
	held, err := confine(s.limits)
	if err != nil {
		return err
	}
	s.limits.held = held
	e := &engine{
		runtime: s.runtime,
		reports: make(chan *proto.Report, reportsSize), gone: stream.Context().Done(),
		runs: map[uint64]*running{}, await: map[uint64]string{}, jobs: make(chan job), plans: newShelf(plansKept), limits: s.limits,
	}
	var helpers sync.WaitGroup
	helpers.Go(func() { e.send(stream) })
	helpers.Go(e.beat)
	helpers.Go(e.watchMemory)
	helpers.Go(e.rest)
	for {
		batch, err := stream.Recv()
		if err != nil {
			break
		}
		for _, o := range batch.Orders {
			e.take(o)
		}
	}
	time.AfterFunc(100*time.Millisecond, func() { os.Exit(0) }) // runs that do not end do not keep us
	e.stopAll()
	return nil
}
