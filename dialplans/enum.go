package dialplans

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dialyard/proto"
)

const (
	// enumZone is where the numbers of the world are, RFC 6116 §3.2.
	enumZone = "e164.arpa"
	// maxDomain is the length of the longest name, in bytes.
	maxDomain = 253
	// maxRecords is how many records one answer may have.
	maxRecords = 50
	// compileCost is what it costs to compile a regular expression of maxRegex
	// bytes, in steps.
	compileCost = 4096
)

var domainForm = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?)*\.?$`)

// checkDomain refuses what is not a name of the DNS.
func checkDomain(name string) error {
	if len(name) > maxDomain || !domainForm.MatchString(name) {
		return fmt.Errorf("%q is not a domain name", clip(name))
	}
	return nil
}

// enumDigits are the digits of a telephone number in international form, with a
// + or without.
func enumDigits(number string) (string, error) {
	digits := strings.TrimPrefix(stripNumber(number), "+")
	if digits == "" || len(digits) > maxE164 || !allDigits(digits) {
		return "", fmt.Errorf("%q is not an international telephone number", clip(number))
	}
	return digits, nil
}

// enumName is where the records of a number are: its digits from the last to the
// first, RFC 6116 §3.2.
func enumName(digits, zone string) string {
	var b strings.Builder
	for _, digit := range slices.Backward([]byte(digits)) {
		b.WriteByte(digit)
		b.WriteByte('.')
	}
	return b.String() + zone
}

// enumURIs are the SIP URIs that NAPTR records give for a number in the form
// "+441632960083", by preference. Once a record fits, those of another order are
// not considered (RFC 3403 §4.1). Records that are of no use, or make no sense,
// are passed over: whoever owns the number wrote them. pay is told what the work
// costs.
func enumURIs(number string, records []*proto.DNSRecord, pay func(cost int)) (uris []string) {
	sorted := slices.SortedStableFunc(slices.Values(records), func(a, b *proto.DNSRecord) int {
		return cmp.Or(cmp.Compare(a.GetPriority(), b.GetPriority()), cmp.Compare(a.GetWeight(), b.GetWeight()))
	})
	order := uint32(0)
	for _, r := range sorted {
		if len(uris) > 0 && r.GetPriority() != order {
			break
		}
		if !strings.EqualFold(r.GetFlags(), "u") || !servesSIP(r.GetService()) {
			continue
		}
		pay(compileCost)
		uri, err := rewriteByNAPTR(number, r.GetRegexp())
		if err == nil && isSIPURI(uri) && !slices.Contains(uris, uri) {
			uris, order = append(uris, uri), r.GetPriority()
		}
	}
	return uris
}

// servesSIP reports whether the service of a record is ENUM's for SIP, perhaps
// among others: "E2U+sip", "E2U+voice:tel+sip" (RFC 6116 §3.4.3).
func servesSIP(service string) bool {
	parts := strings.Split(strings.ToLower(service), "+")
	return parts[0] == "e2u" && slices.ContainsFunc(parts[1:], func(part string) bool {
		kind, _, _ := strings.Cut(part, ":")
		return kind == "sip"
	})
}

// isSIPURI reports whether a script may redirect to a URI or dial it.
func isSIPURI(uri string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(uri), ":")
	return (scheme == "sip" || scheme == "sips") && checkTarget(uri) == nil
}

var errNAPTR = errors.New("not the substitution expression of a NAPTR record")

// rewriteByNAPTR applies a substitution expression, delimiter ERE delimiter
// replacement delimiter flags, to a number (RFC 3402 §3.2).
func rewriteByNAPTR(number, expression string) (string, error) {
	parts, ok := cutSubstitution(expression)
	if !ok || parts[2] != "" && !strings.EqualFold(parts[2], "i") {
		return "", errNAPTR
	}
	pattern := parts[0]
	if parts[2] != "" {
		pattern = "(?i)" + pattern
	}
	x, err := compileRegex(pattern)
	if err != nil {
		return "", err
	}
	if _, err := x.work(len(number)); err != nil {
		return "", err
	}
	x.Longest() // as POSIX has it
	at := x.FindStringSubmatchIndex(number)
	if at == nil {
		return "", errNAPTR
	}
	return fillIn(parts[1], number, at)
}

// cutSubstitution takes a substitution expression apart at its delimiter, which
// is any byte but a digit, the flag and the escape. A delimiter with a backslash
// before it stands for itself.
func cutSubstitution(expression string) (parts [3]string, ok bool) {
	if expression == "" || strings.ContainsAny(expression[:1], `0123456789iI\`) {
		return parts, false
	}
	delimiter := expression[0]
	var b strings.Builder
	part := 0
	for i := 1; i < len(expression); i++ {
		c := expression[i]
		switch {
		case c == '\\' && i+1 < len(expression) && expression[i+1] == delimiter:
			i++
			b.WriteByte(delimiter)
		case c == '\\' && i+1 < len(expression):
			i++
			b.WriteString(expression[i-1 : i+1])
		case c == delimiter && part < 2:
			parts[part] = b.String()
			b.Reset()
			part++
		default:
			b.WriteByte(c)
		}
	}
	parts[2] = b.String()
	return parts, part == 2
}

// fillIn is the replacement with the groups of a match in the place of \1 to \9.
func fillIn(replacement, text string, at []int) (string, error) {
	var b strings.Builder
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		if c != '\\' || i+1 == len(replacement) {
			b.WriteByte(c)
			continue
		}
		i++
		group := 2 * int(replacement[i]-'0')
		switch {
		case !isDigit(replacement[i]):
			b.WriteByte(replacement[i])
		case group == 0 || group >= len(at):
			return "", errNAPTR
		case at[group] >= 0:
			b.WriteString(text[at[group]:at[group+1]])
		}
		if b.Len() > maxTarget {
			return "", errNAPTR
		}
	}
	return b.String(), nil
}
