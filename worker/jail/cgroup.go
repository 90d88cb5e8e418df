package jail

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// What every worker gets besides its memory. Go uses some ten threads for a worker,
// and GOMAXPROCS=1 keeps it to one core.
const (
	maxThreads = 64
	cpuQuota   = 150 * time.Millisecond // in each cpuPeriod
	cpuPeriod  = 100 * time.Millisecond
)

// controllers are what a cgroup must have to be a wall.
var controllers = []string{"memory", "pids", "cpu"}

// A hierarchy is a directory of cgroups in which this process may make more.
type hierarchy struct {
	dir         string // this process's own place
	unified     bool   // version 2
	controllers []string
}

// A setting is one line written to one file of a cgroup.
type setting struct {
	controller, file, value string
	optional                bool // depends on how the kernel was built
}

// settings are the limits of a worker with so much memory, in octets. The dispatcher
// goes before its workers when they want the CPU at once.
func settings(unified bool, memory uint64) []setting {
	octets, quota, period := strconv.FormatUint(memory, 10), micro(cpuQuota), micro(cpuPeriod)
	threads := strconv.Itoa(maxThreads)
	if unified {
		return []setting{
			{"memory", "memory.max", octets, false},
			{"memory", "memory.swap.max", "0", true},
			{"memory", "memory.oom.group", "1", true},
			{"pids", "pids.max", threads, false},
			{"cpu", "cpu.weight", "50", true},
			{"cpu", "cpu.max", quota + " " + period, false},
		}
	}
	return []setting{
		{"memory", "memory.limit_in_bytes", octets, false},
		{"memory", "memory.memsw.limit_in_bytes", octets, true},
		{"pids", "pids.max", threads, false},
		{"cpu", "cpu.shares", "512", true},
		{"cpu", "cpu.cfs_period_us", period, true},
		{"cpu", "cpu.cfs_quota_us", quota, false},
	}
}

func micro(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

// cgroupPrefix begins the names of the cgroups made here; the pid of the host and the
// name of the worker follow.
const cgroupPrefix = "dialyard-"

// A cgroup is that of one worker: a directory in each hierarchy.
type cgroup struct{ dirs []string }

// makeCgroup makes a cgroup with its limits, or nothing.
func makeCgroup(hierarchies []hierarchy, name string, memory uint64) (*cgroup, error) {
	c := &cgroup{}
	for _, h := range hierarchies {
		dir := filepath.Join(h.dir, cgroupPrefix+name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			c.remove()
			return nil, err
		}
		c.dirs = append(c.dirs, dir)
		if err := h.set(dir, memory); err != nil {
			c.remove()
			return nil, err
		}
	}
	return c, nil
}

// set writes the settings of the controllers that a hierarchy is for.
func (h hierarchy) set(dir string, memory uint64) error {
	for _, s := range settings(h.unified, memory) {
		if !h.has(s.controller) {
			continue
		}
		if err := write(filepath.Join(dir, s.file), s.value); err != nil && !s.optional {
			return err
		}
	}
	return nil
}

func (h hierarchy) has(controller string) bool {
	for _, c := range h.controllers {
		if c == controller {
			return true
		}
	}
	return false
}

// write writes to a file that is there already, as all those of a cgroup are.
func write(file, value string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// enter moves a process in, with all its threads.
func (c *cgroup) enter(pid int) error {
	for _, dir := range c.dirs {
		if err := write(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(pid)); err != nil {
			return err
		}
	}
	return nil
}

// kill ends what is in it, where the kernel has that (Linux 5.14, version 2).
func (c *cgroup) kill() {
	for _, dir := range c.dirs {
		write(filepath.Join(dir, "cgroup.kill"), "1")
	}
}

// killed reports whether the kernel has killed a process in it for want of memory.
func (c *cgroup) killed() bool {
	for _, dir := range c.dirs {
		for _, file := range []string{"memory.events", "memory.oom_control"} { // version 2, version 1
			text, _ := os.ReadFile(filepath.Join(dir, file))
			if _, n, found := strings.Cut("\n"+string(text), "\noom_kill "); found && !strings.HasPrefix(n, "0") {
				return true
			}
		}
	}
	return false
}

// remove takes the directories away. The kernel lets go of them a little after the
// last process has.
func (c *cgroup) remove() {
	for _, dir := range c.dirs {
		for range 20 {
			if err := os.Remove(dir); !errors.Is(err, syscall.EBUSY) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// sweep removes what hosts that were killed have left in a hierarchy.
func sweep(h hierarchy, alive func(pid int) bool) {
	left, _ := filepath.Glob(filepath.Join(h.dir, cgroupPrefix+"*-*"))
	for _, dir := range left {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), cgroupPrefix), "-")
		if pid, err := strconv.Atoi(owner); err == nil && !alive(pid) {
			os.Remove(dir)
		}
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }

// tryCgroups finds where workers' cgroups can be made, by making one.
func (g *ground) tryCgroups() []hierarchy {
	found, err := ownHierarchies()
	if err == nil {
		err = tryMake(found)
	}
	if err != nil {
		g.lacks("cgroup", err.Error()+"; run dialyard in a cgroup of its own that it may divide, as systemd makes one with Delegate=yes")
		return nil
	}
	for _, h := range found {
		sweep(h, alive)
	}
	g.holds(cgroupWall(found))
	return found
}

func tryMake(found []hierarchy) error {
	for _, controller := range controllers {
		if !anyHas(found, controller) {
			return fmt.Errorf("no %s controller within reach", controller)
		}
	}
	trial, err := makeCgroup(found, strconv.Itoa(os.Getpid())+"-trial", 64<<20)
	if err != nil {
		return err
	}
	trial.remove()
	return nil
}

func anyHas(list []hierarchy, controller string) bool {
	for _, h := range list {
		if h.has(controller) {
			return true
		}
	}
	return false
}

// cgroupWall names the wall by the version that holds the memory.
func cgroupWall(list []hierarchy) string {
	for _, h := range list {
		if h.unified && h.has("memory") {
			return CgroupV2
		}
	}
	return CgroupV1
}
