package probe

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// A front is a socket that answers each request as its test wants: the wire's other
// end, without a stack.
type front struct {
	conn *net.UDPConn
	done sync.WaitGroup

	mu   sync.Mutex
	seen []string // requests, the first of each method
	from netip.AddrPort
}

// newFront listens until the test is over. It answers an INVITE with the lines
// given, each a status line and headers parted by "|", and all else with 200.
func newFront(t *testing.T, answers ...string) *front {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	f := &front{conn: conn}
	f.done.Go(func() { f.serve(answers) })
	t.Cleanup(func() {
		conn.Close()
		f.done.Wait()
	})
	return f
}

func (f *front) serve(answers []string) {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := f.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		request := string(buffer[:n])
		method, _, _ := strings.Cut(request, " ")
		switch {
		case !f.note(method, request, from) || method == "ACK":
		case method == "INVITE":
			for _, line := range answers {
				f.answer(request, line)
			}
		default:
			f.answer(request, "200 OK")
		}
	}
}

func (f *front) answer(request, line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conn.WriteToUDPAddrPort([]byte(encode(request, line)), f.from)
}

// note remembers a request and tells whether its method is new.
func (f *front) note(method, request string, from netip.AddrPort) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.from = from
	for _, seen := range f.seen {
		if strings.HasPrefix(seen, method+" ") {
			return false
		}
	}
	f.seen = append(f.seen, request)
	return true
}

// first is the request that came first.
func (f *front) first() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[0]
}

// methods lists what was heard, in its order.
func (f *front) methods() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var methods []string
	for _, seen := range f.seen {
		method, _, _ := strings.Cut(seen, " ")
		methods = append(methods, method)
	}
	return strings.Join(methods, " ")
}

// uri is where the front listens.
func (f *front) uri(t *testing.T) sip.Uri {
	t.Helper()
	uri, err := ParseTarget("sip:100@" + f.conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	return uri
}

// encode answers a request with what the line says.
func encode(request, line string) string {
	parts := strings.Split(line, "|")
	out := "SIP/2.0 " + parts[0] + "\r\n"
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		value := headerOf(request, name)
		if name == "To" && !strings.Contains(value, ";tag=") {
			value += ";tag=front"
		}
		out += name + ": " + value + "\r\n"
	}
	for _, h := range parts[1:] {
		out += h + "\r\n"
	}
	return out + "Content-Length: 0\r\n\r\n"
}

// headerOf is the value of a request's header, empty if it has none.
func headerOf(request, name string) string {
	for line := range strings.SplitSeq(request, "\r\n") {
		if key, value, _ := strings.Cut(line, ":"); strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
