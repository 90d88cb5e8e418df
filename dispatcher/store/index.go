package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

var (
	// ErrUnknownPlan is given for a plan that has never been published.
	ErrUnknownPlan = errors.New("unknown plan")
	// ErrUnknownVersion is given for a version that the plan does not have,
	// also when there is none to go back to.
	ErrUnknownVersion = errors.New("unknown version")
)

// The sources of a version.
const (
	SourceUpload = "upload" // an author published it
	SourceDir    = "dir"    // it was found in plans.dir or is built in
)

// A Version is one immutable content of a plan.
type Version struct {
	Number  uint32    `json:"number"` // from 1, in the order of first publication
	Hash    string    `json:"hash"`   // of its bundle
	Created time.Time `json:"created"`
	Source  string    `json:"source"` // SourceUpload or SourceDir
	Live    bool      `json:"live"`   // new calls run it
}

// maxLive bounds how far back a plan remembers which version was live.
const maxLive = 64

// index is what the disk remembers of one plan. It is a value: publish and
// rollback return a changed copy, which counts once it has been written.
//
//	publish new content:   Versions + v,  Live + v
//	publish old content:                  Live + v    (one number per content)
//	rollback to v:                        Live + v
//	rollback:                             Live - last
type index struct {
	Versions []entry  `json:"versions"` // Versions[i] has number i+1
	Live     []uint32 `json:"live"`     // which were live, oldest first; the last one is
	Imported string   `json:"imported"` // hash that plans.dir had last, "" for none
}

type entry struct {
	Hash    string    `json:"hash"`
	Created time.Time `json:"created"`
	Source  string    `json:"source"`
}

// live is the number of the live version, 0 when nothing was published yet.
func (x index) live() uint32 {
	if len(x.Live) == 0 {
		return 0
	}
	return x.Live[len(x.Live)-1]
}

// version gives the version of a number that check or publish vouches for.
func (x index) version(number uint32) Version {
	e := x.Versions[number-1]
	return Version{Number: number, Hash: e.Hash, Created: e.Created, Source: e.Source, Live: number == x.live()}
}

func (x index) publish(hash, source string, now time.Time) index {
	at := slices.IndexFunc(x.Versions, func(e entry) bool { return e.Hash == hash })
	if at < 0 {
		at = len(x.Versions)
		x.Versions = append(slices.Clip(x.Versions), entry{Hash: hash, Created: now.UTC(), Source: source})
	}
	return x.enliven(uint32(at + 1))
}

func (x index) rollback(to uint32) (index, error) {
	if to == 0 {
		if len(x.Live) < 2 {
			return x, fmt.Errorf("%w: none was live before version %d", ErrUnknownVersion, x.live())
		}
		x.Live = slices.Clip(x.Live[:len(x.Live)-1])
		return x, nil
	}
	if uint64(to) > uint64(len(x.Versions)) {
		return x, fmt.Errorf("%w %d: there are 1 to %d", ErrUnknownVersion, to, len(x.Versions))
	}
	return x.enliven(to), nil
}

func (x index) enliven(number uint32) index {
	if x.live() == number {
		return x
	}
	x.Live = append(slices.Clip(x.Live), number)
	if len(x.Live) > maxLive {
		x.Live = x.Live[len(x.Live)-maxLive:]
	}
	return x
}

// check says whether a decoded index can be trusted to be one.
func (x index) check() error {
	if len(x.Versions) == 0 || len(x.Live) == 0 {
		return errors.New("no live version")
	}
	for _, number := range x.Live {
		if number == 0 || uint64(number) > uint64(len(x.Versions)) {
			return fmt.Errorf("no version %d", number)
		}
	}
	for i, e := range x.Versions {
		if !isHash(e.Hash) {
			return fmt.Errorf("version %d has no hash", i+1)
		}
	}
	return nil
}

// isHash also keeps whatever an index or a caller names from leaving the
// bundle directory.
func isHash(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == 32
}
