package load

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTargetIsOnThisMachine(t *testing.T) {
	for uri, want := range map[string]string{
		"sip:100@127.0.0.1:5070":           "127.0.0.1:5070",
		"sip:100@127.0.0.1":                "127.0.0.1:5060",
		"sip:127.1.2.3":                    "127.1.2.3:5060",
		"sip:a@localhost:5061;transport=x": "127.0.0.1:5061",
		"sip:a@[::1]:5060":                 "[::1]:5060",
		"sip:a@[::ffff:127.0.0.1]?x=y":     "127.0.0.1:5060",
	} {
		if got, err := parseTarget(uri); err != nil || got.addr.String() != want {
			t.Errorf("%s: %v, %v; want %s", uri, got.addr, err, want)
		}
	}
	for _, uri := range []string{"sip:100@192.0.2.1", "sip:100@0.0.0.0", "sip:100@[2001:db8::1]:5060"} {
		if _, err := parseTarget(uri); !errors.Is(err, errNotLoopback) {
			t.Errorf("%s: %v, want %v", uri, err, errNotLoopback)
		}
	}
	for _, uri := range []string{"", "100@127.0.0.1", "sip:", "sip:a@host.example", "sip:a@127.0.0.1:0",
		"sip:a@127.0.0.1:x", "sip:a@127.0.0.1\r\nX: y", "sip:a <b@127.0.0.1"} {
		if _, err := parseTarget(uri); err == nil {
			t.Errorf("%q was accepted", uri)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Target: testTarget.uri, Rate: 100, Duration: time.Second}.withDefaults()
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Options){
		"rate 0":       func(o *Options) { o.Rate = 0 },
		"duration -1s": func(o *Options) { o.Duration = -time.Second },
		"more than":    func(o *Options) { o.Rate, o.Duration = maxRate, 2*time.Hour },
		"sockets -1":   func(o *Options) { o.Sockets = -1 },
		"timeout 1ms":  func(o *Options) { o.Timeout = time.Millisecond },
		"grain 1s":     func(o *Options) { o.Grain = time.Second },
		"control":      func(o *Options) { o.Headers = []string{"A: b\r\nC: d"} },
		"hold 2h":      func(o *Options) { o.Hold = 2 * time.Hour },
		"less than":    func(o *Options) { o.Answer, o.Ring, o.PickUp = "udp://127.0.0.1:1", 2*time.Second, 2*time.Second },
		"need an":      func(o *Options) { o.Ring = time.Second },
		"must read":    func(o *Options) { o.Headers = []string{"no colon"} },
	} {
		o := good
		spoil(&o)
		if err := o.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

func TestRunRefusesBeforeItSends(t *testing.T) {
	for _, o := range []Options{{Target: "sip:100@192.0.2.1", Rate: 1, Duration: time.Second}, {Target: testTarget.uri},
		{Target: testTarget.uri, Rate: 1, Duration: time.Second, Answer: "udp://192.0.2.1:5070"},
		{Target: testTarget.uri, Rate: 1, Duration: time.Second, Answer: "127.0.0.1:5070"}} {
		if _, err := Run(context.Background(), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
