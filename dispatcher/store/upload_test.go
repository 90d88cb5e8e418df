package store

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

func TestReadUpload(t *testing.T) {
	const main = "call:reject(486)"
	tests := []struct {
		name  string
		body  []byte
		files int    // in the bundle
		want  string // part of the error
	}{
		{"source", []byte(main), 1, ""},
		{"archive", zipOf(t, "main.lua", main, "lib/", "", "lib/a.lua", "return 1"), 2, ""},
		{"empty", nil, 0, "empty"},
		{"large source", bytes.Repeat([]byte("x"), MaxBundleBytes+1), 0, "more than 262144 bytes"},
		{"empty archive", zipOf(t), 0, "no main.lua"},
		{"cut archive", zipOf(t, "main.lua", main)[:60], 0, "broken zip"},
		{"bomb", zipOf(t, "main.lua", strings.Repeat("\x00", 64<<20)), 0, "more than 262144 bytes"},
		{"shared bomb", zipOf(t, "main.lua", strings.Repeat("a", 200<<10), "b.lua", strings.Repeat("b", 200<<10)), 0, "more than 262144 bytes"},
		{"many files", zipOf(t, numbered(MaxBundleFiles+1)...), 0, "more than 64 files"},
		{"same file twice", zipOf(t, "main.lua", main, "main.lua", main), 0, "twice"},
		{"slip", zipOf(t, "main.lua", main, "../../etc/passwd.lua", ""), 0, "name"},
		{"other files", zipOf(t, "main.lua", main, "README.md", ""), 0, `"README.md"`},
		{"folder", zipOf(t, "plan/main.lua", main), 0, "not their folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := ReadUpload(tt.body)
			if len(b) != tt.files {
				t.Errorf("got %d files, want %d", len(b), tt.files)
			}
			if tt.want == "" && err != nil {
				t.Fatal(err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestUploadOfLink(t *testing.T) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: "main.lua"}
	header.SetMode(fs.ModeSymlink | 0o777)
	f, err := w.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "/etc/passwd")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = ReadUpload(out.Bytes())
	if bad := (*BundleError)(nil); !errors.As(err, &bad) || bad.File != "main.lua" {
		t.Errorf("got %v", err)
	}
}

// FuzzReadUpload holds that whatever is uploaded is refused with one of three
// types or makes a bundle within the limits.
func FuzzReadUpload(f *testing.F) {
	f.Add([]byte("call:reject(486)"))
	f.Add(zipOf(f, "main.lua", "x", "lib/a.lua", "y"))
	f.Add(zipOf(f, "main.lua", strings.Repeat("x", 1<<20)))
	f.Add(zipOf(f))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := ReadUpload(body)
		if err == nil {
			if err := b.Validate(); err != nil {
				t.Fatal(err)
			}
			return
		}
		var name *NameError
		var large *TooLargeError
		var bad *BundleError
		if !errors.As(err, &name) && !errors.As(err, &large) && !errors.As(err, &bad) {
			t.Fatalf("error is a %T: %v", err, err)
		}
	})
}

// zipOf packs names and contents, given in turn.
func zipOf(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(pairs); i += 2 {
		f, err := w.Create(pairs[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(pairs[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func numbered(n int) []string {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("f%d.lua", i), "")
	}
	return pairs
}
