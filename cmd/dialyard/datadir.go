package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A dataDir is the data directory, locked for this process, and the private
// directory for sockets that belongs to it.
type dataDir struct {
	path, sockets string
	lock          *os.File
}

// openDataDir makes and locks the directory and clears what a killed predecessor
// left: its sockets. Its workers died with it.
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data.dir: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data.dir: %w", err)
	}
	if !lockWithin(lock, lockPatience) {
		lock.Close()
		return nil, fmt.Errorf("data.dir %s is in use by another dialyard; give this one another data.dir", path)
	}
	d := &dataDir{path: path, lock: lock}
	if d.sockets, err = socketDir(path); err != nil {
		lock.Close()
		return nil, err
	}
	return d, nil
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

// socketDir makes an empty directory of ours alone. It does not lie in the data
// directory, because the path of a unix socket has 107 octets at the most.
func socketDir(data string) (string, error) {
	sum := sha256.Sum256([]byte(data))
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("dialyard-%d-%x", os.Getuid(), sum[:6]))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !ok || int(stat.Uid) != os.Getuid() {
		return "", fmt.Errorf("%s must be a directory of this user's with mode 0700; remove it", dir)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), "plugin-dir") {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
	return dir, nil
}

// close lets another process have the directory.
func (d *dataDir) close() {
	os.Remove(d.sockets)
	d.lock.Close()
}

// file is a path below the data directory.
func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }
