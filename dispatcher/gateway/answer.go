package gateway

import (
	"bytes"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/icholy/digest"
)

// Demand is a request that was challenged.
type Demand struct {
	Method     string
	URI        string // the Request-URI, as it will be sent
	Body       []byte
	Challenges []string // the values of WWW-Authenticate or of Proxy-Authenticate, not of both
	Count      int      // how often the nonce is used with this; 0 counts as 1
	Cnonce     string   // empty for one made at random
}

// Answer gives the value of Authorization for challenges of WWW-Authenticate,
// of Proxy-Authorization for those of Proxy-Authenticate. It is not ok when the
// gateway has no username, or no challenge is a sound one for its realm that
// can be computed: MD5, SHA-256 or SHA-512-256, with qop auth, auth-int or none.
//
// Of several it takes the strongest algorithm and of those the topmost
// (RFC 8760 §2.4 leaves that to local policy). It does not know what was tried
// before: that a second challenge is not answered unless it is [Stale] is for
// the caller to see to.
func (g *Gateway) Answer(d Demand) (credentials string, ok bool) {
	c := &g.config
	if c.Username == "" || !quotable(c.Username) || !quotable(d.URI) || !quotable(d.Cnonce) {
		return "", false
	}
	chosen, ok := strongest(d.Challenges, c.Realm)
	if !ok {
		return "", false
	}
	cred, err := digest.Digest(&chosen.Challenge, digest.Options{
		Method: d.Method, URI: d.URI, Count: max(1, d.Count), Cnonce: d.Cnonce,
		Username: c.Username, Password: c.Password,
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(d.Body)), nil },
	})
	if err != nil {
		return "", false
	}
	return cred.String(), true
}

// Stale reports whether the credentials were refused only because the nonce had
// become old, so that the new one is worth an answer.
func Stale(challenges []string) bool {
	for _, value := range challenges {
		if c, ok := parseChallenge(value); ok && c.Stale {
			return true
		}
	}
	return false
}

// strongest is the challenge to answer. With realm empty each will do.
func strongest(values []string, realm string) (best challenge, ok bool) {
	for _, value := range values {
		c, sound := parseChallenge(value)
		if sound && (realm == "" || c.Realm == realm) && c.strength > best.strength {
			best = c
		}
	}
	return best, best.strength > 0
}

// quotable tells whether a text can stand between quotes as itself but for a
// backslash before " and \. A nonce that cannot would have to be given back
// changed, and so be wrong.
func quotable(text string) bool {
	for _, r := range text {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			return false
		}
	}
	return true
}
