package jail

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"syscall"
)

// nobody is the user and group that a worker sees itself as.
const nobody = 65534

// clone is a set of namespaces to be made with a process, as CLONE_ flags.
type clone uintptr

// spaces are the namespaces of a worker but the user namespace. The file system in
// the mount namespace stays the host's: a worker without capabilities can change
// nothing of it, and Landlock takes the rest.
var spaces = []struct {
	wall string
	flag clone
}{
	{MountNS, syscall.CLONE_NEWNS},
	{PidNS, syscall.CLONE_NEWPID},
	{NetNS, syscall.CLONE_NEWNET},
	{IpcNS, syscall.CLONE_NEWIPC},
	{UtsNS, syscall.CLONE_NEWUTS},
}

const everySpace clone = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS

// identity says who a worker is outside.
type identity int

const (
	hostUser    identity = iota // the host's user
	foreignUser                 // nobody: 65534
)

// attributes are those of a process in these namespaces, in addition to attr's.
func attributes(attr *syscall.SysProcAttr, spaces clone, who identity) {
	attr.Cloneflags |= uintptr(spaces)
	outside, group := os.Getuid(), os.Getgid()
	if who == foreignUser {
		outside, group = nobody, nobody
		attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if spaces&syscall.CLONE_NEWUSER != 0 {
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: outside, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: group, Size: 1}}
		attr.GidMappingsEnableSetgroups = who == foreignUser
	}
}

// trySpaces finds the most namespaces that can be had together, and says who a
// worker can be in them.
func (g *ground) trySpaces() (clone, identity) {
	best := bestAttempt(identities(g), tryClone)
	best.report(&g.Report)
	return best.spaces, best.who
}

// bestAttempt goes through the ways to make namespaces, the most promising first.
func bestAttempt(who []identity, try func(clone, identity) error) (best attempt) {
	for _, who := range who {
		for _, base := range []clone{syscall.CLONE_NEWUSER, 0} {
			a := most(base, who, try)
			if a.worth() > best.worth() {
				best = a
			}
			if a.all() {
				return best
			}
		}
	}
	return best
}

// attempt is what one way of making namespaces came to.
type attempt struct {
	spaces clone
	who    identity
	failed map[clone]error // flag by flag
}

func (a attempt) all() bool { return a.spaces == everySpace|syscall.CLONE_NEWUSER }

// worth ranks attempts: a namespace counts one, a user that owns nothing two.
func (a attempt) worth() int {
	n := 2 * int(a.who)
	for flags := a.spaces; flags != 0; flags &= flags - 1 {
		n++
	}
	return n
}

// most tries a base with every namespace, or else with one after the other.
func most(base clone, who identity, try func(clone, identity) error) attempt {
	a := attempt{spaces: base, who: who, failed: map[clone]error{}}
	if try(base|everySpace, who) == nil {
		a.spaces |= everySpace
		return a
	}
	if err := try(base, who); err != nil {
		return attempt{failed: map[clone]error{base: err}}
	}
	for _, s := range spaces {
		if err := try(a.spaces|s.flag, who); err != nil {
			a.failed[s.flag] = err
			continue
		}
		a.spaces |= s.flag
	}
	return a
}

func (a attempt) report(r *Report) {
	if a.spaces&syscall.CLONE_NEWUSER != 0 {
		r.holds(UserNS)
	} else {
		r.lacks(UserNS, "this process may not make one; see sysctl user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns, and the container's seccomp profile")
	}
	for _, s := range spaces {
		if a.spaces&s.flag != 0 {
			r.holds(s.wall)
			continue
		}
		why := cmp.Or(a.failed[s.flag], error(syscall.EPERM))
		r.lacks(s.wall, why.Error()+"; it comes with user namespaces or CAP_SYS_ADMIN")
	}
	if a.who == foreignUser {
		r.holds(User)
	}
}

// identities are those to be tried, the best first. What keeps a host that is root
// from giving another user is a gap of its own.
func identities(g *ground) []identity {
	if os.Getuid() != 0 {
		return []identity{hostUser}
	}
	if err := tryForeign(); err != nil {
		g.lacks(User, err.Error()+"; run dialyard as a user that is not root")
		return []identity{hostUser}
	}
	return []identity{foreignUser, hostUser}
}

// tryForeign reports whether this root can give away a directory and a process, and
// whether nobody may run this program.
func tryForeign() error {
	dir, err := os.MkdirTemp("", "dialyard-jail")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	if err := os.Chown(dir, nobody, nobody); err != nil {
		return err
	}
	info, err := os.Stat("/proc/self/exe")
	if err != nil {
		return err
	}
	if info.Mode()&0o005 != 0o005 {
		return errors.New("the program is not readable and executable by all")
	}
	return tryClone(0, foreignUser)
}

// tryClone makes a process as asked, for as long as it takes it to find out that it
// has nothing to execute.
func tryClone(spaces clone, who identity) error {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	attributes(attr, spaces, who)
	_, err := syscall.ForkExec("/proc/self/nothing", []string{"nothing"}, &syscall.ProcAttr{Sys: attr})
	if err == syscall.ENOENT {
		return nil
	}
	return err
}

// walls names what a set of flags and an identity stand for.
func walls(flags clone, who identity) (names []string) {
	if flags&syscall.CLONE_NEWUSER != 0 {
		names = append(names, UserNS)
	}
	for _, s := range spaces {
		if flags&s.flag != 0 {
			names = append(names, s.wall)
		}
	}
	if who == foreignUser {
		names = append(names, User)
	}
	return slices.Clip(names)
}
