package call

// bestFailure chooses among the failures of a dial's legs as RFC 3261 §16.7 step 6
// does: a 6xx if there is one, else the lowest class, and within 4xx what tells the
// caller how to do better. A 3xx, which would send the caller behind this front's back,
// comes after all 4xx.
func (c *Call) bestFailure() result {
	best := result{Code: 480}
	rank := 1 << 30
	for i := c.dial.first; i < len(c.Legs); i++ {
		l := &c.Legs[i]
		if l.Status < 300 || l.followed {
			continue
		}
		if r := rankOf(l.Status); r < rank {
			rank, best = r, result{l.Status, l.Reason, l.refusal, i + 1}
		}
	}
	return best
}

// rankOf orders failures, the best first. A plain "no answer" is the least telling
// of its class.
func rankOf(code int) int {
	switch {
	case code >= 600:
		return 0
	case code == 401, code == 407, code == 415, code == 420, code == 484:
		return 4*10 - 1
	case code == 408:
		return 4*10 + 1
	case code < 400: // the script did not want it followed, and the caller is not told where
		return 4*10 + 2
	}
	return code / 100 * 10
}

// statusOf is what a script calls a failure.
func statusOf(code int) DialStatus {
	switch code {
	case 486, 600, 603:
		return DialBusy
	case 408, 480, 487:
		return DialNoAnswer
	}
	return DialFailed
}

// refusal is what a caller hears beside the status: what the callee said, such as the
// Min-SE of a 422, unless the status is not the callee's.
func (r *result) refusal(status int) []Field {
	if status != r.Code {
		return nil
	}
	return r.Headers
}

// forCaller is the status a caller hears for a leg's failure. A challenge is meant
// for this front alone; a redirect was not the script's wish; and 503 would say that
// the whole front is not able (RFC 3261 §16.7 step 6).
func forCaller(code int) int {
	switch {
	case code < 400:
		return 480
	case code == 401, code == 407:
		return 403
	case code == 503:
		return 500
	}
	return code
}
