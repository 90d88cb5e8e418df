package dialplans

import (
	"cmp"
	"errors"
	"regexp"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Sizes of a Lua state. The value stack is in slots of 16 bytes.
const (
	maxCalls       = 200
	stackSlots     = 512
	stackSlotsStep = 2048
	maxStackSlots  = 32 << 10
	// maxCached is the size of the patterns, in items, and of the regular
	// expressions, in instructions, that a state keeps compiled for the next
	// runs of its plan.
	maxCached = 4000
)

func init() {
	// A store far beyond a table's end would fill all slots up to it.
	lua.MaxArrayIndex = maxTableLength + 1
	// Lua 5.1 dropped the table arg of functions with "..."; the interpreter
	// would make one for each call.
	lua.CompatVarArg = false
}

// state is a Lua state between two runs of one plan, with the caches that are
// worth keeping. Nothing of it is visible to scripts but through the library.
type state struct {
	lua         *lua.LState
	patterns    map[string]*pattern
	patternSize int
	regexps     map[string]*regex
	regexSize   int
	matcher     matcher
}

// lease gives a clean state for one run of the plan.
func (p *Plan) lease() *state {
	if s, ok := p.states.Get().(*state); ok {
		return s
	}
	L := lua.NewState(lua.Options{
		CallStackSize:    maxCalls,
		RegistrySize:     stackSlots,
		RegistryGrowStep: stackSlotsStep,
		RegistryMaxSize:  maxStackSlots,
		SkipOpenLibs:     true,
	})
	L.SetMetatable(lua.LString(""), library().text)
	return &state{lua: L, patterns: map[string]*pattern{}, regexps: map[string]*regex{}}
}

// giveBack keeps the state of a run that went well for the next one.
func (p *Plan) giveBack(s *state) {
	s.lua.SetTop(0)
	s.lua.RemoveContext()
	s.matcher = matcher{}
	p.states.Put(s)
}

// pattern compiles a Lua pattern, or finds it among those it knows.
func (s *state) pattern(src string) (*pattern, error) {
	if p, ok := s.patterns[src]; ok {
		return p, nil
	}
	p, err := compilePattern(src)
	if err != nil {
		return nil, err
	}
	if s.patternSize += 1 + len(p.items); s.patternSize > maxCached {
		clear(s.patterns)
		s.patternSize = 0
	}
	s.patterns[strings.Clone(src)] = p
	return p, nil
}

// place finds "main.lua:12:" at the beginning of an error message or a line of
// the stack.
var place = regexp.MustCompile(`(?s)^\s*([A-Za-z0-9_/-]+\.lua):(\d+): ?(.*)$`)

// errorText is what an error value says. Tables are asked for their message.
func errorText(value lua.LValue) string {
	if t, ok := value.(*lua.LTable); ok {
		if message := t.RawGetString("message"); lua.LVCanConvToString(message) {
			value = message
		}
	}
	if !lua.LVCanConvToString(value) {
		return "the error value is a " + value.Type().String()
	}
	return lua.LVAsString(value)
}

// runtimeError is the error that ended a run of the plan.
func runtimeError(p *Plan, err error) *Error {
	e := &Error{Message: err.Error()}
	var raised *lua.ApiError
	if !errors.As(err, &raised) {
		return e
	}
	e.Message = errorText(raised.Object)
	e.Stack = strings.TrimSuffix(strings.TrimPrefix(raised.StackTrace, "stack traceback:\n"), "\n\t[G]: ?")
	lines := append([]string{e.Message}, strings.Split(e.Stack, "\n")...)
	for i, line := range lines {
		found := place.FindStringSubmatch(line)
		if found == nil || p.files[found[1]] == nil {
			continue
		}
		e.File = found[1]
		e.Line, _ = strconv.Atoi(found[2])
		if i == 0 {
			e.Message = found[3]
		}
		break
	}
	e.Message = cmp.Or(e.Message, "error")
	return e
}
