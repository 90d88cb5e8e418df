package main

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// systemd is told how the server is, if it has started it (sd_notify(3)).
var systemd = notifier{os.Getenv("NOTIFY_SOCKET")}

// A notifier sends states to a service manager: lines such as READY=1 in one datagram.
// With an empty address it says nothing.
type notifier struct{ address string }

func (n notifier) on() bool { return n.address != "" }

// say sends lines. That nobody listens harms nobody but the listener.
func (n notifier) say(lines ...string) {
	if !n.on() {
		return
	}
	// A leading @ is Go's sign for the abstract name space, as it is systemd's.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.address, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	conn.Write([]byte(strings.Join(lines, "\n")))
}

// status sets the line that systemctl status shows.
func (n notifier) status(format string, args ...any) { n.say("STATUS=" + fmt.Sprintf(format, args...)) }

// sayReady says that calls are taken, after a start and after a reload.
func (f *front) sayReady() {
	systemd.say("READY=1", fmt.Sprintf("STATUS=takes calls with %d of %d workers", f.pool.Ready(), f.started.Workers.Count))
}

// sayReloading says that what follows until READY=1 is a reload; the time tells systemd
// which of its requests is meant.
func sayReloading() {
	systemd.say("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic().Microseconds()))
}
