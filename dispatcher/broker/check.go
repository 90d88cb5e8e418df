package broker

import (
	"slices"
	"strings"

	"dialyard/proto"
)

// Limits of worker.proto.
const (
	maxBody       = 64 << 10
	maxName       = 253
	maxKey        = 256
	maxValue      = 16 << 10
	maxTTL        = 365 * 24 * 3600 // seconds
	maxClaimName  = 64
	maxPlaces     = 1_000_000
	maxClaimPerMS = 24 * 3600 * 1000
)

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

// checkFetch reads a request and judges where it goes.
func checkFetch(f *proto.Fetch, p *Policy) (*errand, error) {
	if !slices.Contains(methods, f.GetMethod()) {
		return nil, Refusal{BadRequest, "method"}
	}
	to, ok := parseTarget(f.GetUrl())
	if !ok {
		return nil, Refusal{BadRequest, "url"}
	}
	header, err := requestHeader(f.GetHeaders())
	if err != nil {
		return nil, err
	}
	bodiless := f.GetMethod() == "GET" || f.GetMethod() == "HEAD"
	if len(f.GetBody()) > maxBody || bodiless && len(f.GetBody()) > 0 {
		return nil, Refusal{BadRequest, "body"}
	}
	if !p.allowsHost(to) {
		return nil, Refusal{NotAllowed, "host"}
	}
	e := &errand{method: f.GetMethod(), to: to, header: header, body: f.GetBody(), time: p.fetchTime(), bytes: p.fetchBytes()}
	if ms := f.GetTimeoutMs(); ms > 0 {
		e.time = min(e.time, milliseconds(ms))
	}
	return e, nil
}

// checkLookup reads a question for the DNS.
func checkLookup(l *proto.Lookup) (question, error) {
	kind, ok := recordTypes[l.GetType()]
	if !ok {
		return question{}, Refusal{BadRequest, "type"}
	}
	name := strings.ToLower(strings.TrimSuffix(l.GetName(), "."))
	if len(name) == 0 || len(name) > maxName {
		return question{}, Refusal{BadRequest, "name"}
	}
	for label := range strings.SplitSeq(name, ".") {
		if !isLabel(label, "-_/") { // a slash is in names of RFC 2317
			return question{}, Refusal{BadRequest, "name"}
		}
	}
	return question{name, kind}, nil
}

// checkKeep checks what is to be done with a key.
func checkKeep(k *proto.Keep) error {
	op := k.GetOp()
	switch {
	case op < proto.KeepOp_KEEP_OP_GET || op > proto.KeepOp_KEEP_OP_INCREMENT:
		return Refusal{BadRequest, "operation"}
	case len(k.GetKey()) == 0 || len(k.GetKey()) > maxKey:
		return Refusal{BadRequest, "key"}
	case len(k.GetValue()) > maxValue || op != proto.KeepOp_KEEP_OP_SET && len(k.GetValue()) > 0:
		return Refusal{BadRequest, "value"}
	case k.GetTtlS() > maxTTL:
		return Refusal{BadRequest, "time to live"}
	}
	return nil
}

// checkClaim checks a named limit.
func checkClaim(c *proto.Claim) error {
	switch {
	case len(c.GetName()) == 0 || len(c.GetName()) > maxClaimName:
		return Refusal{BadRequest, "name"}
	case c.GetPlaces() == 0 || c.GetPlaces() > maxPlaces:
		return Refusal{BadRequest, "places"}
	case c.GetPerMs() > maxClaimPerMS:
		return Refusal{BadRequest, "period"}
	}
	return nil
}
