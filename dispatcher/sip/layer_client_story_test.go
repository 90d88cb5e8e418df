package sip

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// playClient plays the events of the client side:
//
//	send udp INVITE l1       the user sends that request
//	udp 180 INVITE l1        an answer to it arrives; its To tag is a
//	udp 200 INVITE l1/b      an answer of another party, with the To tag b
//	udp 200 INVITE l1/       an answer without a To tag
//	ack l1                   the user acknowledges the 2xx
//	cancel l1                the user wants it cancelled
//	cancel l1 elsewhere      and says why
//	abort l1                 the user is no longer interested
//	rejoin udp l1            the user takes over what an earlier process sent
//	break udp                the peer of that transport cannot be reached
//
// A request sent is told as "udp INVITE l1"; the word "fresh" marks a branch that is
// not that of the first request of this name.
func (s *layerStage) playClient(now time.Time, event []string) (string, error) {
	words := len(event)
	peer := peers[event[min(1, words-1)]]
	client := s.clients[event[min(1, words-1)]]
	switch {
	case event[0] == "send" && words == 4 && peer.Transport != "":
		s.clients[event[3]] = s.layer.Send(now, legRequest(event[2], event[3]), peer, event[3])
		return s.tell(), nil
	case event[0] == "rejoin" && words == 3 && peer.Transport != "":
		s.clients[event[2]] = s.layer.Rejoin(now, legRequest("INVITE", event[2]), peer, event[2], "z9hG4bK-"+event[2])
		return s.tell(), nil
	case event[0] == "break" && words == 2 && peer.Transport != "":
		return s.tell(s.layer.Break(now, peer)...), nil
	case peers[event[0]].Transport != "" && words == 4:
		return s.hear(now, event)
	case client == nil:
		return "", fmt.Errorf("%q is no event of a layer, or about nothing that was sent", event)
	}
	switch event[0] {
	case "ack":
		s.layer.SendAck(legRequest("ACK", event[1]), client.Peer(), client)
	case "cancel":
		s.layer.Cancel(now, client, strings.Join(event[2:], " "))
	case "abort":
		s.layer.Abort(client)
	default:
		return "", fmt.Errorf("%q is no event of a layer", event)
	}
	return s.tell(), nil
}

// hear plays an answer: PEER STATUS METHOD NAME/TAG.
func (s *layerStage) hear(now time.Time, event []string) (string, error) {
	name, tag, given := strings.Cut(event[3], "/")
	if !given {
		tag = "a"
	}
	status, err := strconv.Atoi(event[1])
	if err != nil {
		return "", err
	}
	branch := "z9hG4bK-nobody"
	if c := s.clients[name]; c != nil {
		branch = c.Branch()
	}
	m, refusal := Scan([]byte(answerText(status, event[2], branch, name, tag)))
	if refusal != nil {
		return "", refusal
	}
	n := s.layer.Receive(now, Packet{Message: m, Peer: peers[event[0]]})
	if n.News != None && (n.Message != m || n.Peer != peers[event[0]]) {
		return "", fmt.Errorf("the answer to %s is not handed on as it came", name)
	}
	return s.tell(n), nil
}

// ownRequest puts a request as "udp CANCEL l1". A reason stands behind it.
func (s *layerStage) ownRequest(to Peer, m *Message) string {
	name := m.Get(CallID)
	text := to.Transport + " " + m.Method + " " + name
	if c := s.clients[name]; c != nil && c.Branch() != m.Branch {
		text += " fresh"
	}
	if m.ToTag() != "" {
		text += " to " + m.ToTag()
	}
	if reason := m.Find("Reason"); reason != "" {
		text += " " + reason
	}
	return text
}

// legRequest is a request of the front's own; its name in the story is its Call-ID.
func legRequest(method, name string) *Request {
	to := "<sip:200@gw.example.net>"
	if method == "ACK" {
		to += ";tag=a"
	}
	return &Request{
		Method: method, URI: "sip:200@gw.example.net", From: "<sip:front.example.net>;tag=own", To: to,
		CallID: name, Seq: 1, Route: []string{"<sip:proxy.example.net;lr>"}, Hops: MaxHops,
	}
}

// answerText is an answer to a legRequest as its peer would give it. Without a tag
// To has none.
func answerText(status int, method, branch, callID, tag string) string {
	if tag != "" {
		tag = ";tag=" + tag
	}
	return "SIP/2.0 " + strconv.Itoa(status) + " " + Phrase(status) + "\r\n" +
		"Via: SIP/2.0/UDP 198.51.100.1:5060;branch=" + branch + ";rport=5060;received=198.51.100.1\r\n" +
		"From: <sip:front.example.net>;tag=own\r\n" +
		"To: <sip:200@gw.example.net>" + tag + "\r\n" +
		"Call-ID: " + callID + "\r\n" +
		"CSeq: 1 " + method + "\r\n" +
		"Content-Length: 0\r\n\r\n"
}
