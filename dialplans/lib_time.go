package dialplans

import (
	"time"

	lua "github.com/yuin/gopher-lua"
)

var timeFunctions = map[string]lua.LGFunction{
	"time.between": timeBetween, "time.now": timeNow, "time.unix": timeUnix, "time.weekday": timeWeekday,
}

// nowIn is the run's time in the zone that an argument names.
func nowIn(L *lua.LState, n int) time.Time {
	location, err := zone(L.OptString(n, ""))
	check(L, err)
	return runOf(L).now.In(location)
}

func timeNow(L *lua.LState) int {
	now := nowIn(L, 1)
	t := L.CreateTable(0, 8)
	for _, part := range []struct {
		name  string
		value int
	}{
		{"year", now.Year()}, {"month", int(now.Month())}, {"day", now.Day()},
		{"hour", now.Hour()}, {"min", now.Minute()}, {"sec", now.Second()},
	} {
		t.RawSetString(part.name, lua.LNumber(part.value))
	}
	t.RawSetString("weekday", lua.LString(weekday(now)))
	t.RawSetString("iso", lua.LString(now.Format(time.RFC3339)))
	L.Push(t)
	return 1
}

func timeUnix(L *lua.LState) int {
	L.Push(lua.LNumber(runOf(L).now.Unix()))
	return 1
}

func timeWeekday(L *lua.LState) int {
	L.Push(lua.LString(weekday(nowIn(L, 1))))
	return 1
}

func timeBetween(L *lua.LState) int {
	within, err := between(nowIn(L, 3), L.CheckString(1), L.CheckString(2))
	check(L, err)
	L.Push(lua.LBool(within))
	return 1
}
