package dialplans

import (
	"fmt"
	"strings"
)

// Bounds on what a script may put into an answer, in bytes unless said.
const (
	maxReason       = 256
	maxTag          = 256
	maxHeaderName   = 64
	maxHeaderValue  = 1 << 10
	maxHeadersSet   = 20 // headers of one reject
	maxTarget       = 512
	maxTargets      = 10
	maxInstructions = 100 // of one run
)

// reserved are the headers that belong to the transaction and the transport; a
// script cannot touch them. Long names, lower case. So do X-Dialyard-*, but for
// the nonce that the health plan echoes.
var reserved = map[string]bool{
	"via": true, "route": true, "record-route": true, "cseq": true, "call-id": true, "max-forwards": true,
	"content-length": true, "from": true, "to": true, "contact": true,
}

// checkHeader says what is wrong with a header that a script wants to set.
func checkHeader(name, value string) error {
	if name == "" || len(name) > maxHeaderName || strings.ContainsFunc(name, notToken) {
		return fmt.Errorf("%q is not a header name", clip(name))
	}
	long := canonical(name)
	if reserved[long] || strings.HasPrefix(long, "x-dialyard-") && long != "x-dialyard-nonce" {
		return fmt.Errorf("the header %s belongs to the server, a script cannot set it", name)
	}
	return checkText("value of "+name, value, maxHeaderValue)
}

// checkText refuses text that would break out of its place in a message.
func checkText(what, text string, limit int) error {
	if len(text) > limit {
		return fmt.Errorf("the %s is %d bytes long, the limit is %d", what, len(text), limit)
	}
	if i := strings.IndexFunc(text, isControl); i >= 0 {
		return fmt.Errorf("the %s contains a line break or control character at byte %d", what, i+1)
	}
	if validText(text, limit) != text {
		return fmt.Errorf("the %s is not valid UTF-8", what)
	}
	return nil
}

// plainText is text without what checkText refuses.
func plainText(text string, limit int) string {
	text = strings.ToValidUTF8(text, "")
	return validText(strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, text), limit)
}

// checkTarget refuses what is not a URI that a caller can be sent to.
func checkTarget(uri string) error {
	scheme, rest, _ := strings.Cut(uri, ":")
	switch strings.ToLower(scheme) {
	case "sip", "sips", "tel":
	default:
		return fmt.Errorf("the target %q is not a sip:, sips: or tel: URI", clip(uri))
	}
	if rest == "" || len(uri) > maxTarget {
		return fmt.Errorf("the target %q is empty or longer than %d bytes", clip(uri), maxTarget)
	}
	bad := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>"\`, r) }
	if i := strings.IndexFunc(uri, bad); i >= 0 {
		return fmt.Errorf("the target %q contains a character at byte %d that no URI may have", clip(uri), i+1)
	}
	return nil
}

// checkCode refuses a status outside what the verb may send.
func checkCode(code, low, high int) error {
	if code < low || code > high {
		return fmt.Errorf("the code %d is not one of %d to %d", code, low, high)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }

// notToken reports bytes outside the token of RFC 3261 §25.1.
func notToken(r rune) bool {
	return r >= 0x80 || !isWord(byte(r)) && !strings.ContainsRune("-.!%*+`'~", r)
}

// clip shortens text for a message.
func clip(text string) string {
	if len(text) > 60 {
		return text[:60] + "..."
	}
	return text
}

// nearest is the name among names that a mistyped one probably means, or "".
func nearest(typed string, names []string) string {
	best, distance := "", 3
	for _, name := range names {
		if d := editDistance(typed, name); d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b; it gives up, with a large number, on long
// names.
func editDistance(a, b string) int {
	const longest = 24
	if len(a) > longest || len(b) > longest {
		return longest
	}
	var rows [longest + 1][longest + 1]int
	for i := range len(a) + 1 {
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
