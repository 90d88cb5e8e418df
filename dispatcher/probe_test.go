package dispatcher

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// probeTo is a probe call as it arrives, and when.
type probeTo struct {
	user    string
	token   string
	trusted bool
	at      time.Time
}

// arrives reports what a shard makes of it.
func (p probeTo) arrives(t *testing.T, s *shard) (worker, nonce string, ok bool) {
	t.Helper()
	m := inviteTo(t, "sip:"+p.user+"@127.0.0.1", probeHeader+": "+p.token)
	return s.probed(p.at, m, p.trusted)
}

func TestProbeToken(t *testing.T) {
	d := New(Options{})
	good := probeTo{user: probeUser, token: d.ProbeToken("w2.7"), trusted: true, at: time.Now()}
	worker, nonce, ok := good.arrives(t, d.shards[0])
	if worker != "w2.7" || nonce != strings.Split(good.token, "~")[2] || !ok {
		t.Fatalf("a good token is for %q with %q, %v", worker, nonce, ok)
	}
	if worker, _, ok := good.arrives(t, d.shards[0]); ok {
		t.Errorf("used twice, for %q", worker)
	}
}

func TestProbeTokenIsRefused(t *testing.T) {
	d, other := New(Options{}), New(Options{})
	token := d.ProbeToken("w2.7")
	text, mac := token[:strings.LastIndexByte(token, '~')], token[strings.LastIndexByte(token, '~')+1:]
	for name, p := range map[string]probeTo{
		"none":                       {token: ""},
		"not a token":                {token: "w2.7"},
		"only separators":            {token: "~~~"},
		"MAC absent":                 {token: text},
		"MAC empty":                  {token: text + "~"},
		"MAC cut":                    {token: token[:len(token)-2]},
		"MAC of nothing":             {token: text + "~" + d.probes.mac("")},
		"MAC in capitals":            {token: text + "~" + strings.ToUpper(mac)},
		"one bit of the MAC":         {token: flip(token, len(token)-1)},
		"names another worker":       {token: "w1" + token[2:]},
		"names another generation":   {token: strings.Replace(token, ".7", ".8", 1)},
		"lives for longer":           {token: flip(token, len("w2.7~")+7)},
		"by another process":         {token: other.ProbeToken("w2.7")},
		"expired":                    {token: token, at: time.Now().Add(tokenLife + 2*time.Second)},
		"signed, with too much":      {token: signed(d, "w2.7~ffffffff~1~2")},
		"signed, with too little":    {token: signed(d, "w2.7~ffffffff")},
		"signed, expiry not a time":  {token: signed(d, "w2.7~soon~1")},
		"signed, expiry out of time": {token: signed(d, "w2.7~-1~1")},
		"to another user":            {token: token, user: "health2"},
		"to the user in capitals":    {token: token, user: "HEALTH"},
	} {
		t.Run(name, func(t *testing.T) {
			p.trusted = true
			if p.user == "" {
				p.user = probeUser
			}
			if p.at.IsZero() {
				p.at = time.Now()
			}
			if worker, _, ok := p.arrives(t, d.shards[0]); ok {
				t.Errorf("taken for %q", worker)
			}
		})
	}
	if worker, _, ok := (probeTo{user: probeUser, token: token, trusted: true, at: time.Now()}).arrives(t, d.shards[0]); !ok {
		t.Errorf("what was refused has used the token up: %q", worker)
	}
}

// flip changes one character of a token into another of the same alphabet.
func flip(token string, i int) string {
	other := byte('0')
	if token[i] == other {
		other = '1'
	}
	return token[:i] + string(other) + token[i+1:]
}

func signed(d *Dispatcher, text string) string { return text + "~" + d.probes.mac(text) }

// TestProbeFromStranger: an untrusted peer's good token is not looked at, and stays
// good for those who are trusted.
func TestProbeFromStranger(t *testing.T) {
	d := New(Options{})
	p := probeTo{user: probeUser, token: d.ProbeToken("w1"), at: time.Now()}
	if worker, _, ok := p.arrives(t, d.shards[0]); ok {
		t.Errorf("a stranger probes %q", worker)
	}
	p.trusted = true
	if worker, _, ok := p.arrives(t, d.shards[0]); worker != "w1" || !ok {
		t.Errorf("the stranger has used the token up: %q, %v", worker, ok)
	}
}

// TestProbeTokenAcrossShards: a token that arrives everywhere at once is good once.
func TestProbeTokenAcrossShards(t *testing.T) {
	d := New(Options{Shards: 4})
	token, now := d.ProbeToken("w1"), time.Now()
	var taken atomic.Int64
	var shards sync.WaitGroup
	for range d.shards {
		shards.Go(func() {
			if _, _, ok := d.probes.redeem(now, token); ok {
				taken.Add(1)
			}
		})
	}
	shards.Wait()
	if taken.Load() != 1 {
		t.Errorf("taken %d times", taken.Load())
	}
}

// TestUsedTokensAreForgotten once they could not be used again anyway.
func TestUsedTokensAreForgotten(t *testing.T) {
	p := newProbes()
	now := noon
	for i := range 1000 {
		text := fmt.Sprintf("w1~%x~%d", now.Add(tokenLife).Unix(), i)
		if _, _, ok := p.redeem(now, text+"~"+p.mac(text)); !ok {
			t.Fatalf("token %d is refused", i)
		}
		now = now.Add(time.Second)
	}
	if most := int(tokenLife/time.Second) + 2; len(p.used) > most {
		t.Errorf("%d are remembered of those used in %v", len(p.used), tokenLife)
	}
}
