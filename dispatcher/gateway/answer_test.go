package gateway

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"testing"

	"github.com/icholy/digest"
)

const (
	challenge7616 = `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=%s, ` +
		`nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	cnonce7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
)

// TestPublishedFigures computes what the RFCs print.
func TestPublishedFigures(t *testing.T) {
	tests := []struct {
		name                            string
		username, password, uri, cnonce string
		challenge                       string
		response                        string
	}{
		{"RFC 2617 §3.5", "Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b",
			`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
			"6629fae49393a05397450978507c4ef1"},
		{"RFC 7616 §3.9.1, MD5", "Mufasa", "Circle of Life", "/dir/index.html", cnonce7616,
			fmt.Sprintf(challenge7616, "MD5"), "8ca523f5e9506fed4657c9700eebdbec"},
		{"RFC 7616 §3.9.1, SHA-256", "Mufasa", "Circle of Life", "/dir/index.html", cnonce7616,
			fmt.Sprintf(challenge7616, "SHA-256"), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := New(Config{Username: tt.username, Password: tt.password})
			text, ok := g.Answer(Demand{Method: "GET", URI: tt.uri, Challenges: []string{tt.challenge}, Cnonce: tt.cnonce})
			if !ok {
				t.Fatal("not answered")
			}
			cred, err := digest.ParseCredentials(text)
			if err != nil {
				t.Fatal(err)
			}
			if cred.Response != tt.response || cred.Nc != 1 || cred.QOP != "auth" || cred.URI != tt.uri || cred.Username != tt.username {
				t.Errorf("got %+v", cred)
			}
		})
	}
}

// TestAnswer: which challenge is answered, and how.
func TestAnswer(t *testing.T) {
	const (
		md5Challenge = `Digest realm="gw", nonce="n1", algorithm=MD5, qop="auth"`
		sha256       = `Digest realm="gw", nonce="n2", algorithm=SHA-256, qop="auth"`
		sha512       = `Digest realm="gw", nonce="n3", algorithm=SHA-512-256, qop="auth"`
		other        = `Digest realm="other", nonce="n4", algorithm=SHA-256, qop="auth"`
	)
	tests := []struct {
		name       string
		realm      string
		challenges []string
		nonce      string // of the challenge that was answered, empty for none
	}{
		{"one", "gw", []string{md5Challenge}, "n1"},
		{"strongest", "gw", []string{md5Challenge, sha256, sha512}, "n3"},
		{"strongest first", "gw", []string{sha512, sha256, md5Challenge}, "n3"},
		{"topmost of two alike", "gw", []string{sha256, strings.ReplaceAll(sha256, "n2", "n9")}, "n2"},
		{"only its realm", "gw", []string{other, md5Challenge}, "n1"},
		{"another realm", "gw", []string{other}, ""},
		{"a realm is exact", "GW", []string{md5Challenge}, ""},
		{"any realm", "", []string{other}, "n4"},
		{"no algorithm is MD5", "gw", []string{`Digest realm="gw",nonce="n5"`}, "n5"},
		{"empty qop is none", "gw", []string{`Digest realm="gw",nonce="n5",qop=""`}, "n5"},
		{"names in any case, tabs", "gw", []string{"DIGEST\tREALM = \"gw\" ,\tNonce\t=\"n6\",  ALGORITHM=md5,QOP=\"Auth\","}, "n6"},
		{"quoted algorithm, token nonce", "gw", []string{`Digest realm="gw", nonce=a_b/c=.d, algorithm="sha-256"`}, "a_b/c=.d"},
		{"escapes", "", []string{`Digest realm="the \"gw\"", nonce="n\\7"`}, `n\7`},
		{"commas and equals in quotes", "", []string{`Digest realm="a, b=c", nonce="x,y=\"z"`}, `x,y="z`},
		{"unknown beside known", "gw", []string{`Digest realm="gw", nonce="n8", algorithm=AES`, md5Challenge}, "n1"},
		{"what it does not know", "gw", []string{`Digest realm="gw", nonce="n8", algorithm=MD5, color="red"`}, "n8"},
		{"unknown algorithm", "gw", []string{`Digest realm="gw", nonce="n8", algorithm=SHA-512`}, ""},
		{"session algorithm", "gw", []string{`Digest realm="gw", nonce="n8", algorithm=MD5-sess, qop="auth"`}, ""},
		{"unknown qop", "gw", []string{`Digest realm="gw", nonce="n8", qop="auth-conf"`}, ""},
		{"Basic", "gw", []string{`Basic realm="gw"`}, ""},
		{"no nonce", "gw", []string{`Digest realm="gw"`}, ""},
		{"empty nonce", "gw", []string{`Digest realm="gw", nonce=""`}, ""},
		{"no realm", "", []string{`Digest nonce="n8"`}, ""},
		{"twice", "gw", []string{`Digest realm="gw", nonce="n8", realm="other"`}, ""},
		{"no comma", "gw", []string{`Digest realm="gw" nonce="n8"`}, ""},
		{"open quote", "gw", []string{`Digest realm="gw", nonce="n8`}, ""},
		{"open escape", "gw", []string{`Digest realm="gw", nonce="n8\`}, ""},
		{"line break", "gw", []string{"Digest realm=\"gw\", nonce=\"n8\r\nVia: x\""}, ""},
		{"escaped line break", "gw", []string{"Digest realm=\"gw\", nonce=\"n8\\\r\\\nVia: x\""}, ""},
		{"tab in a nonce", "gw", []string{"Digest realm=\"gw\", nonce=\"n\t8\""}, ""},
		{"not UTF-8", "gw", []string{"Digest realm=\"gw\", nonce=\"n\xff8\""}, ""},
		{"too long", "gw", []string{`Digest realm="gw", nonce="` + strings.Repeat("n", maxChallenge) + `"`}, ""},
		{"none", "gw", nil, ""},
		{"nothing", "gw", []string{"", "Digest", "Digest "}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := New(Config{Username: "me", Password: "pw", Realm: tt.realm})
			text, ok := g.Answer(Demand{Method: "INVITE", URI: "sip:1@gw", Challenges: tt.challenges, Cnonce: "c"})
			if ok != (tt.nonce != "") || ok != (text != "") {
				t.Fatalf("answered: %v, %q", ok, text)
			}
			if !ok {
				return
			}
			cred, err := digest.ParseCredentials(text)
			if err != nil {
				t.Fatal(err)
			}
			if cred.Nonce != tt.nonce {
				t.Errorf("answered %q: %s", cred.Nonce, text)
			}
			checkResponse(t, cred, Demand{Method: "INVITE"}, "me", "pw")
		})
	}
}

func TestAnswerByProtection(t *testing.T) {
	g := New(Config{Username: "me", Password: "pw"})
	tests := []struct {
		qop, want string
		count, nc int
	}{
		{"", "", 1, 0},
		{`, qop="auth-int"`, "auth-int", 7, 7},
		{`, qop="auth-int,auth"`, "auth", 0, 1},
		{`, qop=auth`, "auth", -3, 1},
	}
	for _, tt := range tests {
		d := Demand{Method: "INVITE", URI: "sip:1@gw", Body: []byte("v=0\r\n"), Count: tt.count,
			Challenges: []string{`Digest realm="gw", nonce="n", algorithm=SHA-256` + tt.qop}}
		text, ok := g.Answer(d)
		cred, err := digest.ParseCredentials(text)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		if cred.QOP != tt.want || cred.Nc != tt.nc || (cred.Cnonce == "") != (tt.want == "") {
			t.Errorf("%q: got %s", tt.qop, text)
		}
		checkResponse(t, cred, d, "me", "pw")
	}
}

// TestCnonceIsNew: two answers to one challenge differ.
func TestCnonceIsNew(t *testing.T) {
	g := New(Config{Username: "me"})
	d := Demand{Method: "INVITE", URI: "sip:1@gw", Challenges: []string{`Digest realm="gw", nonce="n", qop="auth"`}}
	a, _ := g.Answer(d)
	b, _ := g.Answer(d)
	if a == "" || a == b {
		t.Errorf("got %q twice", a)
	}
}

func TestNoUsernameNoAnswer(t *testing.T) {
	for _, username := range []string{"", "a\r\nb"} {
		g := New(Config{Username: username, Password: "pw"})
		if text, ok := g.Answer(Demand{Method: "INVITE", URI: "sip:1@gw", Challenges: []string{`Digest realm="gw", nonce="n"`}}); ok {
			t.Errorf("%q: got %q", username, text)
		}
	}
}

func TestUserhash(t *testing.T) {
	g := New(Config{Username: "me", Password: "pw"})
	text, ok := g.Answer(Demand{Method: "INVITE", URI: "sip:1@gw", Cnonce: "c",
		Challenges: []string{`Digest realm="gw", nonce="n", algorithm=SHA-256, qop="auth", userhash=true`}})
	cred, err := digest.ParseCredentials(text)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if !cred.Userhash || cred.Username != hashed(sha256.New(), "me", "gw") {
		t.Errorf("got %s", text)
	}
	checkResponse(t, cred, Demand{Method: "INVITE"}, "me", "pw")
}

func TestStale(t *testing.T) {
	tests := map[string]bool{
		`Digest realm="gw", nonce="n", stale=true`:   true,
		`Digest realm="gw", nonce="n", STALE="TRUE"`: true,
		`Digest realm="gw", nonce="n", stale=false`:  false,
		`Digest realm="gw", nonce="stale=true"`:      false,
		`Basic realm="gw", stale=true`:               false,
	}
	for value, want := range tests {
		if Stale([]string{`Digest realm="x", nonce="y"`, value}) != want {
			t.Errorf("%s: got %v", value, !want)
		}
	}
}

// FuzzAnswer: whatever a challenge holds, the credentials are one clean line
// that gives nonce and realm back as they were, and their response is right.
func FuzzAnswer(f *testing.F) {
	f.Add(`Digest realm="gw", nonce="n", qop="auth,auth-int", algorithm=SHA-256, opaque="o", stale=true`, "auth")
	f.Add(`Digest realm="\"", nonce="\\", userhash=true`, "")
	f.Add("Digest realm=a,nonce=b,algorithm=\u017fha-256", "x")
	f.Add(fmt.Sprintf(challenge7616, "SHA-512-256"), "body")
	f.Add("Digest ,,realm=,=nonce\x00\"", "\r\n")
	f.Fuzz(func(t *testing.T, value, body string) {
		g := New(Config{Username: "me", Password: "pw"})
		d := Demand{Method: "INVITE", URI: "sip:1@gw", Body: []byte(body), Challenges: []string{value}, Cnonce: "c", Count: 1}
		text, ok := g.Answer(d)
		if !ok {
			if text != "" {
				t.Fatalf("not answered, with %q", text)
			}
			return
		}
		if !quotable(text) {
			t.Fatalf("not one clean line: %q", text)
		}
		given, sound := parseChallenge(value)
		cred, err := digest.ParseCredentials(text)
		if err != nil || !sound {
			t.Fatalf("%v: %q", err, text)
		}
		if cred.Nonce != given.Nonce || cred.Realm != given.Realm || cred.Opaque != given.Opaque {
			t.Fatalf("given back as %q", text)
		}
		if parsed, ok := digestParams(text); !ok || parsed["nonce"] != given.Nonce || parsed["response"] != cred.Response {
			t.Fatalf("two parsers disagree about %q", text)
		}
		checkResponse(t, cred, d, "me", "pw")
	})
}

// checkResponse computes the response of RFC 7616 §3.4.1 once more.
func checkResponse(t *testing.T, c *digest.Credentials, d Demand, username, password string) {
	t.Helper()
	h := map[string]func() hash.Hash{"": md5.New, "MD5": md5.New, "SHA-256": sha256.New, "SHA-512-256": sha512.New512_256}[c.Algorithm]
	if h == nil {
		t.Fatalf("algorithm %q", c.Algorithm)
	}
	secret := hashed(h(), username, c.Realm, password)
	request := []string{d.Method, c.URI}
	if c.QOP == "auth-int" {
		request = append(request, hashed(h(), string(d.Body)))
	}
	parts := []string{secret, c.Nonce, hashed(h(), request...)}
	if c.QOP != "" {
		parts = []string{secret, c.Nonce, fmt.Sprintf("%08x", c.Nc), c.Cnonce, c.QOP, hashed(h(), request...)}
	}
	if want := hashed(h(), parts...); c.Response != want {
		t.Errorf("response %s, want %s", c.Response, want)
	}
}

func hashed(h hash.Hash, parts ...string) string {
	h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}
