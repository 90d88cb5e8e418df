package dispatcher

import (
	"strings"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
	"dialyard/proto"
)

// Limits on what a dial may ask for, as in worker.proto.
const (
	maxLegs   = 20
	maxRing   = 180 * time.Second // Timer C (RFC 3261 §16.6)
	maxDelay  = 120 * time.Second
	maxTalk   = 24 * time.Hour
	maxWithin = 300 * time.Second
)

// dialOf checks a dial; nil if it is not allowed.
func dialOf(seq uint32, d *proto.Dial) call.Event {
	ev := call.Dial{Seq: seq, Within: min(maxWithin, milliseconds(d.GetTimeoutMs()))}
	legs := 0
	for _, g := range d.GetGroups() {
		var group []call.Target
		for _, leg := range g.GetLegs() {
			t, ok := targetOfLeg(leg)
			if legs++; !ok || legs > maxLegs {
				return nil
			}
			group = append(group, t)
		}
		ev.Groups = append(ev.Groups, group)
	}
	if legs == 0 || len(ev.Groups) > maxLegs {
		return nil
	}
	return ev
}

// targetOfLeg checks one leg of a dial.
func targetOfLeg(leg *proto.DialLeg) (call.Target, bool) {
	t := call.Target{
		URI: leg.GetTarget(), Ring: milliseconds(leg.GetRingMs()), Delay: milliseconds(leg.GetDelayMs()), Max: milliseconds(leg.GetAnsweredMs()),
		From: call.From{Name: leg.GetFromName(), User: leg.GetFromUser(), Host: leg.GetFromHost()},
	}
	if !isTarget(t.URI) || t.Ring > maxRing || t.Delay > maxDelay || t.Max > maxTalk || len(leg.GetHeaders()) > maxFields {
		return t, false
	}
	if !isText(t.From.Name) || !isUserPart(t.From.User) || !isHostPart(t.From.Host) {
		return t, false
	}
	octets := 0
	for _, h := range leg.GetHeaders() {
		if octets += len(h.GetName()) + len(h.GetValue()); !mayset(h) || octets > maxAnswer/4 {
			return t, false
		}
		t.Headers = append(t.Headers, call.Field{Name: h.Name, Value: h.Value})
	}
	switch leg.GetRedirects() {
	case proto.Redirects_REDIRECTS_FOLLOW:
		t.Redirects = call.RedirectsFollow
	case proto.Redirects_REDIRECTS_RETURN:
		t.Redirects = call.RedirectsReturn
	}
	switch leg.GetTransfers() {
	case proto.Transfers_TRANSFERS_NONE:
		t.Transfer = call.TransferNone
	case proto.Transfers_TRANSFERS_PASS:
		t.Transfer = call.TransferPass
	case proto.Transfers_TRANSFERS_CALL:
		t.Transfer = call.TransferCall
	}
	return t, true
}

// isTarget is a SIP URI or USER@GATEWAY.
func isTarget(text string) bool {
	if text == "" || len(text) > maxURI || !isLine(text) {
		return false
	}
	if user, _, ok := gatewayTarget(text); ok {
		return isUserPart(user)
	}
	_, err := sip.ParseURI(text)
	return err == nil
}

// isUserPart holds no octet that would end the user of a URI.
func isUserPart(s string) bool {
	return len(s) <= maxText && isLine(s) && !strings.ContainsAny(s, " <>@:;?\"\t")
}

func isHostPart(s string) bool {
	return len(s) <= maxText && isLine(s) && !strings.ContainsAny(s, " <>@;?\"\t/")
}

func milliseconds(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }
