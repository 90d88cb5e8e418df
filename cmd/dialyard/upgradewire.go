package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"dialyard/dispatcher"
	"dialyard/dispatcher/sip"
)

// How a server hands over to another is said in messages over a unix socket in the data
// directory, each with the descriptor it speaks of:
//
//	successor                          predecessor
//	    hello: a version     ──▶
//	                         ◀──   socket, socket, ...   one for each address
//	                         ◀──   offer                 that was all, or: no
//	    ready                ──▶         it has all that it needs
//	                                  the predecessor stops reading
//	                         ◀──   stream, invite, ...   what cannot lie in a file
//	                         ◀──   yours                 the data directory is free
//	    done                 ──▶         it serves
//
// Until "yours" the predecessor goes on if anything is wrong; afterwards it begins anew
// as after a crash, unless "done" has come.
const upgradeFile = "upgrade.sock"

// The kinds of a message.
const (
	sayHello  = "hello"
	saySocket = "socket"
	sayOffer  = "offer"
	sayNo     = "no"
	sayReady  = "ready"
	sayStream = "stream"
	sayInvite = "invite"
	sayYours  = "yours"
	sayDone   = "done"
)

// A message is one step of a handover.
type message struct {
	Kind    string                `json:"kind"`
	Version string                `json:"version,omitempty"`
	Reason  string                `json:"reason,omitempty"`
	Address string                `json:"address,omitempty"`
	Rest    []byte                `json:"rest,omitempty"`
	Made    bool                  `json:"made,omitempty"`
	Invite  *dispatcher.Undecided `json:"invite,omitempty"`
	Silent  time.Duration         `json:"silent,omitempty"`

	fd int // -1 for none
}

func (m *message) socket() sip.Socket {
	return sip.Socket{Address: m.Address, FD: m.fd, Rest: m.Rest, Made: m.Made}
}

// maxUpgradeMessage bounds a message, in octets: an INVITE of 64 KiB in base64.
const maxUpgradeMessage = 128 << 10

// An upgradeConn is the connection between the two.
type upgradeConn struct {
	*net.UnixConn
	pid int // of the other
	buf []byte
}

// newUpgradeConn refuses a peer of another user: what is handed over are calls.
func newUpgradeConn(conn *net.UnixConn) (*upgradeConn, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var peer *unix.Ucred
	if controlled := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); controlled != nil {
		err = controlled
	}
	if err != nil {
		return nil, err
	}
	if int(peer.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("process %d is of another user", peer.Pid)
	}
	return &upgradeConn{UnixConn: conn, pid: int(peer.Pid), buf: make([]byte, maxUpgradeMessage)}, nil
}

// say sends a message, with the descriptor fd unless it is -1.
func (c *upgradeConn) say(m message, fd int) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(text) > maxUpgradeMessage {
		return fmt.Errorf("%s: message of %d octets", m.Kind, len(text))
	}
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	c.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_, _, err = c.WriteMsgUnix(text, rights, nil)
	return gone(err)
}

// hear waits so long for the next message. One that says no is an error.
func (c *upgradeConn) hear(patience time.Duration) (message, error) {
	m := message{fd: -1}
	var rights [64]byte
	c.SetReadDeadline(time.Now().Add(patience))
	n, r, _, _, err := c.ReadMsgUnix(c.buf, rights[:])
	if err != nil || n == 0 {
		return m, gone(cmp.Or(err, io.EOF))
	}
	if err := json.Unmarshal(c.buf[:n], &m); err != nil {
		return m, fmt.Errorf("handover: %w", err)
	}
	if m.fd, err = rightIn(rights[:r]); err != nil {
		return m, err
	}
	if m.Kind == sayNo {
		return m, fmt.Errorf("the other process says no: %s", m.Reason)
	}
	return m, nil
}

// errGone says that the other end has closed, or died.
var errGone = errors.New("the other process has gone")

// gone is errGone for every way in which that shows.
func gone(err error) error {
	for _, sign := range []error{io.EOF, syscall.EPIPE, syscall.ECONNRESET} {
		if errors.Is(err, sign) {
			return errGone
		}
	}
	return err
}

// rightIn is the one descriptor that came with a message, -1 for none.
func rightIn(oob []byte) (int, error) {
	fd := -1
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return fd, err
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, extra := range fds {
			if fd >= 0 {
				unix.Close(extra)
				continue
			}
			fd = extra
		}
	}
	return fd, nil
}

// expect waits for a message of one kind.
func (c *upgradeConn) expect(kind string, patience time.Duration) error {
	m, err := c.hear(patience)
	if err == nil && m.Kind != kind {
		err = fmt.Errorf("handover: %s, where %s was expected", m.Kind, kind)
	}
	return err
}

// gone reports whether the other end has closed its side by now.
func (c *upgradeConn) closed() bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	closed := true
	raw.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(poll, 0)
		closed = err != nil && !errors.Is(err, unix.EINTR) || n > 0
	})
	return closed
}

// upgradeAddress is the socket's address. The path goes by a descriptor, because that of
// a unix socket has 107 octets at the most and a data directory may lie deep. dir must
// stay open until the address has been used.
func upgradeAddress(data string) (addr *net.UnixAddr, dir *os.File, err error) {
	if dir, err = os.Open(data); err != nil {
		return nil, nil, err
	}
	path := fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), upgradeFile)
	return &net.UnixAddr{Name: path, Net: "unixpacket"}, dir, nil
}

// dialPredecessor connects to the server that has the data directory.
func dialPredecessor(data string) (*upgradeConn, error) {
	addr, dir, err := upgradeAddress(data)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	conn, err := net.DialUnix("unixpacket", nil, addr)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, errNobody
	}
	if err != nil {
		return nil, err
	}
	c, err := newUpgradeConn(conn)
	if err != nil {
		conn.Close()
	}
	return c, err
}

// errNobody says that no server has the data directory.
var errNobody = errors.New("no server to take over from")

// An upgradeSocket is where a server waits for its successor.
type upgradeSocket struct {
	listener *net.UnixListener
	path     string
	heirs    chan *upgradeConn // that have said hello
	closing  chan struct{}
	once     sync.Once
	accepted chan struct{} // closed when the accepting goroutine has ended
}

// openUpgradeSocket makes the socket. The lock of the data directory must be held.
func openUpgradeSocket(data string) (*upgradeSocket, error) {
	u := &upgradeSocket{path: filepath.Join(data, upgradeFile), heirs: make(chan *upgradeConn), closing: make(chan struct{}), accepted: make(chan struct{})}
	addr, dir, err := upgradeAddress(data)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if err := os.Remove(u.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if u.listener, err = net.ListenUnix("unixpacket", addr); err != nil {
		return nil, err
	}
	u.listener.SetUnlinkOnClose(false) // it may be the successor's by then
	if err := os.Chmod(u.path, 0o600); err != nil {
		u.listener.Close()
		return nil, err
	}
	go u.accept()
	return u, nil
}

// accept hears those who knock, one after the other.
func (u *upgradeSocket) accept() {
	defer close(u.accepted)
	for {
		conn, err := u.listener.AcceptUnix()
		if err != nil {
			return // closed
		}
		c, err := newUpgradeConn(conn)
		if err != nil || c.expect(sayHello, time.Second) != nil {
			conn.Close()
			continue
		}
		select {
		case u.heirs <- c:
		case <-u.closing:
			conn.Close()
		case <-time.After(5 * time.Second):
			c.say(message{Kind: sayNo, Reason: "it is busy"}, -1)
			conn.Close()
		}
	}
}

// close ends the wait, once. The socket's name stays: the next process removes it.
func (u *upgradeSocket) close() {
	if u == nil {
		return
	}
	u.once.Do(func() {
		close(u.closing)
		u.listener.Close()
		<-u.accepted
	})
}
