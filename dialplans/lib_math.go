package dialplans

import (
	"math"
	"math/rand/v2"

	lua "github.com/yuin/gopher-lua"
)

var mathFunctions = map[string]lua.LGFunction{
	"math.abs": real1(math.Abs), "math.ceil": real1(math.Ceil), "math.exp": real1(math.Exp),
	"math.floor": real1(math.Floor), "math.log": real1(math.Log), "math.log10": real1(math.Log10),
	"math.sqrt": real1(math.Sqrt), "math.fmod": real2(math.Mod), "math.pow": real2(math.Pow),
	"math.max": mathMax, "math.min": mathMin, "math.modf": mathModf, "math.random": mathRandom,
}

// addMath adds what is not a function.
func addMath(fields *lua.LTable) {
	fields.RawSetString("pi", lua.LNumber(math.Pi))
	fields.RawSetString("huge", lua.LNumber(math.Inf(1)))
}

func real1(f func(float64) float64) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(lua.LNumber(f(float64(L.CheckNumber(1)))))
		return 1
	}
}

func real2(f func(a, b float64) float64) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(lua.LNumber(f(float64(L.CheckNumber(1)), float64(L.CheckNumber(2)))))
		return 1
	}
}

func mathMax(L *lua.LState) int {
	best := L.CheckNumber(1)
	for i := 2; i <= L.GetTop(); i++ {
		best = max(best, L.CheckNumber(i))
	}
	L.Push(best)
	return 1
}

func mathMin(L *lua.LState) int {
	best := L.CheckNumber(1)
	for i := 2; i <= L.GetTop(); i++ {
		best = min(best, L.CheckNumber(i))
	}
	L.Push(best)
	return 1
}

func mathModf(L *lua.LState) int {
	whole, fraction := math.Modf(float64(L.CheckNumber(1)))
	L.Push(lua.LNumber(whole))
	L.Push(lua.LNumber(fraction))
	return 2
}

// mathRandom needs no seed and has no order that a script could rely on.
func mathRandom(L *lua.LState) int {
	low, high := 1.0, 0.0
	switch L.GetTop() {
	case 0:
		L.Push(lua.LNumber(rand.Float64()))
		return 1
	case 1:
		high = math.Floor(float64(L.CheckNumber(1)))
	default:
		low, high = math.Floor(float64(L.CheckNumber(1))), math.Floor(float64(L.CheckNumber(2)))
	}
	if span := high - low + 1; !(span >= 1 && span <= 1<<53) {
		L.ArgError(L.GetTop(), "interval is empty or too large")
	}
	L.Push(lua.LNumber(low + float64(rand.Int64N(int64(high-low)+1))))
	return 1
}
