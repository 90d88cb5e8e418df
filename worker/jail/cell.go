package jail

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Cell holds one worker from outside. Nil is that of no jail.
type Cell struct {
	jail   *Jail
	cgroup *cgroup
	dir    *os.File // the socket directory, opened for a foreign user
	path   string   // its path, for the host
}

// The socket directory of a foreign user is its first file after the standard ones.
const (
	insideFd       = 3
	insideDir      = "/proc/self/fd/3"
	socketVariable = "PLUGIN_UNIX_SOCKET_DIR" // as go-plugin calls it
)

// Cell makes one for a worker by its name, which is that of no other alive, with so
// many octets of memory for the kernel to hold it to.
func (j *Jail) Cell(name string, memory uint64) (*Cell, error) {
	if j == nil {
		return nil, nil
	}
	c := &Cell{jail: j}
	if len(j.ground.cgroups) == 0 {
		return c, nil
	}
	made, err := makeCgroup(j.ground.cgroups, strconv.Itoa(os.Getpid())+"-"+name, memory)
	switch {
	case err == nil:
		c.cgroup = made
	case j.level == Require:
		return nil, fmt.Errorf("cgroup: %w", err)
	}
	return c, nil
}

// Apply makes the command start in the cell. Its environment must be complete, and
// its SysProcAttr set. A worker that is a foreign user gets its socket directory as
// an open file, the first of cmd.ExtraFiles, and the variable that names it is
// changed.
func (c *Cell) Apply(cmd *exec.Cmd) error {
	if c == nil {
		return nil
	}
	g := c.jail.ground
	attributes(cmd.SysProcAttr, g.spaces, g.identity)
	if g.identity == foreignUser {
		if err := c.handOver(cmd); err != nil {
			return fmt.Errorf("socket directory: %w", err)
		}
	}
	outside := walls(g.spaces, g.identity)
	if c.cgroup != nil {
		outside = append(outside, cgroupWall(g.cgroups))
	}
	cmd.Env = append(cmd.Env, outsideVariable+"="+strings.Join(outside, ","))
	return nil
}

func (c *Cell) handOver(cmd *exec.Cmd) error {
	for i, v := range cmd.Env {
		path, found := strings.CutPrefix(v, socketVariable+"=")
		if !found {
			continue
		}
		if err := os.Chown(path, nobody, nobody); err != nil {
			return err
		}
		dir, err := os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		c.dir, c.path = dir, path
		cmd.ExtraFiles = append([]*os.File{dir}, cmd.ExtraFiles...)
		cmd.Env[i] = socketVariable + "=" + insideDir
	}
	return nil
}

// Enter puts the worker's process, just started, under the limits of the cell.
func (c *Cell) Enter(pid int) error {
	if c == nil {
		return nil
	}
	c.closeDir()
	if c.cgroup != nil {
		if err := c.cgroup.enter(pid); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
	}
	return nil
}

// Outside is the host's path of a file that the worker names.
func (c *Cell) Outside(path string) string {
	if c == nil || c.path == "" {
		return path
	}
	if rest, found := strings.CutPrefix(path, insideDir); found {
		return c.path + rest
	}
	return path
}

// Kill ends whatever is in the cell, at once, where the kernel can; the process has
// to be killed as well where it cannot.
func (c *Cell) Kill() {
	if c != nil && c.cgroup != nil {
		c.cgroup.kill()
	}
}

// OutOfMemory reports whether the kernel has killed the worker because it wanted more
// memory than its cell has. It is to be asked before Release.
func (c *Cell) OutOfMemory() bool { return c != nil && c.cgroup != nil && c.cgroup.killed() }

// Release takes the cell down after the worker's exit. It may be called again.
func (c *Cell) Release() {
	if c == nil {
		return
	}
	c.closeDir()
	if c.cgroup != nil {
		c.cgroup.remove()
	}
}

func (c *Cell) closeDir() {
	if c.dir != nil {
		c.dir.Close()
		c.dir = nil
	}
}
