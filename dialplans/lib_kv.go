package dialplans

import (
	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

var kvFunctions = map[string]lua.LGFunction{
	"kv.delete": kvDelete, "kv.get": kvGet, "kv.incr": kvIncr, "kv.set": kvSet,
}

func kvGet(L *lua.LState) int {
	kept, err := keep(L, &proto.Keep{Op: proto.KeepOp_KEEP_OP_GET})
	if !kept.GetFound() {
		return pushOutcome(L, lua.LNil, err)
	}
	return pushOutcome(L, built(L, kept.GetValue()), err)
}

func kvSet(L *lua.LState) int {
	L.CheckTypes(2, lua.LTString, lua.LTNumber)
	value := textOf(L, L.Get(2))
	check(L, checkValue(len(value)))
	_, err := keep(L, &proto.Keep{Op: proto.KeepOp_KEEP_OP_SET, Value: []byte(value), TtlS: ttl(L, 3)})
	return pushOutcome(L, lua.LTrue, err)
}

func kvDelete(L *lua.LState) int {
	kept, err := keep(L, &proto.Keep{Op: proto.KeepOp_KEEP_OP_DELETE})
	return pushOutcome(L, lua.LBool(kept.GetFound()), err)
}

func kvIncr(L *lua.LState) int {
	by := float64(L.OptNumber(2, 1))
	check(L, wholeNumber("step", by, -maxStep, maxStep))
	kept, err := keep(L, &proto.Keep{Op: proto.KeepOp_KEEP_OP_INCREMENT, By: int64(by), TtlS: ttl(L, 3)})
	return pushOutcome(L, lua.LNumber(kept.GetNumber()), err)
}

// keep has the broker work on the key at argument 1.
func keep(L *lua.LState, what *proto.Keep) (*proto.Kept, error) {
	what.Key = L.CheckString(1)
	check(L, checkKey(what.Key))
	answer, err := runOf(L).ask(L, &proto.Ask{Is: &proto.Ask_Keep{Keep: what}})
	switch kept := answer.GetKept(); {
	case err != nil:
		return nil, err
	case kept == nil:
		return nil, errNoAnswer
	case len(kept.GetValue()) > maxValue:
		return nil, errTooLarge
	default:
		return kept, nil
	}
}

// ttl is how long a key shall live, at an argument; 0 is for ever.
func ttl(L *lua.LState, n int) uint32 {
	if L.Get(n) == lua.LNil {
		return 0
	}
	seconds := float64(L.CheckNumber(n))
	check(L, wholeNumber("life of the key in seconds", seconds, 1, maxTTL))
	return uint32(seconds)
}
