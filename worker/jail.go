package worker

import (
	"fmt"
	"runtime/debug"

	"dialyard/worker/jail"
)

const (
	maxStack   = 64 << 20 // of one goroutine; beyond it the runtime ends the process
	workerGOGC = 800      // a worker's live heap is a few MiB, its garbage short-lived
)

// Hold makes the pool keep its workers in a jail, with the memory they may use. It is
// called before Serve.
func (p *Pool) Hold(j *jail.Jail, l Limits) {
	p.spawner.jail, p.spawner.memory = j, l.MemoryHard
}

// confine holds the process to its limits before it runs anything, and returns what
// holds it: the collector's goal below the kernel's limit, and the jail.
func confine(l Limits) (string, error) {
	debug.SetMemoryLimit(int64(l.MemorySoft / 10 * 9)) // garbage alone never reaches the soft limit
	debug.SetMaxStack(maxStack)
	debug.SetGCPercent(workerGOGC)
	r, err := jail.Confine(jail.Spec{Level: l.Jail, Memory: l.MemoryHard})
	if err != nil {
		return "", fmt.Errorf("confine: %w", err)
	}
	return r.String(), nil
}
