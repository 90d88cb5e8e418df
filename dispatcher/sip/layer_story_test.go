package sip

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// layerStage plays packets and answers on a Layer:
//
//	udp INVITE c1          that request arrives, its branch made from c1
//	udp INVITE c1@b.test   the same branch from behind another Via host
//	answer c1 302          the user answers the request of that name
//
// What came of it is the news, the datagrams sent, and how many transactions are
// open. Tags are numbered as they appear; "again" marks a datagram that has been
// sent before, octet for octet.
type layerStage struct {
	layer *Layer
	queue Queue
	news  map[string]*Server // what the user was told, by the name in the story
	tags  map[string]string
	sent  map[string]bool
}

func newLayerStage() *layerStage {
	s := &layerStage{news: map[string]*Server{}, tags: map[string]string{}, sent: map[string]bool{}}
	s.layer = NewLayer(&s.queue, [32]byte{}, 'a')
	return s
}

var peers = map[string]Peer{
	"udp": {Transport: "udp", Addr: netip.MustParseAddrPort("192.0.2.1:5060")},
	"tcp": {Transport: "tcp", Addr: netip.MustParseAddrPort("192.0.2.2:49152")},
}

func (s *layerStage) play(now time.Time, event []string) (string, error) {
	switch {
	case event[0] == "answer" && len(event) == 3:
		return s.answer(now, event[1], event[2])
	case peers[event[0]].Transport != "" && len(event) == 3:
		return s.receive(now, event)
	}
	return "", fmt.Errorf("%q is neither PEER METHOD NAME nor answer NAME STATUS", event)
}

func (s *layerStage) answer(now time.Time, name, status string) (string, error) {
	server := s.news[name]
	code, err := strconv.Atoi(status)
	if err != nil || server == nil {
		return "", fmt.Errorf("no request %s to answer with %s", name, status)
	}
	s.layer.Respond(now, server, &Reply{Status: code})
	return s.tell("-"), nil
}

func (s *layerStage) receive(now time.Time, event []string) (string, error) {
	branch, sentBy, found := strings.Cut(event[2], "@")
	if !found {
		sentBy = "a.test"
	}
	m, refusal := Scan([]byte(requestText(event[1], "z9hG4bK-"+branch, sentBy)))
	if refusal != nil {
		return "", refusal
	}
	news, server := s.layer.Receive(now, Packet{Message: m, Peer: peers[event[0]]})
	if news == NewCall || news == NewOther {
		s.news[event[2]] = server
	}
	return s.tell([...]string{None: "-", NewCall: "new call", NewOther: "new request", Cancelled: "cancelled"}[news]), nil
}

func (s *layerStage) deadline() time.Time { return s.queue.Next() }

func (s *layerStage) expire(now time.Time) string {
	s.layer.Expire(now, s.queue.Due(now).Owner.(*Server))
	return s.tell("-")
}

func (s *layerStage) end() error {
	if s.layer.Len() != 0 || s.queue.Len() != 0 {
		return fmt.Errorf("left over: %d transactions, %d deadlines", s.layer.Len(), s.queue.Len())
	}
	return nil
}

func (s *layerStage) tell(news string) string {
	var sent []string
	for _, d := range s.layer.Outbox() {
		sent = append(sent, s.datagram(d))
	}
	if sent == nil {
		sent = []string{"-"}
	}
	return fmt.Sprintf("%-11s %-29s %d open, %s", news, strings.Join(sent, ", "), s.layer.Len(), nextDeadline(s.queue.Next()))
}

// datagram puts an answer as "udp 302 INVITE t1".
func (s *layerStage) datagram(d Datagram) string {
	m, refusal := Scan(d.Data)
	if refusal != nil || m.IsRequest() {
		return "no response: " + string(d.Data)
	}
	text := fmt.Sprintf("%s %d %s", d.Peer.Transport, m.Status, m.Method)
	if tag := m.ToTag(); tag != "" {
		if s.tags[tag] == "" {
			s.tags[tag] = fmt.Sprintf("t%d", len(s.tags)+1)
		}
		text += " " + s.tags[tag]
	}
	if s.sent[string(d.Data)] {
		text += " again"
	}
	s.sent[string(d.Data)] = true
	return text
}
