package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// process is what /proc says of one process at one instant.
type process struct {
	pid, parent int
	ended       bool          // a zombie, not yet reaped
	cpu         time.Duration // user and system time, to 10 ms
	reaped      time.Duration // the same of its children which have ended
	rss         int64         // bytes
}

// clockTick is the unit of times in /proc: USER_HZ is 100 on every platform that Go runs on.
const clockTick = 10 * time.Millisecond

// parseStat reads the text of /proc/PID/stat, proc_pid_stat(5).
func parseStat(text []byte) (process, error) {
	// The name of the program, in parentheses, may contain anything, so look behind the last one.
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return process{}, fmt.Errorf("stat %q: no program name", text)
	}
	fields := bytes.Fields(text[end+1:])
	const first = 3 // number of the first field behind the name, as the manual counts
	number := func(field int) int64 {
		if field-first >= len(fields) {
			return 0
		}
		n, _ := strconv.ParseInt(string(fields[field-first]), 10, 64)
		return n
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text[:open])))
	if err != nil {
		return process{}, fmt.Errorf("stat: %w", err)
	}
	return process{
		pid:    pid,
		parent: int(number(4)),
		ended:  bytes.HasPrefix(bytes.TrimLeft(text[end+1:], " "), []byte("Z")),
		cpu:    time.Duration(number(14)+number(15)) * clockTick,
		reaped: time.Duration(number(16)+number(17)) * clockTick,
		rss:    number(24) * int64(os.Getpagesize()),
	}, nil
}

// family is a front and all processes below it, its workers.
type family struct {
	front   process
	workers []process
}

// familyOf finds the front by its pid and the processes that descend from it.
func familyOf(pid int) (family, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return family{}, err
	}
	children := map[int][]process{}
	var f family
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		p, err := parseStat(text)
		if err != nil {
			return family{}, err
		}
		if p.pid == pid {
			f.front = p
		}
		children[p.parent] = append(children[p.parent], p)
	}
	if f.front.pid == 0 {
		return family{}, fmt.Errorf("process %d is gone", pid)
	}
	f.workers = descendants(children, pid)
	return f, nil
}

func descendants(children map[int][]process, pid int) []process {
	var all []process
	for _, p := range children[pid] {
		all = append(append(all, p), descendants(children, p.pid)...)
	}
	return all
}

// workersCPU is the CPU time of all workers there are and, since the front reaps them, ever were.
func (f family) workersCPU() time.Duration {
	total := f.front.reaped
	for _, w := range f.workers {
		total += w.cpu + w.reaped
	}
	return total
}

// running counts the workers which have not ended.
func (f family) running() int {
	n := 0
	for _, w := range f.workers {
		if !w.ended {
			n++
		}
	}
	return n
}

// workerRSS is the RSS of the largest worker, in bytes.
func (f family) workerRSS() int64 {
	var largest int64
	for _, w := range f.workers {
		largest = max(largest, w.rss)
	}
	return largest
}
