package jail

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// hostLeaf is the cgroup below its own that a host moves to in a unified hierarchy:
// there, processes live in leaves only (cgroups(7), "no internal processes").
const hostLeaf = "dialyard-host"

// ownHierarchies finds this process's place in the hierarchies whose controllers
// matter, and makes it fit to hold others.
func ownHierarchies() ([]hierarchy, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	memberships, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	var usable []hierarchy
	var errs []error
	for _, h := range hierarchies(string(mounts), string(memberships)) {
		if h.unified {
			if err := h.prepare(os.Getpid()); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		if len(h.controllers) > 0 {
			usable = append(usable, h)
		}
	}
	if len(usable) == 0 {
		return nil, errors.Join(append(errs, errors.New("no hierarchy within reach"))...)
	}
	return usable, nil
}

// hierarchies reads /proc/self/mountinfo (proc(5)) and /proc/self/cgroup
// (cgroups(7)). A unified hierarchy comes without controllers.
func hierarchies(mounts, memberships string) []hierarchy {
	var list []hierarchy
	for line := range lines(mounts) {
		m, ok := parseMount(line)
		if !ok {
			continue
		}
		path, wanted, ok := membership(memberships, m)
		if !ok || !m.unified && len(wanted) == 0 {
			continue
		}
		below, ok := strings.CutPrefix(path, strings.TrimSuffix(m.root, "/"))
		if !ok || below != "" && below[0] != '/' {
			continue // the mount shows another part of the tree
		}
		list = append(list, hierarchy{dir: filepath.Join(m.point, below), unified: m.unified, controllers: wanted})
	}
	return list
}

// mount is a cgroup file system.
type mount struct {
	root, point string
	unified     bool
	options     []string // of a version 1 hierarchy: its controllers are among them
}

func parseMount(line string) (m mount, ok bool) {
	before, after, _ := strings.Cut(line, " - ")
	place, kind := strings.Fields(before), strings.Fields(after)
	if len(place) < 6 || len(kind) < 3 || kind[0] != "cgroup" && kind[0] != "cgroup2" {
		return m, false
	}
	return mount{root: place[3], point: place[4], unified: kind[0] == "cgroup2", options: strings.Split(kind[2], ",")}, true
}

// membership finds this process's path in a mounted hierarchy, and which of the
// controllers that matter a version 1 hierarchy has.
func membership(memberships string, m mount) (path string, wanted []string, ok bool) {
	for line := range lines(memberships) {
		fields := strings.SplitN(line, ":", 3)
		if len(fields) != 3 {
			continue
		}
		if m.unified {
			if fields[0] == "0" && fields[1] == "" {
				return fields[2], nil, true
			}
			continue
		}
		names := strings.Split(fields[1], ",")
		if fields[1] == "" || !slices.ContainsFunc(names, func(n string) bool { return slices.Contains(m.options, n) }) {
			continue
		}
		for _, c := range controllers {
			if slices.Contains(names, c) {
				wanted = append(wanted, c)
			}
		}
		return fields[2], wanted, true
	}
	return "", nil, false
}

func lines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		scanner := bufio.NewScanner(strings.NewReader(text))
		for scanner.Scan() {
			if !yield(scanner.Text()) {
				return
			}
		}
	}
}

// prepare makes a unified hierarchy's controllers work below this process's place.
// If the process lives there alone it moves down to a leaf for that; a place that
// others share is left as it is.
func (h *hierarchy) prepare(pid int) error {
	if filepath.Base(h.dir) == hostLeaf { // moved by the program that became this one
		h.dir = filepath.Dir(h.dir)
	}
	offered, err := os.ReadFile(filepath.Join(h.dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, c := range controllers {
		if !slices.Contains(strings.Fields(string(offered)), c) {
			continue
		}
		err := h.enable(c)
		if errors.Is(err, syscall.EBUSY) {
			if err = h.moveDown(pid); err == nil {
				err = h.enable(c)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
		h.controllers = append(h.controllers, c)
	}
	return nil
}

func (h *hierarchy) enable(controller string) error {
	return write(filepath.Join(h.dir, "cgroup.subtree_control"), "+"+controller)
}

// moveDown puts the process in the leaf, if it is alone.
func (h *hierarchy) moveDown(pid int) error {
	inhabitants, err := os.ReadFile(filepath.Join(h.dir, "cgroup.procs"))
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(inhabitants)) != strconv.Itoa(pid) {
		return errors.New("other processes share this cgroup")
	}
	leaf := filepath.Join(h.dir, hostLeaf)
	if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return write(filepath.Join(leaf, "cgroup.procs"), strconv.Itoa(pid))
}
