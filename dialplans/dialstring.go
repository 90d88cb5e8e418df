package dialplans

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dialyard/proto"
)

// maxDialString is the length of the longest dial string, in bytes.
const maxDialString = 8 << 10

// A dialString is read from left to right:
//
//	dial   = group { "|" group }     the next if all of one have failed
//	group  = leg { "&" leg }         called together
//	leg    = target [ "[" option { "," option } "]" ]
//	option = name "=" value
//
// White space around any of these does not matter. In targets and values
// ${dst} stands for the called user and ${dst:N} for what is left of it without
// its first N characters. They are replaced after the string has been taken
// apart: whatever the caller dialled, it is one user and no syntax.
type dialString struct {
	text   string
	at     int
	called string
}

// parseDialString takes a dial string apart. called is the user that was
// called; each leg begins as a copy of base.
func parseDialString(text, called string, base *proto.DialLeg) ([]*proto.DialGroup, error) {
	if len(text) > maxDialString {
		return nil, fmt.Errorf("the dial string is %d bytes long, the limit is %d", len(text), maxDialString)
	}
	d := &dialString{text: text, called: called}
	groups := []*proto.DialGroup{{}}
	for legs := 1; ; legs++ {
		leg, err := d.leg(base)
		if err != nil {
			return nil, err
		}
		last := groups[len(groups)-1]
		last.Legs = append(last.Legs, leg)
		separator := d.take()
		if separator == 0 {
			return groups, d.checkUsers(groups, legs)
		}
		if legs == maxLegs {
			return nil, tooManyLegs(legs + 1)
		}
		if separator == '|' {
			groups = append(groups, &proto.DialGroup{})
		}
	}
}

func tooManyLegs(n int) error {
	return fmt.Errorf("%d legs or more, a dial has at most %d", n, maxLegs)
}

// checkUsers refuses a target without a user among several legs. Nobody dials
// so, but "sip:" .. user .. "@gw" becomes it when the user that the caller
// dialled has a & in it.
func (d *dialString) checkUsers(groups []*proto.DialGroup, legs int) error {
	for _, group := range groups {
		for _, leg := range group.Legs {
			if legs > 1 && !strings.Contains(leg.Target, "@") {
				return fmt.Errorf("the target %q of a dial string has no user; in a user & is written %%26", clip(leg.Target))
			}
		}
	}
	return nil
}

// take gives the separator at which the last leg ended, 0 at the end of the
// string, and goes past it.
func (d *dialString) take() byte {
	if d.at == len(d.text) {
		return 0
	}
	d.at++
	return d.text[d.at-1]
}

// leg reads one leg, up to its separator.
func (d *dialString) leg(base *proto.DialLeg) (*proto.DialLeg, error) {
	rest := d.text[d.at:]
	end := targetEnd(rest)
	target, err := substitute(strings.TrimSpace(rest[:end]), d.called, escapeUser)
	if err != nil {
		return nil, err
	}
	leg := likeLeg(base)
	if leg.Target, err = dialTarget(target); err != nil {
		return nil, err
	}
	d.at += end
	if end == len(rest) || rest[end] != '[' {
		return leg, nil
	}
	options, after, closed := strings.Cut(rest[end+1:], "]")
	if !closed {
		return nil, fmt.Errorf("the options of %q are not closed with a ]", clip(leg.Target))
	}
	tail := strings.TrimLeft(after, " \t")
	if d.at = len(d.text) - len(tail); tail != "" && tail[0] != '&' && tail[0] != '|' {
		return nil, fmt.Errorf("the options of %q are followed by %q instead of & or |", clip(leg.Target), clip(tail))
	}
	return leg, d.options(leg, options)
}

// targetEnd is where the target that text begins with ends: at a separator or
// before its options. The bracket of an IPv6 address is not one of options.
func targetEnd(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '&', '|':
			return i
		case '[':
			before := strings.ToLower(strings.TrimSpace(text[:i]))
			if !strings.HasSuffix(before, "@") && before != "sip:" && before != "sips:" {
				return i
			}
			length := strings.IndexByte(text[i:], ']')
			if length < 0 {
				return len(text)
			}
			i += length
		}
	}
	return len(text)
}

// options reads the options of a leg, without their brackets.
func (d *dialString) options(leg *proto.DialLeg, list string) error {
	seen := map[string]bool{}
	for option := range strings.SplitSeq(list, ",") {
		name, value, found := strings.Cut(option, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		set := shortOptions[name]
		if !found || set == nil || seen[name] {
			return fmt.Errorf("%q is not an option of a leg, or given twice; there are rt dt cd rm tr fd fu fh, as in [rt=20,fu=100]", clip(strings.TrimSpace(option)))
		}
		seen[name] = true
		plain := func(s string) string { return s }
		if name == "fu" {
			plain = escapeUser
		}
		value, err := substitute(strings.TrimSpace(value), d.called, plain)
		if err == nil {
			err = set(leg, value)
		}
		if err != nil {
			return fmt.Errorf("option %s: %w", name, err)
		}
	}
	return nil
}

// shortOptions are the options of the 2009 syntax.
var shortOptions = map[string]func(leg *proto.DialLeg, value string) error{
	"rt": func(leg *proto.DialLeg, v string) (err error) {
		leg.RingMs, err = secondsText(v, ringRange)
		return err
	},
	"dt": func(leg *proto.DialLeg, v string) (err error) {
		leg.DelayMs, err = secondsText(v, delayRange)
		return err
	},
	"cd": func(leg *proto.DialLeg, v string) (err error) {
		leg.AnsweredMs, err = secondsText(v, answeredRange)
		return err
	},
	"rm": func(leg *proto.DialLeg, v string) (err error) {
		leg.Redirects, err = choice(v, map[string]proto.Redirects{"n": proto.Redirects_REDIRECTS_FOLLOW, "m": proto.Redirects_REDIRECTS_RETURN})
		return err
	},
	"tr": func(leg *proto.DialLeg, v string) (err error) {
		leg.Transfers, err = choice(v, map[string]proto.Transfers{
			"n": proto.Transfers_TRANSFERS_NONE, "p": proto.Transfers_TRANSFERS_PASS, "c": proto.Transfers_TRANSFERS_CALL})
		return err
	},
	"fd": func(leg *proto.DialLeg, v string) error { leg.FromName = v; return checkFrom(leg) },
	"fu": func(leg *proto.DialLeg, v string) error { leg.FromUser = v; return checkFrom(leg) },
	"fh": func(leg *proto.DialLeg, v string) error { leg.FromHost = v; return checkFrom(leg) },
}

// secondsText reads seconds as digits, with a fraction or without.
func secondsText(text string, in timeRange) (ms uint32, err error) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Trim(text, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is not a number of seconds", clip(text))
	}
	return in.milliseconds(seconds)
}

// substitute puts the called user in the place of ${dst} and ${dst:N}, as
// written by escape.
func substitute(text, called string, escape func(string) string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		if b.WriteString(before); !found {
			return b.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		skip, err := skipped(name)
		if !closed || err != nil {
			return "", fmt.Errorf("a dial string knows ${dst} and ${dst:N}, not %q", clip("${"+rest))
		}
		characters := []rune(called)
		if skip >= len(characters) {
			return "", fmt.Errorf("${%s} leaves nothing of %q", clip(name), clip(called))
		}
		b.WriteString(escape(string(characters[skip:])))
		text = after
	}
}

// skipped is how many characters of the called user a variable leaves out.
func skipped(name string) (int, error) {
	name, number, found := strings.Cut(name, ":")
	if name != "dst" {
		return 0, errors.ErrUnsupported
	}
	if !found {
		return 0, nil
	}
	n, err := strconv.ParseUint(number, 10, 16)
	return int(n), err
}
