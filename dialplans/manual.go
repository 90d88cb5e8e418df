package dialplans

import (
	"fmt"
	"strings"
)

// Manual renders the API as a reference for the people who write plans.
func Manual() string {
	var b strings.Builder
	b.WriteString(`<!-- Generated from api.go by "go test -run TestGenerated -update"; do not edit. -->

# Writing plans

A plan is one or more Lua files. ` + "`main.lua`" + ` runs once for each call, in a fresh
environment: nothing is left of the calls before. It looks at the call and decides it.

` + "```lua" + `
if call.to.user:match("^00") then
  return call:reject(403, "International calls are off")
end
call:redirect("sip:" .. call.to.user .. "@gw1.example.net")
` + "```" + `

A mistake, such as a misspelled name or a code that does not exist, is a Lua error: it ends the
run, the caller hears 500, and the error with its file and line is in the log. What the world
does, such as a number without a route, is a return value.

Each run is bounded: by default 10 seconds without the time it waits for a dial (300 with it), of which
1 second of computing, 100 instructions to the call, 20 legs, 20 HTTP requests, 200 lines of log. What a script
asks of ` + "`http`" + `, ` + "`dns`" + `, ` + "`enum`" + `, ` + "`kv`" + ` and ` + "`limit`" + ` counts as an instruction, and the time it waits for the answer as its own. Calls may be nested 200 deep, the ones in ` + "`return f(x)`" + ` too.
`)
	for _, m := range API {
		m.chapter(&b)
	}
	return b.String()
}

func (m Module) chapter(b *strings.Builder) {
	title := m.Name
	if title == "" {
		title = "Globals"
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n", title, m.Doc)
	if m.Standard {
		var names []string
		for _, f := range m.Functions {
			names = append(names, "`"+m.key(f.Name)+"`")
		}
		fmt.Fprintf(b, "\n%s\n", strings.Join(names, " "))
		return
	}
	if len(m.Fields) > 0 {
		b.WriteString("\n| fact | type | |\n|---|---|---|\n")
		for _, f := range m.Fields {
			fmt.Fprintf(b, "| `%s.%s` | `%s` | %s |\n", m.Name, f.Name, cell(f.Type), cell(f.Doc))
		}
	}
	if m.Object {
		b.WriteString("\nA `dialyard.Party` has `uri`, `user`, `host` and `name`; `tostring` gives its URI.\n")
	}
	for _, f := range m.Functions {
		m.section(b, f)
	}
	for _, r := range m.Records {
		r.table(b)
	}
	b.WriteString(m.Chapter)
}

// table lists the fields of a record; those with a question mark may be absent.
func (r Record) table(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n| field | type | |\n|---|---|---|\n", r.Name, r.Doc)
	for _, f := range r.Fields {
		fmt.Fprintf(b, "| `%s` | `%s` | %s |\n", f.Name, cell(f.Type), cell(f.Doc))
	}
}

func (m Module) section(b *strings.Builder, f Function) {
	fmt.Fprintf(b, "\n### %s(%s)\n\n%s\n", m.key(f.Name), f.parameters(true), f.Doc)
	if len(f.Params)+len(f.Returns) > 0 {
		b.WriteString("\n")
	}
	for _, p := range f.Params {
		fmt.Fprintf(b, "- `%s`: `%s`\n", p.Name, p.Type)
	}
	for _, r := range f.Returns {
		fmt.Fprintf(b, "- returns `%s`: %s\n", r.Type, r.Doc)
	}
	if f.Example != "" {
		fmt.Fprintf(b, "\n```lua\n%s\n```\n", f.Example)
	}
}

// cell makes text fit for a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
