package worker

import (
	"fmt"
	"runtime/debug"
	"syscall"
)

const (
	maxStack     = 64 << 20 // of one goroutine; beyond it the runtime ends the process
	maxOpenFiles = 64
	workerGOGC   = 200
)

// confine holds the process to its limits before it runs anything: data segment
// (which on Linux counts private writable mappings, see setrlimit(2)), open files,
// no core dump, and the collector's goal below the kernel's limit.
func confine(l Limits) error {
	for _, r := range []struct {
		what  int
		name  string
		limit uint64
	}{
		{syscall.RLIMIT_DATA, "data", l.MemoryHard},
		{syscall.RLIMIT_NOFILE, "open files", maxOpenFiles},
		{syscall.RLIMIT_CORE, "core", 0},
	} {
		if err := syscall.Setrlimit(r.what, &syscall.Rlimit{Cur: r.limit, Max: r.limit}); err != nil {
			return fmt.Errorf("limit of %s: %w", r.name, err)
		}
	}
	debug.SetMemoryLimit(int64(l.MemorySoft + (l.MemoryHard-l.MemorySoft)/4))
	debug.SetMaxStack(maxStack)
	debug.SetGCPercent(workerGOGC)
	return nil
}
