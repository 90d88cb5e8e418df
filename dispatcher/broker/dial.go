package broker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// wanted is the key of a request's context among its own values. net/http dials with
// the values only, and goes on when the request is over. Here a connection that is
// being made ends with who wanted it, or a script could have more of them than its
// account has places.
type wanted struct{}

func wantedBy(ctx context.Context) context.Context { return ctx.Value(wanted{}).(context.Context) }

// dialTLS is dial, and the handshake with the host.
func (b *Broker) dialTLS(ctx context.Context, dialer *net.Dialer, address string) (net.Conn, error) {
	conn, err := b.dial(ctx, dialer, address)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(address)
	secure := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: b.options.Roots, ServerName: host})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// dial connects to the first address of a host that can be had.
func (b *Broker) dial(ctx context.Context, dialer *net.Dialer, address string) (net.Conn, error) {
	if !b.sockets.begin() {
		return nil, net.ErrClosed
	}
	defer b.sockets.end()
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	addrs, err := b.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	conn, err := b.dialFirst(ctx, dialer, addrs, uint16(port))
	if err != nil {
		return nil, err
	}
	return b.sockets.add(conn)
}

// dialFirst tries addresses in turn. Each gets its share of the time that is left, so
// that one that is silent leaves some to the next.
func (b *Broker) dialFirst(ctx context.Context, dialer *net.Dialer, addrs []netip.Addr, port uint16) (net.Conn, error) {
	var refused, failed error
	for i, addr := range addrs {
		b.Stats.Dials.Add(1)
		conn, err := dialShare(ctx, dialer, netip.AddrPortFrom(addr, port), len(addrs)-i)
		switch refusal := (Refusal{}); {
		case err == nil:
			return conn, nil
		case errors.As(err, &refusal):
			refused = err
		default:
			failed = err
		}
	}
	return nil, cmp.Or(failed, refused)
}

// dialShare connects to one address of those among which the time is shared.
func dialShare(ctx context.Context, dialer *net.Dialer, to netip.AddrPort, among int) (net.Conn, error) {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(among))
	defer cancel()
	return dialer.DialContext(ctx, "tcp", to.String())
}
