package dialplans

import (
	"flag"
	"os"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

var update = flag.Bool("update", false, "rewrite generated files and the outcome of stories")

// TestGenerated compares the stub and the manual with what the API table gives;
// with -update it writes them.
func TestGenerated(t *testing.T) {
	for name, want := range map[string]string{"dialyard.d.lua": Stub(), "manual.md": Manual()} {
		if *update {
			if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil || string(got) != want {
			t.Errorf("%s is stale: run go test ./dialplans -run TestGenerated -update (%v)", name, err)
		}
	}
}

// TestEveryFunctionIsBoundOnce holds the table and the Go functions together.
func TestEveryFunctionIsBoundOnce(t *testing.T) {
	bound := bindings()
	delete(bound, "log") // calling the module itself
	for _, m := range API {
		for _, f := range m.Functions {
			key := m.key(f.Name)
			if bound[key] == nil {
				t.Errorf("%s has no binding", key)
			}
			delete(bound, key)
			if !m.Standard && (f.Doc == "" || f.Example == "") {
				t.Errorf("%s has no doc or example", key)
			}
		}
	}
	for key := range bound {
		t.Errorf("%s is bound but not in the API", key)
	}
}

// TestFieldsExist reads each field of call.
func TestFieldsExist(t *testing.T) {
	for _, f := range API[0].Fields {
		done := NewRun(demoStart(), discard{}, noon).Execute(mustCompile(t, "assert(call."+f.Name+" ~= nil)"))
		if done.Outcome != proto.Outcome_OUTCOME_FINISHED {
			t.Errorf("call.%s: %v", f.Name, done.Error)
		}
	}
}

// TestExamplesInManualRun runs every example of the table.
func TestExamplesInManualRun(t *testing.T) {
	for _, m := range API {
		for _, f := range m.Functions {
			if f.Example == "" {
				continue
			}
			done := new(switchboard).execute(demoStart(), noon, mustCompile(t, "local _ = nil\n"+asStatement(f.Example)))
			if done.Outcome != proto.Outcome_OUTCOME_FINISHED {
				t.Errorf("%s: %v", f.Example, done.Error)
			}
		}
	}
}

// asStatement makes a bare expression a statement: `f(x) -- "y"` becomes an
// assertion that f(x) gives "y".
func asStatement(example string) string {
	if expression, result, ok := strings.Cut(example, " -- "); ok {
		return "assert(" + expression + " == " + result + ")"
	}
	return example
}

// TestGlobals lists what a plan finds in its environment: nothing but the API.
func TestGlobals(t *testing.T) {
	known := map[string]bool{"_VERSION": true, concatName: true}
	for _, m := range API {
		if m.Name != "" {
			known[m.Name] = true
			continue
		}
		for _, f := range m.Functions {
			known[f.Name] = true
		}
	}
	globals := library().env.RawGetString("__index").(*lua.LTable)
	globals.ForEach(func(k, _ lua.LValue) {
		if !known[k.String()] {
			t.Errorf("global %q is not in the API", k)
		}
		delete(known, k.String())
	})
	for name := range known {
		t.Errorf("global %q is missing", name)
	}
}
