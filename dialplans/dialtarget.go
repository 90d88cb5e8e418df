package dialplans

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Forms of what a leg is called by, RFC 3261 §25.1 without what a request URI
// may not have or nobody needs: headers, passwords, quotes. A plain user goes
// where parameters could be mistaken to begin.
var (
	userForm    = regexp.MustCompile(`^(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+$`)
	plainForm   = regexp.MustCompile(`^(?:[A-Za-z0-9\-_.!~*'()&=+$,/]|%[0-9A-Fa-f]{2})+$`)
	nameForm    = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
	paramForm   = regexp.MustCompile(`^(?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$=;]|%[0-9A-Fa-f]{2})*$`)
	gatewayForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// maxPlainUser is the length of the longest user of a gateway's target or of a
// From, in bytes.
const maxPlainUser = 128

// dialTarget is a target as it goes to the dispatcher: a sip: or sips: URI, or
// user@gateway. A host in which there is neither a dot nor a colon is the name of
// a gateway, but for localhost.
func dialTarget(target string) (string, error) {
	if target == "" || len(target) > maxTarget {
		return "", fmt.Errorf("the target %q is empty or longer than %d bytes", clip(target), maxTarget)
	}
	scheme, rest, bare := cutScheme(target)
	if !bare {
		if err := checkScheme(scheme, target); err != nil {
			return "", err
		}
	}
	user, address, hasUser := strings.Cut(rest, "@")
	switch {
	case bare && !hasUser:
		return "", fmt.Errorf("the target %q has no host; write it as user@host, user@gateway or as a sip: URI", clip(target))
	case hasUser && isGateway(address):
		return gatewayTarget(scheme, user, address, target)
	case hasUser && !userForm.MatchString(user):
		return "", fmt.Errorf("the target %q has no user before the @, or one with a character that no user may have", clip(target))
	case !hasUser:
		address = rest
	}
	if err := checkAddress(address, target); err != nil {
		return "", err
	}
	if bare {
		return "sip:" + target, nil
	}
	return target, nil
}

// isGateway reports whether what is behind the @ is meant as a gateway's name.
func isGateway(address string) bool {
	host := hostPart(address)
	return !strings.ContainsAny(host, ".:[") && host != "localhost"
}

// gatewayTarget is user@gateway.
func gatewayTarget(scheme, user, gateway, target string) (string, error) {
	switch {
	case scheme == "sips":
		return "", fmt.Errorf("the target %q has no good host; a gateway is dialled as user@gateway", clip(target))
	case !gatewayForm.MatchString(gateway):
		return "", fmt.Errorf("the target %q has no host or gateway behind the @", clip(target))
	case !isPlainUser(user):
		return "", fmt.Errorf("the target %q has no user before the @, or one that a gateway cannot be given", clip(target))
	}
	return user + "@" + gateway, nil
}

func isPlainUser(user string) bool {
	return len(user) <= maxPlainUser && plainForm.MatchString(user)
}

// cutScheme cuts a target at the colon behind its scheme. The target is bare if
// there is none: the first colon, if any, is that of a port or an IPv6 address.
func cutScheme(target string) (scheme, rest string, bare bool) {
	colon := strings.IndexByte(target, ':')
	if at := strings.IndexByte(target, '@'); colon < 0 || at >= 0 && at < colon {
		return "", target, true
	}
	return strings.ToLower(target[:colon]), target[colon+1:], false
}

func checkScheme(scheme, target string) error {
	switch scheme {
	case "sip", "sips":
		return nil
	case "tel":
		return fmt.Errorf("the target %q says no gateway; a number is dialled as number@gateway", clip(target))
	}
	return fmt.Errorf("the target %q is not a sip: or sips: URI", clip(target))
}

// hostPart is host and port of what is behind the @.
func hostPart(address string) string {
	host, _, _ := strings.Cut(address, ";")
	return host
}

// checkAddress checks host, port and parameters of a target.
func checkAddress(address, target string) error {
	_, params, _ := strings.Cut(address, ";")
	switch {
	case strings.ContainsAny(address, "?<>\""):
		return fmt.Errorf("the target %q is more than a plain URI: leave out headers (?), brackets and quotes", clip(target))
	case !isHostport(hostPart(address)):
		return fmt.Errorf("the target %q has no good host", clip(target))
	case !paramForm.MatchString(params):
		return fmt.Errorf("the target %q has a parameter with a character that none may have", clip(target))
	}
	for param := range strings.SplitSeq(strings.ToLower(params), ";") {
		if name, _, _ := strings.Cut(param, "="); name == "method" {
			return fmt.Errorf("the target %q has a parameter \"method\"; a dial is always an INVITE", clip(target))
		}
	}
	return nil
}

// isHostport reports whether text is a host with a port or without.
func isHostport(text string) bool {
	host, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		host, port = text[:i], text[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	return isHost(host)
}

// isHost reports whether text is a name or an address, one of IPv6 in brackets.
func isHost(text string) bool {
	inner, ok := strings.CutPrefix(text, "[")
	if !ok {
		return nameForm.MatchString(text)
	}
	inner, ok = strings.CutSuffix(inner, "]")
	addr, err := netip.ParseAddr(inner)
	return ok && err == nil && addr.Is6() && addr.Zone() == ""
}

// escapeUser makes a plain user of any text: what it may not have is written as
// %XX, unless it is so already.
func escapeUser(text string) string {
	if plainForm.MatchString(text) {
		return text
	}
	var b strings.Builder
	for i, c := range []byte(text) {
		escaped := text[i:min(i+3, len(text))]
		if plainForm.MatchString(string(rune(c))) || c == '%' && plainForm.MatchString(escaped) {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}
