package main

import (
	"net"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"dialyard/dispatcher"
	"dialyard/dispatcher/sip"
	"dialyard/worker"
)

// An estate is what a server leaves to the one that goes on in its place, beside what
// lies in the data directory. The zero value is that of nobody.
type estate struct {
	sockets   []sip.Socket // that SIP is taken on
	web       []sip.Socket // and HTTP: one, or none
	streams   []sip.Socket // connections
	undecided []dispatcher.Undecided
	silent    time.Duration // CLOCK_MONOTONIC when the other stopped reading; 0 if nobody did
}

// succession is what a front has to do with the process before it and the one after it.
type succession struct {
	estate  estate                                // what another process left
	ruling  atomic.Pointer[dispatcher.Dispatcher] // that workers report to
	opened  atomic.Bool                           // what workers may speak of is there
	early   []worker.Event                        // from before
	reading time.Duration                         // since when calls are taken, by monotonic

	upgrade   *upgradeSocket
	successor atomic.Int64 // pid of one that was started here, 0 for none
}

// httpAddress is how an estate names the socket of the API.
func httpAddress(listen string) string { return "http://" + listen }

// all are the descriptors in it.
func (e *estate) all() []sip.Socket {
	return append(append(append([]sip.Socket{}, e.sockets...), e.web...), e.streams...)
}

// takeUp takes what another process left, before anything is read.
func (f *front) takeUp() {
	f.dispatcher.Edge.Adopt(f.estate.streams)
	f.estate.streams = nil
	f.restoreCalls()
	for _, u := range f.estate.undecided {
		if err := f.dispatcher.Begin(u); err != nil {
			f.log.Error("call of an earlier process lost", "reason", err)
		}
	}
	f.estate.undecided = nil
}

// listenHTTP opens the socket of the API, or takes the one that is there.
func (f *front) listenHTTP() (net.Listener, error) {
	listen := f.started.HTTP.Listen
	s, ok := sip.Find(f.estate.web, httpAddress(listen))
	if !ok {
		sip.CloseSockets(f.estate.web)
		f.estate.web = nil
		return net.Listen("tcp", listen)
	}
	f.estate.web = nil
	file := os.NewFile(uintptr(s.FD), "http")
	defer file.Close()
	return net.FileListener(file)
}

// lend makes an estate of the sockets that are listened on. They go on to be this
// process's as well.
func (f *front) lend() (left estate, err error) {
	if left.sockets, err = f.dispatcher.Edge.Sockets(); err != nil {
		return left, err
	}
	fd, err := sip.DupSocket(f.web.(*net.TCPListener))
	if err != nil {
		sip.CloseSockets(left.sockets)
		return estate{}, err
	}
	left.web = []sip.Socket{{Address: httpAddress(f.started.HTTP.Listen), FD: fd}}
	return left, nil
}

// monotonic is a clock that all processes of a machine share and nobody sets.
func monotonic() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
