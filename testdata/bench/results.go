package main

import (
	"bytes"
	"fmt"
	"text/tabwriter"
	"time"

	"dialyard/cmd/dialyard/load"
)

// results are all figures of one execution. Either Comparison is set or the rest.
type results struct {
	Binary       string        `json:"binary,omitempty"`
	CPUs         int           `json:"cpus,omitempty"`
	Grain        time.Duration `json:"grain_ns,omitempty"`
	Points       []point       `json:"points,omitempty"`
	HighestClean float64       `json:"highest_clean_rate,omitempty"` // calls/s
	Storm        *storm        `json:"storm,omitempty"`
	Memory       memory        `json:"memory,omitzero"`
	Dialled      *relayed      `json:"dialled,omitempty"`
	Held         *held         `json:"held,omitempty"`
	Comparison   []versus      `json:"comparison,omitempty"`
}

// point is a run at one rate. CPU is in microseconds per call that was sent.
type point struct {
	Rate          float64       `json:"rate"` // calls/s
	Calls         int           `json:"calls"`
	FrontMicros   float64       `json:"front_us"`
	WorkersMicros float64       `json:"workers_us"`
	TotalMicros   float64       `json:"total_us"`
	LoadMicros    float64       `json:"generator_us"`
	P50           time.Duration `json:"p50_ns"`
	P99           time.Duration `json:"p99_ns"`
	P999          time.Duration `json:"p999_ns"`
	Dialled       *delays       `json:"dialled,omitempty"`
	Fault         string        `json:"fault,omitempty"` // why the run is not clean
}

// delays are what only dialled calls have.
type delays struct {
	PostDialP50 time.Duration `json:"post_dial_p50_ns"` // to the 180
	PostDialP99 time.Duration `json:"post_dial_p99_ns"`
	ReleaseP50  time.Duration `json:"release_p50_ns"` // from the BYE to its 200
	ReleaseP99  time.Duration `json:"release_p99_ns"`
	Rung        int           `json:"rung"` // calls whose caller heard the 180
}

func newPoint(r load.Report, before, after family) point {
	perCall := func(d time.Duration) float64 {
		return float64(d.Microseconds()) / float64(max(r.Sent, 1))
	}
	p := point{
		Rate:          r.Rate,
		Calls:         r.Sent,
		FrontMicros:   perCall(after.front.cpu - before.front.cpu),
		WorkersMicros: perCall(after.workersCPU() - before.workersCPU()),
		LoadMicros:    perCall(r.CPU),
		P50:           r.Latency.P50,
		P99:           r.Latency.P99,
		P999:          r.Latency.P999,
		Fault:         fault(r),
	}
	p.TotalMicros = p.FrontMicros + p.WorkersMicros
	if d := r.Dialled; d != nil {
		p.Dialled = &delays{d.PostDial.P50, d.PostDial.P99, r.Release.P50, r.Release.P99, d.Rung}
	}
	return p
}

// What the generator is to hear of a call, by the plan.
const (
	redirected = 302
	answered   = 200
)

// fault is the first reason why a run is not clean, empty for a clean one. A duplicate is a fault: over
// loopback it means that an ACK was lost or waited for T1.
func fault(r load.Report) string {
	wanted := redirected
	if r.Dialled != nil {
		wanted = answered
	}
	switch err := r.Err(); {
	case err != nil:
		return err.Error()
	case r.Answered[wanted] != r.Sent:
		return fmt.Sprintf("%d of %d calls without a %d: %v", r.Sent-r.Answered[wanted], r.Sent, wanted, r.Answered)
	case r.Duplicates > 0:
		return fmt.Sprintf("%d duplicates", r.Duplicates)
	case r.Dialled != nil && r.Dialled.Repeats+r.Dialled.AnswersResent > 0:
		return fmt.Sprintf("%d messages again at the callee", r.Dialled.Repeats+r.Dialled.AnswersResent)
	case !r.InOrder:
		return fmt.Sprintf("generator behind its schedule: p99 %v", r.SendLag.P99)
	case r.Overflowed > 0:
		return fmt.Sprintf("%d messages overflowed the generator", r.Overflowed)
	case !r.Clean():
		return fmt.Sprintf("%d of %d calls sent, %d send errors", r.Sent, r.Planned, r.SendErrors)
	}
	return ""
}

// memory is the course of the RSS.
type memory struct {
	Rate   float64       `json:"rate"`        // calls/s of the load
	Load   time.Duration `json:"duration_ns"` // of the load, and of the rest after it
	Start  resident      `json:"start"`
	Loaded resident      `json:"loaded"`
	Rested resident      `json:"rested"`
	Fault  string        `json:"fault,omitempty"`
}

// resident is the RSS of the front and of its largest worker, in bytes.
type resident struct {
	Front   int64 `json:"front_bytes"`
	Worker  int64 `json:"largest_worker_bytes"`
	Workers int   `json:"workers"`
}

// String is the results as plain tables.
func (r results) String() string {
	var b bytes.Buffer
	if r.Comparison != nil {
		writeComparison(&b, r.Comparison)
		return b.String()
	}
	fmt.Fprintf(&b, "%s on %d CPUs, generator on the same, grain %v\n\n", r.Binary, r.CPUs, r.Grain)
	if r.Points != nil {
		writePoints(&b, r.Points)
		writeHighest(&b, "highest clean rate", r.HighestClean)
	}
	if r.Storm != nil {
		writeStorm(&b, *r.Storm)
	}
	if r.Memory.Load > 0 {
		writeMemory(&b, r.Memory)
	}
	if r.Dialled != nil {
		writeDialled(&b, *r.Dialled)
	}
	if r.Held != nil {
		writeHeld(&b, *r.Held)
	}
	return b.String()
}

func writeHighest(b *bytes.Buffer, what string, rate float64) {
	if rate > 0 {
		fmt.Fprintf(b, "\n%s: %.0f calls/s\n\n", what, rate)
		return
	}
	fmt.Fprintf(b, "\n%s: none, down to %d calls/s\n\n", what, searchFloor)
}

func newTable(b *bytes.Buffer) *tabwriter.Writer {
	return tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
}

func writePoints(b *bytes.Buffer, points []point) {
	t := newTable(b)
	fmt.Fprintln(t, "calls/s\tfront µs\tworkers µs\tboth µs\tload µs\tp50 ms\tp99 ms\tp99.9 ms\t  clean")
	for _, p := range points {
		fmt.Fprintf(t, "%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t%s\t%s\t%s\t  %s\n", p.Rate, p.FrontMicros,
			p.WorkersMicros, p.TotalMicros, p.LoadMicros, millis(p.P50), millis(p.P99), millis(p.P999), clean(p.Fault))
	}
	t.Flush()
}

func writeMemory(b *bytes.Buffer, m memory) {
	t := newTable(b)
	fmt.Fprintln(t, "RSS MiB\tfront\tlargest worker\tworkers\t")
	row := func(when string, r resident) {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%d\t\n", when, mebi(r.Front), mebi(r.Worker), r.Workers)
	}
	row("at start", m.Start)
	row(fmt.Sprintf("after %v at %.0f calls/s", m.Load, m.Rate), m.Loaded)
	row(fmt.Sprintf("%v later", m.Load), m.Rested)
	t.Flush()
	if m.Fault != "" {
		fmt.Fprintf(b, "that load was not clean: %s\n", m.Fault)
	}
}

func writeComparison(b *bytes.Buffer, all []versus) {
	t := newTable(b)
	fmt.Fprintln(t, "calls/s\told µs\tnew µs\tnew/old\told p99 ms\tnew p99 ms\t  clean")
	for _, v := range all {
		fault := v.New.Fault
		if fault == "" && v.Old.Fault != "" {
			fault = "old: " + v.Old.Fault
		}
		fmt.Fprintf(t, "%.0f\t%.1f\t%.1f\t%.3f\t%s\t%s\t  %s\n", v.Rate, v.Old.TotalMicros, v.New.TotalMicros,
			v.Ratio, millis(v.Old.P99), millis(v.New.P99), clean(fault))
	}
	t.Flush()
}

func clean(fault string) string {
	if fault == "" {
		return "yes"
	}
	return "no: " + fault
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1000) }

func mebi(bytes int64) float64 { return float64(bytes) / (1 << 20) }
