package main

import (
	"bytes"
	"fmt"
	"io"
)

// writeDialled is the table of the dialled calls, a line for each of the two at each rate.
func writeDialled(b *bytes.Buffer, r relayed) {
	t := newTable(b)
	fmt.Fprintln(t, "\ndialled calls/s\tfront µs\tworkers µs\tboth µs\tload µs\t180 p50\tp99\t200 p50\tp99\tBYE p50\tp99 ms\tratio\t  clean")
	for _, at := range r.Points {
		writeRelayed(t, fmt.Sprintf("%.0f", at.Rate), at.Dialyard, at.Ratio)
		if at.Kamailio != nil {
			writeRelayed(t, "kamailio", *at.Kamailio, 0)
		}
	}
	t.Flush()
	writeHighest(b, "highest clean rate", r.HighestClean)
	if r.Skipped != "" {
		fmt.Fprintf(b, "not measured beside kamailio: %s\n", r.Skipped)
		return
	}
	writeHighest(b, "kamailio's highest clean rate", r.KamailioHighestClean)
}

func writeRelayed(w io.Writer, name string, p point, ratio float64) {
	var d delays
	if p.Dialled != nil {
		d = *p.Dialled
	}
	times := ""
	if ratio > 0 {
		times = fmt.Sprintf("%.2f", ratio)
	}
	fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t  %s\n", name, p.FrontMicros, p.WorkersMicros,
		p.TotalMicros, p.LoadMicros, millis(d.PostDialP50), millis(d.PostDialP99), millis(p.P50), millis(p.P99),
		millis(d.ReleaseP50), millis(d.ReleaseP99), times, clean(p.Fault))
}

// writeHeld is the figures of the calls that are up at once.
func writeHeld(b *bytes.Buffer, h held) {
	fmt.Fprintf(b, "held calls: %d at once, of %d; front's RSS %.1f MiB, before %.1f MiB: %.0f bytes a call\n",
		h.AtOnce, h.Calls, mebi(h.Peak.RSS), mebi(h.Base.RSS), h.RSSEach)
	if h.NoHeap != "" {
		fmt.Fprintf(b, "live heap: not known, %s\n", h.NoHeap)
	} else {
		fmt.Fprintf(b, "live heap: %.1f MiB, before %.1f MiB, with %d calls up: %.0f bytes a call\n",
			h.Peak.Live/(1<<20), h.Base.Live/(1<<20), h.Counted, h.PerCall)
	}
	if h.Fault != "" {
		fmt.Fprintf(b, "those calls were not clean: %s\n", h.Fault)
	}
}
