package dispatcher

import (
	"time"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// takeNotice gives the layer's news to whom they concern.
func (s *shard) takeNotice(now time.Time, n sip.Notice) {
	switch n.News {
	case sip.NewCall, sip.NewOther:
		s.request(now, n.Server)
	case sip.Cancelled:
		if l := s.calls[n.Server]; l != nil {
			s.step(now, l, call.Cancelled{})
		} else if x, ok := n.Server.User.(*exchange); ok {
			s.withdraw(now, x)
		}
	case sip.Acked:
		s.acked(now, n.Message, n.Peer)
	case sip.Unacked:
		if p, ok := n.Server.User.(*party); ok {
			s.unacked(now, p)
		}
	case sip.Answer:
		s.takeAnswer(now, n)
	case sip.Silent:
		s.takeSilence(now, n.Client)
	case sip.Stray:
		s.stray(now, n.Message, n.Peer, n.Client)
	}
}

// request takes a request that opens a transaction.
func (s *shard) request(now time.Time, server *sip.Server) {
	m := server.Request()
	switch {
	case m.ToTag() != "":
		if !s.within(now, server) {
			s.layer.Respond(now, server, &sip.Reply{Status: 481})
		}
	case m.Method == "INVITE":
		s.invite(now, server)
	default:
		s.answerOther(now, server)
	}
}

func (s *shard) takeAnswer(now time.Time, n sip.Notice) {
	switch user := n.Client.User.(type) {
	case *leg:
		s.legAnswered(now, user, n.Message)
	case *exchange:
		s.replied(now, user, n.Message)
	case *swap:
		s.swapAnswered(now, user, n.Client, n.Message)
	case *farewell:
		s.farewellAnswered(now, user, n.Message)
	case *inquiry:
		s.inquired(now, user, n.Message.Status)
	case *ping:
		s.pinged(now, user, n.Message.Status)
	}
}

func (s *shard) takeSilence(now time.Time, c *sip.Client) {
	switch user := c.User.(type) {
	case *leg:
		s.legSilent(now, user)
	case *exchange:
		s.unanswered(now, user)
	case *swap:
		s.swapAnswered(now, user, c, nil)
	case *inquiry:
		s.inquired(now, user, 408)
	case *ping:
		s.pinged(now, user, 408)
	}
}
