package jail

import (
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestHierarchiesAreFoundWhereTheyAreMounted(t *testing.T) {
	for name, c := range map[string]struct {
		mounts, memberships string
		want                []hierarchy
	}{
		"systemd": {
			"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
			"0::/system.slice/dialyard.service\n",
			[]hierarchy{{dir: "/sys/fs/cgroup/system.slice/dialyard.service", unified: true}},
		},
		"container with its own view": {
			"700 690 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n", "0::/\n",
			[]hierarchy{{dir: "/sys/fs/cgroup", unified: true}},
		},
		"container with a part of the host's tree": {
			"700 690 0:33 /docker/4711 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", "5:memory:/docker/4711\n",
			[]hierarchy{{dir: "/sys/fs/cgroup/memory", controllers: []string{"memory"}}},
		},
		"a part that is not ours": {
			"700 690 0:33 /docker/47 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", "5:memory:/docker/4711\n", nil,
		},
		"version 1 and hybrid": {
			"33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 - cgroup cgroup rw,cpu,cpuacct\n" +
				"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
				"36 31 0:33 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n" +
				"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" +
				"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n",
			"9:name=systemd:/a\n5:devices:/a\n4:memory:/a/b\n1:cpu,cpuacct:/\n0::/a\n",
			[]hierarchy{
				{dir: "/sys/fs/cgroup/cpu,cpuacct", controllers: []string{"cpu"}},
				{dir: "/sys/fs/cgroup/memory/a/b", controllers: []string{"memory"}},
				{dir: "/sys/fs/cgroup/unified/a", unified: true},
			},
		},
		"nothing": {"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", "0::/\n", nil},
	} {
		if got := hierarchies(c.mounts, c.memberships); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// tree is a unified hierarchy's directory with the files that prepare uses. Unlike the
// kernel it keeps only what was written last.
func tree(t *testing.T, inhabitants string) hierarchy {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"cgroup.controllers": "cpuset cpu io memory pids\n", "cgroup.subtree_control": "", "cgroup.procs": inhabitants} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return hierarchy{dir: dir, unified: true}
}

func TestAUnifiedHierarchyIsPrepared(t *testing.T) {
	h := tree(t, "")
	if err := h.prepare(42); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(h.controllers, " "); got != "memory pids cpu" {
		t.Errorf("controllers %q", got)
	}
	leaf := hierarchy{dir: filepath.Join(h.dir, hostLeaf), unified: true}
	if err := leaf.prepare(42); err != nil || leaf.dir != h.dir {
		t.Errorf("%v: workers would live in %s, want %s", err, leaf.dir, h.dir)
	}
}

func TestAHostMovesDownOnlyIfItIsAlone(t *testing.T) {
	h := tree(t, "42\n43\n")
	if err := h.moveDown(42); err == nil {
		t.Error("it left others behind")
	}
	h = tree(t, "42\n")
	leaf := filepath.Join(h.dir, hostLeaf)
	if err := os.Mkdir(leaf, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(leaf, "cgroup.procs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.moveDown(42); err != nil {
		t.Fatal(err)
	}
	if moved, _ := os.ReadFile(filepath.Join(leaf, "cgroup.procs")); string(moved) != "42" {
		t.Errorf("%q moved, want 42", moved)
	}
}

func TestOnlyWhatTheDeadLeftIsSwept(t *testing.T) {
	h := hierarchy{dir: t.TempDir()}
	for _, name := range []string{"dialyard-41-w1.1", "dialyard-42-w2.7", hostLeaf, "dialyard-x-w1.1", "other"} {
		if err := os.Mkdir(filepath.Join(h.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sweep(h, func(pid int) bool { return pid == 42 })
	left, _ := os.ReadDir(h.dir)
	var names []string
	for _, e := range left {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "dialyard-42-w2.7 dialyard-host dialyard-x-w1.1 other" {
		t.Error(got)
	}
}

func TestACgroupHoldsItsLimitsAndLeavesNothing(t *testing.T) {
	j := build(t)
	if len(j.ground.cgroups) == 0 {
		t.Skip(j.Report().Gaps())
	}
	cell, err := j.Cell("w7.1", testMemory)
	if err != nil {
		t.Fatal(err)
	}
	defer cell.Release()
	for i, h := range j.ground.cgroups {
		for _, s := range settings(h.unified, testMemory) {
			if s.optional || !h.has(s.controller) {
				continue
			}
			if text, err := os.ReadFile(filepath.Join(cell.cgroup.dirs[i], s.file)); err != nil || strings.TrimSpace(string(text)) != s.value {
				t.Errorf("%s is %q (%v), want %q", s.file, text, err, s.value)
			}
		}
	}
	cell.Release()
	for _, dir := range cell.cgroup.dirs {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is left", dir)
		}
	}
}

func TestACgroupThatCannotBeMadeLeavesNothing(t *testing.T) {
	good := hierarchy{dir: t.TempDir()}
	if _, err := makeCgroup([]hierarchy{good, {dir: "/proc/nowhere"}}, strconv.Itoa(os.Getpid())+"-w1.1", testMemory); err == nil {
		t.Fatal("it was made")
	}
	if left, _ := os.ReadDir(good.dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestTheKernelSaysThatItKilled(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		want       bool
	}{
		"version 2, killed": {"memory.events", "low 0\nhigh 0\nmax 31\noom 2\noom_kill 1\noom_group_kill 0\n", true},
		"version 2, lives":  {"memory.events", "low 0\nhigh 0\nmax 31\noom 2\noom_kill 0\noom_group_kill 0\n", false},
		"version 1, killed": {"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 12\n", true},
		"version 1, lives":  {"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", false},
		"an old kernel":     {"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n", false},
		"nothing there":     {"other", "", false},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := (&cgroup{dirs: []string{dir}}).killed(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
