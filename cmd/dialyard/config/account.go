package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"dialyard/dispatcher/broker"
)

// An Account is what holds for one account.
type Account struct {
	Name     string
	Fallback string         // SIP URI for callers whose run was lost; empty for none
	Transfer Transfer       // what becomes of REFER
	Duration time.Duration  // of an answered call, at most dial.duration; 0 for no limit
	Calls    int            // at once, with the answered ones; 0 for no limit
	Rate     int            // new calls per second; 0 for no limit
	Runs     int            // at once; 0 for no limit
	Load     float64        // seconds of CPU per second that its scripts may take; 0 for no limit
	Rollback bool           // from a version that kills workers to the one before it
	HTTP     []string       // that its scripts may send requests to
	Private  []netip.Prefix // networks that these may be in, beside the public ones

	at place // of duration
}

// Transfer says what becomes of a REFER in a dialog.
type Transfer string

// What can become of it.
const (
	TransferNone Transfer = "none" // refused
	TransferPass Transfer = "pass" // goes to the other party, who calls
	TransferCall Transfer = "call" // Dialyard calls
)

// byLimits stands in a field of an Account, while it is read, that nobody set.
const byLimits = -1

// Account is what holds for an account, named or not.
func (c *Config) Account(name string) Account {
	for _, a := range c.Accounts {
		if a.Name == name {
			return a
		}
	}
	return c.settled(newAccount(name))
}

func newAccount(name string) Account {
	return Account{Name: name, Transfer: TransferNone, Duration: byLimits, Calls: byLimits, Rate: byLimits, Runs: byLimits, Load: byLimits}
}

// settled has what is said for all where nothing is said for the account.
func (c *Config) settled(a Account) Account {
	if a.Duration == byLimits {
		a.Duration = c.Dial.Duration
	}
	for _, f := range []struct {
		own *int
		all int
	}{{&a.Calls, c.Limits.Calls}, {&a.Rate, c.Limits.Rate}, {&a.Runs, c.Limits.Runs}} {
		if *f.own == byLimits {
			*f.own = f.all
		}
	}
	if a.Load == byLimits {
		if a.Load = c.Limits.Load; a.Runs == 0 {
			a.Load = 0 // a trusted account
		}
	}
	return a
}

func (c *Config) settleAccounts() {
	for i, a := range c.Accounts {
		c.Accounts[i] = c.settled(a)
	}
}

// accountList is the value of the key "accounts".
var accountList = listValue("accounts", wantAccounts, (*reader).accounts, func(c *Config) []string {
	texts := []string{}
	for _, a := range c.Accounts {
		texts = append(texts, a.yaml())
	}
	return texts
})

const wantAccounts = "a list of {name, fallback, transfer, duration, calls, rate, runs, load, rollback, http, private}"

func (r *reader) accounts(name string, n ast.Node) {
	items, ok := r.sequence(name, wantAccounts, n)
	if !ok {
		return
	}
	accounts, seen := []Account{}, map[string]bool{}
	for i, item := range items {
		itemName := fmt.Sprintf("%s[%d]", name, i)
		a := r.account(itemName, item)
		if seen[a.Name] && a.Name != "" {
			r.fail(r.at(item), itemName, "account "+a.Name+" stands here twice")
		}
		seen[a.Name] = true
		accounts = append(accounts, a)
	}
	r.config.Accounts = accounts
}

func (r *reader) account(name string, n ast.Node) Account {
	a := newAccount("")
	a.at = r.at(n)
	hasName := false
	known := r.fields(name, n, []field{
		{"name", func(name string, n ast.Node) { a.Name, hasName = readScalar(r, name, n, planNameKind), true }},
		{"fallback", func(name string, n ast.Node) { a.Fallback = readScalar(r, name, n, targetKind) }},
		{"transfer", func(name string, n ast.Node) {
			a.Transfer = readScalar(r, name, n, oneOf(TransferNone, TransferPass, TransferCall))
		}},
		{"duration", func(name string, n ast.Node) {
			a.Duration, a.at = readScalar(r, name, n, span(0, longestCall)), r.at(n)
		}},
		{"calls", func(name string, n ast.Node) { a.Calls = readScalar(r, name, n, count(0, 1_000_000)) }},
		{"rate", func(name string, n ast.Node) { a.Rate = readScalar(r, name, n, count(0, 1_000_000)) }},
		{"runs", func(name string, n ast.Node) { a.Runs = readScalar(r, name, n, count(0, 1_000_000)) }},
		{"load", func(name string, n ast.Node) { a.Load = readScalar(r, name, n, rateKind) }},
		{"rollback", func(name string, n ast.Node) { a.Rollback = readScalar(r, name, n, boolKind) }},
		{"http", func(name string, n ast.Node) { a.HTTP = readList(r, name, n, hostKind) }},
		{"private", func(name string, n ast.Node) { a.Private = readList(r, name, n, prefixKind) }},
	})
	if known && !hasName {
		r.fail(r.at(n), name, "name is missing")
	}
	return a
}

// checkAccounts: an account may shorten its calls, not lengthen them.
func (r *reader) checkAccounts() {
	most := r.config.Dial.Duration
	if r.failed["dial.duration"] || r.failed["accounts"] || most == 0 {
		return
	}
	for i, a := range r.config.Accounts {
		name := fmt.Sprintf("accounts[%d].duration", i)
		if a.Duration > 0 && a.Duration <= most || r.failed[name] {
			continue
		}
		r.fail(r.config.within("accounts", a.at), name, fmt.Sprintf("duration (%s) must not be more than dial.duration (%s)", callSpan(a.Duration), callSpan(most)))
	}
}

func callSpan(d time.Duration) string {
	if d == 0 {
		return "no limit"
	}
	return spanText(d)
}

// yaml writes the account in one line, as "config print" has it.
func (a Account) yaml() string {
	fields := []string{"name: " + quoteInFlow(a.Name)}
	if a.Fallback != "" {
		fields = append(fields, "fallback: "+quoteInFlow(a.Fallback))
	}
	fields = append(fields, "transfer: "+string(a.Transfer), "duration: "+spanText(a.Duration),
		"calls: "+strconv.Itoa(a.Calls), "rate: "+strconv.Itoa(a.Rate), "runs: "+strconv.Itoa(a.Runs), "load: "+rateKind.text(a.Load), "rollback: "+strconv.FormatBool(a.Rollback))
	if len(a.HTTP) > 0 {
		fields = append(fields, "http: "+listYAML(a.HTTP, hostKind))
	}
	if len(a.Private) > 0 {
		fields = append(fields, "private: "+listYAML(a.Private, prefixKind))
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

// hostKind is an entry of the list of hosts that scripts may send HTTP requests to.
var hostKind = kind[string]{
	want: "a host such as api.example.net, *.example.net, api.example.net:8080, or * for every public one",
	parse: func(text string) (string, error) {
		_, err := broker.ParseHost(text)
		return text, err
	},
	text: sameText,
}
