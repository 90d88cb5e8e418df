package locate

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// A walk follows RFC 3263 §4 for one target. It asks in batches and knows nothing
// of how they are answered.
type walk struct {
	ask        func([]question) []answer // one answer for each question, in their order
	transports []string                  // that we speak, the preferred first
	ipv4Only   bool

	asked   bool
	expires time.Time // the earliest of the answers seen
}

// locate makes the plan of a canonical target that is no IP literal.
func (w *walk) locate(t Target) plan {
	choices, err := w.choices(t)
	if len(choices) > 0 {
		err = nil
	} else if err == nil {
		err = ErrNoSuchHost
	}
	return plan{name: t.Host, choices: choices, err: err, expires: w.expires}
}

func (w *walk) choices(t Target) ([]choice, error) {
	if t.Port != 0 {
		return w.host(t, t.defaultTransport())
	}
	services, transport, err := w.services(t)
	if err != nil {
		return nil, err
	}
	found, listed, err := w.servers(services)
	if !listed && err == nil {
		return w.host(t, transport) // RFC 3263 §4.2: the host itself
	}
	if len(found) == 0 {
		return nil, err
	}
	return w.addresses(found)
}

// services finds by which transports a domain can be reached, and by what names
// (RFC 3263 §4.1). The transport is for the case that none of those names exists:
// the one that was asked for, or that NAPTR promised, or the default.
func (w *walk) services(t Target) ([]service, string, error) {
	if t.Transport != "" {
		return []service{{transport: t.Transport, name: srvName(t.Transport, t.Host)}}, t.Transport, nil
	}
	usable := func(transport string) bool {
		return w.speaks(transport) && (!t.Secure || transport == tls)
	}
	a := w.askAll([]question{{t.Host, kindNAPTR}})[0]
	// A name server that answers, but cannot answer this, is often one that has
	// never heard of NAPTR: the domain can be reached all the same.
	if a.err != nil && !errors.Is(a.err, errRefused) {
		return nil, "", a.err
	}
	if chosen := choose(a.naptr, usable); len(chosen) > 0 {
		return chosen, chosen[0].transport, nil
	}
	var services []service
	for _, transport := range w.transports {
		if usable(transport) {
			services = append(services, service{transport: transport, name: srvName(transport, t.Host)})
		}
	}
	return services, t.defaultTransport(), nil
}

func (w *walk) speaks(transport string) bool { return slices.Contains(w.transports, transport) }

// A server is a host that some service names.
type server struct {
	choice
	host string
	port uint16
}

// servers asks for the SRV records of services, best first. listed tells whether
// there was a record, be it one that says the service is not offered: then the
// host's own address must not be tried (RFC 2782, "Target").
func (w *walk) servers(services []service) (found []server, listed bool, err error) {
	questions := make([]question, 0, len(services))
	for _, s := range services {
		if !s.isHost {
			questions = append(questions, question{s.name, kindSRV})
		}
	}
	answers := w.askAll(questions)
	for i, s := range services {
		rank := uint32(i) << 16
		if s.isHost {
			listed = true
			found = append(found, server{choice{transport: s.transport, rank: rank}, s.name, defaultPort(s.transport)})
			continue
		}
		a := answers[0]
		answers = answers[1:]
		err = cmp.Or(err, a.err)
		listed = listed || len(a.srv) > 0
		for _, r := range a.srv {
			if r.target != "" && r.port != 0 {
				c := choice{transport: s.transport, rank: rank + uint32(r.priority), weight: r.weight}
				found = append(found, server{c, r.target, r.port})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b server) int { return cmp.Compare(a.rank, b.rank) })
	return found[:min(len(found), maxTarget)], listed, err
}

// host is the choice of a target that has no SRV records, or must not have.
func (w *walk) host(t Target, transport string) ([]choice, error) {
	if !w.speaks(transport) {
		return nil, fmt.Errorf("%w: %s", ErrNoTransport, transport)
	}
	port := t.Port
	if port == 0 {
		port = defaultPort(transport)
	}
	return w.addresses([]server{{choice{transport: transport}, t.Host, port}})
}

// addresses turns servers into choices; those without an address are left out.
// The error is that of an address that could not be learned, if any.
func (w *walk) addresses(servers []server) (choices []choice, err error) {
	var questions []question
	for _, s := range servers {
		if !slices.Contains(questions, question{s.host, kindA}) {
			questions = append(questions, question{s.host, kindA})
		}
	}
	if names := questions; !w.ipv4Only {
		for _, q := range names {
			questions = append(questions, question{q.name, kindAAAA})
		}
	}
	answers := w.askAll(questions)
	for _, s := range servers {
		for i, q := range questions {
			if q.name != s.host {
				continue
			}
			err = cmp.Or(err, answers[i].err)
			s.add(answers[i].addrs)
		}
		if len(s.v4)+len(s.v6) > 0 {
			choices = append(choices, s.choice)
		}
	}
	return choices, err
}

func (s *server) add(addrs []netip.Addr) {
	for _, addr := range addrs {
		if to := netip.AddrPortFrom(addr, s.port); addr.Is4() {
			s.v4 = append(s.v4, to)
		} else {
			s.v6 = append(s.v6, to)
		}
	}
	s.v4, s.v6 = s.v4[:min(len(s.v4), maxAddrs)], s.v6[:min(len(s.v6), maxAddrs)]
}

func (w *walk) askAll(questions []question) []answer {
	if len(questions) == 0 {
		return nil
	}
	answers := w.ask(questions)
	for _, a := range answers {
		if !w.asked || a.expires.Before(w.expires) {
			w.asked, w.expires = true, a.expires
		}
	}
	return answers
}
