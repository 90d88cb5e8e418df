package config

import (
	"regexp"
	"strings"
)

// gatewayURIKind is where a gateway or an outbound proxy is: no user, which is
// what a plan dials there.
var gatewayURIKind = kind[string]{
	want: "a SIP URI without a user, such as sip:gw1.example.net;transport=tcp",
	parse: func(text string) (string, error) {
		if strings.Contains(text, "@") {
			return "", errForm
		}
		return parseSIP(text)
	},
	text: sameText,
}

// targetKind is whom a caller can be sent to.
var targetKind = kind[string]{want: "a SIP URI such as sip:voicemail@example.net", parse: parseSIP, text: sameText}

func sameText(text string) string { return text }

var (
	sipUser  = regexp.MustCompile(`^(?:[A-Za-z0-9._~!*'()&=+$,;?/-]|%[0-9A-Fa-f]{2})+$`)
	sipParam = regexp.MustCompile("^[A-Za-z0-9.!%*_+`'~-]+(=(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.!%*_+`'~/:&$-]+))?$")
)

// parseSIP takes the SIP URIs that this front can send to (RFC 3261 §25.1,
// "SIP-URI"), without password and headers.
func parseSIP(text string) (string, error) {
	scheme, rest, _ := strings.Cut(text, ":")
	if strings.EqualFold(scheme, "sips") {
		return "", formError("sips is not supported yet")
	}
	if !strings.EqualFold(scheme, "sip") {
		return "", errForm
	}
	if user, host, has := strings.Cut(rest, "@"); has {
		if !sipUser.MatchString(user) {
			return "", errForm
		}
		rest = host
	}
	host, params, has := strings.Cut(rest, ";")
	bareIPv6 := !strings.HasPrefix(host, "[") && strings.Count(host, ":") > 1
	if _, err := parseHostPort(host); err != nil || bareIPv6 {
		return "", errForm
	}
	if !has {
		return text, nil
	}
	for param := range strings.SplitSeq(params, ";") {
		if !sipParam.MatchString(param) {
			return "", errForm
		}
		name, transport, _ := strings.Cut(strings.ToLower(param), "=")
		if name == "transport" && transport != "udp" && transport != "tcp" {
			return "", formError("transport " + transport + " is not supported yet, use udp or tcp")
		}
	}
	return text, nil
}
