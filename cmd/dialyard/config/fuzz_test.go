package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// FuzzLoad holds two promises for any file: a fault is an *Error with a place,
// and a configuration that is taken prints as a file that means the same.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/stories/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "testdata/print.yaml") {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := parse("fuzz.yaml", content, nil)
		if err == nil {
			checkReadsBack(t, c)
			return
		}
		if fault := (*Error)(nil); !errors.As(err, &fault) || fault.Where == "" || fault.Problem == "" {
			t.Errorf("got %#v", err)
		}
	})
}

// TestAnyTextReadsBack does the same for texts that a file can hold only in
// quotes.
func TestAnyTextReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Defaults()
		c.Data.Dir = "x" + rapid.String().Draw(t, "dir")
		c.Plans.Dir = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"~", "null", "true", "1e3", "0x10", ".inf", "- a", "a: b", "#", "a #b", "'", `"`, "\\", "2001-01-01", "<<", "*a", "&a", "=", "?",
		})).Draw(t, "plans")
		if pathKind.accepts(c.Data.Dir) && pathKind.accepts(c.Plans.Dir) {
			checkReadsBack(t, c)
		}
	})
}

// accepts reports whether parse takes the text.
func (k kind[T]) accepts(text string) bool {
	_, err := k.parse(text)
	return err == nil
}

func checkReadsBack(t rapid.TB, c *Config) {
	t.Helper()
	var out bytes.Buffer
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	again, err := parse("printed.yaml", out.Bytes(), nil)
	if err != nil {
		t.Fatalf("the print cannot be read: %v\n%s", err, out.Bytes())
	}
	for i := range c.Gateways { // the print says no more of them
		if g := &c.Gateways[i]; g.PasswordFile == "" && g.Password != "" {
			g.Password = maskedPassword
		}
	}
	if changed := again.Changed(c); len(changed) > 0 {
		t.Fatalf("the print changes %q:\n%s", changed, out.Bytes())
	}
}
