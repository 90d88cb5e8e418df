package main_test

import (
	"crypto/md5"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// carrier is a gateway of the account "test" with this name and these keys.
func carrier(keys string) setup {
	return settings("gateways: [{account: test, name: carrier, " + keys + "}]")
}

const toCarrier = `call:dial("441632960000@carrier")`

// TestGatewayIsTold who calls, when it asks for it.
func TestGatewayIsTold(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_digest")
	s := startServer(t, plan("dial", toCarrier), carrier(fmt.Sprintf(`uris: ["sip:%s"], username: dialyard, password: secret`, callee.address)))
	s.dial("dial_uac_call", "dial").wait()
	callee.wait()
	expect(t, s.oneRecord(1), 200, "caller", "200")
	invites := callee.received("INVITE sip:441632960000@" + callee.address)
	if len(invites) != 2 || field(invites[0], "Call-ID") != field(invites[1], "Call-ID") || field(invites[1], "CSeq") != "2 INVITE" {
		t.Errorf("INVITEs: %q, want two in one call, the second with CSeq 2", invites)
		return
	}
	rightResponse(t, field(invites[1], "Proxy-Authorization"))
}

// rightResponse computes what the carrier would from the password (RFC 7616 §3.4,
// with MD5 and qop=auth).
func rightResponse(t *testing.T, credentials string) {
	t.Helper()
	value := func(name string) string {
		found := regexp.MustCompile(`\b` + name + `="?([^",]*)`).FindStringSubmatch(credentials)
		return append(found, "", "")[1]
	}
	md5 := func(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }
	who, what := md5("dialyard:carrier:secret"), md5("INVITE:"+value("uri"))
	want := md5(strings.Join([]string{who, "5f2a", value("nc"), value("cnonce"), "auth", what}, ":"))
	if got := value("response"); got != want || value("cnonce") == "" {
		t.Errorf("response %s, want %s, in %s", got, want, credentials)
	}
}

// TestOtherRealmIsNotTold: credentials are for one realm only.
func TestOtherRealmIsNotTold(t *testing.T) {
	t.Parallel()
	callee := newRefusing(t, 407, `Proxy-Authenticate: Digest realm="elsewhere", nonce="1"`)
	s := startServer(t, plan("dial", toCarrier),
		carrier(fmt.Sprintf(`uris: ["sip:%s"], username: dialyard, password: secret, realm: carrier`, callee.address)))
	s.refusedBy("dial", 403, "70")
	callee.wait()
	expect(t, s.oneRecord(1), 403, "callee", "407")
	if strings.Contains(callee.heard(), "Authorization") || len(callee.received("INVITE")) != 1 {
		t.Error("a challenge of another realm was answered")
	}
}

func TestGatewayFailsOver(t *testing.T) {
	t.Parallel()
	down, answers := newRefusing(t, 503, ""), newCallee(t, "dial_uas_answer")
	s := startServer(t, plan("dial", toCarrier), carrier(fmt.Sprintf(
		`uris: [{uri: "sip:%s", priority: 1}, {uri: "sip:%s", priority: 2}]`, down.address, answers.address)))
	s.dial("dial_uac_call", "dial").wait()
	down.wait()
	answers.wait()
	r := s.oneRecord(1)
	expect(t, r, 200, "caller", "200")
	if want := "udp:" + answers.address; r.Legs[0].Address != want {
		t.Errorf("leg sent to %s last, want %s", r.Legs[0].Address, want)
	}
}

// TestBusyIsBusyEverywhere: what the callee says is no reason to try another way.
func TestBusyIsBusyEverywhere(t *testing.T) {
	t.Parallel()
	busy, other := newRefusing(t, 486, ""), freePort(t, "udp")
	s := startServer(t, plan("dial", toCarrier), carrier(fmt.Sprintf(
		`uris: [{uri: "sip:%s", priority: 1}, {uri: "sip:%s", priority: 2}]`, busy.address, other)))
	s.refusedBy("dial", 486, "70")
	busy.wait()
	expect(t, s.oneRecord(1), 486, "callee", "486")
}

// TestNextGatewayAddressIsToldToo: each address may ask with a nonce of its own, and
// that the one before was answered is no wrong password here.
func TestNextGatewayAddressIsToldToo(t *testing.T) {
	t.Parallel()
	down, answers := newCallee(t, "dial_uas_digest_down"), newCallee(t, "dial_uas_digest")
	s := startServer(t, plan("dial", toCarrier), carrier(fmt.Sprintf(
		`uris: [{uri: "sip:%s", priority: 1}, {uri: "sip:%s", priority: 2}], username: dialyard, password: secret`, down.address, answers.address)))
	s.dial("dial_uac_call", "dial").wait()
	down.wait()
	answers.wait()
	expect(t, s.oneRecord(1), 200, "caller", "200")
}

func TestGatewayTakesOnlySoManyCalls(t *testing.T) {
	t.Parallel()
	callee := newCallee(t, "dial_uas_bye_late")
	s := startServer(t, plan("dial", toCarrier), carrier(fmt.Sprintf(`uris: ["sip:%s"], calls: 1`, callee.address)))
	first := s.dial("dial_uac_hears_bye", "dial")
	s.eventually(5*time.Second, "the first call is up", func() bool { return strings.Contains(s.metrics(), "\ndialyard_answered_calls 1\n") })
	s.refusedBy("dial", 500, "70")
	first.wait()
	callee.wait()
	s.oneRecord(2)
	for _, r := range s.records() {
		if r.Status == 500 {
			expect(t, r, 500, "system", "503")
		} else {
			expect(t, r, 200, "callee", "200")
		}
	}
}
