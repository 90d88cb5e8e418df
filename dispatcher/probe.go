package dispatcher

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

const (
	probeUser    = "health"
	probeHeader  = "X-Dialyard-Probe"
	nonceHeader  = "X-Dialyard-Nonce"
	probeHealthy = 420 // nothing else that a proxy meets answers so
	tokenLife    = 30 * time.Second
)

// probePolicy is that of a probe call: one try, and the time a probe may take.
var probePolicy = call.Policy{Tries: 1, Grace: time.Second, Wall: 2 * time.Second, Overstay: 500 * time.Millisecond}

// probes makes and redeems probe tokens: "worker~expiry~nonce~mac", where the
// MAC is by a key that lives and dies with this process. A token is good for one
// call. The mutex guards what all shards must agree on; only probes come here.
type probes struct {
	key  [32]byte
	mu   sync.Mutex
	used map[string]time.Time // nonce → when it may be forgotten
}

func newProbes() *probes {
	p := &probes{used: map[string]time.Time{}}
	rand.Read(p.key[:])
	return p
}

// ProbeToken makes a token for one probe call to a worker, "w1" or "w1.3" with
// its generation. It is good for 30 s.
func (d *Dispatcher) ProbeToken(worker string) string {
	text := fmt.Sprintf("%s~%x~%s", worker, time.Now().Add(tokenLife).Unix(), rand.Text())
	return text + "~" + d.probes.mac(text)
}

func (p *probes) mac(text string) string {
	h := hmac.New(sha256.New, p.key[:])
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// redeem returns the worker a token names and its nonce, once.
func (p *probes) redeem(now time.Time, token string) (worker, nonce string, ok bool) {
	end := strings.LastIndexByte(token, '~')
	if end < 0 || !hmac.Equal([]byte(token[end+1:]), []byte(p.mac(token[:end]))) {
		return "", "", false
	}
	parts := strings.Split(token[:end], "~")
	if len(parts) != 3 {
		return "", "", false
	}
	unix, err := strconv.ParseInt(parts[1], 16, 64)
	expiry := time.Unix(unix, 0)
	if err != nil || now.After(expiry) {
		return "", "", false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, again := p.used[parts[2]]; again {
		return "", "", false
	}
	for nonce, until := range p.used {
		if now.After(until) {
			delete(p.used, nonce)
		}
	}
	p.used[parts[2]] = expiry
	return parts[0], parts[2], true
}

// probed reports whether an INVITE is a probe call, and for which worker. Without
// a good token from a trusted peer, "health" is a user like any other.
func (s *shard) probed(now time.Time, m *sip.Message, trusted bool) (worker, nonce string, ok bool) {
	if m.Target.User != probeUser || !trusted {
		return "", "", false
	}
	return s.probes.redeem(now, m.Find(probeHeader))
}

// newProbe is a call that touches no account, route or record. Its script finds a
// nonce to echo: the caller's, or else the token's.
func (s *shard) newProbe(now time.Time, server *sip.Server, worker, nonce string) *live {
	s.Stats.Probes.Add(1)
	m, source := server.Request(), server.Peer()
	record := call.Record{CallID: m.Get(sip.CallID), Plan: probeUser, Source: source.String(), Start: now}
	l := &live{waits: waits{server: server, invite: m}, probe: worker, call: call.NewCall(record, &probePolicy)}
	l.Owner = l
	l.start = s.newStart(m, source, PlanName{Plan: probeUser}, Plan{Bundle: s.HealthPlan}, s.table.Load(), true)
	if m.Find(nonceHeader) == "" {
		l.start.Facts.Headers = strings.TrimSuffix(l.start.Facts.Headers, "\r\n") + "\r\n" + nonceHeader + ": " + nonce + "\r\n"
	}
	return l
}

// vitals are the health headers of the worker that answered a probe.
func (s *shard) vitals(now time.Time, l *live) []sip.Field {
	var fields []sip.Field
	for _, f := range s.Vitals(l.call.Worker) {
		fields = append(fields, sip.Field(f))
	}
	ms := float64(now.Sub(l.placed).Microseconds()) / 1000
	return append(fields, sip.Field{Name: "X-Dialyard-Script-Ms", Value: strconv.FormatFloat(ms, 'f', 3, 64)})
}

// state is what an OPTIONS answer tells a trusted peer of the front.
func (s *shard) state() []sip.Field {
	calls, runs, _ := s.Stats.Now()
	return []sip.Field{
		{Name: "X-Dialyard-State", Value: s.State()},
		{Name: "X-Dialyard-Workers", Value: fmt.Sprintf("%d/%d", s.Workers.Ready(), s.Slots)},
		{Name: "X-Dialyard-Calls", Value: strconv.Itoa(calls)},
		{Name: "X-Dialyard-Runs", Value: strconv.Itoa(runs)},
		{Name: "X-Dialyard-Version", Value: s.Version},
	}
}
