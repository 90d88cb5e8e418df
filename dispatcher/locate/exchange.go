package locate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"
)

// maxStrangers is how many datagrams that are no reply to us are passed over
// before a name server is given up: they may be forged, or late.
const maxStrangers = 100

// exchange asks one name server one question, over TCP if the UDP reply says
// that it is cut short (RFC 7766 §5). Each has its own socket, so the source port
// is as hard to guess as the kernel makes it (RFC 5452).
func exchange(ctx context.Context, server string, q question, timeout time.Duration) (*dns.Msg, error) {
	m, err := exchangeBy(ctx, udp, server, q, timeout)
	if err == nil && m.Truncated {
		m, err = exchangeBy(ctx, tcp, server, q, timeout)
	}
	return m, err
}

func exchangeBy(ctx context.Context, network, server string, q question, timeout time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	asked := query(q)
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
		if network == tcp {
			break
		}
	}
	return nil, fmt.Errorf("%s answers something else", server)
}
