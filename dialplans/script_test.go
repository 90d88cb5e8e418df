package dialplans

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dialyard/proto"
)

// wanted marks the line of a script that shall raise an error, and what it
// shall say.
var wanted = regexp.MustCompile("(?m)^(.*)--> (.*)$")

// dialEnding says how a dial ends, askedFor what is answered to what is asked.
var (
	dialEnding = regexp.MustCompile("(?m)^--dial (.*)$")
	askedFor   = regexp.MustCompile("(?m)^--answer (.*)$")
)

// eqModule is the assertion that script tests require.
const eqModule = `
local function show(v) return type(v) == "string" and string.format("%q", v) or tostring(v) end
return function(got, want)
  if got ~= want and not (got ~= got and want ~= want) then
    error("got " .. show(got) .. ", want " .. show(want), 2)
  end
end`

// TestScripts runs the scripts in testdata/lua. A file is cut at lines of ---
// into chunks, each a plan of its own; a chunk passes if it ends without an
// error, or with the error that a comment --> names, on that line. Comments
// that begin with --dial say how its dials end, one after the other, those with
// --answer what comes of what it asks.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/lua/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		line := 0
		for chunk := range strings.SplitSeq(string(source), "\n---\n") {
			t.Run(fmt.Sprintf("%s:%d", filepath.Base(file), line+1), func(t *testing.T) {
				testChunk(t, strings.Repeat("\n", line)+chunk)
			})
			line += strings.Count(chunk, "\n") + 2
		}
	}
}

func testChunk(t *testing.T, chunk string) {
	want := ""
	if m := wanted.FindStringSubmatchIndex(chunk); m != nil {
		want = fmt.Sprintf("main.lua:%d: %s", 1+strings.Count(chunk[:m[0]], "\n"), strings.TrimSpace(chunk[m[4]:m[5]]))
	}
	host := &switchboard{}
	for _, m := range dialEnding.FindAllStringSubmatch(chunk, -1) {
		host.answers = append(host.answers, tellDialled(t, m[1]))
	}
	for _, m := range askedFor.FindAllStringSubmatch(chunk, -1) {
		host.told = append(host.told, tellAnswer(t, m[1]))
	}
	got := ""
	p, err := Compile(map[string][]byte{mainFile: []byte(chunk), "eq.lua": []byte(eqModule)})
	if err != nil {
		got = err.Error()
	} else if done := host.execute(demoStart(), noon, p); done.Outcome != proto.Outcome_OUTCOME_FINISHED {
		got = ErrorFromProto(done.Error).Error()
	}
	if got != want {
		t.Errorf("\n got: %s\nwant: %s", got, want)
	}
}
