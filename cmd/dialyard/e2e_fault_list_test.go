package main_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A listed fault is a row of testdata/faults.md.
type listed struct{ fault, outcome, bound, test string }

// listedFaults reads the tables of the file: rows of four cells, the last of which is
// the test, in backquotes.
func listedFaults(text string) (list []listed) {
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || len(cells) != 4 || strings.HasPrefix(cells[0], "--") || strings.TrimSpace(cells[3]) == "test" {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		list = append(list, listed{cells[0], cells[1], cells[2], strings.Trim(cells[3], "`")})
	}
	return list
}

var declared = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// testsBelow are the names of the tests in a folder and those below, "folder/of/it.Test".
func testsBelow(root string) (map[string]bool, error) {
	names := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range declared.FindAllStringSubmatch(string(text), -1) {
			folder, _ := filepath.Rel(root, filepath.Dir(path))
			names[filepath.ToSlash(folder)+"."+found[1]] = true
		}
		return err
	})
	return names, err
}

func TestEachListedFaultHasItsTest(t *testing.T) {
	text, err := os.ReadFile("../../testdata/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := testsBelow("../..")
	if err != nil {
		t.Fatal(err)
	}
	faults := listedFaults(string(text))
	if len(faults) < 60 {
		t.Errorf("%d faults are listed; the table is not read as it stands", len(faults))
	}
	named := map[string]bool{}
	for _, f := range faults {
		name := f.test
		if !strings.Contains(name, ".") {
			name = "cmd/dialyard." + name
		}
		if !tests[name] {
			t.Errorf("%s: there is no test %s", f.fault, f.test)
		}
		if f.fault == "" || f.outcome == "" || f.bound == "" {
			t.Errorf("a row of %s is not complete: %+v", f.test, f)
		}
		named[name] = true
	}
	for name := range tests {
		file, _, _ := strings.Cut(name, ".")
		if file == "cmd/dialyard" && inFaultFile(t, name) && !named[name] {
			t.Errorf("%s is in none of the tables", name)
		}
	}
}

// inFaultFile reports whether a test of this package stands in one of the files that
// are about faults.
func inFaultFile(t *testing.T, name string) bool {
	t.Helper()
	_, name, _ = strings.Cut(name, ".")
	files, err := filepath.Glob("e2e_fault*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("the files about faults are not here: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(") && file != "e2e_fault_list_test.go" {
			return true
		}
	}
	return false
}

// TestChaos is a short `make chaos`: each fault once, under some load.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes more than a minute")
	}
	t.Parallel()
	program := filepath.Join(t.TempDir(), "chaos")
	if text, err := exec.Command("go", "build", "-o", program, "dialyard/testdata/chaos").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-binary", faulty, "-duration", "40s", "-every", "2200ms", "-rate", "100", "-recycle", "300")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it ends what it has started
	cmd.WaitDelay = time.Minute
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	text, err := cmd.CombinedOutput()
	t.Logf("%s", text)
	if err != nil {
		t.Error(err)
	}
}
