package worker

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

const (
	maxStack     = 64 << 20 // of one goroutine; beyond it the runtime ends the process
	maxOpenFiles = 64
	workerGOGC   = 800 // a worker's live heap is a few MiB, its garbage short-lived
)

// confine holds the process to its limits before it runs anything: data segment,
// open files, no core dump, and the collector's goal below the kernel's limit.
//
// On Linux the data segment is all private writable memory that is mapped, touched
// or not (setrlimit(2)). Go maps some 140 MB of it before it has used any, so the
// hard limit comes on top of what is mapped now.
func confine(l Limits) error {
	mapped, err := mappedData()
	if err != nil {
		return err
	}
	for _, r := range []struct {
		what  int
		name  string
		limit uint64
	}{
		{syscall.RLIMIT_DATA, "data", mapped + l.MemoryHard},
		{syscall.RLIMIT_NOFILE, "open files", maxOpenFiles},
		{syscall.RLIMIT_CORE, "core", 0},
	} {
		if err := syscall.Setrlimit(r.what, &syscall.Rlimit{Cur: r.limit, Max: r.limit}); err != nil {
			return fmt.Errorf("limit of %s: %w", r.name, err)
		}
	}
	debug.SetMemoryLimit(int64(l.MemorySoft / 10 * 9)) // garbage alone never reaches the soft limit
	debug.SetMaxStack(maxStack)
	debug.SetGCPercent(workerGOGC)
	return nil
}

// mappedData is the process's VmData, in bytes (proc(5)).
func mappedData() (uint64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmData:")
	fields := strings.Fields(rest)
	if len(fields) < 1 {
		return 0, fmt.Errorf("no VmData in /proc/self/status")
	}
	kib, err := strconv.ParseUint(fields[0], 10, 64)
	return kib << 10, err
}
