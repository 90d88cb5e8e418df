package broker

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestSilentAddress: an address that does not answer leaves time to the next.
func TestSilentAddress(t *testing.T) {
	web := serveWeb(t, "127.0.0.1:0", say("here"))
	port, err := strconv.ParseUint(web.port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	dialer := &net.Dialer{ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		if address == "127.0.0.2:"+web.port() {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	addrs := []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")}
	conn, err := open(t, Options{}).dialFirst(ctx, dialer, addrs, uint16(port))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
