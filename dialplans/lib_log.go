package dialplans

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

// maxLogLine is the longest line of log, in bytes; what is beyond is cut.
const maxLogLine = 1 << 10

var logFunctions = map[string]lua.LGFunction{
	"log.debug": logAt("debug"), "log.error": logAt("error"), "log.info": logAt("info"), "log.warn": logAt("warn"),
	"log": logAt("info"),
}

// logAt writes its arguments, separated by spaces, as one line.
func logAt(level string) lua.LGFunction {
	return func(L *lua.LState) int {
		var line strings.Builder
		for i := 1; i <= L.GetTop() && line.Len() <= maxLogLine; i++ {
			if i > 1 {
				line.WriteByte(' ')
			}
			text := textOf(L, L.Get(i))
			line.WriteString(text[:min(len(text), maxLogLine+1)])
		}
		pay(L, lookEvery)
		runOf(L).log(level, oneLine(line.String()))
		return 0
	}
}

// log sends a line to the host, until the run has logged enough: then one last
// line says so and the rest is silence.
func (r *Run) log(level, text string) {
	if r.logLines <= 0 {
		return
	}
	r.logLines--
	r.logBytes -= len(text)
	if r.logBytes < 0 || r.logLines == 0 {
		r.logLines = 0
		level, text = "warn", "log limit reached, the rest of this run is not logged"
	}
	r.host.Log(&proto.Log{Run: r.id, Level: level, Text: text})
}

// oneLine makes text fit for one line of a log.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, text)
	return validText(text, maxLogLine)
}
