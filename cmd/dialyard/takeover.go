package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"dialyard/cmd/dialyard/config"
	"dialyard/dispatcher/sip"
	"dialyard/dispatcher/store"
)

// yoursPatience is how long the predecessor may take from "ready" to "yours": requests,
// scripts, and the flush of its stores.
const yoursPatience = 20 * time.Second

// takeOver starts a server in the place of the one that has the data directory. All that
// can fail without its data is done before that one is asked: the configuration, the
// plans, the workers, which are proven by probe calls of a rehearsal. The error is
// errNobody if there is no such server.
func takeOver(ctx context.Context, cfg *config.Config, log *slog.Logger, level *slog.LevelVar) (f *front, err error) {
	f = newFront(cfg, log, level)
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.data, err = openDataDir(cfg.Data.Dir); err != nil {
		return f, err
	}
	c, err := dialPredecessor(f.data.path)
	if err != nil {
		return f, fmt.Errorf("takeover: %w", err)
	}
	c.Close() // until there is something to say
	given, err := f.prepare(ctx)
	if err != nil {
		return f, err
	}
	c, err = f.inherit()
	if err != nil {
		return f, fmt.Errorf("takeover: %w", err)
	}
	if err := f.succeed(given); err != nil {
		f.refuse(c, err)
		return f, err
	}
	settleIn(c)
	return f, nil
}

// refuse leaves everything to the predecessor again, at once: it ends this process.
func (f *front) refuse(c *upgradeConn, err error) {
	if c != nil {
		f.log.Error("takeover failed", "reason", err.Error())
		f.data.release()
		c.Close()
	}
}

// prepare does all that needs no data: at its end the workers are proven.
func (f *front) prepare(ctx context.Context) (map[store.PlanID]store.Bundle, error) {
	if err := f.buildJail(); err != nil {
		return nil, err
	}
	given, err := givenPlans(f.started.Plans.Dir)
	if err != nil {
		return nil, err
	}
	f.makePool()
	rehearsal := f.rehearse()
	defer rehearsal.Close()
	f.running.Go(f.pool.Serve)
	if err := f.pool.WaitConnected(ctx); err != nil {
		return nil, err
	}
	good, err := f.checkPlans(ctx, given)
	if err != nil {
		return nil, err
	}
	return good, f.proveWorkers(ctx, rehearsal)
}

// inherit asks the predecessor for what it has. If that dies meanwhile, its calls are
// found in the data directory, as after any crash; the connection is nil then.
func (f *front) inherit() (*upgradeConn, error) {
	c, err := dialPredecessor(f.data.path)
	if errors.Is(err, errNobody) {
		f.log.Warn("the server in charge has gone: start as after a crash")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = f.negotiate(c)
	if errors.Is(err, errGone) {
		f.log.Warn("the server in charge died while it handed over: start as after a crash")
		f.estate.streams, f.estate.undecided = nil, nil // what it wrote down counts
		err = nil
	}
	if err != nil {
		c.Close()
	}
	return c, err
}

// negotiate brings the estate here.
func (f *front) negotiate(c *upgradeConn) error {
	if err := c.say(message{Kind: sayHello, Version: version}, -1); err != nil {
		return err
	}
	for {
		m, err := c.hear(yoursPatience)
		if err != nil {
			return err
		}
		switch m.Kind {
		case saySocket:
			f.estate.add(m.socket())
		case sayOffer:
			if err := f.completeSockets(); err != nil {
				c.say(message{Kind: sayNo, Reason: err.Error()}, -1)
				return err
			}
			if err := c.say(message{Kind: sayReady}, -1); err != nil {
				return err
			}
		case sayStream:
			f.estate.streams = append(f.estate.streams, m.socket())
		case sayInvite:
			f.estate.undecided = append(f.estate.undecided, *m.Invite)
		case sayYours:
			f.estate.silent = m.Silent
			return nil
		}
	}
}

func (e *estate) add(s sip.Socket) {
	if strings.HasPrefix(s.Address, httpAddress("")) {
		e.web = append(e.web, s)
	} else {
		e.sockets = append(e.sockets, s)
	}
}

// completeSockets opens what the configuration asks for and was not offered, while the
// other can still go on.
func (f *front) completeSockets() error {
	for _, l := range f.started.SIP.Listen {
		if _, ok := sip.Find(f.estate.sockets, l.String()); ok {
			continue
		}
		s, err := sip.OpenSocket(l.String())
		if err != nil {
			return fmt.Errorf("sip.listen: %w", err)
		}
		f.estate.sockets = append(f.estate.sockets, s)
	}
	web := httpAddress(f.started.HTTP.Listen)
	if _, ok := sip.Find(f.estate.web, web); ok {
		return nil
	}
	l, err := net.Listen("tcp", f.started.HTTP.Listen)
	if err != nil {
		return fmt.Errorf("http.listen: %w", err)
	}
	defer l.Close()
	fd, err := sip.DupSocket(l.(*net.TCPListener))
	f.estate.web = append(f.estate.web, sip.Socket{Address: web, FD: fd})
	return err
}

// succeed brings the server up on what the predecessor has let go of.
func (f *front) succeed(given map[store.PlanID]store.Bundle) error {
	begun, silent := monotonic(), f.estate.silent
	token, err := f.openData()
	if err != nil {
		return err
	}
	opened := monotonic()
	f.makeParts()
	f.open()
	if err := f.importPlans(given); err != nil {
		return err
	}
	f.refresh()
	if err := f.listen(token); err != nil {
		return err
	}
	f.startWatching()
	if silent > 0 {
		f.log.Info("took over",
			"left_ms", milliseconds(begun-silent), "open_ms", milliseconds(opened-begun), "silent_ms", milliseconds(f.reading-silent))
	}
	return f.awaitSuccessor()
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// settleIn tells the predecessor that this process serves, and waits until systemd has
// heard of it from there.
func settleIn(c *upgradeConn) {
	if c == nil {
		return
	}
	defer c.Close()
	if c.say(message{Kind: sayDone}, -1) == nil {
		c.hear(5 * time.Second) // its end
	}
}
