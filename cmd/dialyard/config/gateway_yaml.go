package config

import (
	"strconv"
	"strings"

	"dialyard/dispatcher/gateway"
)

// yaml writes the gateway in one line, as "config print" has it.
func (g Gateway) yaml() string {
	var uris, codes []string
	for _, u := range g.URIs {
		uris = append(uris, uriYAML(u))
	}
	for _, code := range g.NextOn {
		codes = append(codes, strconv.Itoa(code))
	}
	fields := []string{"account: " + quoteInFlow(g.Account), "name: " + quoteInFlow(g.Name), "uris: [" + strings.Join(uris, ", ") + "]"}
	password := ""
	if g.PasswordFile == "" && g.Password != "" {
		password = maskedPassword
	}
	for _, f := range []struct{ leaf, text string }{
		{"username", g.Username}, {"password", password}, {"password_file", g.PasswordFile},
		{"realm", g.Realm}, {"proxy", g.Proxy}, {"from_domain", g.FromDomain},
	} {
		if f.text != "" {
			fields = append(fields, f.leaf+": "+quoteInFlow(f.text))
		}
	}
	fields = append(fields, "caller_id: "+g.CallerID, "ping: "+spanText(g.Ping),
		"fall: "+strconv.Itoa(g.Fall), "rise: "+strconv.Itoa(g.Rise),
		"calls: "+strconv.Itoa(g.Calls), "rate: "+rateKind.text(g.Rate), "next_on: ["+strings.Join(codes, ", ")+"]")
	return "{" + strings.Join(fields, ", ") + "}"
}

func uriYAML(u gateway.URI) string {
	if u.Priority == 0 && u.Weight == 1 {
		return quoteInFlow(u.URI)
	}
	return "{uri: " + quoteInFlow(u.URI) + ", priority: " + strconv.Itoa(u.Priority) + ", weight: " + strconv.Itoa(u.Weight) + "}"
}
