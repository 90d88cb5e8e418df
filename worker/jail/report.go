package jail

import (
	"slices"
	"strings"
)

// The walls, by their names in reports.
const (
	UserNS     = "userns"
	MountNS    = "mountns"
	PidNS      = "pidns"
	NetNS      = "netns"
	IpcNS      = "ipcns"
	UtsNS      = "utsns"
	User       = "uid"     // a user that owns nothing; only a host that is root can give it
	CgroupV2   = "cgroup2" // memory, processes and CPU, in the unified hierarchy
	CgroupV1   = "cgroup1" // the same, in hierarchies of their own
	NoNewPrivs = "nnp"
	Landlock   = "landlock"
	Seccomp    = "seccomp"
	Rlimits    = "rlimits"
)

// order is that of a report: from outside to inside.
var order = []string{UserNS, MountNS, PidNS, NetNS, IpcNS, UtsNS, User, CgroupV2, CgroupV1, NoNewPrivs, Landlock, Seccomp, Rlimits}

// A Report says which walls stand. The zero value has none.
type Report struct {
	walls []string
	gaps  []gap
}

// gap is a wall that does not stand.
type gap struct{ wall, why string }

func (r *Report) holds(walls ...string) { r.walls = append(r.walls, walls...) }

func (r *Report) lacks(wall, why string) { r.gaps = append(r.gaps, gap{wall, why}) }

// String lists the walls from outside to inside: "userns,pidns,landlock,rlimits".
func (r Report) String() string {
	var names []string
	for _, wall := range order {
		if slices.Contains(r.walls, wall) {
			names = append(names, wall)
		}
	}
	return strings.Join(names, ",")
}

// Has reports whether a wall stands.
func (r Report) Has(wall string) bool { return slices.Contains(r.walls, wall) }

// Gaps says in one line what is missing and why; empty if nothing is.
func (r Report) Gaps() string {
	var said []string
	for _, g := range r.gaps {
		said = append(said, "no "+g.wall+": "+g.why)
	}
	return strings.Join(said, ". ")
}
