package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"dialyard/dispatcher/gateway"
)

const withPassword = "gateways: [{account: a, name: out, uris: ['sip:gw.example.net'], username: me, password: hush}]"

func TestGatewayFields(t *testing.T) {
	c, err := parse("", []byte(`gateways:
  - account: acme
    name: carrier-a
    uris: ["sip:gw1.example.net", {uri: "sip:gw2.example.net;transport=tcp", priority: 10, weight: 5}]
    username: me
    password: 0049
    realm: r
    proxy: sip:edge.example.net
    from_domain: PBX.example.net
    caller_id: rpid
    ping: 20s
    fall: 4
    rise: 3
    calls: 30
    rate: 0.5
    next_on: [503, 403]
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := gateway.Config{
		Account: "acme", Name: "carrier-a",
		URIs: []gateway.URI{
			{URI: "sip:gw1.example.net", Weight: 1},
			{URI: "sip:gw2.example.net;transport=tcp", Priority: 10, Weight: 5},
		},
		Username: "me", Password: "0049", Realm: "r", Proxy: "sip:edge.example.net",
		FromDomain: "pbx.example.net", CallerID: gateway.CallerRPID,
		Ping: 20 * time.Second, Fall: 4, Rise: 3, Calls: 30, Rate: 0.5, NextOn: []int{403, 503},
	}
	if !gateway.New(want).Same(c.Gateways[0].Config) {
		t.Errorf("got %#v", c.Gateways[0].Config)
	}
}

// TestGatewayDefaults: what is left out is what the package gateway has for it,
// and a list of no codes is not the default one.
func TestGatewayDefaults(t *testing.T) {
	c, err := parse("", []byte("gateways: [{account: a, name: b, uris: ['sip:g']}, {account: a, name: c, uris: ['sip:g'], next_on: []}]"), nil)
	if err != nil {
		t.Fatal(err)
	}
	g := c.Gateways[0]
	if g.Fall != 3 || g.Rise != 2 || g.Ping != 0 || g.CallerID != "from" || !slices.Equal(g.NextOn, gateway.NextByDefault()) {
		t.Errorf("got %#v", g.Config)
	}
	if gateway.New(c.Gateways[1].Config).Next(503) {
		t.Error("no code means the next, and 503 does")
	}
}

func TestGatewayPasswordIsNotShown(t *testing.T) {
	c, err := parse("", []byte(withPassword), nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	raw, err := c.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{out.String(), string(raw)} {
		if strings.Contains(text, "hush") || !strings.Contains(text, maskedPassword) {
			t.Errorf("got %s", text)
		}
	}
}

// TestPasswordChange is seen, though it is not shown.
func TestPasswordChange(t *testing.T) {
	old, err := parse("", []byte(withPassword), nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse("", []byte(strings.ReplaceAll(withPassword, "hush", "hush2")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if changed := c.Changed(old); !slices.Equal(changed, []string{"gateways"}) {
		t.Errorf("got %q", changed)
	}
	if changed := c.Changed(c); len(changed) > 0 {
		t.Errorf("got %q", changed)
	}
}

func TestPasswordFile(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name, content, password, problem string
	}{
		{"plain", "hush", "hush", ""},
		{"line", "hu sh\n", "hu sh", ""},
		{"dos", "hush\r\n", "hush", ""},
		{"two", "hush\nhush\n", "", "not one line"},
		{"empty", "\n", "", "empty"},
		{"long", strings.Repeat("x", maxPassword+1), "", "too long"},
		{"longer", strings.Repeat("x", 5*maxPassword), "", "too long"},
		{"longest", strings.Repeat("x", maxPassword) + "\r\n", strings.Repeat("x", maxPassword), ""},
		{"binary", "a\x00b", "", "not one line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.name)
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			checkPasswordFile(t, path, tt.password, tt.problem)
		})
	}
	checkPasswordFile(t, dir, "", "not a plain file")
	checkPasswordFile(t, os.DevNull, "", "not a plain file")
	checkPasswordFile(t, filepath.Join(dir, "absent"), "", "no such file")
}

// checkPasswordFile loads a file that names another.
func checkPasswordFile(t *testing.T, path, password, problem string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dialyard.yaml")
	text := "gateways:\n  - {account: a, name: b, uris: ['sip:g'], username: me,\n     password_file: " + quote(path) + "}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file, nil)
	if problem == "" {
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := c.Print(&out); err != nil || strings.Contains(out.String(), password) && password != "hush" {
			t.Errorf("%v, printed %s", err, out.String())
		}
		if c.Gateways[0].Password != password || !strings.Contains(out.String(), "password_file: "+quote(path)) {
			t.Errorf("got %q, printed %s", c.Gateways[0].Password, out.String())
		}
		return
	}
	fault := (*Error)(nil)
	if !errors.As(err, &fault) || fault.Where != file+":3:21" || fault.Key != "gateways[0].password_file" || !strings.Contains(fault.Problem, problem) {
		t.Errorf("%s: got %v", path, err)
	}
}

// TestAccount: one that nobody named is as the limits say.
func TestAccount(t *testing.T) {
	c, err := parse("", []byte("limits: {rate: 9, runs: 8, calls: 7}\naccounts: [{name: acme, rate: 0, transfer: call}]"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Account{Name: "other", Transfer: TransferNone, Duration: 4 * time.Hour, Calls: 7, Rate: 9, Runs: 8, Load: 0.5}
	if got := c.Account("other"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	got := c.Account("acme")
	got.at = place{}
	if want = (Account{Name: "acme", Transfer: TransferCall, Duration: 4 * time.Hour, Calls: 7, Runs: 8, Load: 0.5}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestForbidden(t *testing.T) {
	tests := []struct {
		listen   string
		loopback bool // forbidden
	}{
		{"udp://127.0.0.1:5060,tcp://127.8.8.8:5060", false},
		{"udp://[::1]:5060", false},
		{"udp://localhost:5060", false},
		{"udp://[::ffff:127.0.0.1]:5060", false},
		{"udp://:5060", true},
		{"udp://0.0.0.0:5060", true},
		{"udp://127.0.0.1:5060,udp://192.0.2.1:5060", true},
		{"udp://sip.example.net", true},
	}
	for _, tt := range tests {
		c, err := parse("", nil, []string{"DIALYARD_SIP_LISTEN=" + tt.listen})
		if err != nil {
			t.Errorf("%s: %v", tt.listen, err)
			continue
		}
		var texts []string
		for _, prefix := range c.Dial.Forbid {
			texts = append(texts, prefix.String())
		}
		if slices.Contains(texts, "127.0.0.0/8") != tt.loopback || slices.Contains(texts, "::1/128") != tt.loopback {
			t.Errorf("%s: got %q", tt.listen, texts)
		}
		if !slices.Contains(texts, "169.254.0.0/16") || !slices.Contains(texts, "ff00::/8") {
			t.Errorf("%s: got %q", tt.listen, texts)
		}
	}
}

func TestSIPURI(t *testing.T) {
	tests := []struct {
		text           string
		gateway, whole bool // may stand for a gateway, for a target
	}{
		{"sip:gw1.example.net", true, true},
		{"SIP:192.0.2.1:5070;lr;transport=TCP", true, true},
		{"sip:[2001:db8::1];transport=udp", true, true},
		{"sip:+44123;ext=1@gw1.example.net;user=phone", false, true},
		{"sip:a%20b@gw1.example.net", false, true},
		{"sip:a%2@gw1.example.net", false, false},
		{"sip:a:secret@gw1.example.net", false, false},
		{"sip:@gw1.example.net", false, false},
		{"sip:a@b@c", false, false},
		{"sip:", false, false},
		{"sip:;lr", false, false},
		{"sip:gw1.example.net;", false, false},
		{"sip:gw1.example.net;transport=", false, false},
		{"sip:gw1.example.net;transport=sctp", false, false},
		{"sip:gw1.example.net\r\nVia: x", false, false},
		{"sip:gw1.example.net;a=\"b\"", false, false},
		{"<sip:gw1.example.net>", false, false},
		{"tel:+44123", false, false},
	}
	for _, tt := range tests {
		if gatewayURIKind.accepts(tt.text) != tt.gateway || targetKind.accepts(tt.text) != tt.whole {
			t.Errorf("%q: gateway %v, target %v", tt.text, gatewayURIKind.accepts(tt.text), targetKind.accepts(tt.text))
		}
	}
}
