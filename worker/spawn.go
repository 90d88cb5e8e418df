package worker

import (
	"context"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"github.com/hashicorp/go-plugin/runner"

	"dialyard/worker/jail"
)

// execSpec is what go-plugin hands to a runner: only its environment counts.
type execSpec = exec.Cmd

// A spawner starts processes from one thread that lives as long as the spawner:
// the kernel's parent-death signal follows the thread that forked, not the
// process.
type spawner struct {
	requests chan func()
	done     chan struct{}
	jail     *jail.Jail // where workers live; set before any is started
	memory   uint64     // of each, in octets
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan func()), done: make(chan struct{})}
	go s.serve()
	return s
}

func (s *spawner) serve() {
	runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
	defer close(s.done)
	for request := range s.requests {
		request()
	}
}

// close ends the thread, and with it any worker still alive.
func (s *spawner) close() {
	close(s.requests)
	<-s.done
}

// do runs f on the spawner's thread.
func (s *spawner) do(f func() error) (err error) {
	finished := make(chan struct{})
	s.requests <- func() {
		defer close(finished)
		err = f()
	}
	<-finished
	return err
}

// runner makes go-plugin start the worker our way: this binary again, its own
// process group, an empty environment but for go-plugin's, killed with us, a
// standard input that ends with us, and in a cell of the jail.
func (s *spawner) runner(p *process, args, env []string) (runner.Runner, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// The file at that path may have been replaced by now; this is the program
	// that runs, whatever lies there.
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = self
	cmd.Env = append(env, "GOTRACEBACK=all", "GOMAXPROCS=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r := &workerRunner{cmd: cmd, process: p, spawner: s}
	if r.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if r.stdout, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if r.stderr, err = cmd.StderrPipe(); err != nil {
		return nil, err
	}
	if r.cell, err = s.jail.Cell(p.name, s.memory); err != nil {
		return nil, err
	}
	if err := r.cell.Apply(cmd); err != nil {
		r.cell.Release()
		return nil, err
	}
	return r, nil
}

// workerRunner is go-plugin's view of one worker process.
type workerRunner struct {
	cmd            *exec.Cmd
	process        *process
	spawner        *spawner
	cell           *jail.Cell
	stdin          io.WriteCloser // held open for the worker's life
	stdout, stderr io.ReadCloser
}

func (r *workerRunner) Start(context.Context) error {
	if err := r.spawner.do(r.cmd.Start); err != nil {
		r.cell.Release()
		return err
	}
	r.process.born.Store(int64(r.cmd.Process.Pid))
	r.process.pid.Store(int64(r.cmd.Process.Pid))
	return r.enter()
}

// enter puts the process under its limits before it has any work. One that cannot be
// held does not live: go-plugin waits for no process whose start was an error.
func (r *workerRunner) enter() error {
	err := r.cell.Enter(r.cmd.Process.Pid)
	if err != nil {
		r.process.signal(syscall.SIGKILL)
		r.Wait(context.Background())
	}
	return err
}

func (r *workerRunner) Wait(context.Context) error {
	err := r.cmd.Wait()
	r.process.pid.Store(0) // it may be another's from now on
	if state := r.cmd.ProcessState; state != nil {
		r.process.exit = state.String()
	}
	if r.cell.OutOfMemory() {
		r.process.exit += ", out of memory"
	}
	r.cell.Release()
	close(r.process.exited)
	return err
}

func (r *workerRunner) Kill(context.Context) error {
	r.process.signal(syscall.SIGKILL)
	r.cell.Kill()
	return nil
}

func (r *workerRunner) Stdout() io.ReadCloser           { return r.stdout }
func (r *workerRunner) Stderr() io.ReadCloser           { return r.stderr }
func (r *workerRunner) Name() string                    { return r.process.name }
func (r *workerRunner) ID() string                      { return strconv.Itoa(int(r.process.pid.Load())) }
func (r *workerRunner) Diagnose(context.Context) string { return r.process.stderr.String() }

func (r *workerRunner) PluginToHost(network, addr string) (string, string, error) {
	return network, r.cell.Outside(addr), nil
}

func (r *workerRunner) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}
