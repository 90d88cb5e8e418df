package call

import (
	"maps"
	"slices"
	"time"
)

// AppendJSON appends the record as one JSON object. There is one for each call,
// so it is written out: encoding/json would take longer than the call's own Step.
// A test holds it against encoding/json.
//
// All times are by the clock as it went when the call began: one that is set meanwhile
// changes nothing in how long anything took.
func (r *Record) AppendJSON(b []byte) []byte {
	o := Object{append(b, '{'), r.Start}
	o.TextIf("id", r.ID)
	o.Text("call_id", r.CallID)
	o.TextIf("account", r.Account)
	o.TextIf("plan", r.Plan)
	o.NumberIf("version", int64(r.Version))
	o.Text("from", r.From)
	o.Text("to", r.To)
	o.Text("source", r.Source)
	o.Time("start", r.Start)
	o.TimeIf("answer", r.Answer)
	o.Time("end", r.End)
	o.Number("status", int64(r.Status))
	o.Text("reason", r.Outcome.String())
	o.Text("ended_by", r.EndedBy)
	o.Number("attempts", int64(r.Attempts))
	o.TextIf("worker", r.Worker)
	if r.Error != nil {
		o.Value("script_error", r.Error)
	}
	if len(r.Tags) > 0 {
		o.tags("tags", r.Tags)
	}
	if len(r.Legs) > 0 {
		o.legs("legs", r.Legs)
	}
	return o.End()
}

func (o *Object) tags(name string, tags map[string]string) {
	o.Append(name, func(b []byte) []byte {
		inner := NewObject(b)
		for _, k := range slices.Sorted(maps.Keys(tags)) {
			inner.Named(k, tags[k])
		}
		return inner.End()
	})
}

func (o *Object) legs(name string, legs []LegRecord) {
	o.List(name, len(legs), func(b []byte, i int) []byte { return legs[i].appendJSON(b, o.start) })
}

func (l *LegRecord) appendJSON(b []byte, start time.Time) []byte {
	o := Object{append(b, '{'), start}
	o.Text("target", l.Called)
	o.TextIf("address", l.Address)
	o.TextIf("call_id", l.CallID)
	o.TimeIf("start", l.Start)
	o.TimeIf("ring", l.Rang)
	o.TimeIf("answer", l.Answer)
	o.TimeIf("end", l.End)
	o.NumberIf("status", int64(l.Status))
	o.TextIf("reason", l.Reason)
	return o.End()
}
