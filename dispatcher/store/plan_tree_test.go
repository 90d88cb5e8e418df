package store

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReadPlans(t *testing.T) {
	source := &fstest.MapFile{Data: []byte("call:reject(486)")}
	huge := &fstest.MapFile{Data: make([]byte, MaxBundleBytes+1)}
	plans, err := ReadPlans(fstest.MapFS{
		"README.md":                  source,
		"demo/main/main.lua":         source,
		"demo/main/lib/a.lua":        source,
		"demo/main/notes.txt":        source,
		"demo/main/.#main.lua":       source,
		"demo/.git/x/main.lua":       source,
		"demo/empty/notes.txt":       source,
		"acme/sales/main.lua":        source,
		"acme/Bad/main.lua":          source,
		"acme/noentry/a.lua":         source,
		"acme/huge/main.lua":         huge,
		"acme/deep/main.lua":         source,
		"acme/deep/1/2/3/4/5/a.lua":  source,
		"acme/upper/main.lua":        source,
		"acme/upper/A.lua":           source,
		"no_/valid/but/not/read.txt": source,
	})
	var got []string
	for _, id := range slices.SortedFunc(maps.Keys(plans), PlanID.Compare) {
		got = append(got, id.String()+" "+strings.Join(slices.Sorted(maps.Keys(plans[id])), " "))
	}
	want := []string{"acme/deep 1/2/3/4/5/a.lua main.lua", "acme/sales main.lua", "demo/main lib/a.lua main.lua"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err == nil {
		t.Fatal("no error for the plans that are not fit")
	}
	for _, part := range []string{"acme/Bad", "acme/noentry: bundle: no main.lua", "acme/huge: bundle has more", `acme/upper: file name "A.lua"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in the error:\n%v", part, err)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 4 {
		t.Errorf("got %d errors:\n%v", n, err)
	}
}

func TestReadAccount(t *testing.T) {
	plans, err := ReadAccount(fstest.MapFS{
		"main/main.lua": {Data: []byte("x")},
		"doc.go":        {},
	}, "demo")
	if err != nil {
		t.Fatal(err)
	}
	if b := plans[PlanID{"demo", "main"}]; len(plans) != 1 || string(b[EntryFile]) != "x" {
		t.Errorf("got %q", plans)
	}
}

// TestReadPlansThroughLinks reads a tree as a container platform mounts it, and
// one with a loop in it.
func TestReadPlansThroughLinks(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, ".data", "demo", "main", "main.lua"), "x")
	link(t, ".data/demo", filepath.Join(dir, "demo"))
	link(t, "nowhere", filepath.Join(dir, "gone"))
	plans, err := ReadPlans(os.DirFS(dir))
	if err != nil || len(plans) != 1 {
		t.Fatalf("got %q, %v", plans, err)
	}
	link(t, ".", filepath.Join(dir, ".data", "demo", "main", "loop"))
	if _, err := ReadPlans(os.DirFS(dir)); err == nil || !strings.Contains(err.Error(), "folders deep") {
		t.Errorf("a loop: got error %v", err)
	}
}

func TestReadPlansWithoutFolder(t *testing.T) {
	_, err := ReadPlans(os.DirFS(filepath.Join(t.TempDir(), "none")))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v", err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
