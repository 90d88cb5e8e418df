package dialplans

import (
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// options reads the fields of tables that a function takes, and raises what is
// wrong with them.
type options struct{ lua *lua.LState }

// given calls take for each field of the table at an argument, if there is one:
// it is a record of the API.
func (o options) given(n int, thing, record string, take func(name string, v lua.LValue)) {
	if t := o.lua.OptTable(n, nil); t != nil {
		o.fields(thing, t, fieldNames(record), take)
	}
}

// fields calls take for each field of a table, which must have no others than
// names.
func (o options) fields(thing string, t *lua.LTable, names []string, take func(name string, v lua.LValue)) {
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		name := lua.LVAsString(k)
		if _, ok := k.(lua.LString); !ok || !slices.Contains(names, name) {
			o.lua.RaiseError("%s", unknownField(thing, name, names))
		}
		take(name, v)
	}
}

// fieldNames are the fields of a record of the API.
func fieldNames(of string) []string {
	var names []string
	for _, f := range record(of).Fields {
		names = append(names, strings.TrimSuffix(f.Name, "?"))
	}
	slices.Sort(names)
	return names
}

func (o options) seconds(name string, v lua.LValue, in timeRange) uint32 {
	n, ok := v.(lua.LNumber)
	if !ok {
		o.wrong(name, v, "number")
	}
	ms, err := in.milliseconds(float64(n))
	check(o.lua, err)
	return ms
}

func (o options) text(name string, v lua.LValue) string {
	s, ok := v.(lua.LString)
	if !ok {
		o.wrong(name, v, "string")
	}
	return string(s)
}

func (o options) table(name string, v lua.LValue) *lua.LTable {
	t, ok := v.(*lua.LTable)
	if !ok {
		o.wrong(name, v, "table")
	}
	return t
}

func (o options) wrong(name string, v lua.LValue, want string) {
	o.lua.RaiseError("%s is a %s, not a %s", name, v.Type(), want)
}

// pick is what the word at an option stands for.
func pick[T any](o options, name string, v lua.LValue, choices map[string]T) T {
	chosen, err := choice(o.text(name, v), choices)
	if err != nil {
		check(o.lua, fmt.Errorf("%s: %w", name, err))
	}
	return chosen
}
