package main

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"dialyard/cmd/dialyard/config"
	"dialyard/dispatcher/sip"
)

// firstPassed is the first descriptor that a service manager passes (sd_listen_fds(3)).
const firstPassed = 3

// passedSockets are the sockets that systemd has opened for this process. Each is told
// by its address; one at the address of http.listen is the API's.
func passedSockets(cfg *config.Config) (estate, error) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return estate{}, nil
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil {
		return estate{}, nil
	}
	var e estate
	for fd := firstPassed; fd < firstPassed+n; fd++ {
		unix.CloseOnExec(fd)
		host, transport, err := boundTo(fd)
		if err != nil {
			return estate{}, fmt.Errorf("socket %d of LISTEN_FDS: %w", fd, err)
		}
		web := sip.Socket{Address: httpAddress(host), FD: fd}
		if _, ok := sip.Find([]sip.Socket{web}, httpAddress(cfg.HTTP.Listen)); ok && transport == "tcp" {
			e.web = append(e.web, web)
			continue
		}
		e.sockets = append(e.sockets, sip.Socket{Address: transport + "://" + host, FD: fd})
	}
	return e, nil
}

// boundTo is where a socket listens.
func boundTo(fd int) (host, transport string, err error) {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return "", "", err
	}
	switch kind {
	case unix.SOCK_DGRAM:
		transport = "udp"
	case unix.SOCK_STREAM:
		transport = "tcp"
	default:
		return "", "", fmt.Errorf("neither UDP nor TCP")
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return "", "", err
	}
	switch at := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(at.Addr), uint16(at.Port)).String(), transport, nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(at.Addr).Unmap(), uint16(at.Port)).String(), transport, nil
	}
	return "", "", fmt.Errorf("not an IP socket")
}
