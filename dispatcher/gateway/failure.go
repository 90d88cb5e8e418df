package gateway

import "slices"

// NextByDefault are the status codes that mean the gateway could not do it, so
// another may: no answer in time (408), its own flow to the callee is gone
// (430, RFC 5626), and the failures of a server (500, 502, 503, 504). What is
// said of the callee or of the number is not among them, nor what would be
// refused anywhere (501, 505, 513), nor 580, which comes from the other end.
func NextByDefault() []int { return []int{408, 430, 500, 502, 503, 504} }

// CanBeNext reports whether a code may be told to mean the next. Busy (486) and
// cancelled (487) speak for the callee and the caller; 6xx speaks for all places
// where the callee could be found (RFC 3261 §21.6); another gateway cannot do
// better, and a callee who declined would be rung again.
func CanBeNext(code int) bool { return code >= 400 && code <= 599 && code != 486 && code != 487 }

// Next reports whether a call that failed with this status code should go to
// the next URI or gateway. A timeout is 408 and a broken connection 503, as in
// RFC 3261 §8.1.3.1.
func (g *Gateway) Next(code int) bool {
	_, found := slices.BinarySearch(g.config.NextOn, code)
	return found && CanBeNext(code)
}

// ending is what a final answer says of the gateway.
type ending uint8

const (
	answered ending = iota // 2xx
	refused                // the callee, the number or the caller's doing
	failed                 // means the next

	endingKinds = iota
)

// Ended counts the final answer to one attempt through this gateway, given as
// Next takes it.
func (g *Gateway) Ended(code int) {
	end := refused
	switch {
	case code >= 200 && code <= 299:
		end = answered
	case g.Next(code):
		end = failed
	}
	g.endings[end].Add(1)
}

// Alive reports whether a final answer to an OPTIONS shows that somebody is
// there who takes calls: any but 408, which a proxy gives for one who is not,
// and 503. No answer at all counts as 408.
func Alive(code int) bool { return code >= 200 && code <= 699 && code != 408 && code != 503 }
