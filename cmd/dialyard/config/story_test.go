package config

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite what is expected in testdata with what happens now")

// TestStories reads each configuration in testdata/stories and compares what
// comes of it.
//
//	NAME.yaml   what the file says
//	NAME.env    one variable a line; may be absent
//	NAME.txt    the exact errors, or each key that differs from the defaults
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		story := strings.TrimSuffix(file, ".yaml")
		t.Run(filepath.Base(story), func(t *testing.T) {
			compare(t, story+".txt", tell(t, story))
		})
	}
}

// tell gives what comes of a story.
func tell(t *testing.T, story string) string {
	content, err := os.ReadFile(story + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	env, err := os.ReadFile(story + ".env")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	c, err := parse(filepath.Base(story)+".yaml", content, strings.Split(string(env), "\n"))
	if err != nil {
		return err.Error() + "\n"
	}
	var out strings.Builder
	for _, name := range c.Changed(Defaults()) {
		k, _ := findKey(name)
		out.WriteString(name + ": " + strings.Join(k.value.get(c), ", ") + "\n")
	}
	return out.String()
}

// compare holds got against the file, or with -update makes it the file.
func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s would now be (keep it with -update):\n%s", file, got)
	}
}
