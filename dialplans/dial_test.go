package dialplans

import (
	"testing"
	"time"

	"dialyard/proto"
)

// TestDialAsked looks at the instruction that call:dial sends.
func TestDialAsked(t *testing.T) {
	for source, want := range map[string]string{
		`call:dial("a@gw")`:                                                   `dial a@gw`,
		`call:dial("a@gw|b@gw&c@gw")`:                                         `dial a@gw | b@gw & c@gw`,
		`call:dial({"a@gw", "b@gw"})`:                                         `dial a@gw & b@gw`,
		`call:dial({"a@gw", "b@gw"}, {strategy = "parallel"})`:                `dial a@gw & b@gw`,
		`call:dial({"a@gw", "b@gw"}, {strategy = "serial"})`:                  `dial a@gw | b@gw`,
		`call:dial({"a@gw|b@gw", "c@gw&d@gw"}, {strategy = "serial"})`:        `dial a@gw | b@gw | c@gw & d@gw`,
		`call:dial({"a@gw&b@gw", {target = "c@gw"}})`:                         `dial a@gw & b@gw & c@gw`,
		`call:dial({target = "a@gw", timeout = 5})`:                           `dial a@gw[ring=5s]`,
		`call:dial({{target = "sip:a&b@c.d"}})`:                               `dial sip:a&b@c.d`,
		`call:dial("a@gw", {timeout = 0.5, delay = 2, max = 60, total = 30})`: `dial a@gw[ring=0.5s; delay=2s; max=60s] within 30s`,
		`call:dial("${dst}@gw[rt=5]&b@gw", {timeout = 20})`:                   `dial 100@gw[ring=5s] & b@gw[ring=20s]`,
		`call:dial("a@gw", {redirect = "follow", transfer = "pass"})`:         `dial a@gw[follow; transfer=pass]`,
		`call:dial({"a@gw", {target = "b@gw", redirect = "return", transfer = "none", delay = 0}}, {redirect = "follow", transfer = "call", delay = 3})`:          `dial a@gw[delay=3s; follow; transfer=call] & b@gw[return; transfer=none]`,
		`call:dial({"a@gw", {target = "b@gw", from = {user = "2"}, headers = {}}}, {from = {name = "Front", user = "1", host = "c.d"}, headers = {["X-A"] = 5}})`: `dial a@gw[from="Front",1,c.d; X-A: 5] & b@gw[from="Front",2,c.d]`,
		`call:tag("a", "b") call:dial("a@gw") pcall(call.dial, call, "no") call:dial("b@gw", {total = 1})`:                                                        `dial b@gw within 1s`,
	} {
		host := &switchboard{}
		done := host.execute(demoStart(), noon, mustCompile(t, source))
		if done.Outcome != proto.Outcome_OUTCOME_FINISHED {
			t.Errorf("%s: %v", source, done)
			continue
		}
		if got := describeDial(host.dial(t)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", source, got, want)
		}
		for i, instruction := range host.instructions {
			if instruction.Seq != uint32(i+1) || instruction.Run != 7 {
				t.Errorf("%s: instruction %d is %v", source, i+1, instruction)
			}
		}
	}
}

// TestDialEndsBeforeTheRun looks at the time of a dial that gives none, or too
// much of it.
func TestDialEndsBeforeTheRun(t *testing.T) {
	for _, source := range []string{`call:dial("a@gw")`, `call:dial("a@gw", {total = 300})`} {
		host := &switchboard{}
		host.execute(demoStart(), noon, mustCompile(t, source))
		got := time.Duration(host.dial(t).TimeoutMs) * time.Millisecond
		if most := totalLimit - lastWord; got > most || got < most-time.Minute {
			t.Errorf("%s: %v", source, got)
		}
	}
}

// TestTextFromAfar gives the script what a leg has sent; the verbs must take it.
func TestTextFromAfar(t *testing.T) {
	host := &switchboard{answers: []*proto.Dialled{{
		Status: proto.DialStatus_DIAL_STATUS_FAILED, Code: 9999, Reason: "Not\r\nhere\xff" + string(make([]byte, 300)) + "äöü",
	}}}
	done := host.execute(demoStart(), noon, mustCompile(t, `local r = call:dial("a@gw") call:reject(r.code, r.reason)`))
	if done.Outcome != proto.Outcome_OUTCOME_FINISHED {
		t.Fatal(done)
	}
	if got := host.lines[len(host.lines)-1]; got != "reject 480 Nothereäöü" {
		t.Error(got)
	}
}
