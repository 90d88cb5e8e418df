package call

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// effectText is an effect as stories write it.
func effectText(e Effect) string {
	switch e := e.(type) {
	case Respond:
		text := "respond " + phrase(e.Status, e.Reason)
		if e.Body != "" {
			text += " with " + e.Body
		}
		if e.Face > 0 {
			text += fmt.Sprintf(" as %d", e.Face)
		}
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
	case Tell:
		text := fmt.Sprintf("tell %s %s leg %d after %v", e.Status, phrase(e.Code, e.Reason), e.Leg, e.Elapsed)
		if len(e.Contacts) > 0 {
			text += " to " + strings.Join(e.Contacts, " ")
		}
		return text
	case Invite:
		if e.Bare {
			return fmt.Sprintf("invite %d for %v", e.Leg, e.As)
		}
		return fmt.Sprintf("invite %d", e.Leg)
	case Cancel:
		if e.Reason != "" {
			return fmt.Sprintf("cancel %d (%s)", e.Leg, e.Reason)
		}
		return fmt.Sprintf("cancel %d", e.Leg)
	case Refuse:
		return fmt.Sprintf("refuse %d with %d", e.ID, e.Code)
	case Accept:
		return fmt.Sprintf("accept %d", e.ID)
	case Notify:
		return fmt.Sprintf("notify %v %d", e.Side, e.Code)
	case Swap:
		return fmt.Sprintf("swap %d with %v", e.Leg, e.Stays)
	case Replace:
		return fmt.Sprintf("replace %v by %d", e.Side, e.Leg)
	case Leave:
		return fmt.Sprintf("leave %v", e.Side)
	case HangUp:
		text := "hang up " + e.Side.String()
		for _, h := range e.Headers {
			text += fmt.Sprintf(" | %s: %s", h.Name, h.Value)
		}
		return text
	case Pass:
		return fmt.Sprintf("pass %d", e.ID)
	case Return:
		return fmt.Sprintf("return %d", e.ID)
	case Connect:
		return fmt.Sprintf("connect %d", e.Leg)
	case Drop:
		return fmt.Sprintf("drop %d", e.Leg)
	case Save:
		return "save"
	case Release:
		return "release"
	}
	return fmt.Sprintf("%#v", e)
}

// phrase is a status and its reason phrase, if it has one.
func phrase(code int, reason string) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, reason))
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
	if d := r.Duration(); d > 0 {
		text += fmt.Sprintf(", talked %v", d)
	}
	for _, l := range r.Legs {
		text += "\nleg " + l.Called
		if l.Address != "" {
			text += " at " + l.Address
		}
		text += " " + phrase(l.Status, l.Reason)
		for _, at := range []struct {
			name string
			time.Time
		}{{"start", l.Start}, {"rang", l.Rang}, {"answer", l.Answer}, {"end", l.End}} {
			if !at.IsZero() {
				text += fmt.Sprintf(", %s %v", at.name, at.Sub(noon))
			}
		}
	}
	return text
}
