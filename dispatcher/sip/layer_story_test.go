package sip

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// layerStage plays packets and the user's wishes on a Layer. What came of it is the
// news, the datagrams sent, and how many transactions are open. Tags are numbered
// as they appear; "again" marks a datagram that has been sent before, octet for
// octet.
//
// Of the server side:
//
//	udp INVITE c1          that request arrives, its branch made from c1
//	udp INVITE c1@b.test   the same branch from behind another Via host
//	answer c1 302          the user answers the request of that name
//	answer c1 200 fork     the same with a To tag of its own
//	confirm c1             the user has seen the ACK of its 2xx
//	resume udp c1 old      the user opens an INVITE of an earlier process, its tag old
//
// The events of the client side stand with [layerStage.playClient].
type layerStage struct {
	layer   *Layer
	queue   Queue
	news    map[string]*Server // what the user was told, by the name in the story
	clients map[string]*Client // what the user sent
	tags    map[string]string
	sent    map[string]bool
}

func newLayerStage() *layerStage {
	s := &layerStage{news: map[string]*Server{}, clients: map[string]*Client{}, tags: map[string]string{}, sent: map[string]bool{}}
	s.layer = NewLayer(&s.queue, [32]byte{}, 'a')
	return s
}

var peers = map[string]Peer{
	"udp": {Transport: "udp", Addr: netip.MustParseAddrPort("192.0.2.1:5060"), Self: "198.51.100.1:5060"},
	"tcp": {Transport: "tcp", Addr: netip.MustParseAddrPort("192.0.2.2:49152"), Self: "198.51.100.1:5061"},
}

func (s *layerStage) play(now time.Time, event []string) (string, error) {
	switch {
	case event[0] == "answer" && len(event) >= 3:
		return s.answer(now, event[1], event[2], event[3:])
	case event[0] == "confirm" && len(event) == 2 && s.news[event[1]] != nil:
		s.layer.Ack(now, s.news[event[1]])
		return s.tell(), nil
	case event[0] == "resume" && len(event) == 4:
		return s.resume(event[1], event[2], event[3])
	case peers[event[0]].Transport != "" && len(event) == 3:
		return s.receive(now, event)
	}
	return s.playClient(now, event)
}

func (s *layerStage) answer(now time.Time, name, status string, tag []string) (string, error) {
	server := s.news[name]
	code, err := strconv.Atoi(status)
	if err != nil || server == nil {
		return "", fmt.Errorf("no request %s to answer with %s", name, status)
	}
	s.layer.Respond(now, server, &Reply{Status: code, Tag: strings.Join(tag, "")})
	return s.tell(), nil
}

// packet is the request METHOD NAME of a story.
func (s *layerStage) packet(peer, method, name string) (Packet, error) {
	branch, sentBy, found := strings.Cut(name, "@")
	if !found {
		sentBy = "a.test"
	}
	m, refusal := Scan([]byte(requestText(method, "z9hG4bK-"+branch, sentBy)))
	if refusal != nil {
		return Packet{}, refusal
	}
	return Packet{Message: m, Peer: peers[peer]}, nil
}

func (s *layerStage) receive(now time.Time, event []string) (string, error) {
	p, err := s.packet(event[0], event[1], event[2])
	if err != nil {
		return "", err
	}
	n := s.layer.Receive(now, p)
	switch {
	case n.News == NewCall || n.News == NewOther:
		s.news[event[2]] = n.Server
	case n.News == Cancelled && n.Server != s.news[strings.ToLower(event[2])]:
		return "", fmt.Errorf("the CANCEL of %s ends another request", event[2])
	case n.News == Acked && (n.Message != p.Message || n.Peer != p.Peer):
		return "", fmt.Errorf("the ACK %s is not handed on as it came", event[2])
	}
	return s.tell(n), nil
}

func (s *layerStage) resume(peer, name, tag string) (string, error) {
	p, err := s.packet(peer, "INVITE", name)
	if err != nil {
		return "", err
	}
	s.news[name] = s.layer.Resume(p, tag)
	return s.tell(), nil
}

func (s *layerStage) deadline() time.Time { return s.queue.Next() }

func (s *layerStage) expire(now time.Time) string {
	return s.tell(expire(s.layer, now, s.queue.Due(now)))
}

// expire does what a shard does with a deadline that has come.
func expire(l *Layer, now time.Time, t *Timer) Notice {
	if c, ok := t.Owner.(*Client); ok {
		return l.ExpireClient(now, c)
	}
	return l.Expire(now, t.Owner.(*Server))
}

func (s *layerStage) end() error {
	if s.layer.Len() != 0 || s.queue.Len() != 0 {
		return fmt.Errorf("left over: %d transactions, %d deadlines", s.layer.Len(), s.queue.Len())
	}
	return nil
}

func (s *layerStage) tell(notices ...Notice) string {
	var news, sent []string
	for _, n := range notices {
		news = append(news, s.notice(n))
	}
	for _, d := range s.layer.Outbox() {
		sent = append(sent, s.datagram(d))
	}
	return fmt.Sprintf("%-11s %-29s %d open, %s", listed(news), listed(sent), s.layer.Len(), nextDeadline(s.queue.Next()))
}

func listed(items []string) string {
	if len(items) == 0 {
		return "-"
	}
	return strings.Join(items, ", ")
}

// notice puts news about what the user sent as "answer l1".
func (s *layerStage) notice(n Notice) string {
	if n.Client == nil {
		return n.News.String()
	}
	for name, c := range s.clients {
		if c == n.Client && (c.User == name || c.User == nil) {
			return n.News.String() + " " + name
		}
	}
	return n.News.String() + " of an unknown client"
}

// datagram puts an answer as "udp 302 INVITE t1".
func (s *layerStage) datagram(d Datagram) string {
	m, refusal := Scan(d.Data)
	if refusal != nil {
		return refusal.Error() + ": " + string(d.Data)
	}
	text := s.ownRequest(d.Peer, m)
	if !m.IsRequest() {
		text = fmt.Sprintf("%s %d %s", d.Peer.Transport, m.Status, m.Method)
		if tag := m.ToTag(); tag != "" {
			if s.tags[tag] == "" {
				s.tags[tag] = fmt.Sprintf("t%d", len(s.tags)+1)
			}
			text += " " + s.tags[tag]
		}
	}
	if s.sent[string(d.Data)] {
		text += " again"
	}
	s.sent[string(d.Data)] = true
	return text
}
