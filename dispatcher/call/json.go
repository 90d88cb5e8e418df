package call

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// AppendJSON appends the record as one JSON object. There is one for each call,
// so it is written out: encoding/json would take longer than the call's own Step.
// A test holds it against encoding/json.
//
// All times are by the clock as it went when the call began: one that is set meanwhile
// changes nothing in how long anything took.
func (r *Record) AppendJSON(b []byte) []byte {
	o := object{append(b, '{'), r.Start}
	o.textIf("id", r.ID)
	o.text("call_id", r.CallID)
	o.textIf("account", r.Account)
	o.textIf("plan", r.Plan)
	if r.Version != 0 {
		o.number("version", int(r.Version))
	}
	o.text("from", r.From)
	o.text("to", r.To)
	o.text("source", r.Source)
	o.time("start", r.Start)
	o.timeIf("answer", r.Answer)
	o.time("end", r.End)
	o.number("status", r.Status)
	o.text("reason", r.Outcome.String())
	o.text("ended_by", r.EndedBy)
	o.number("attempts", r.Attempts)
	o.textIf("worker", r.Worker)
	if r.Error != nil {
		o.value("script_error", r.Error)
	}
	if len(r.Tags) > 0 {
		o.tags("tags", r.Tags)
	}
	if len(r.Legs) > 0 {
		o.legs("legs", r.Legs)
	}
	return append(o.b, '}')
}

// object is a JSON object under construction.
type object struct {
	b     []byte
	start time.Time // of the call
}

func (o *object) key(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = appendString(o.b, name)
	o.b = append(o.b, ':')
}

func (o *object) text(name, value string) {
	o.key(name)
	o.b = appendString(o.b, value)
}

func (o *object) textIf(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) number(name string, n int) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, int64(n), 10)
}

func (o *object) time(name string, t time.Time) {
	if !t.IsZero() {
		t = o.start.Add(t.Sub(o.start))
	}
	o.key(name)
	o.b = append(o.b, '"')
	o.b = t.AppendFormat(o.b, time.RFC3339Nano)
	o.b = append(o.b, '"')
}

// value leaves what is rare to encoding/json; it is always encodable.
func (o *object) value(name string, v any) {
	o.key(name)
	text, _ := json.Marshal(v)
	o.b = append(o.b, text...)
}

func (o *object) tags(name string, tags map[string]string) {
	o.key(name)
	inner := object{append(o.b, '{'), o.start}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		inner.text(k, tags[k])
	}
	o.b = append(inner.b, '}')
}

func (o *object) legs(name string, legs []LegRecord) {
	o.key(name)
	o.b = append(o.b, '[')
	for i := range legs {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = legs[i].appendJSON(o.b, o.start)
	}
	o.b = append(o.b, ']')
}

func (l *LegRecord) appendJSON(b []byte, start time.Time) []byte {
	o := object{append(b, '{'), start}
	o.text("target", l.Called)
	o.textIf("address", l.Address)
	o.textIf("call_id", l.CallID)
	o.timeIf("start", l.Start)
	o.timeIf("ring", l.Rang)
	o.timeIf("answer", l.Answer)
	o.timeIf("end", l.End)
	if l.Status != 0 {
		o.number("status", l.Status)
	}
	o.textIf("reason", l.Reason)
	return append(o.b, '}')
}

func (o *object) timeIf(name string, t time.Time) {
	if !t.IsZero() {
		o.time(name, t)
	}
}

// appendString quotes s. Plain ASCII is copied, the rest is encoding/json's.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7F || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s)
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
