package config

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"dialyard/dispatcher/store"
)

// A Route gives the calls it matches to a plan.
type Route struct {
	Match   Match
	Account string
	Plan    string
}

// Match says which calls a route is for. A zero field matches all.
type Match struct {
	FromIP netip.Prefix   // of the peer that sent the request
	Domain string         // host of the Request-URI, in lower case
	User   *regexp.Regexp // over the whole user part of the Request-URI; nil for any
}

// routeList is the value of the key "routes".
var routeList = listValue("routes", wantRoutes, (*reader).routes, func(c *Config) []string {
	texts := []string{}
	for _, route := range c.Routes {
		texts = append(texts, route.yaml())
	}
	return texts
})

const wantRoutes = "a list of {match, account, plan}"

func (r *reader) routes(name string, n ast.Node) {
	items, ok := r.sequence(name, wantRoutes, n)
	if !ok {
		return
	}
	routes := []Route{}
	for i, item := range items {
		routes = append(routes, r.route(fmt.Sprintf("%s[%d]", name, i), item))
	}
	r.config.Routes = routes
}

func (r *reader) route(name string, n ast.Node) Route {
	var route Route
	var hasAccount, hasPlan bool
	known := r.fields(name, n, []field{
		{"match", func(name string, n ast.Node) { route.Match = r.match(name, n) }},
		{"account", func(name string, n ast.Node) { route.Account, hasAccount = readScalar(r, name, n, planNameKind), true }},
		{"plan", func(name string, n ast.Node) { route.Plan, hasPlan = readScalar(r, name, n, planNameKind), true }},
	})
	switch {
	case !known: // what is missing may be there, misspelt
	case !hasAccount:
		r.fail(r.at(n), name, "account is missing")
	case !hasPlan:
		r.fail(r.at(n), name, "plan is missing")
	}
	return route
}

func (r *reader) match(name string, n ast.Node) Match {
	var m Match
	r.fields(name, n, []field{
		{"from_ip", func(name string, n ast.Node) { m.FromIP = readScalar(r, name, n, prefixKind) }},
		{"domain", func(name string, n ast.Node) { m.Domain = readScalar(r, name, n, domainKind) }},
		{"user", func(name string, n ast.Node) { m.User = readScalar(r, name, n, userKind) }},
	})
	return m
}

var planNameKind = kind[string]{
	want: "a name of " + store.NameForm,
	parse: func(text string) (string, error) {
		if (store.PlanID{Account: text, Plan: text}).Validate() != nil {
			return "", errForm
		}
		return text, nil
	},
}

var domainKind = kind[string]{
	want: "a host such as example.net",
	parse: func(text string) (string, error) {
		if !isHost(text) {
			return "", errForm
		}
		return strings.ToLower(text), nil
	},
}

// userKind anchors the expression at both ends: a route for 00 must not catch
// 1001.
var userKind = kind[*regexp.Regexp]{
	want:  "a regular expression",
	parse: parseUser,
	text: func(re *regexp.Regexp) string {
		return strings.TrimSuffix(strings.TrimPrefix(re.String(), anchorStart), anchorEnd)
	},
}

// parseUser compiles the expression alone first, so that none gets out of the
// group around it.
func parseUser(text string) (*regexp.Regexp, error) {
	_, err := regexp.Compile(text)
	if bad := (*syntax.Error)(nil); errors.As(err, &bad) {
		return nil, formError(bad.Code.String() + " in " + strconv.Quote(bad.Expr))
	}
	re, err := regexp.Compile(anchorStart + text + anchorEnd)
	if err != nil {
		return nil, formError(`\Q is not closed by \E`)
	}
	return re, nil
}

const (
	anchorStart = `^(?:`
	anchorEnd   = `)$`
)

// yaml writes the route in one line, as "config print" has it.
func (route Route) yaml() string {
	var match, fields []string
	if route.Match.FromIP.IsValid() {
		match = append(match, "from_ip: "+quote(route.Match.FromIP.String()))
	}
	if route.Match.Domain != "" {
		match = append(match, "domain: "+quote(route.Match.Domain))
	}
	if route.Match.User != nil {
		match = append(match, "user: "+quote(userKind.text(route.Match.User)))
	}
	if len(match) > 0 {
		fields = append(fields, "match: {"+strings.Join(match, ", ")+"}")
	}
	fields = append(fields, "account: "+quote(route.Account), "plan: "+quote(route.Plan))
	return "{" + strings.Join(fields, ", ") + "}"
}
