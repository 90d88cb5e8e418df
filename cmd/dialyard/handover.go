package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"dialyard/dispatcher/sip"
)

// How long the steps of a handover may take.
const (
	readyPatience  = 10 * time.Second       // for the successor to check what it is offered
	webPatience    = time.Second            // for HTTP requests under way
	settlePatience = 300 * time.Millisecond // for scripts that have still to decide
	donePatience   = 20 * time.Second       // for the successor to serve
	workerPatience = 3 * time.Second        // for the workers to leave
)

// errHandedOver says that another process serves now.
var errHandedOver = errors.New("handed over")

// A takeBack says that the successor has failed after this server had left everything:
// it begins anew with what it left.
type takeBack struct {
	estate
	err error
}

func (t *takeBack) Error() string { return "the successor failed: " + t.err.Error() }
func (t *takeBack) Unwrap() error { return t.err }

// orNil is nil for one that there is none of.
func (t *takeBack) orNil() error {
	if t == nil {
		return nil
	}
	return t
}

// awaitSuccessor lets another process ask to take over.
func (f *front) awaitSuccessor() (err error) {
	f.upgrade, err = openUpgradeSocket(f.data.path)
	if err != nil {
		return fmt.Errorf("data.dir: %w", err)
	}
	return nil
}

// handOver lets another process go on in this one's place. It returns errHandedOver when
// that serves, a *takeBack when this process has to begin anew, and any other error if
// nothing has changed.
func (f *front) handOver(c *upgradeConn) error {
	defer c.Close()
	f.log.Info("another process asks to take over", "pid", c.pid)
	left, err := f.offer(c)
	if err != nil {
		c.say(message{Kind: sayNo, Reason: err.Error()}, -1)
		return err
	}
	f.pauseHTTP()
	f.stopWatching()
	left.silent = monotonic()
	f.dispatcher.Edge.Pause()
	unsettled := f.dispatcher.Settle(settlePatience)
	if c.closed() {
		f.goOn(left)
		return errGone
	}
	// From here on there is no way back but through a new beginning.
	f.leave(&left, fmt.Sprintf("handed over to process %d", c.pid))
	f.log.Info("handing over", "pid", c.pid, "unsettled", unsettled, "undecided", len(left.undecided), "connections", len(left.streams),
		"silent_ms_so_far", milliseconds(monotonic()-left.silent))
	err = give(c, &left)
	f.upgrade.close()
	if err != nil {
		kill(c.pid) // it may only be slow, and two must not serve
		return &takeBack{left, err}
	}
	systemd.say(fmt.Sprintf("MAINPID=%d", c.pid))
	sip.CloseSockets(left.all())
	c.Close()
	f.dismissWorkers()
	return errHandedOver
}

// offer lends the successor the sockets and waits until it is ready.
func (f *front) offer(c *upgradeConn) (left estate, err error) {
	if systemd.on() && c.pid != int(f.successor.Load()) {
		return left, errors.New("systemd would not know that process: send SIGUSR2 to the server in charge, and it starts its successor itself")
	}
	if left, err = f.lend(); err != nil {
		return left, err
	}
	defer func() {
		if err != nil {
			sip.CloseSockets(left.all())
		}
	}()
	for _, s := range left.all() {
		if err := c.say(message{Kind: saySocket, Address: s.Address}, s.FD); err != nil {
			return left, err
		}
	}
	if err := c.say(message{Kind: sayOffer, Version: version}, -1); err != nil {
		return left, err
	}
	return left, c.expect(sayReady, readyPatience)
}

// pauseHTTP lets requests under way end. New connections wait to be accepted.
func (f *front) pauseHTTP() {
	ctx, cancel := context.WithTimeout(context.Background(), webPatience)
	defer cancel()
	if f.http.Shutdown(ctx) != nil {
		f.http.Close()
	}
}

// goOn takes up where handOver stopped, as if nobody had asked.
func (f *front) goOn(left estate) {
	f.dispatcher.Edge.Read()
	sip.CloseSockets(left.sockets)
	f.estate.web = left.web
	web, err := f.listenHTTP()
	if err != nil {
		f.log.Error("http.listen", "reason", err)
	} else {
		f.web = web
		f.serveHTTP()
	}
	f.startWatching()
}

// leave writes down all calls, and lets go of the data directory.
func (f *front) leave(left *estate, why string) {
	left.undecided = f.dispatcher.Leave()
	f.opened.Store(false)
	left.streams = f.dispatcher.Edge.Release()
	f.dispatcher.Edge.Close()
	f.broker.Close()
	f.closeStores(why)
	f.data.release()
	f.caller.Close()
}

// give passes on what cannot lie in a file and waits until the successor serves.
func give(c *upgradeConn, left *estate) error {
	for _, s := range left.streams {
		if err := c.say(message{Kind: sayStream, Rest: s.Rest, Made: s.Made}, s.FD); err != nil {
			return err
		}
	}
	for i := range left.undecided {
		if err := c.say(message{Kind: sayInvite, Invite: &left.undecided[i]}, -1); err != nil {
			return err
		}
	}
	if err := c.say(message{Kind: sayYours, Silent: left.silent}, -1); err != nil {
		return err
	}
	return c.expect(sayDone, donePatience)
}

// kill ends a successor for good, so that it cannot wake up when another serves.
func kill(pid int) {
	if pid <= 1 {
		return
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return // gone
	}
	defer unix.Close(fd)
	unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 1000)
}

// dismissWorkers ends the workers of a front whose calls are no longer its own. Those
// that do not leave in time die with this process.
func (f *front) dismissWorkers() {
	gone := make(chan struct{})
	go func() {
		f.pool.Close()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(workerPatience):
	}
	os.RemoveAll(f.data.sockets)
}

// startSuccessor starts the program that lies where this one did, to take over.
func (f *front) startSuccessor() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	args := os.Args[1:]
	if !slices.Contains(args, "--takeover") {
		args = append(slices.Clone(args), "--takeover")
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "WATCHDOG_PID=") || strings.HasPrefix(v, "LISTEN_") // this process's own
	})
	if err := cmd.Start(); err != nil {
		return err
	}
	f.successor.Store(int64(cmd.Process.Pid))
	f.log.Info("successor started", "pid", cmd.Process.Pid)
	go func() { // it ends with this process, or before it because it has failed
		err := cmd.Wait()
		f.successor.CompareAndSwap(int64(cmd.Process.Pid), 0)
		f.log.Error("successor failed", "pid", cmd.Process.Pid, "reason", fmt.Sprint(err))
	}()
	return nil
}

// upgradeOnSignal is what SIGUSR2 asks for.
func (f *front) upgradeOnSignal() {
	if pid := f.successor.Load(); pid != 0 && syscall.Kill(int(pid), 0) == nil {
		f.log.Warn("a successor is on its way already", "pid", pid)
		return
	}
	if err := f.startSuccessor(); err != nil {
		f.log.Error("successor not started", "reason", err)
	}
}
