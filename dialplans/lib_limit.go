package dialplans

import (
	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

var limitFunctions = map[string]lua.LGFunction{"limit.rate": limitRate, "limit.slot": limitSlot}

func limitSlot(L *lua.LState) int {
	return claim(L, 0)
}

func limitRate(L *lua.LState) int {
	ms, err := rateRange.milliseconds(float64(L.CheckNumber(3)))
	check(L, err)
	return claim(L, ms)
}

// claim asks for a place of the limit whose name and places are the first
// arguments. Without an answer there is none.
func claim(L *lua.LState, perMs uint32) int {
	name, places := L.CheckString(1), float64(L.CheckNumber(2))
	check(L, checkLimitName(name))
	check(L, wholeNumber("number of places", places, 1, maxPlaces))
	claim := &proto.Claim{Name: name, Places: uint32(places), PerMs: perMs}
	answer, err := runOf(L).ask(L, &proto.Ask{Is: &proto.Ask_Claim{Claim: claim}})
	claimed := answer.GetClaimed()
	if err == nil && claimed == nil {
		err = errNoAnswer
	}
	return pushOr(L, lua.LFalse, lua.LBool(claimed.GetGranted()), err)
}
