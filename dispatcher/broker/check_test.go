package broker

import (
	"strings"
	"testing"

	"dialyard/proto"
)

// TestCheckFetch: every field against worker.proto, at its limit and beyond.
func TestCheckFetch(t *testing.T) {
	p := &Policy{Hosts: hosts(t, "*")}
	header := func(name, value string) []*proto.Header { return []*proto.Header{{Name: name, Value: value}} }
	tests := []struct {
		words string
		f     *proto.Fetch
	}{
		{"", &proto.Fetch{Method: "POST", Body: make([]byte, maxBody)}},
		{"bad request: body", &proto.Fetch{Method: "POST", Body: make([]byte, maxBody+1)}},
		{"bad request: body", &proto.Fetch{Method: "GET", Body: []byte("x")}},
		{"bad request: body", &proto.Fetch{Method: "HEAD", Body: []byte("x")}},
		{"bad request: method", &proto.Fetch{Method: "get"}},
		{"bad request: method", &proto.Fetch{Method: "CONNECT"}},
		{"bad request: method", &proto.Fetch{Method: "GET / HTTP/1.1\r\nX: y"}},
		{"bad request: method", &proto.Fetch{}},
		{"bad request: url", &proto.Fetch{Method: "GET", Url: "gopher://a.test"}},
		{"", &proto.Fetch{Method: "GET", Headers: make([]*proto.Header, 0)}},
		{"bad request: header", &proto.Fetch{Method: "GET", Headers: make([]*proto.Header, 1)}},
		{"bad request: header", &proto.Fetch{Method: "GET", Headers: header("X Y", "")}},
		{"bad request: header", &proto.Fetch{Method: "GET", Headers: header("X:", "")}},
		{"bad request: header", &proto.Fetch{Method: "GET", Headers: header("X\r\nY", "")}},
		{"bad request: header", &proto.Fetch{Method: "GET", Headers: header("X", "a\r\nY: b")}},
		{"bad request: header", &proto.Fetch{Method: "GET", Headers: header("X", "a\nb")}},
		{"bad request: header", &proto.Fetch{Method: "GET", Headers: header("X", "a\x00b")}},
		{"", &proto.Fetch{Method: "GET", Headers: header("X", "ü\tb")}},
		{"", &proto.Fetch{Method: "GET", Headers: header("X", strings.Repeat("y", maxHeaderBytes-1))}},
		{"bad request: headers too long", &proto.Fetch{Method: "GET", Headers: header("X", strings.Repeat("y", maxHeaderBytes))}},
	}
	for _, name := range []string{"host", "Content-length", "CONNECTION", "transfer-encoding", "proxy-authorization", "Proxy-Connection", "te", "Trailer", "Upgrade", "Expect", "Keep-Alive"} {
		tests = append(tests, struct {
			words string
			f     *proto.Fetch
		}{"bad request: header is not a script's to set", &proto.Fetch{Method: "GET", Headers: header(name, "x")}})
	}
	many := &proto.Fetch{Method: "GET"}
	for range maxHeaders {
		many.Headers = append(many.Headers, &proto.Header{Name: "X", Value: "y"})
	}
	if _, err := checkFetch(many, p); err == nil {
		t.Error("many headers without a URL")
	}
	many.Url = "http://a.test"
	if _, err := checkFetch(many, p); err != nil {
		t.Errorf("%d headers: %v", maxHeaders, err)
	}
	many.Headers = append(many.Headers, many.Headers[0])
	if _, err := checkFetch(many, p); err == nil {
		t.Errorf("%d headers are taken", maxHeaders+1)
	}
	for _, tt := range tests {
		if tt.f.Url == "" {
			tt.f.Url = "http://a.test/"
		}
		words := ""
		if _, err := checkFetch(tt.f, p); err != nil {
			words = err.Error()
		}
		if words != tt.words {
			t.Errorf("%.200v: %q, want %q", tt.f, words, tt.words)
		}
	}
}

// TestCheckOthers: the other asks, likewise.
func TestCheckOthers(t *testing.T) {
	lookup := func(kind, name string) error {
		_, err := checkLookup(&proto.Lookup{Type: kind, Name: name})
		return err
	}
	const get, set = proto.KeepOp_KEEP_OP_GET, proto.KeepOp_KEEP_OP_SET
	long := strings.Repeat(strings.Repeat("a", 62)+".", 4)
	tests := []struct {
		err   error
		words string
	}{
		{lookup("TXT", "_a-b.test."), ""},
		{lookup("A", long+"a"), ""},
		{lookup("A", long+"aa"), "bad request: name"},
		{lookup("A", ""), "bad request: name"},
		{lookup("A", "."), "bad request: name"},
		{lookup("A", "a..b"), "bad request: name"},
		{lookup("A", "a b"), "bad request: name"},
		{lookup("A", `a\.b`), "bad request: name"},
		{lookup("A", "a\x00b"), "bad request: name"},
		{lookup("A", strings.Repeat("a", 64)), "bad request: name"},
		{lookup("ANY", "a.test"), "bad request: type"},
		{lookup("AXFR", "a.test"), "bad request: type"},
		{lookup("", "a.test"), "bad request: type"},
		{checkKeep(&proto.Keep{Op: set, Key: strings.Repeat("k", maxKey), Value: make([]byte, maxValue), TtlS: maxTTL}), ""},
		{checkKeep(&proto.Keep{Op: get, Key: strings.Repeat("k", maxKey+1)}), "bad request: key"},
		{checkKeep(&proto.Keep{Op: get}), "bad request: key"},
		{checkKeep(&proto.Keep{Op: get, Key: "k", Value: []byte("v")}), "bad request: value"},
		{checkKeep(&proto.Keep{Op: set, Key: "k", Value: make([]byte, maxValue+1)}), "bad request: value"},
		{checkKeep(&proto.Keep{Op: set, Key: "k", TtlS: maxTTL + 1}), "bad request: time to live"},
		{checkKeep(&proto.Keep{Key: "k"}), "bad request: operation"},
		{checkKeep(&proto.Keep{Op: 5, Key: "k"}), "bad request: operation"},
		{checkKeep(&proto.Keep{Op: -1, Key: "k"}), "bad request: operation"},
		{checkClaim(&proto.Claim{Name: strings.Repeat("n", maxClaimName), Places: maxPlaces, PerMs: maxClaimPerMS}), ""},
		{checkClaim(&proto.Claim{Name: strings.Repeat("n", maxClaimName+1), Places: 1}), "bad request: name"},
		{checkClaim(&proto.Claim{Places: 1}), "bad request: name"},
		{checkClaim(&proto.Claim{Name: "n"}), "bad request: places"},
		{checkClaim(&proto.Claim{Name: "n", Places: maxPlaces + 1}), "bad request: places"},
		{checkClaim(&proto.Claim{Name: "n", Places: 1, PerMs: maxClaimPerMS + 1}), "bad request: period"},
	}
	for i, tt := range tests {
		words := ""
		if tt.err != nil {
			words = tt.err.Error()
		}
		if words != tt.words {
			t.Errorf("%d: %q, want %q", i, words, tt.words)
		}
	}
}
