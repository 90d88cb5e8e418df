package sip

import "net/netip"

// Encode renders the stateless answer to a refused message, nil where silence is
// due (RFC 3261 §8.2.7: a stateless server repeats the same answer to a repeat).
func (r *Refusal) Encode(source netip.AddrPort) []byte {
	if r.Reply == nil || r.Status == 0 {
		return nil
	}
	reply := Reply{Status: r.Status}
	if r.Why != "" {
		reply.Headers = append(reply.Headers, Warning(r.Why))
	}
	if r.Status == 420 {
		reply.Headers = append(reply.Headers, Field{Name: "Unsupported", Value: r.Unsupported})
	}
	return reply.Encode(r.Reply, source, statelessTag)
}

// statelessTag is the To tag of every stateless answer: the same for each
// repetition of a request, as §8.2.7 demands.
const statelessTag = "dy0"
