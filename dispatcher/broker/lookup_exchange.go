package broker

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	offeredSize  = 1232 // of a UDP reply: no path fragments it
	maxStrangers = 100  // datagrams that are no reply to us, before a server is given up
)

// exchange asks one name server one question, by TCP if the reply by UDP is cut
// short. Each has a socket of its own, so its port is hard to guess (RFC 5452).
func exchange(ctx context.Context, server string, q question) (*dns.Msg, error) {
	m, err := exchangeBy(ctx, "udp", server, q)
	if err == nil && m.Truncated {
		m, err = exchangeBy(ctx, "tcp", server, q)
	}
	return m, err
}

func exchangeBy(ctx context.Context, network, server string, q question) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	asked := new(dns.Msg)
	asked.SetQuestion(q.name+".", q.kind)
	asked.SetEdns0(offeredSize, false)
	c := &dns.Conn{Conn: conn, UDPSize: 4096} // room for who ignores the size we offer
	if err := c.WriteMsg(asked); err != nil {
		return nil, err
	}
	for range maxStrangers {
		wire, err := c.ReadMsgHeader(nil)
		if err != nil && !errors.Is(err, dns.ErrShortRead) {
			return nil, err
		}
		m := new(dns.Msg)
		// A reply that is cut short may end inside a record: only its header counts.
		if err := m.Unpack(wire); (err == nil || m.Truncated) && isReply(asked, m) {
			return m, nil
		}
		if network == "tcp" {
			break
		}
	}
	return nil, Refusal{Outcome: BadAnswer}
}

// isReply tells whether m answers asked.
func isReply(asked, m *dns.Msg) bool {
	return m.Response && m.Id == asked.Id && m.Opcode == dns.OpcodeQuery && len(m.Question) == 1 &&
		m.Question[0].Qtype == asked.Question[0].Qtype && m.Question[0].Qclass == dns.ClassINET &&
		strings.EqualFold(m.Question[0].Name, asked.Question[0].Name)
}

func joinPort(addr netip.Addr, port string) string { return net.JoinHostPort(addr.String(), port) }
