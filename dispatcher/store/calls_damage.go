package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A CallsDamage tells of a calls file that could not be used: the calls in it
// are not known any more. Nothing is deleted, so that it can be looked into.
type CallsDamage struct {
	File  string // where it was, and where an empty one is now
	Aside string // where it is now, with its -wal and -shm if there were any
	Err   error  // what is wrong with it
}

func (d *CallsDamage) Error() string {
	return fmt.Sprintf("%s was set aside as %s: %v", d.File, d.Aside, d.Err)
}

func (d *CallsDamage) Unwrap() error { return d.Err }

var (
	errForeign = errors.New("not a calls file of this program")
	errBroken  = errors.New("the check of the file found")
)

// openSoundFile opens the file. The front has to serve also when the file is
// unfit: then it begins with an empty one.
func openSoundFile(path string) (*callFile, *CallsDamage, error) {
	file, err := openCallFile(path)
	if err == nil || !isUnfit(err) {
		return file, nil, err
	}
	damage := &CallsDamage{File: path, Err: err}
	if damage.Aside, err = setAside(path, time.Now()); err != nil {
		return nil, nil, errors.Join(damage.Err, err)
	}
	file, err = openCallFile(path)
	return file, damage, err
}

// isUnfit tells damage and foreign files from a disk or a lock that is in the
// way. A plain SQLITE_ERROR is one about the tables, as they are not ours.
func isUnfit(err error) bool {
	if errors.Is(err, errForeign) || errors.Is(err, errBroken) {
		return true
	}
	var refusal *sqlite.Error
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.Code() & 0xff { // above it are details
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR:
		return true
	}
	return false
}

// setAside renames the file and its companions, such that SQLite still finds
// them together. It gives the new name.
func setAside(path string, now time.Time) (string, error) {
	aside := path + ".damaged-" + now.UTC().Format("20060102T150405.000000Z")
	for _, companion := range []string{"-wal", "-shm", ""} { // the file last: while it is there, it is tried again
		err := os.Rename(path+companion, aside+companion)
		if err != nil && !(companion != "" && errors.Is(err, fs.ErrNotExist)) {
			return "", err
		}
	}
	return aside, syncDir(filepath.Dir(path))
}
