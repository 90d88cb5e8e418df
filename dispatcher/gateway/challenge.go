package gateway

import (
	"slices"
	"strings"

	"github.com/icholy/digest"
)

// challenge is a sound challenge that can be answered.
type challenge struct {
	digest.Challenge
	strength int // of its algorithm, more than 0
}

// algorithms are those of RFC 8760; the place is the strength. The session
// variants are missing: hardly anybody asks for them.
var algorithms = []string{"", "MD5", "SHA-256", "SHA-512-256"}

// blank is what may stand around names, values and commas.
const blank = " \t"

// maxChallenge bounds a challenge and maxParams its parameters.
const (
	maxChallenge = 4 << 10 // bytes
	maxParams    = 32
)

// parseChallenge reads what a stranger sent. The library's parser is not used
// for it: it wants names in lower case and knows no tabs.
func parseChallenge(value string) (c challenge, ok bool) {
	params, ok := digestParams(value)
	if !ok || params["nonce"] == "" {
		return c, false
	}
	if _, there := params["realm"]; !there {
		return c, false
	}
	algorithm := strings.ToUpper(params["algorithm"])
	if algorithm == "" {
		algorithm = "MD5" // RFC 3261 §22.4
	}
	c.strength = slices.Index(algorithms, algorithm)
	c.QOP = qops(params["qop"])
	c.Realm, c.Nonce, c.Opaque = params["realm"], params["nonce"], params["opaque"]
	c.Stale = strings.EqualFold(params["stale"], "true")
	c.Userhash = strings.EqualFold(params["userhash"], "true")
	if params["algorithm"] != "" {
		c.Algorithm = algorithm
	}
	known := len(c.QOP) == 0 || c.SupportsQOP("auth") || c.SupportsQOP("auth-int")
	return c, c.strength > 0 && known
}

// qops are the protections offered; one that says nothing offers none.
func qops(list string) []string {
	return strings.FieldsFunc(strings.ToLower(list), func(r rune) bool { return strings.ContainsRune(","+blank, r) })
}

// digestParams reads the parameters of a Digest challenge, with their names in
// lower case (RFC 3261 §25.1, "challenge"). One that stands twice, or holds what
// cannot be given back, spoils it all.
func digestParams(value string) (map[string]string, bool) {
	if len(value) > maxChallenge {
		return nil, false
	}
	value = trim(value)
	end := max(0, strings.IndexAny(value, blank))
	if !strings.EqualFold(value[:end], "Digest") {
		return nil, false
	}
	params := map[string]string{}
	for rest := trim(value[end:]); rest != ""; {
		name, text, after, ok := digestParam(rest)
		_, twice := params[name]
		if !ok || twice || !quotable(text) || len(params) == maxParams {
			return nil, false
		}
		if after != "" && after[0] != ',' {
			return nil, false
		}
		params[name] = text
		rest = strings.TrimLeft(after, ","+blank)
	}
	return params, true
}

// digestParam takes the first parameter off a list.
func digestParam(list string) (name, text, rest string, ok bool) {
	name, rest, ok = strings.Cut(list, "=")
	name, rest = strings.ToLower(trim(name)), trim(rest)
	if !ok || name == "" || strings.ContainsAny(name, `",`+blank) {
		return "", "", "", false
	}
	if strings.HasPrefix(rest, `"`) {
		text, rest, ok = unquote(rest[1:])
		return name, text, trim(rest), ok
	}
	end := strings.IndexAny(rest, `",`+blank)
	if end < 0 {
		end = len(rest)
	}
	return name, rest[:end], trim(rest[end:]), true
}

// unquote reads a quoted string whose first quote is off, and gives what comes
// after the last.
func unquote(list string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(list); i++ {
		switch {
		case list[i] == '"':
			return b.String(), list[i+1:], true
		case list[i] == '\\' && i+1 < len(list):
			i++
		}
		b.WriteByte(list[i])
	}
	return "", "", false
}

func trim(text string) string { return strings.Trim(text, blank) }
