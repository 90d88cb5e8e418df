package call

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// eventForms are the events as stories write them. What is in capitals is read by
// the function; a | parts the headers of a reject or bye, and the error of a done.
var eventForms = map[string]func(rest string) (Event, error){
	"begin":     func(string) (Event, error) { return Begin{}, nil },
	"refused":   func(why string) (Event, error) { o, err := outcomeNamed(why); return Refused{o}, err },
	"placed":    func(worker string) (Event, error) { return Placed{worker}, nil },
	"acted":     func(string) (Event, error) { return Acted{}, nil },
	"barred":    func(string) (Event, error) { return Barred{}, nil },
	"unplaced":  func(how string) (Event, error) { return Unplaced{Apart: how == "apart"}, nil },
	"reject":    parseReject,
	"redirect":  parseRedirect,
	"ring":      func(code string) (Event, error) { n, err := strconv.Atoi(code); return Ring{n}, err },
	"header":    func(line string) (Event, error) { return SetHeader{parseField(line)}, nil },
	"tag":       func(pair string) (Event, error) { n, v, _ := strings.Cut(pair, "="); return Tag{n, v}, nil },
	"done":      parseDone,
	"lost":      func(string) (Event, error) { return Lost{}, nil },
	"cancelled": func(string) (Event, error) { return Cancelled{}, nil },
	"dial":      parseDial,
	"sent":      func(rest string) (Event, error) { n, at, err := leg(rest); return Sent{Leg: n, Address: at}, err },
	"progress": func(rest string) (Event, error) {
		n, code, body, err := legAnswer(rest)
		return Progress{Leg: n, Code: code, Body: body}, err
	},
	"answered": func(rest string) (Event, error) {
		n, code, body, err := legAnswer(rest)
		return Answered{Leg: n, Code: code, Body: body}, err
	},
	"failed":  parseFailed,
	"asked":   parseAsked,
	"replied": parseReplied,
	"swapped": parseSwapped,
	"bye":     parseBye,
	"unheard": func(side string) (Event, error) { s, err := sideNamed(side); return Unheard{From: s}, err },
	"abandon": func(why string) (Event, error) { o, err := outcomeNamed(why); return Abandon{o}, err },
}

func parseEvent(text string) (Event, error) {
	name, rest, _ := strings.Cut(text, " ")
	form := eventForms[name]
	if form == nil {
		return nil, fmt.Errorf("%q: there is no such event", text)
	}
	ev, err := form(rest)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	return ev, nil
}

// outcomeNamed finds an outcome by its name in records.
func outcomeNamed(name string) (Outcome, error) {
	for o := range Outcome(Outcomes) {
		if o.String() == name {
			return o, nil
		}
	}
	return 0, fmt.Errorf("there is no such outcome")
}

// parseReject reads "CODE REASON | NAME: VALUE | NAME: VALUE".
func parseReject(text string) (Event, error) {
	parts := strings.Split(text, " | ")
	code, reason, _ := strings.Cut(parts[0], " ")
	n, err := strconv.Atoi(code)
	r := Reject{Code: n, Reason: reason}
	for _, line := range parts[1:] {
		r.Headers = append(r.Headers, parseField(line))
	}
	return r, err
}

func parseRedirect(text string) (Event, error) {
	words := strings.Fields(text)
	code, err := strconv.Atoi(words[0])
	return Redirect{Code: code, Targets: words[1:]}, err
}

// parseDone reads "OUTCOME | FILE:LINE: MESSAGE"; both may be absent.
func parseDone(text string) (Event, error) {
	name, trouble, failed := strings.Cut(text, " | ")
	var d Done
	var err error
	if name != "" {
		d.Outcome, err = outcomeNamed(name)
	}
	if failed {
		parts := strings.SplitN(trouble, ":", 3)
		line, _ := strconv.Atoi(parts[1])
		d.Error = &ScriptError{File: parts[0], Line: line, Message: strings.TrimSpace(parts[2])}
	}
	return d, err
}

func parseField(line string) Field {
	name, value, _ := strings.Cut(line, ":")
	return Field{Name: name, Value: strings.TrimSpace(value)}
}

// parseDial reads groups parted by |, targets parted by &: "A & B[ring=10s] | C".
// Options are ring, delay, max, redirect and transfer; "within 30s:" may come first.
func parseDial(text string) (Event, error) {
	d := Dial{Seq: 1}
	if rest, ok := strings.CutPrefix(text, "within "); ok {
		limit, targets, _ := strings.Cut(rest, ":")
		within, err := time.ParseDuration(limit)
		if err != nil {
			return nil, err
		}
		d.Within, text = within, targets
	}
	for group := range strings.SplitSeq(text, "|") {
		var targets []Target
		for one := range strings.SplitSeq(group, "&") {
			t, err := parseTarget(strings.TrimSpace(one))
			if err != nil {
				return nil, err
			}
			targets = append(targets, t)
		}
		d.Groups = append(d.Groups, targets)
	}
	return d, nil
}

func parseTarget(text string) (t Target, err error) {
	uri, options, _ := strings.Cut(strings.TrimSuffix(text, "]"), "[")
	t.URI = uri
	for option := range strings.SplitSeq(options, ",") {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "":
		case "ring":
			t.Ring, err = time.ParseDuration(value)
		case "delay":
			t.Delay, err = time.ParseDuration(value)
		case "max":
			t.Max, err = time.ParseDuration(value)
		case "redirect":
			t.Redirects = map[string]Redirects{"follow": RedirectsFollow, "return": RedirectsReturn}[value]
		case "transfer":
			t.Transfer = transferNames[value]
		default:
			err = fmt.Errorf("there is no option %s", name)
		}
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

// leg reads "LEG REST".
func leg(text string) (n int, rest string, err error) {
	number, rest, _ := strings.Cut(text, " ")
	n, err = strconv.Atoi(number)
	return n, rest, err
}

// legAnswer reads "LEG CODE BODY"; the body may be absent.
func legAnswer(text string) (n, code int, body string, err error) {
	n, rest, err := leg(text)
	if err != nil {
		return 0, 0, "", err
	}
	code, body, err = leg(rest)
	return n, code, body, err
}

// parseFailed reads "LEG CODE REASON", or "LEG CODE CONTACT CONTACT" of a 3xx.
func parseFailed(text string) (Event, error) {
	n, code, rest, err := legAnswer(text)
	if code/100 == 3 {
		return Failed{Leg: n, Code: code, Contacts: strings.Fields(rest)}, err
	}
	return Failed{Leg: n, Code: code, Reason: rest}, err
}

// parseAsked reads "ID SIDE METHOD TARGET"; the target is a REFER's and may be absent.
func parseAsked(text string) (Event, error) {
	words := strings.Fields(text + " -")
	if len(words) < 4 {
		return nil, fmt.Errorf("not ID SIDE METHOD")
	}
	id, err := strconv.Atoi(words[0])
	if err != nil {
		return nil, err
	}
	from, err := sideNamed(words[1])
	offer := words[2] == "INVITE" || words[2] == "UPDATE"
	return Asked{ID: uint32(id), From: from, Method: words[2], Offer: offer, Refer: Target{URI: words[3]}}, err
}

// parseSwapped reads "LEG CODE".
func parseSwapped(text string) (Event, error) {
	n, code, _, err := legAnswer(text)
	return Swapped{Leg: n, Code: code}, err
}

func parseReplied(text string) (Event, error) {
	id, code, _, err := legAnswer(text)
	return Replied{ID: uint32(id), Code: code}, err
}

// parseBye reads "SIDE | NAME: VALUE".
func parseBye(text string) (Event, error) {
	parts := strings.Split(text, " | ")
	side, err := sideNamed(parts[0])
	b := Bye{From: side}
	for _, line := range parts[1:] {
		b.Headers = append(b.Headers, parseField(line))
	}
	return b, err
}

func sideNamed(name string) (Side, error) {
	switch name {
	case "caller":
		return Caller, nil
	case "callee":
		return Callee, nil
	}
	return 0, fmt.Errorf("%q is neither caller nor callee", name)
}

// parsePolicy reads "NAME=VALUE NAME=VALUE" into a policy.
func parsePolicy(text string, p *Policy) (err error) {
	for _, setting := range strings.Fields(text) {
		name, value, _ := strings.Cut(setting, "=")
		switch name {
		case "fallback":
			p.Fallback = value
		case "duration":
			p.Duration, err = time.ParseDuration(value)
		case "transfer":
			p.Transfer = transferNames[value]
		case "legs":
			p.Legs, err = strconv.Atoi(value)
		default:
			err = fmt.Errorf("there is no setting %s", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var transferNames = map[string]Transfer{"none": TransferNone, "pass": TransferPass, "call": TransferCall}
