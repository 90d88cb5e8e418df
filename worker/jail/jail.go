package jail

import (
	"fmt"
	"math"
	"sync"

	"golang.org/x/sys/unix"
)

// A Level says how firmly workers must be held.
type Level string

// The levels, by their names in the configuration.
const (
	Off        Level = "off"         // limits of the process itself only
	BestEffort Level = "best-effort" // what the system gives
	Require    Level = "require"     // every wall, or no start
)

// A Jail is where the workers of one host live. Nil is level Off.
type Jail struct {
	level  Level
	ground *ground
}

// New finds out what the system gives and makes a jail of it. At level Require it
// is an error if a wall cannot be had; the text says which, why, and what to do.
// It may move this process to a cgroup below its own; see prepare.
func New(level Level) (*Jail, error) {
	switch level {
	case Off, "":
		return nil, nil
	case BestEffort, Require:
	default:
		return nil, fmt.Errorf("jail level %q", level)
	}
	j := &Jail{level: level, ground: survey()}
	if level == Require && len(j.ground.gaps) > 0 {
		return nil, fmt.Errorf("%s", j.ground.Gaps())
	}
	return j, nil
}

// Report says which walls the jail's workers will have, and which they cannot.
func (j *Jail) Report() Report {
	if j == nil {
		return Report{walls: []string{Rlimits}}
	}
	return j.ground.Report
}

// ground is what a jail can be built on: what this system lets this process do.
type ground struct {
	Report
	spaces   clone
	identity identity
	cgroups  []hierarchy
}

// survey tries everything once.
var survey = sync.OnceValue(func() *ground {
	// What this process was born with open is not for its workers. Go itself
	// leaves nothing open for them.
	unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	g := &ground{}
	g.spaces, g.identity = g.trySpaces()
	g.cgroups = g.tryCgroups()
	g.tryInside()
	return g
})

// tryInside asks for what a worker will do to itself. That cannot be tried: it
// would bind this process.
func (g *ground) tryInside() {
	g.holds(NoNewPrivs)
	if err := landlockSupport(); err != nil {
		g.lacks(Landlock, err.Error())
	} else {
		g.holds(Landlock)
	}
	if err := seccompSupport(); err != nil {
		g.lacks(Seccomp, err.Error()+"; it needs Linux on amd64 or arm64 with CONFIG_SECCOMP_FILTER")
	} else {
		g.holds(Seccomp)
	}
	g.holds(Rlimits)
}
