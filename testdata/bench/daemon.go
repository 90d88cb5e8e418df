package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	readyWithin = 30 * time.Second // from start until it takes calls
	stopWithin  = 15 * time.Second // from SIGTERM to the end
	goneWithin  = 3 * time.Second  // from the end of the front to the end of its workers
	pollEvery   = 50 * time.Millisecond
)

// daemon is a program which this one started, with the processes below it.
type daemon struct {
	binary string // without links
	dir    string // its files, removed at the end
	sip    string // host:port
	callee string // host:port which it dials; empty when it redirects
	cmd    *exec.Cmd
	exited chan struct{} // closed when the first process has ended
}

// newDaemon finds the binary and makes the directory. The caller stops it.
func newDaemon(binary string) (daemon, error) {
	binary, err := exec.LookPath(binary)
	if err != nil {
		return daemon{}, fmt.Errorf("find binary: %w", err)
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return daemon{}, err
	}
	if binary, err = filepath.EvalSymlinks(binary); err != nil {
		return daemon{}, err
	}
	dir, err := os.MkdirTemp("", "dialyard-bench-")
	return daemon{binary: binary, dir: dir, exited: make(chan struct{})}, err
}

// run starts the program and waits until it is ready.
func (d *daemon) run(ctx context.Context, ready func(context.Context) bool, args ...string) error {
	output, err := os.Create(d.output())
	if err != nil {
		return err
	}
	defer output.Close()
	d.cmd = exec.Command(d.binary, args...)
	d.cmd.Dir, d.cmd.Stdout, d.cmd.Stderr = d.dir, output, output
	if err := d.cmd.Start(); err != nil {
		d.cmd = nil
		return err
	}
	go d.watch()
	return d.awaitReady(ctx, ready)
}

// output is the file with what the program prints.
func (d *daemon) output() string { return filepath.Join(d.dir, "output") }

// watch waits for the end of the first process.
func (d *daemon) watch() {
	d.cmd.Wait()
	close(d.exited)
}

func (d *daemon) awaitReady(ctx context.Context, ready func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		if ready(ctx) {
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-d.exited:
			printed, _ := os.ReadFile(d.output())
			return fmt.Errorf("ended before it was ready: %v\n%s", d.cmd.ProcessState, printed)
		case <-ctx.Done():
			return fmt.Errorf("not ready within %v: %w", readyWithin, ctx.Err())
		}
	}
}

// target is the URI which the generator calls.
func (d *daemon) target() string { return "sip:" + dialled + "@" + d.sip }

// answer is where the generator takes the calls which it dials, in the form of its option.
func (d *daemon) answer() string {
	if d.callee == "" {
		return ""
	}
	return "udp://" + d.callee
}

func (d *daemon) family() (family, error) { return familyOf(d.cmd.Process.Pid) }

// stop ends the first process and whatever outlives it of those below, and removes its files.
func (d *daemon) stop() {
	defer os.RemoveAll(d.dir)
	if d.cmd == nil {
		return
	}
	f, _ := d.family() // when it fails the first has ended, and the others with it
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.exited:
	case <-time.After(stopWithin):
		fmt.Fprintf(os.Stderr, "bench: %s did not end within %v of SIGTERM\n", d.binary, stopWithin)
		d.cmd.Process.Kill()
		<-d.exited
	}
	d.endOrphans(f.workers)
}

// endOrphans kills the processes which did not end with their first, and says so: it is a fault.
func (d *daemon) endOrphans(workers []process) {
	for deadline := time.Now().Add(goneWithin); time.Now().Before(deadline); time.Sleep(pollEvery) {
		if workers = d.alive(workers); len(workers) == 0 {
			return
		}
	}
	for _, w := range workers {
		fmt.Fprintf(os.Stderr, "bench: worker %d outlived its front by %v\n", w.pid, goneWithin)
		syscall.Kill(w.pid, syscall.SIGKILL)
	}
}

// alive keeps the processes which still run our binary: a pid may belong to somebody else by now.
func (d *daemon) alive(ps []process) []process {
	var left []process
	for _, p := range ps {
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.pid))
		if err == nil && strings.TrimSuffix(exe, " (deleted)") == d.binary {
			left = append(left, p)
		}
	}
	return left
}

// freePort is a loopback host:port which is free for UDP and TCP just now.
func freePort() (string, error) {
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		addr := tcp.Addr().String()
		udp, err := net.ListenPacket("udp", addr)
		tcp.Close()
		if err == nil {
			udp.Close()
			return addr, nil
		}
	}
	return "", errors.New("no port is free for both UDP and TCP")
}
