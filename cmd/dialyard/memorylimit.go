package main

import (
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"

	"dialyard/cmd/dialyard/config"
)

// limitMemory has the collector of this process work harder before its memory is all
// used. GOMEMLIMIT in the environment is stronger.
func limitMemory(cfg *config.Config, log *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	given := memoryGiven(os.DirFS("/"))
	if given == 0 {
		return
	}
	limit := frontMemory(given, uint64(cfg.Workers.MemoryHard)*uint64(cfg.Workers.Count))
	debug.SetMemoryLimit(int64(limit))
	log.Debug("memory limit", "bytes", limit, "given", given)
}

// frontMemory is the dispatcher's share of the memory that it and its workers have been
// given: nine tenths of what they leave, and never less than a quarter of all. Few
// workers ever need all they may have.
func frontMemory(given, workers uint64) uint64 {
	rest := given - min(given, workers)
	return max(given/4, rest/10*9)
}

// memoryGiven is the least of what the machine has and what the cgroups of this process
// may use, in octets; 0 if nobody knows.
func memoryGiven(root fs.FS) uint64 {
	given := machineMemory(root)
	membership, _ := fs.ReadFile(root, "proc/self/cgroup")
	for line := range strings.Lines(string(membership)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		var mounts, files []string
		switch {
		case fields[0] == "0":
			mounts, files = []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"}, []string{"memory.max", "memory.high"}
		case fields[1] == "memory":
			mounts, files = []string{"sys/fs/cgroup/memory"}, []string{"memory.limit_in_bytes"}
		}
		for _, mount := range mounts {
			given = least(given, cgroupMemory(root, mount, fields[2], files))
		}
	}
	return given
}

// cgroupMemory is the least limit of a cgroup and those above it.
func cgroupMemory(root fs.FS, mount, place string, files []string) (limit uint64) {
	for place = path.Clean("/" + place); ; place = path.Dir(place) {
		for _, file := range files {
			text, _ := fs.ReadFile(root, path.Join(mount, place, file))
			n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
			if err == nil && n < math.MaxInt64/2 { // version 1 writes a huge number for none
				limit = least(limit, n)
			}
		}
		if place == "/" {
			return limit
		}
	}
}

func machineMemory(root fs.FS) uint64 {
	text, _ := fs.ReadFile(root, "proc/meminfo")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kib, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// least is the smaller of two where 0 is unknown.
func least(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
