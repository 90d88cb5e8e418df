package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dialyard/cmd/dialyard/load"
)

const (
	heldRate = 1500 // calls/s, up and down

	metricLive      = "dialyard_heap_live_bytes"         // of the front, as its last collection found it
	metricCollected = "go_memstats_last_gc_time_seconds" // when that was, Unix time
)

// held is what calls cost that are answered and not yet hung up.
type held struct {
	Calls   int     `json:"calls"`   // wanted
	AtOnce  int     `json:"at_once"` // held at the peak
	Base    usage   `json:"base"`    // of the front without a call
	Peak    usage   `json:"peak"`    // at the end of the time in which all are held
	Counted int     `json:"counted"` // calls held when the peak's live heap was found
	PerCall float64 `json:"heap_bytes_per_call,omitempty"`
	RSSEach float64 `json:"rss_bytes_per_call"`
	NoHeap  string  `json:"no_heap,omitempty"` // why there is no figure of the heap
	Fault   string  `json:"fault,omitempty"`
}

// usage is the memory of a front, in bytes.
type usage struct {
	RSS       int64     `json:"rss_bytes"`
	Live      float64   `json:"live_heap_bytes,omitempty"`
	Collected time.Time `json:"collected,omitzero"` // when Live was found
	missing   string    // a metric which is not there
}

// held places calls until as many are up as the pace wants, lets them stand, and has them hung up.
func (b bench) held(ctx context.Context, binary string) (*held, error) {
	s, err := startServer(ctx, binary, planDial)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	if err := sleep(ctx, b.pace.settle); err != nil {
		return nil, err
	}
	h := &held{Calls: b.pace.held}
	if h.Base, err = s.usage(ctx); err != nil {
		return nil, err
	}
	climb := time.Duration(float64(h.Calls) / heldRate * float64(time.Second))
	stand := climb + b.pace.stand
	fmt.Fprintf(b.progress, "%d calls up and down in %v\n", h.Calls, (stand + climb).Round(time.Second))
	began := time.Now()
	report, peak, err := b.hold(ctx, s, climb, stand)
	if err != nil {
		return nil, err
	}
	h.Peak, h.AtOnce, h.Fault = peak, report.MostHeld, fault(report)
	h.weigh(began)
	return h, nil
}

// hold runs the load, with a look at the front shortly before the first call is hung up.
func (b bench) hold(ctx context.Context, s *server, climb, stand time.Duration) (r load.Report, peak usage, err error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		var err error
		r, err = load.Run(ctx, load.Options{
			Target: s.target(), Answer: s.answer(), Rate: heldRate, Duration: climb, Hold: stand, Grain: b.grain,
		})
		done <- err
	}()
	err = sleep(ctx, stand-stand/50)
	if err == nil {
		peak, err = s.usage(ctx)
	}
	if err != nil {
		cancel()
		<-done
		return r, peak, err
	}
	defer cancel()
	return r, peak, <-done
}

// weigh divides what came on top of the base by the calls that were up. The live heap is as old as the
// last collection, so it is divided by the calls that were up then.
func (h *held) weigh(began time.Time) {
	if h.AtOnce > 0 {
		h.RSSEach = float64(h.Peak.RSS-h.Base.RSS) / float64(h.AtOnce)
	}
	up := int(h.Peak.Collected.Sub(began).Seconds() * heldRate)
	h.Counted = max(0, min(up, h.AtOnce))
	switch {
	case h.Peak.missing != "":
		h.NoHeap = "no " + h.Peak.missing + " in /metrics"
	case h.Counted < h.AtOnce/4 || h.AtOnce == 0:
		h.NoHeap = "the front has not collected its heap while enough calls were up"
	default:
		h.PerCall = (h.Peak.Live - h.Base.Live) / float64(h.Counted)
	}
}

// usage looks at the front.
func (s *server) usage(ctx context.Context) (usage, error) {
	f, err := s.family()
	if err != nil {
		return usage{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.http+"/metrics", nil)
	if err != nil {
		return usage{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return usage{}, fmt.Errorf("read metrics: %w", err)
	}
	defer response.Body.Close()
	u := newUsage(response.Body)
	u.RSS = f.front.rss
	return u, nil
}

// newUsage reads the two metrics, each a line of its name and value.
func newUsage(metrics io.Reader) usage {
	values := map[string]float64{}
	for lines := bufio.NewScanner(metrics); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if name == metricLive || name == metricCollected {
			values[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	u := usage{Live: values[metricLive], Collected: time.UnixMicro(int64(values[metricCollected] * 1e6))}
	for _, name := range []string{metricLive, metricCollected} {
		if _, ok := values[name]; !ok && u.missing == "" {
			u.missing = name
		}
	}
	return u
}
