package main_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "dialyard"

// arrow is what one package may import beside the standard library. An entry
// that ends in /... takes all below it too.
type arrow struct {
	from string   // a directory; with /... those below it that have no line of their own
	to   []string // packages of the project, by directory
	mods []string // packages of other modules
}

// arrows are the import arrows of the design. A package that is not here may
// not exist: a new one needs a line, and a thought about its place.
var arrows = []arrow{
	{from: "cmd/dialyard/...", to: []string{"..."}, mods: []string{"..."}},
	{from: "cmd/dialyard/load/...", mods: []string{"..."}},
	{from: "dispatcher", to: []string{"dispatcher/blame", "dispatcher/broker", "dispatcher/call", "dispatcher/gateway", "dispatcher/locate", "dispatcher/sip", "proto"}, mods: []string{"google.golang.org/protobuf/..."}},
	{from: "dispatcher/api/...",
		to:   []string{"dispatcher", "dispatcher/blame", "dispatcher/broker", "dispatcher/gateway", "dispatcher/journal", "dispatcher/store", "dialplans", "health", "worker"},
		mods: []string{"github.com/prometheus/client_golang/..."}},
	{from: "dispatcher/blame"},
	{from: "dispatcher/broker", to: []string{"proto"}, mods: []string{"github.com/miekg/dns/...", "golang.org/x/net/..."}},
	{from: "dispatcher/call"},
	{from: "dispatcher/gateway", mods: []string{"github.com/icholy/digest"}},
	{from: "dispatcher/journal"},
	{from: "dispatcher/locate", mods: []string{"github.com/miekg/dns/..."}},
	{from: "dispatcher/sip", mods: []string{"github.com/emiago/sipgo/...", "golang.org/x/net/...", "golang.org/x/sys/..."}},
	{from: "dispatcher/store", mods: []string{"modernc.org/sqlite/..."}},
	{from: "worker/jail", mods: []string{"golang.org/x/net/bpf/...", "golang.org/x/sys/..."}},
	{from: "worker", to: []string{"proto", "worker/jail"}, mods: []string{
		"github.com/hashicorp/go-plugin/...",
		"github.com/hashicorp/go-hclog", // the logger that go-plugin asks for
		"google.golang.org/grpc/...",
		"google.golang.org/protobuf/...",
		"golang.org/x/sys/...",
	}},
	{from: "dialplans", to: []string{"proto", "dialplans/..."}, mods: []string{
		"github.com/yuin/gopher-lua/...",
		"google.golang.org/protobuf/...",
	}},
	{from: "dialplans/...", to: []string{"dialplans"}},
	{from: "health"},
	{from: "health/probe", mods: []string{"github.com/emiago/sipgo/..."}},
	{from: "proto", mods: []string{"google.golang.org/grpc/...", "google.golang.org/protobuf/..."}},
}

// onlyIn narrows an arrow down to some files of a package: those that match one
// of the patterns may import mod, the others may not.
var onlyIn = []struct {
	dir   string
	mod   string
	files []string
}{
	// The runtime of a plan. The API table, its documents, the pre-scan and the
	// pattern matcher do not know the interpreter.
	{"dialplans", "github.com/yuin/gopher-lua/...", []string{
		"run.go", "bind.go", "fault.go", "state.go", "compile.go", "require.go", "concat.go", "lib_*.go"}},
}

// standardOnly are files that import the standard library and nothing else, in
// a package that may import more.
var standardOnly = []string{"worker/slot.go"}

func TestImportArrows(t *testing.T) {
	breaches, err := findBreaches(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, breach := range breaches {
		t.Error(breach)
	}
}

// TestImportArrowsAreSeen makes sure that TestImportArrows can fail.
func TestImportArrowsAreSeen(t *testing.T) {
	tests := []struct {
		file, imports string
		bad           bool
	}{
		{"dispatcher/a.go", "dialyard/proto", false},
		{"dispatcher/a.go", "dialyard/worker", true},
		{"dispatcher/a.go", "github.com/emiago/sipgo/sip", true},
		{"dispatcher/a_test.go", "dialyard/worker", false},
		{"dispatcher/sip/a.go", "github.com/emiago/sipgo/sip", false},
		{"dispatcher/sip/a.go", "dialyard/dispatcher/call", true},
		{"dispatcher/call/a.go", "net/netip", false},
		{"dispatcher/call/a.go", "dialyard/proto", true},
		{"dispatcher/store/a.go", "pgregory.net/rapid", true},
		{"dispatcher/api/a.go", "dialyard/worker", false},
		{"dispatcher/other/a.go", "fmt", true},
		{"worker/pool.go", "dialyard/proto", false},
		{"worker/slot.go", "dialyard/proto", true},
		{"worker/slot.go", "time", false},
		{"worker/pool.go", "dialyard/dialplans", true},
		{"dialplans/run.go", "github.com/yuin/gopher-lua", false},
		{"dialplans/lib_string.go", "github.com/yuin/gopher-lua", false},
		{"dialplans/api.go", "github.com/yuin/gopher-lua", true},
		{"dialplans/prescan.go", "github.com/yuin/gopher-lua/parse", true},
		{"health/monitor.go", "dialyard/worker", true},
		{"health/monitor.go", "dialyard/dispatcher/api", true},
		{"cmd/dialyard/serve.go", "dialyard/dispatcher/api", false},
		{"cmd/dialyard/load/load.go", "github.com/emiago/sipgo", false},
		{"cmd/dialyard/load/load.go", "dialyard/dispatcher/sip", true},
	}
	for _, tt := range tests {
		source := fmt.Sprintf("package p\n\nimport _ %q\n", tt.imports)
		breaches, err := findBreaches(fstest.MapFS{tt.file: {Data: []byte(source)}})
		if err != nil {
			t.Fatal(err)
		}
		if bad := len(breaches) > 0; bad != tt.bad {
			t.Errorf("%s importing %s: got breaches %q", tt.file, tt.imports, breaches)
		}
	}
}

// findBreaches reads the imports of every Go file that is part of the program,
// on all platforms, and lists those that no arrow allows.
func findBreaches(root fs.FS) ([]string, error) {
	var breaches []string
	err := fs.WalkDir(root, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "testdata" || (name != "." && strings.HasPrefix(name, "."))) {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		imports, err := importsOf(root, file)
		if err != nil {
			return err
		}
		if _, known := arrowOf(path.Dir(file)); !known {
			breaches = append(breaches, file+": its package has no arrow")
		}
		for _, imported := range imports {
			if !allowed(file, imported) {
				breaches = append(breaches, file+" may not import "+imported)
			}
		}
		return nil
	})
	return breaches, err
}

func importsOf(root fs.FS, file string) ([]string, error) {
	source, err := fs.ReadFile(root, file)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var imports []string
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, imported)
	}
	return imports, nil
}

func allowed(file, imported string) bool {
	host, _, _ := strings.Cut(imported, "/")
	ours := host == module
	if !ours && !strings.Contains(host, ".") {
		return true // the standard library
	}
	if slices.Contains(standardOnly, file) {
		return false
	}
	dir := path.Dir(file)
	for _, o := range onlyIn {
		if o.dir == dir && covers(o.mod, imported) && !matchesAny(o.files, path.Base(file)) {
			return false
		}
	}
	a, _ := arrowOf(dir)
	if ours {
		return coveredByAny(a.to, strings.TrimPrefix(imported, module+"/"))
	}
	return coveredByAny(a.mods, imported)
}

// arrowOf finds the line for a directory: its own, else the longest that covers
// it.
func arrowOf(dir string) (arrow, bool) {
	var best arrow
	for _, a := range arrows {
		if a.from == dir {
			return a, true
		}
		if covers(a.from, dir) && len(a.from) > len(best.from) {
			best = a
		}
	}
	return best, best.from != ""
}

// covers reports whether a pattern such as a/b or a/b/... means a path.
func covers(pattern, p string) bool {
	base, below := strings.CutSuffix(pattern, "...")
	base = strings.TrimSuffix(base, "/")
	return p == base || below && (base == "" || strings.HasPrefix(p, base+"/"))
}

func coveredByAny(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return covers(pattern, p) })
}

func matchesAny(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool {
		matched, _ := path.Match(glob, name)
		return matched
	})
}
