package jail

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// outsideVariable tells a worker which walls its host has built around it.
const outsideVariable = "DIALYARD_JAIL"

// A Spec says what a worker gives up.
type Spec struct {
	Level  Level
	Memory uint64 // octets that it may use beyond what it has now
}

// Confine gives up what a worker does not need, once for all its threads. What it
// uses must be open by then: no file can be opened, no socket made, no process
// started afterwards. It says which walls stand, its host's among them. At level Off
// only the limits are set. At level Require it fails, with the process in a state of
// no use, unless every wall that is a worker's own stands.
func Confine(s Spec) (r Report, err error) {
	held := s.Level == BestEffort || s.Level == Require
	if outside := os.Getenv(outsideVariable); held && outside != "" {
		r.holds(strings.Split(outside, ",")...)
	}
	memory := s.Memory
	if r.Has(CgroupV1) || r.Has(CgroupV2) {
		memory *= headroom
	}
	if err := limit(memory); err != nil {
		return r, err
	}
	r.holds(Rlimits)
	if !held {
		return r, nil
	}
	prepareToStay()
	err = onOneThread(func() error { return r.build(s.Level) })
	return r, err
}

// build builds the inner walls in their order.
func (r *Report) build(level Level) error {
	for _, w := range []struct {
		wall  string
		build func() error
	}{
		{NoNewPrivs, renouncePrivileges},
		{Landlock, renounceFiles},
		{Seccomp, renounceCalls},
	} {
		switch err := w.build(); {
		case err == nil:
			r.holds(w.wall)
		case level == Require:
			return fmt.Errorf("%s: %w", w.wall, err)
		default:
			r.lacks(w.wall, err.Error())
		}
	}
	return nil
}

// prepareToStay does what needs a file while there are files: Go reads the local
// time zone when it is first used, and the socket directory has served.
func prepareToStay() {
	_ = time.Local.String()
	if strings.HasPrefix(os.Getenv(socketVariable), insideDir) {
		syscall.Close(insideFd)
	}
}
