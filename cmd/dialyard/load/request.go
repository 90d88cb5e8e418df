package load

import (
	"bytes"
	"errors"
	"hash/maphash"
)

// Why a datagram is not a request that can be answered.
var (
	errNotRequest = errors.New("neither a SIP response nor a SIP request")
	errIncomplete = errors.New("request without Via, From, To, Call-ID or CSeq")
)

// maxEchoed is how many lines of a request a response may have to repeat, those with Via among them.
const maxEchoed = 24

// request is what the generator wants from a request. The slices lie in the scanned datagram.
type request struct {
	method string
	via    []byte // the line with the first Via
	viaAt  int    // its place among those echoed
	callID []byte
	to     []byte
	tag    []byte // of To, nil outside of a dialog
	body   []byte
	echoed [maxEchoed][]byte // the lines which every response repeats: all but To
	echoes int
}

// methods are those the generator knows; a string of this list costs nothing.
var methods = [...]string{"INVITE", "ACK", "BYE", "OPTIONS", "CANCEL", "PRACK", "UPDATE", "INFO"}

// scanRequest reads one datagram.
func scanRequest(b []byte) (request, error) {
	line, b, found := bytes.Cut(b, crlf)
	method, rest, _ := bytes.Cut(line, []byte(" "))
	if !found || !bytes.HasSuffix(rest, []byte(" SIP/2.0")) {
		return request{}, errNotRequest
	}
	q := request{method: methodOf(method)}
	var seen parts
	for {
		var f field
		var err error
		if f, b, err = nextField(b); err != nil {
			return request{}, err
		}
		if f.line == nil {
			break
		}
		if !q.keep(f, &seen) {
			return request{}, errHeader
		}
	}
	if seen != partVia|partFrom|partTo|partCallID|partCSeq {
		return request{}, errIncomplete
	}
	q.tag = tagOf(q.to)
	q.body = b
	return q, nil
}

func methodOf(name []byte) string {
	for _, known := range methods {
		if string(name) == known {
			return known
		}
	}
	return string(name)
}

// parts are the headers which a request must have.
type parts uint8

const (
	partVia parts = 1 << iota
	partFrom
	partTo
	partCallID
	partCSeq
)

// partNamed is the part which the header is, 0 for any other, in long or compact form.
func partNamed(name []byte) parts {
	switch {
	case named(name, "via"), named(name, "v"):
		return partVia
	case named(name, "from"), named(name, "f"):
		return partFrom
	case named(name, "to"), named(name, "t"):
		return partTo
	case named(name, "call-id"), named(name, "i"):
		return partCallID
	case named(name, "cseq"):
		return partCSeq
	}
	return 0
}

// keep notes a header line. It is false for a second one where there must be one, and for too many.
func (q *request) keep(f field, seen *parts) bool {
	part := partNamed(f.name)
	switch {
	case named(f.name, recordRoute):
		return q.echo(f.line)
	case part == 0:
		return true
	case part != partVia && *seen&part != 0:
		return false
	case part == partTo:
		q.to = f.value
		*seen |= part
		return true
	case part == partVia && *seen&part == 0:
		q.via, q.viaAt = f.line, q.echoes
	case part == partCallID:
		q.callID = f.value
	}
	*seen |= part
	return q.echo(f.line)
}

func (q *request) echo(line []byte) bool {
	if q.echoes == maxEchoed {
		return false
	}
	q.echoed[q.echoes] = line
	q.echoes++
	return true
}

// legSeed makes the numbers of legs differ from one process to the next.
var legSeed = maphash.MakeSeed()

// leg is a number for the transaction of an INVITE: its retransmission has the same, whatever else calls
// here has another (RFC 3261 sections 8.2.2.2 and 17.2.3).
func (q *request) leg() uint64 {
	return maphash.Bytes(legSeed, q.via) ^ 31*maphash.Bytes(legSeed, q.callID)
}
