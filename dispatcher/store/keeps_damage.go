package store

import (
	"errors"
	"fmt"
	"time"
)

// A KeepsDamage tells of a keeps file that could not be used: what accounts had
// kept is not there any more. Nothing is deleted, so that it can be looked into.
type KeepsDamage struct {
	File  string // where it was, and where an empty one is now
	Aside string // where it is now, with its -wal and -shm if there were any
	Err   error  // what is wrong with it
}

func (d *KeepsDamage) Error() string {
	return fmt.Sprintf("%s was set aside as %s: %v", d.File, d.Aside, d.Err)
}

func (d *KeepsDamage) Unwrap() error { return d.Err }

var errForeignKeeps = errors.New("not a keeps file of this program")

// openSoundKeeps opens the file. Scripts have to run also when the file is unfit:
// then they begin with an empty one.
func openSoundKeeps(path string) (*keepFile, *KeepsDamage, error) {
	file, err := openKeepFile(path)
	if err == nil || !keepsUnfit(err) {
		return file, nil, err
	}
	damage := &KeepsDamage{File: path, Err: err}
	if damage.Aside, err = setAside(path, time.Now()); err != nil {
		return nil, nil, errors.Join(damage.Err, err)
	}
	file, err = openKeepFile(path)
	return file, damage, err
}

func keepsUnfit(err error) bool {
	return errors.Is(err, errForeignKeeps) || isUnfit(err)
}
