package main_test

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"testing"
	"time"

	"dialyard/cmd/dialyard/load"
	"dialyard/health/probe"
)

func asExit(err error, exit **exec.ExitError) bool { return errors.As(err, exit) }

// traffic is load that runs beside a test.
type traffic struct {
	t      *testing.T
	done   sync.WaitGroup
	cancel context.CancelFunc
	report load.Report
	err    error
}

// call places one call, to a user of the server, and returns its final answer.
func (s *server) call(user string, headers ...probe.Field) *probe.Answer {
	s.t.Helper()
	caller, err := probe.NewCaller("test")
	s.must(err)
	defer caller.Close()
	target, err := probe.ParseTarget("sip:" + user + "@" + s.sip)
	s.must(err)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	answer, err := caller.Call(ctx, target, headers, nil)
	s.must(err)
	return answer
}

// load places calls at a steady rate until the duration is over or stop is called.
func (s *server) load(user string, rate float64, d time.Duration) *traffic {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	tr := &traffic{t: s.t, cancel: cancel}
	tr.done.Go(func() {
		tr.report, tr.err = load.Run(ctx, load.Options{
			Target: "sip:" + user + "@" + s.sip, Rate: rate, Duration: d, Timeout: 10 * time.Second, Retransmit: true,
		})
	})
	s.t.Cleanup(cancel)
	return tr
}

// wait returns the report once the load has run its course.
func (tr *traffic) wait() load.Report {
	tr.t.Helper()
	tr.done.Wait()
	if tr.err != nil {
		tr.t.Fatal(tr.err)
	}
	return tr.report
}

// stop ends the load early and returns the report.
func (tr *traffic) stop() load.Report {
	tr.t.Helper()
	tr.cancel()
	return tr.wait()
}

// onlyStatus fails the test unless every call was answered with the status.
func onlyStatus(t *testing.T, r load.Report, status int) {
	t.Helper()
	if r.Sent == 0 || r.Answered[status] != r.Sent {
		t.Errorf("of %d calls %d were answered %d: %v, lost %d", r.Sent, r.Answered[status], status, r.Answered, r.Lost)
	}
}
