package main_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// An agent is a user agent that does what a test says, message by message, where a
// sipp scenario could not: several calls at once, and in one's own order. Over UDP it
// repeats its requests and its answers to INVITE, and absorbs what is repeated to it
// (RFC 3261 §17). It answers nothing by itself but failures of its INVITEs, with ACK.
type agent struct {
	t       *testing.T
	name    string
	address string // host:port
	front   net.Addr
	conn    net.PacketConn
	weather *weather      // nil for fair
	waits   time.Duration // for what is expected
	alone   bool          // on a goroutine of its own

	mu      sync.Mutex
	news    chan struct{}
	pending []*message          // came and was not asked for yet
	log     []*message          // all that came, repeats too
	replies map[string][]byte   // what a repeated message hears again
	repeats map[string]*sending // what is sent until it is answered
	last    int
}

// A sending is a message on its way again and again.
type sending struct {
	*time.Timer
	callID string
}

// A message is one that came, its lines ended by \n.
type message struct {
	text string
	at   time.Time
}

func (m *message) start() string { return strings.SplitN(m.text, "\n", 2)[0] }

func (m *message) head(name string) string { return field(m.text, name) }

func (m *message) body() string {
	_, body, _ := strings.Cut(m.text, "\n\n")
	return body
}

// status is 0 for a request.
func (m *message) status() (n int) {
	if text, ok := strings.CutPrefix(m.text, "SIP/2.0 "); ok {
		n, _ = strconv.Atoi(text[:3])
	}
	return n
}

// method is that of the CSeq.
func (m *message) method() string {
	_, method, _ := strings.Cut(m.head("CSeq"), " ")
	return method
}

func (m *message) seq() string {
	seq, _, _ := strings.Cut(m.head("CSeq"), " ")
	return seq
}

// key is what a message and its repetitions have in common.
func (m *message) key() string {
	return fmt.Sprint(m.status(), m.method(), m.head("Via"), m.head("Call-ID"), tagOf(m.head("To")))
}

func tagOf(value string) string {
	_, tag, _ := strings.Cut(value, ";tag=")
	tag, _, _ = strings.Cut(tag, ";")
	return tag
}

// newAgent opens a socket on loopback.
func newAgent(t *testing.T, name string) *agent {
	t.Helper()
	return newAgentIn(t, name, nil)
}

func newAgentIn(t *testing.T, name string, w *weather) *agent {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{
		t: t, name: name, address: conn.LocalAddr().String(), conn: conn, weather: w, waits: 8 * time.Second,
		news: make(chan struct{}, 1), replies: map[string][]byte{}, repeats: map[string]*sending{},
	}
	var reading sync.WaitGroup
	reading.Go(a.read)
	t.Cleanup(func() {
		conn.Close()
		reading.Wait()
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, r := range a.repeats {
			r.Stop()
		}
	})
	return a
}

func (a *agent) uri() string { return "sip:" + a.name + "@" + a.address }

// speaksTo says where the agent sends all it has to say.
func (a *agent) speaksTo(s *server) {
	front, err := net.ResolveUDPAddr("udp", s.sip)
	s.must(err)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.front = front
}

func (a *agent) read() {
	buffer := make([]byte, 65536)
	for {
		n, _, err := a.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		m := &message{strings.ReplaceAll(string(buffer[:n]), "\r\n", "\n"), time.Now()}
		a.weather.pass(func() { a.arrive(m) })
	}
}

// arrive takes a message once, and answers its repetitions as it was answered.
func (a *agent) arrive(m *message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log = append(a.log, m)
	switch status := m.status(); {
	case m.method() == "ACK" || m.method() == "BYE" && status == 0:
		a.stop(func(key string, r *sending) bool {
			return r.callID == m.head("Call-ID") && strings.HasPrefix(key, "INVITE answered")
		})
	case status >= 200 || status > 0 && m.method() == "INVITE":
		a.stop(func(key string, _ *sending) bool { return key == m.method()+m.head("Call-ID")+m.seq() })
	}
	key := m.key()
	if again, known := a.replies[key]; known {
		if again != nil {
			a.transmit(again)
		}
		return
	}
	a.replies[key] = nil
	if m.status() >= 300 && m.method() == "INVITE" {
		a.replies[key] = ackOf(m)
		a.transmit(a.replies[key])
	}
	a.pending = append(a.pending, m)
	select {
	case a.news <- struct{}{}:
	default:
	}
}

// ackOf acknowledges a failure hop by hop (RFC 3261 §17.1.1.3).
func ackOf(m *message) []byte {
	_, uri, _ := strings.Cut(m.head("To"), "<")
	uri, _, _ = strings.Cut(uri, ">")
	return wire("ACK "+uri+" SIP/2.0", "", "Via: "+m.head("Via"), "From: "+m.head("From"), "To: "+m.head("To"),
		"Call-ID: "+m.head("Call-ID"), "CSeq: "+m.seq()+" ACK", "Max-Forwards: 70")
}

// wire makes a message; a body is a session description unless a header says else.
func wire(start, body string, headers ...string) []byte {
	text := start + "\r\n" + strings.Join(headers, "\r\n")
	if body != "" && !strings.Contains(text, "\r\nContent-Type: ") {
		text += "\r\nContent-Type: application/sdp"
	}
	return []byte(fmt.Sprintf("%s\r\nContent-Length: %d\r\n\r\n%s", text, len(body), body))
}

// transmit sends once; a.mu is held.
func (a *agent) transmit(data []byte) {
	a.weather.pass(func() { a.conn.WriteTo(data, a.front) })
}

// repeat sends until it is stopped: after T1, then twice as long each time up to most.
// a.mu is held.
func (a *agent) repeat(key, callID string, data []byte, most time.Duration) {
	a.transmit(data)
	pause := 500 * time.Millisecond
	r := &sending{callID: callID}
	r.Timer = time.AfterFunc(pause, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.repeats[key] == r {
			a.transmit(data)
			pause = min(2*pause, most)
			r.Reset(pause)
		}
	})
	a.repeats[key] = r
}

// stop ends repetitions; a.mu is held.
func (a *agent) stop(which func(key string, r *sending) bool) {
	for key, r := range a.repeats {
		if which(key, r) {
			r.Stop()
			delete(a.repeats, key)
		}
	}
}

// hear waits for a message and takes it out of those that wait.
func (a *agent) hear(what string, match func(*message) bool) *message {
	a.t.Helper()
	deadline := time.After(a.waits)
	for {
		a.mu.Lock()
		for i, m := range a.pending {
			if match(m) {
				a.pending = append(a.pending[:i], a.pending[i+1:]...)
				a.mu.Unlock()
				return m
			}
		}
		a.mu.Unlock()
		select {
		case <-a.news:
		case <-deadline:
			a.fatalf("%s has not heard %s within %v, but %s", a.name, what, a.waits, a.unheard())
		}
	}
}

// fatalf ends the test, or the goroutine that the agent has to itself.
func (a *agent) fatalf(format string, args ...any) {
	a.t.Helper()
	a.t.Errorf(format, args...)
	if a.alone {
		runtime.Goexit()
	}
	a.t.FailNow()
}

// unheard lists what came and was not asked for, but for 100s.
func (a *agent) unheard() (starts []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.pending {
		if m.status() != 100 {
			starts = append(starts, m.start())
		}
	}
	return starts
}

// all is every message that came and whose first line begins like this, with those
// that were repeated.
func (a *agent) all(start string) (found []*message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.log {
		if strings.HasPrefix(m.text, start) {
			found = append(found, m)
		}
	}
	return found
}

// token is unique in the test.
func (a *agent) token(kind string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	return fmt.Sprintf("%s-%s-%s-%d", kind, a.name, port(a.address), a.last)
}

// nothingLeft fails the test if any of the agents heard more than it was to hear.
func nothingLeft(agents ...*agent) {
	for _, a := range agents {
		a.t.Helper()
		if more := a.unheard(); more != nil {
			a.t.Errorf("%s also heard %q", a.name, more)
		}
	}
}

// weather loses, doubles and delays messages by a seed; what is delayed may arrive
// behind what was sent later.
type weather struct {
	mu     sync.Mutex
	random *rand.Rand
}

func newWeather(seed uint64) *weather { return &weather{random: rand.New(rand.NewPCG(seed, 3261))} }

// pass delivers a message not at all, at once, late, or twice.
func (w *weather) pass(deliver func()) {
	if w == nil {
		deliver()
		return
	}
	w.mu.Lock()
	lost, copies := w.random.IntN(10) == 0, 1
	if w.random.IntN(20) == 0 {
		copies = 2
	}
	var late []time.Duration
	for range copies {
		late = append(late, time.Duration(max(0, w.random.IntN(200)-150))*time.Millisecond)
	}
	w.mu.Unlock()
	for _, d := range late {
		if !lost {
			time.AfterFunc(d, deliver)
		}
	}
}
