package jail

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const (
	maxOpenFiles = 64
	// headroom is how much more may be mapped than used where a cgroup counts what
	// is used. Go's runtime does not always die when it is refused memory: its
	// collector may spin. Then the cgroup is to be the one that ends it.
	headroom = 8
)

// limit sets the process's own limits: memory octets on top of what is mapped, open
// files, no core dump.
//
// On Linux the data segment is all private writable memory that is mapped, touched
// or not (setrlimit(2)). Go maps some 140 MB of it before it has used any, so the
// limit comes on top of what is mapped now. It is a weak wall: at least Linux 6.18
// does not count a mapping that replaces a reservation, as each part of Go's heap
// does, until the next one.
func limit(memory uint64) error {
	mapped, err := mappedData()
	if err != nil {
		return err
	}
	for _, r := range []struct {
		what  int
		name  string
		limit uint64
	}{
		{syscall.RLIMIT_DATA, "data", mapped + memory},
		{syscall.RLIMIT_NOFILE, "open files", maxOpenFiles},
		{syscall.RLIMIT_CORE, "core", 0},
	} {
		if err := syscall.Setrlimit(r.what, &syscall.Rlimit{Cur: r.limit, Max: r.limit}); err != nil {
			return fmt.Errorf("limit of %s: %w", r.name, err)
		}
	}
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
