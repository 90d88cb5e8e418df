package call

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAppendJSONIsWhatEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string { return rapid.String().Draw(t, label) }
		at := func(label string) time.Time {
			return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, label), rapid.Int64Range(0, 999999999).Draw(t, label)).UTC()
		}
		r := Record{
			CallID: text("call id"), Account: text("account"), Plan: text("plan"), Version: rapid.Uint32().Draw(t, "version"),
			From: text("from"), To: text("to"), Source: text("source"), Start: at("start"), End: at("end"),
			Status: rapid.IntRange(100, 699).Draw(t, "status"), Outcome: Outcome(rapid.IntRange(0, Outcomes-1).Draw(t, "outcome")),
			EndedBy: text("ended by"), Attempts: rapid.IntRange(0, 2).Draw(t, "attempts"), Worker: text("worker"),
			Tags: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "tags"),
		}
		if rapid.Bool().Draw(t, "answered") {
			r.Answer = at("answer")
		}
		if rapid.Bool().Draw(t, "failed") {
			r.Error = &ScriptError{File: text("file"), Line: 3, Message: text("message"), Stack: text("stack")}
		}
		want, err := json.Marshal(&r)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.AppendJSON(nil); string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}
