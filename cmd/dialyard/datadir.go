package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// A dataDir is the data directory and the private directory for sockets that belongs to
// it and this process. Only who holds the lock touches what lies in the former.
type dataDir struct {
	path, sockets string
	lock          *os.File // nil before take
}

// openDataDir makes the directories.
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data.dir: %w", err)
	}
	d := &dataDir{path: path}
	if d.sockets, err = socketDir(path); err != nil {
		return nil, err
	}
	return d, nil
}

// take locks the directory and clears what a killed predecessor left: its sockets. Its
// workers died with it.
func (d *dataDir) take() error {
	lock, err := os.OpenFile(d.file("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("data.dir: %w", err)
	}
	if !lockWithin(lock, lockPatience) {
		lock.Close()
		return fmt.Errorf("data.dir %s is in use by another dialyard; give this one another data.dir, or let it go on in place of the other with --takeover", d.path)
	}
	d.lock = lock
	d.sweepSockets()
	return nil
}

// lockPatience is for a predecessor that was killed and is not quite gone.
const lockPatience = 2 * time.Second

// lockWithin takes the lock as soon as nobody holds it.
func lockWithin(lock *os.File, patience time.Duration) bool {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// socketDir makes a directory of this process's alone. It does not lie in the data
// directory, because the path of a unix socket has 107 octets at the most.
func socketDir(data string) (string, error) {
	sum := sha256.Sum256([]byte(data))
	base := filepath.Join(os.TempDir(), fmt.Sprintf("dialyard-%d-%x", os.Getuid(), sum[:6]))
	if err := makePrivate(base); err != nil {
		return "", err
	}
	dir := filepath.Join(base, strconv.Itoa(os.Getpid()))
	if err := os.RemoveAll(dir); err != nil { // of another with this pid, long ago
		return "", err
	}
	return dir, makePrivate(dir)
}

// makePrivate makes a directory that nobody else can look into, or makes sure that it is
// one.
func makePrivate(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !ok || int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("%s must be a directory of this user's with mode 0700; remove it", dir)
	}
	return nil
}

// sweepSockets removes what processes left that are no more. The one that this one takes
// over from may still be about to end.
func (d *dataDir) sweepSockets() {
	base := filepath.Dir(d.sockets)
	left, _ := os.ReadDir(base)
	for _, e := range left {
		if pid, err := strconv.Atoi(e.Name()); err != nil || syscall.Kill(pid, 0) == syscall.ESRCH {
			os.RemoveAll(filepath.Join(base, e.Name()))
		}
	}
}

// release lets another process have the directory.
func (d *dataDir) release() {
	if d.lock != nil {
		d.lock.Close()
		d.lock = nil
	}
}

// close releases the directory and removes the sockets.
func (d *dataDir) close() {
	os.RemoveAll(d.sockets)
	os.Remove(filepath.Dir(d.sockets)) // unless another process has its own there
	d.release()
}

// file is a path below the data directory.
func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }
