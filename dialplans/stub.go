package dialplans

import (
	"fmt"
	"strings"
)

// Stub renders the API as LuaCATS annotations, by which editors complete and
// check plans. Functions of Lua itself are left out: editors know them.
func Stub() string {
	var b strings.Builder
	b.WriteString(`---@meta
-- What a Dialyard plan can use, for editors that read LuaCATS annotations.
-- Generated from api.go by "go test -run TestGenerated -update"; do not edit.

---@class dialyard.Party
---@field uri string
---@field user string
---@field host string
---@field name string Display name; empty for call.ruri.

---@class dialyard.Time
---@field year integer
---@field month integer 1 to 12
---@field day integer 1 to 31
---@field hour integer 0 to 23
---@field min integer 0 to 59
---@field sec integer 0 to 59
---@field weekday "mon"|"tue"|"wed"|"thu"|"fri"|"sat"|"sun"
---@field iso string RFC 3339
`)
	for _, m := range API {
		for _, r := range m.Records {
			r.stub(&b)
		}
	}
	for _, m := range API {
		if !m.Standard {
			m.stub(&b)
		}
	}
	return b.String()
}

func (r Record) stub(b *strings.Builder) {
	fmt.Fprintf(b, "\n---%s\n---@class %s\n", r.Doc, r.Name)
	for _, f := range r.Fields {
		fmt.Fprintf(b, "---@field %s %s %s\n", f.Name, f.Type, f.Doc)
	}
}

func (m Module) stub(b *strings.Builder) {
	fmt.Fprintf(b, "\n---%s\n---@class dialyard.%s\n", m.Doc, m.Name)
	for _, f := range m.Fields {
		fmt.Fprintf(b, "---@field %s %s %s\n", f.Name, f.Type, f.Doc)
	}
	if m.Name == "log" {
		b.WriteString("---@overload fun(...: any)\n")
	}
	fmt.Fprintf(b, "%s = {}\n", m.Name)
	for _, f := range m.Functions {
		fmt.Fprintf(b, "\n---%s\n", f.Doc)
		for _, p := range f.Params {
			fmt.Fprintf(b, "---@param %s %s\n", p.declared(), p.Type)
		}
		for _, r := range f.Returns {
			fmt.Fprintf(b, "---@return %s # %s\n", r.Type, r.Doc)
		}
		fmt.Fprintf(b, "function %s(%s) end\n", m.key(f.Name), f.parameters(false))
	}
}

// declared is the name of a parameter as LuaCATS has it: with a question mark
// if it may be absent.
func (p Param) declared() string {
	if p.Default != "" {
		return p.Name + "?"
	}
	return p.Name
}

// parameters is the parameter list of f, with what optional ones default to if
// asked.
func (f Function) parameters(defaults bool) string {
	var b strings.Builder
	for i, p := range f.Params {
		separator := ", "
		if i == 0 {
			separator = ""
		}
		switch {
		case !defaults || p.Default == "":
			fmt.Fprintf(&b, "%s%s", separator, p.Name)
		case p.Default == "nil":
			fmt.Fprintf(&b, "[%s%s]", separator, p.Name)
		default:
			fmt.Fprintf(&b, "[%s%s = %s]", separator, p.Name, p.Default)
		}
	}
	return b.String()
}
