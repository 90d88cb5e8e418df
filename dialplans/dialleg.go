package dialplans

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"dialyard/proto"
)

// Bounds of a dial.
const (
	maxLegs       = 20 // of one dial, and of all dials of a run
	maxFromName   = 128
	maxLegHeaders = 4 << 10 // bytes of the headers of a leg: its INVITE should fit into a datagram
)

// timeRange is a range of seconds.
type timeRange struct {
	what    string
	most    float64 // seconds
	zeroToo bool
}

// Ranges of the times of a dial. 180 s is Timer C, RFC 3261 §16.8.
var (
	ringRange     = timeRange{what: "ring time", most: 180}
	delayRange    = timeRange{what: "delay", most: 120, zeroToo: true}
	answeredRange = timeRange{what: "limit of an answered call", most: 24 * 60 * 60}
	totalRange    = timeRange{what: "time for all of a dial", most: totalLimit.Seconds()}
)

// milliseconds checks a number of seconds.
func (s timeRange) milliseconds(seconds float64) (uint32, error) {
	ms := math.Round(seconds * 1000)
	if s.zeroToo && ms == 0 {
		return 0, nil
	}
	if math.IsNaN(ms) || ms < 1 || ms > s.most*1000 {
		least := "more than 0"
		if s.zeroToo {
			least = "0"
		}
		return 0, fmt.Errorf("the %s is %s to %v seconds, not %s", s.what, least, s.most, numberText(seconds))
	}
	return uint32(ms), nil
}

// likeLeg is a new leg with all of base but the target.
func likeLeg(base *proto.DialLeg) *proto.DialLeg {
	return &proto.DialLeg{
		RingMs: base.GetRingMs(), DelayMs: base.GetDelayMs(), AnsweredMs: base.GetAnsweredMs(),
		FromName: base.GetFromName(), FromUser: base.GetFromUser(), FromHost: base.GetFromHost(),
		Headers: base.GetHeaders(), Redirects: base.GetRedirects(), Transfers: base.GetTransfers(),
	}
}

// choice is what one of a few words stands for.
func choice[T any](word string, choices map[string]T) (T, error) {
	chosen, ok := choices[word]
	if !ok {
		return chosen, fmt.Errorf("%q is not one of %s", clip(word), strings.Join(slices.Sorted(maps.Keys(choices)), ", "))
	}
	return chosen, nil
}

// checkFrom says what is wrong with the From that a leg is to show.
func checkFrom(leg *proto.DialLeg) error {
	if err := checkText("name of from", leg.FromName, maxFromName); err != nil {
		return err
	}
	if leg.FromUser != "" && !isPlainUser(leg.FromUser) {
		return fmt.Errorf("%q is not the user of a URI", clip(leg.FromUser))
	}
	if leg.FromHost != "" && (len(leg.FromHost) > 2*maxFromName || !isHost(leg.FromHost)) {
		return fmt.Errorf("%q is not a host", clip(leg.FromHost))
	}
	return nil
}

// ownedOfLeg are the headers of a leg's INVITE, beside those that are always
// reserved, that belong to the server: it passes a body on, negotiates and
// authenticates. Long names, lower case.
var ownedOfLeg = map[string]bool{
	"content-type": true, "content-encoding": true, "content-disposition": true, "require": true, "proxy-require": true,
	"supported": true, "allow": true, "authorization": true, "proxy-authorization": true, "session-expires": true,
	"min-se": true, "rack": true, "rseq": true, "replaces": true, "session-id": true,
}

// checkLegHeaders checks the headers of a leg beyond what all headers must be.
func checkLegHeaders(headers []*proto.Header) error {
	octets := 0
	for _, h := range headers {
		if ownedOfLeg[canonical(h.Name)] {
			return fmt.Errorf("the header %s of a leg belongs to the server, a script cannot set it", h.Name)
		}
		octets += len(h.Name) + len(h.Value)
	}
	if octets > maxLegHeaders {
		return fmt.Errorf("the headers of a leg are %d bytes, the limit is %d", octets, maxLegHeaders)
	}
	return nil
}

// countLegs counts the legs of a dial and refuses too many.
func countLegs(groups []*proto.DialGroup) (legs int, err error) {
	for _, group := range groups {
		legs += len(group.Legs)
	}
	if legs > maxLegs {
		return legs, tooManyLegs(legs)
	}
	return legs, nil
}
