package call

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAppendJSONIsWhatEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRecord(t)
		want, err := json.Marshal(&r)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.AppendJSON(nil); string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

// TestARecordSurvivesItsJSON is for calls that another process goes on with.
func TestARecordSurvivesItsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRecord(t)
		once := r.AppendJSON(nil)
		var back Record
		if err := json.Unmarshal(once, &back); err != nil {
			t.Fatalf("%v in %s", err, once)
		}
		if twice := back.AppendJSON(nil); string(twice) != string(once) {
			t.Fatalf("got  %s\nwant %s", twice, once)
		}
	})
}

// anyRecord has every field, by chance empty.
func anyRecord(t *rapid.T) Record {
	text := func(label string) string { return rapid.String().Draw(t, label) }
	r := Record{
		ID: text("id"), CallID: text("call id"), Account: text("account"), Plan: text("plan"), Version: rapid.Uint32().Draw(t, "version"),
		From: text("from"), To: text("to"), Source: text("source"), Start: anyTime(t, "start"), End: anyTime(t, "end"),
		Status: rapid.IntRange(100, 699).Draw(t, "status"), Outcome: Outcome(rapid.IntRange(0, Outcomes-1).Draw(t, "outcome")),
		EndedBy: text("ended by"), Attempts: rapid.IntRange(0, 2).Draw(t, "attempts"), Worker: text("worker"),
		Tags: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "tags"),
		Legs: rapid.SliceOfN(rapid.Custom(anyLeg), 0, 3).Draw(t, "legs"),
	}
	if rapid.Bool().Draw(t, "answered") {
		r.Answer = anyTime(t, "answer")
	}
	if rapid.Bool().Draw(t, "failed") {
		r.Error = &ScriptError{File: text("file"), Line: 3, Message: text("message"), Stack: text("stack")}
	}
	return r
}

func anyLeg(t *rapid.T) LegRecord {
	text := func(label string) string { return rapid.String().Draw(t, label) }
	l := LegRecord{
		Called: text("target"), Address: text("address"), CallID: text("call id"), Reason: text("reason"),
		Status: rapid.SampledFrom([]int{0, 200, 408, 487}).Draw(t, "status"),
	}
	for _, at := range []*time.Time{&l.Start, &l.Rang, &l.Answer, &l.End} {
		if rapid.Bool().Draw(t, "known") {
			*at = anyTime(t, "at")
		}
	}
	return l
}

func anyTime(t *rapid.T, label string) time.Time {
	return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, label), rapid.Int64Range(0, 999999999).Draw(t, label)).UTC()
}
