package dispatcher

import (
	"strings"
	"unicode/utf8"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
	"dialyard/proto"
)

// Limits on what a worker may say, as in worker.proto.
const (
	maxInstructions = 100 // of one attempt
	maxTargets      = 10
	maxFields       = 64
	maxText         = 256
	maxURI          = 1 << 10
	maxMessage      = 4 << 10
	maxAnswer       = 16 << 10 // octets of headers that one attempt may put into its answers
)

// brokenProtocol is the event for a worker that says what it may not: its run is
// over, the call gets the outcome table's answer.
var brokenProtocol = call.Done{Outcome: call.BadWorker}

// translate turns a worker's report into an event of its call. Nothing in it is
// believed: the sequence, sizes, codes, names and URIs are checked.
func (l *live) translate(r *proto.Report) call.Event {
	switch r := r.Is.(type) {
	case *proto.Report_Instruction:
		if r.Instruction.Seq != l.seq || l.seq > maxInstructions {
			return brokenProtocol
		}
		l.seq++
		ev := l.instruction(r.Instruction)
		if l.octets += octets(ev); ev != nil && l.octets <= maxAnswer {
			return ev
		}
	case *proto.Report_Done:
		return done(r.Done)
	}
	return brokenProtocol
}

// octets is how much an event adds to the answers of its call: an answer must fit
// into a datagram.
func octets(ev call.Event) (n int) {
	switch ev := ev.(type) {
	case call.Reject:
		for _, f := range ev.Headers {
			n += len(f.Name) + len(f.Value)
		}
	case call.Redirect:
		for _, t := range ev.Targets {
			n += len(t)
		}
	case call.SetHeader:
		n = len(ev.Field.Name) + len(ev.Field.Value)
	}
	return n
}

// instruction returns nil for one that is not allowed.
func (l *live) instruction(in *proto.Instruction) call.Event {
	switch i := in.Is.(type) {
	case *proto.Instruction_Dial:
		return dialOf(in.Seq, i.Dial)
	case *proto.Instruction_Reject:
		r := call.Reject{Code: int(i.Reject.GetCode()), Reason: i.Reject.GetReason()}
		if r.Code < 400 || r.Code > 699 || !isText(r.Reason) || len(i.Reject.GetHeaders()) > maxFields {
			return nil
		}
		for _, h := range i.Reject.GetHeaders() {
			if !mayset(h) {
				return nil
			}
			r.Headers = append(r.Headers, call.Field{Name: h.Name, Value: h.Value})
		}
		return r
	case *proto.Instruction_Redirect:
		r, targets := call.Redirect{Code: int(i.Redirect.GetCode())}, i.Redirect.GetTargets()
		if r.Code < 300 || r.Code > 399 || len(targets) == 0 || len(targets) > maxTargets {
			return nil
		}
		for _, t := range targets {
			uri, err := sip.ParseURI(t)
			if err != nil || len(t) > maxURI {
				return nil
			}
			r.Targets = append(r.Targets, uri.Text) // without what followed a ?
		}
		return r
	case *proto.Instruction_Ring:
		if code := int(i.Ring.GetCode()); code >= 180 && code <= 183 {
			return call.Ring{Code: code}
		}
	case *proto.Instruction_SetHeader:
		if h := i.SetHeader.GetHeader(); h != nil && mayset(h) {
			return call.SetHeader{Field: call.Field{Name: h.Name, Value: h.Value}}
		}
	case *proto.Instruction_Tag:
		if isText(i.Tag.GetName()) && isText(i.Tag.GetValue()) {
			return call.Tag{Name: i.Tag.GetName(), Value: i.Tag.GetValue()}
		}
	}
	return nil
}

// mayset reports whether a script may set this header.
func mayset(h *proto.Header) bool {
	return !sip.Reserved(h.Name) && !strings.EqualFold(h.Name, "Contact") && !strings.EqualFold(h.Name, "m") &&
		len(h.Name) <= maxText && len(h.Value) <= maxURI && isLine(h.Value)
}

// isText is a short line.
func isText(s string) bool { return len(s) <= maxText && isLine(s) }

// isLine is text that cannot end a header line or hide anything in a log.
func isLine(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7F {
			return false
		}
	}
	return utf8.ValidString(s)
}

func done(d *proto.Done) call.Event {
	ev := call.Done{Outcome: call.Undecided}
	switch d.Outcome {
	case proto.Outcome_OUTCOME_FINISHED:
		return ev
	case proto.Outcome_OUTCOME_ERROR:
		ev.Outcome = call.ScriptFailed
	case proto.Outcome_OUTCOME_LIMIT, proto.Outcome_OUTCOME_CANCELLED:
		ev.Outcome = call.ScriptLimited
	default:
		return brokenProtocol
	}
	if e := d.Error; e != nil {
		ev.Error = &call.ScriptError{
			File: cut(e.File, maxText), Line: int(e.Line),
			Message: cut(e.Message, maxMessage), Stack: cut(e.Stack, maxMessage),
		}
	}
	return ev
}

func cut(s string, n int) string { return strings.ToValidUTF8(s[:min(n, len(s))], "") }
