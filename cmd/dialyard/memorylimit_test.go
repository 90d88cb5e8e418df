package main

import (
	"testing"
	"testing/fstest"
)

func TestMemoryGiven(t *testing.T) {
	const mib, machine = 1 << 20, "MemTotal:        8388608 kB\nMemFree: 1 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  uint64
	}{
		"the machine alone": {map[string]string{"proc/meminfo": machine}, 8192 * mib},
		"unified, own limit": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/system.slice/d.service/dialyard-host\n",
			"sys/fs/cgroup/system.slice/d.service/dialyard-host/memory.max": "max\n",
			"sys/fs/cgroup/system.slice/d.service/memory.max":               "1073741824\n",
			"sys/fs/cgroup/system.slice/memory.high":                        "4294967296\n",
		}, 1024 * mib},
		"unified, a slice's": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/a.slice/b\n",
			"sys/fs/cgroup/a.slice/memory.high": "536870912\n", "sys/fs/cgroup/a.slice/memory.max": "max\n",
		}, 512 * mib},
		"a container": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "268435456\n",
		}, 256 * mib},
		"version 1": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "4:memory:/d\n2:cpu,cpuacct:/d\n0::/\n",
			"sys/fs/cgroup/memory/d/memory.limit_in_bytes": "734003200\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 700 * mib},
		"more than there is": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "99999999999999\n",
		}, 8192 * mib},
		"nothing known": {nil, 0},
	} {
		root := fstest.MapFS{}
		for file, text := range c.files {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := memoryGiven(root); got != c.want {
			t.Errorf("%s: %d MiB, want %d", name, got/mib, c.want/mib)
		}
	}
}

func TestFrontMemory(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct{ given, workers, want uint64 }{
		{8000 * mib, 512 * mib, 6739 * mib},
		{1000 * mib, 512 * mib, 439 * mib},
		{1000 * mib, 900 * mib, 250 * mib},
		{1000 * mib, 16000 * mib, 250 * mib},
	} {
		if got := frontMemory(c.given, c.workers) / mib; got != c.want/mib {
			t.Errorf("%d MiB with workers of %d: %d, want %d", c.given/mib, c.workers/mib, got, c.want/mib)
		}
	}
}
