package dispatcher

import (
	"strconv"
	"time"

	"dialyard/dispatcher/blame"
	"dialyard/dispatcher/broker"
	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
	"dialyard/proto"
)

// live is a call in a shard: the pure Call, and what it stands on.
type live struct {
	sip.Timer
	call    *call.Call
	account *Account
	probe   string       // the worker a probe is for; empty for calls
	claims  bool         // it may hold places of named limits
	events  []call.Event // that effects have caused

	waits
	script
	legs     []*leg     // by their numbers in the Call; those that are over are nil
	forsaken []*legMemo // INVITEs to addresses that were given up
	talk
	stored
}

// waits is a caller who waits for a final answer.
type waits struct {
	server  *sip.Server
	invite  *sip.Message
	faces   []string    // further To tags that the caller was shown
	held    *sip.Reply  // that waits for the store
	refusal *answerMemo // sent to a caller of whom the store knows
}

// script is a run of the call's plan.
type script struct {
	start     *proto.Start // sent to a worker, once more if that worker is lost
	seq       uint32       // of the next instruction
	octets    int          // of headers asked for in this attempt
	placed    time.Time
	apart     bool             // it is on a worker for suspects
	asks      *asking          // of the broker
	allowance broker.Allowance // what it may still ask of it
}

// talk is two parties who are connected.
type talk struct {
	parties   [2]*party
	owed      *owedAck // the callee's, until the store has the call
	exchanges []*exchange
	lastID    uint32
	farewell  *sip.Server // the BYE that ended the call, until the record is written
}

// stored is what the store knows of a call.
type stored struct {
	saved   bool // it has the call
	dirty   bool // and is behind
	ringing bool // it will have the call, if that goes on
	ended   bool // Over
	adopted bool // an earlier process began it
}

// step feeds one event to a call and carries out what it wants. What comes of that
// at once, a placement or a leg that cannot be called, is fed to it in turn.
func (s *shard) step(now time.Time, l *live, ev call.Event) {
	l.events = append(l.events, ev)
	s.resume(now, l)
}

// resume feeds a call the events that wait for it.
func (s *shard) resume(now time.Time, l *live) {
	s.current = l
	for len(l.events) > 0 {
		ev := l.events[0]
		n := copy(l.events, l.events[1:])
		l.events[n] = nil // it may hold a packet
		l.events = l.events[:n]
		for _, e := range l.call.Step(now, ev) {
			s.perform(now, l, e)
		}
	}
	s.current = nil
}

// perform carries out one effect.
func (s *shard) perform(now time.Time, l *live, e call.Effect) {
	switch e := e.(type) {
	case call.Respond:
		s.respond(now, l, e)
	case call.Run:
		l.events = append(l.events, s.place(now, l, e))
	case call.Stop:
		s.Workers.Cancel(l.call.Worker, l.start.Run, e.Reason)
	case call.Release:
		s.release(l)
	case call.Tell:
		s.tell(l, e)
	case call.Invite:
		s.dial(now, l, e)
	case call.Cancel:
		s.cancelLeg(now, l.legs[e.Leg], e.Reason)
	case call.Connect:
		s.connect(now, l, l.legs[e.Leg])
	case call.Drop:
		s.drop(now, l.legs[e.Leg])
	case call.Save:
		s.save(now, l)
	case call.Wake:
		s.queue.Set(&l.Timer, e.At)
	case call.Over:
		s.over(l)
	default:
		s.performTalking(now, l, e)
	}
}

// versionOf names the version of a plan that a call runs.
func versionOf(r *call.Record) blame.Version {
	return blame.Version{Account: r.Account, Plan: r.Plan, Number: r.Version}
}

// place asks the pool for a worker, a special one for a version under suspicion.
func (s *shard) place(now time.Time, l *live, e call.Run) call.Event {
	standing := blame.Innocent
	if l.probe == "" {
		standing = s.Blame.Standing(versionOf(&l.call.Record))
	}
	if standing == blame.Guilty {
		return call.Barred{}
	}
	l.apart = standing == blame.Suspect
	l.stopAsking() // for the attempt before
	if attempt := uint32(e.Attempt); l.start.Attempt != attempt {
		// The last worker's stream may still hold the order it was given.
		was := l.start
		l.start = &proto.Start{
			Run: was.Run, Attempt: attempt, Bundle: was.Bundle, Account: was.Account, Plan: was.Plan, Version: was.Version,
			Facts: was.Facts, Limits: was.Limits,
		}
	}
	worker, ok := s.Workers.Start(l.start, l.probe, e.Avoid, l.apart)
	if !ok {
		return call.Unplaced{Apart: l.apart}
	}
	l.seq, l.octets, l.placed = 1, 0, now
	return call.Placed{Worker: worker}
}

// release gives the place of a run back.
func (s *shard) release(l *live) {
	if l.start == nil {
		return
	}
	l.stopAsking()
	delete(s.runs, l.start.Run)
	l.start = nil
	l.account.releaseRun()
}

// tell answers the script's dial.
func (s *shard) tell(l *live, e call.Tell) {
	s.Workers.Result(l.call.Worker, &proto.Result{
		Run: l.start.Run, Seq: e.Seq,
		Is: &proto.Result_Dialled{Dialled: &proto.Dialled{
			Status: proto.DialStatus(e.Status), Code: uint32(e.Code), Reason: e.Reason, Leg: uint32(e.Leg),
			ElapsedMs: uint32(e.Elapsed.Milliseconds()), Contacts: e.Contacts,
		}},
	})
}

// respond answers the caller's INVITE. A 2xx waits until the store has the dialog:
// what a caller was told must outlive this process.
func (s *shard) respond(now time.Time, l *live, e call.Respond) {
	reply := sip.Reply{Status: e.Status, Reason: e.Reason, Body: e.Body, Tag: l.face(s.layer, e.Face)}
	for _, f := range e.Headers {
		reply.Headers = append(reply.Headers, sip.Field(f))
	}
	switch {
	case e.Status < 300:
		reply.Headers = append(reply.Headers, contact(l.server.Peer()))
	case e.Status == 503:
		reply.Headers = append(reply.Headers, s.retryAfter())
	case l.probe != "" && e.Status == probeHealthy:
		reply.Headers = append(reply.Headers, s.vitals(now, l)...)
	}
	if e.Status >= 200 && e.Status < 300 {
		s.meet(l, &reply)
		if l.adopted { // who answers may have been answered before, and have left
			s.auditLater(now, l)
		}
		if s.Keep != nil && s.Keep.Healthy() {
			s.hold(now, l, &reply)
			return
		}
		s.payAck(l)
	}
	if e.Status > 100 && e.Status < 200 {
		s.early[s.tagOf(l, &reply)] = l
	}
	s.answer(now, l, &reply)
}

// tagOf is the To tag that an answer to the caller's INVITE carries.
func (s *shard) tagOf(l *live, reply *sip.Reply) string {
	if reply.Tag != "" {
		return reply.Tag
	}
	return l.server.Tag()
}

// answer sends an answer to the caller's INVITE and, when it is the final one, lets
// go of the INVITE.
func (s *shard) answer(now time.Time, l *live, reply *sip.Reply) {
	if reply.Status >= 300 && l.saved {
		l.refusal = &answerMemo{l.invite.Text(), remember(l.server.Peer()), l.server.Tag(), *reply}
	}
	s.layer.Respond(now, l.server, reply)
	if reply.Status >= 200 {
		s.waitsNoMore(l)
	}
}

// waitsNoMore lets go of the caller's INVITE.
func (s *shard) waitsNoMore(l *live) {
	if l.server == nil {
		return
	}
	delete(s.calls, l.server)
	delete(s.early, l.server.Tag())
	for _, tag := range l.faces {
		delete(s.early, tag)
	}
	l.server, l.invite, l.faces = nil, nil, nil
}

// face is the To tag by which the caller knows the nth early dialog.
func (l *live) face(layer *sip.Layer, n int) string {
	if n == 0 {
		return ""
	}
	for len(l.faces) < n {
		l.faces = append(l.faces, layer.NewTag())
	}
	return l.faces[n-1]
}

// contact is where a peer reaches this front for all that follows (RFC 3261
// §8.1.1.8).
func contact(to sip.Peer) sip.Field {
	value := "<sip:" + to.Self
	if to.Transport != "udp" {
		value += ";transport=" + to.Transport
	}
	return sip.Field{Name: "Contact", Value: value + ">"}
}

// over ends a call's life in the shard and writes it down.
func (s *shard) over(l *live) {
	s.forget(l)
	if l.probe != "" {
		return
	}
	s.Stats.finished(&l.call.Record)
	s.chronicle.record(&l.call.Record, s.unsave(l))
}

// forget takes a call out of every table.
func (s *shard) forget(l *live) {
	s.queue.Set(&l.Timer, time.Time{})
	s.waitsNoMore(l)
	s.release(l)
	for _, g := range l.legs {
		s.endLeg(g)
	}
	s.partBoth(l)
	if l.claims {
		s.Claims.Release(l.call.Account, l.call.ID)
	}
	l.account.leave()
	l.account = nil
}

// retryAfter spreads the return of those who were sent away.
func (s *shard) retryAfter() sip.Field {
	return sip.Field{Name: "Retry-After", Value: strconv.Itoa(2 + s.random.IntN(5))}
}
