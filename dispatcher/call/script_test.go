package call

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// eventForms are the events as stories write them. What is in capitals is read by
// the function; a | parts the headers of a reject and the error of a done.
var eventForms = map[string]func(rest string) (Event, error){
	"begin":     func(string) (Event, error) { return Begin{}, nil },
	"refused":   func(why string) (Event, error) { o, err := outcomeNamed(why); return Refused{o}, err },
	"placed":    func(worker string) (Event, error) { return Placed{worker}, nil },
	"unplaced":  func(string) (Event, error) { return Unplaced{}, nil },
	"reject":    parseReject,
	"redirect":  parseRedirect,
	"ring":      func(code string) (Event, error) { n, err := strconv.Atoi(code); return Ring{n}, err },
	"header":    func(line string) (Event, error) { return SetHeader{parseField(line)}, nil },
	"tag":       func(pair string) (Event, error) { n, v, _ := strings.Cut(pair, "="); return Tag{n, v}, nil },
	"done":      parseDone,
	"lost":      func(string) (Event, error) { return Lost{}, nil },
	"cancelled": func(string) (Event, error) { return Cancelled{}, nil },
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

// effectText is an effect as stories write it.
func effectText(e Effect) string {
	switch e := e.(type) {
	case Respond:
		text := strings.TrimSpace(fmt.Sprintf("respond %d %s", e.Status, e.Reason))
		for _, h := range e.Headers {
			text += fmt.Sprintf(" | %s: %s", h.Name, h.Value)
		}
		return text
	case Run:
		if e.Avoid != "" {
			return fmt.Sprintf("run %d not on %s", e.Attempt, e.Avoid)
		}
		return fmt.Sprintf("run %d", e.Attempt)
	case Stop:
		return "stop (" + e.Reason + ")"
	case Wake:
		if e.At.IsZero() {
			return "no wake"
		}
		return "wake " + e.At.Sub(noon).String()
	case Over:
		return "over"
	}
	return fmt.Sprintf("%#v", e)
}

func recordText(r *Record) string {
	text := fmt.Sprintf("%d %v, by %s, attempts %d", r.Status, r.Outcome, r.EndedBy, r.Attempts)
	if r.Worker != "" {
		text += ", last on " + r.Worker
	}
	text += fmt.Sprintf(", %gs", r.Seconds())
	for _, name := range slices.Sorted(maps.Keys(r.Tags)) {
		text += fmt.Sprintf(", %s=%s", name, r.Tags[name])
	}
	if r.Error != nil {
		text += ", error " + r.Error.Error()
	}
	return text
}
