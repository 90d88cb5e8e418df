package main

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"dialyard/worker"
)

// Whom the kernel ends first when the machine has no memory left (proc(5),
// oom_score_adj): a worker costs the runs it has, the dispatcher every new call.
const (
	frontScore  = -500
	workerScore = 500
)

// spareFront makes the dispatcher the last of its kind. Without the right to do so it
// stays as it is, and its workers go before it all the same.
func spareFront(log *slog.Logger) {
	if err := setScore("self", frontScore); err != nil {
		log.Debug("oom score", "reason", err)
	}
}

// weigh makes a worker that has begun go first; it has inherited its parent's score.
func (f *front) weigh(e worker.Event) {
	if e.State != worker.Probing.String() {
		return
	}
	s, ok := f.pool.Find(e.Worker)
	if !ok || s.Pid <= 0 {
		return
	}
	if err := setScore(strconv.Itoa(s.Pid), workerScore); err != nil {
		f.log.Debug("oom score", "worker", e.Worker, "reason", err)
	}
}

func setScore(process string, score int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%s/oom_score_adj", process), []byte(strconv.Itoa(score)), 0)
}
