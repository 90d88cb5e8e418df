package main

import (
	"net/netip"
	"testing"

	"dialyard/cmd/dialyard/config"
	"dialyard/dispatcher"
	"dialyard/dispatcher/broker"
)

func TestReachOfAnAccount(t *testing.T) {
	a := config.Account{HTTP: []string{"api.example.net"}, Private: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for requests, want := range map[int]int{0: 0, 1: 1, 5: 5} {
		p, spent := reachOf(a, requests, nil), broker.Allowance{}
		got := 0
		for range 30 {
			if spent.Take(broker.Fetching, p) {
				got++
			}
		}
		if got != want || len(p.Hosts) != 1 || len(p.Networks) != 1 {
			t.Errorf("limits.http %d: %d requests, %+v", requests, got, p)
		}
	}
	was := &dispatcher.Account{Reach: reachOf(a, 20, nil)}
	if reachOf(a, 20, was) != was.Reach {
		t.Error("an unchanged account got another policy, and loses its connections")
	}
	if reachOf(a, 19, was) == was.Reach {
		t.Error("a changed account kept its policy")
	}
}
