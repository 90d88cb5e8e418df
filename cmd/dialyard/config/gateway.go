package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"dialyard/dispatcher/gateway"
)

// A Gateway is what the package gateway makes one from, filled in, and where
// the password came from.
type Gateway struct {
	gateway.Config
	PasswordFile string // empty if the password was said

	secret place // of password_file
}

// gatewayList is the value of the key "gateways".
var gatewayList = func() value {
	v := listValue("gateways", wantGateways, (*reader).gateways, func(c *Config) []string {
		texts := []string{}
		for _, g := range c.Gateways {
			texts = append(texts, g.yaml())
		}
		return texts
	})
	v.hidden = func(c *Config) []string {
		var passwords []string
		for _, g := range c.Gateways {
			passwords = append(passwords, g.Password)
		}
		return passwords
	}
	return v
}()

const (
	wantGateways = "a list of {account, name, uris, ...}"
	wantURIs     = "a list of SIP URIs or of {uri, priority, weight}"
	mostURIs     = 32
)

func (r *reader) gateways(name string, n ast.Node) {
	items, ok := r.sequence(name, wantGateways, n)
	if !ok {
		return
	}
	gateways, seen := []Gateway{}, map[[2]string]bool{}
	for i, item := range items {
		itemName := fmt.Sprintf("%s[%d]", name, i)
		g := r.gateway(itemName, item)
		id := [2]string{g.Account, g.Name}
		if seen[id] && g.Account != "" && g.Name != "" {
			r.fail(r.at(item), itemName, fmt.Sprintf("account %s has a gateway %s already", g.Account, g.Name))
		}
		seen[id] = true
		gateways = append(gateways, g)
	}
	r.config.Gateways = gateways
}

func (r *reader) gateway(name string, n ast.Node) Gateway {
	var g Gateway
	said := map[string]bool{}
	fields := r.gatewayFields(&g)
	for i, f := range fields {
		fields[i].read = func(name string, n ast.Node) {
			said[f.leaf] = true
			f.read(name, n)
		}
	}
	if r.fields(name, n, fields) { // what is missing may be there, misspelt
		for _, leaf := range []string{"account", "name", "uris"} {
			if !said[leaf] {
				r.fail(r.at(n), name, leaf+" is missing")
			}
		}
		if problem := secretProblem(said); problem != "" {
			r.fail(r.at(n), name, problem)
		}
	}
	g.Config = g.Filled()
	return g
}

func secretProblem(said map[string]bool) string {
	secret := said["password"] || said["password_file"]
	switch {
	case said["password"] && said["password_file"]:
		return "want password or password_file, not both"
	case secret && !said["username"]:
		return "username is missing"
	case said["username"] && !secret:
		return "password or password_file is missing"
	}
	return ""
}

func (r *reader) gatewayFields(g *Gateway) []field {
	return []field{
		{"account", func(name string, n ast.Node) { g.Account = readScalar(r, name, n, planNameKind) }},
		{"name", func(name string, n ast.Node) { g.Name = readScalar(r, name, n, planNameKind) }},
		{"uris", func(name string, n ast.Node) { g.URIs = r.uris(name, n) }},
		{"username", func(name string, n ast.Node) { g.Username = readScalar(r, name, n, lineKind) }},
		{"password", func(name string, n ast.Node) { g.Password = readScalar(r, name, n, passwordKind) }},
		{"password_file", func(name string, n ast.Node) {
			g.PasswordFile, g.secret = readScalar(r, name, n, fileKind), r.at(n)
		}},
		{"realm", func(name string, n ast.Node) { g.Realm = readScalar(r, name, n, lineKind) }},
		{"proxy", func(name string, n ast.Node) { g.Proxy = readScalar(r, name, n, gatewayURIKind) }},
		{"from_domain", func(name string, n ast.Node) { g.FromDomain = readScalar(r, name, n, domainKind) }},
		{"caller_id", func(name string, n ast.Node) {
			g.CallerID = readScalar(r, name, n, oneOf(gateway.CallerFrom, gateway.CallerPAI, gateway.CallerRPID))
		}},
		{"ping", func(name string, n ast.Node) { g.Ping = readScalar(r, name, n, pingKind) }},
		{"fall", func(name string, n ast.Node) { g.Fall = readScalar(r, name, n, count(1, 100)) }},
		{"rise", func(name string, n ast.Node) { g.Rise = readScalar(r, name, n, count(1, 100)) }},
		{"calls", func(name string, n ast.Node) { g.Calls = readScalar(r, name, n, count(0, 1_000_000)) }},
		{"rate", func(name string, n ast.Node) { g.Rate = readScalar(r, name, n, rateKind) }},
		{"next_on", func(name string, n ast.Node) { g.NextOn = r.codes(name, n) }},
	}
}

// uris reads the ways to a gateway.
func (r *reader) uris(name string, n ast.Node) []gateway.URI {
	items, ok := r.sequence(name, wantURIs, n)
	if !ok {
		return nil
	}
	if len(items) == 0 || len(items) > mostURIs {
		r.fail(r.at(n), name, fmt.Sprintf("want 1 to %d, got %d", mostURIs, len(items)))
	}
	var uris []gateway.URI
	for i, item := range items {
		itemName := fmt.Sprintf("%s[%d]", name, i)
		u := r.uri(itemName, item)
		same := func(other gateway.URI) bool { return u.URI != "" && strings.EqualFold(other.URI, u.URI) }
		if slices.ContainsFunc(uris, same) {
			r.fail(r.at(item), itemName, u.URI+" stands here twice")
		}
		uris = append(uris, u)
	}
	return uris
}

func (r *reader) uri(name string, n ast.Node) gateway.URI {
	if _, ok := scalarText(n); ok {
		return gateway.URI{URI: readScalar(r, name, n, gatewayURIKind)}
	}
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) == 1 && strings.EqualFold(keyText(m.Values[0].Key), "sip") {
		r.fail(r.at(n), name, "write the URI in quotes: here its colon makes it a key")
		return gateway.URI{}
	}
	var u gateway.URI
	hasURI := false
	known := r.fields(name, n, []field{
		{"uri", func(name string, n ast.Node) { u.URI, hasURI = readScalar(r, name, n, gatewayURIKind), true }},
		{"priority", func(name string, n ast.Node) { u.Priority = readScalar(r, name, n, count(0, 65535)) }},
		{"weight", func(name string, n ast.Node) { u.Weight = readScalar(r, name, n, count(1, 65535)) }},
	})
	if known && !hasURI {
		r.fail(r.at(n), name, "uri is missing")
	}
	return u
}

// codes reads a list of status codes; an empty one is not nil.
func (r *reader) codes(name string, n ast.Node) []int {
	codes := []int{}
	items, _ := r.sequence(name, "a list, each "+codeKind.want, n)
	for _, item := range items {
		codes = append(codes, readScalar(r, name, item, codeKind))
	}
	return codes
}

var codeKind = kind[int]{
	want: "a status code from 400 to 599, not 486 or 487",
	parse: func(text string) (int, error) {
		code, err := strconv.Atoi(text)
		if err != nil || !gateway.CanBeNext(code) {
			return 0, errForm
		}
		return code, nil
	},
	text: strconv.Itoa,
	bare: true,
}

var pingKind = kind[time.Duration]{
	want: "a duration such as 30s, or 0s for never",
	parse: func(text string) (time.Duration, error) {
		if d, err := time.ParseDuration(text); err == nil && d == 0 {
			return 0, nil
		}
		return span(time.Second, time.Hour).parse(text)
	},
	text: spanText,
}

var rateKind = kind[float64]{
	want: "a number from 0 to 1000000, such as 2.5",
	parse: func(text string) (float64, error) {
		rate, err := strconv.ParseFloat(text, 64)
		if err != nil || !(rate >= 0 && rate <= 1_000_000) || math.Signbit(rate) {
			return 0, errForm
		}
		return rate, nil
	},
	text: func(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) },
	bare: true,
}

// lineKind is a text that can be quoted in a header as it is.
var lineKind = kind[string]{
	want: "1 to 256 bytes of printable text",
	parse: func(text string) (string, error) {
		for _, r := range text {
			if r == utf8.RuneError || !strconv.IsPrint(r) {
				return "", errForm
			}
		}
		if text == "" || len(text) > 256 {
			return "", errForm
		}
		return text, nil
	},
	text: sameText,
}
