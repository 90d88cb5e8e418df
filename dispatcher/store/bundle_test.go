package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestBundleValidate(t *testing.T) {
	many := Bundle{EntryFile: nil}
	for i := range MaxBundleFiles {
		many[fmt.Sprintf("f%d.lua", i)] = nil
	}
	tests := []struct {
		name   string
		bundle Bundle
		want   string // part of the error, empty for none
	}{
		{"one file", Bundle{"main.lua": []byte("x")}, ""},
		{"folders", Bundle{"main.lua": nil, "lib/a-b_c.2.lua": nil}, ""},
		{"as large as can be", Bundle{"main.lua": make([]byte, MaxBundleBytes-len("main.lua"))}, ""},
		{"too large", Bundle{"main.lua": make([]byte, MaxBundleBytes)}, "more than 262144 bytes"},
		{"too many", many, "more than 64 files"},
		{"nothing", Bundle{}, "no main.lua"},
		{"no entry", Bundle{"a.lua": nil}, "no main.lua"},
		{"packed folder", Bundle{"plan/main.lua": nil}, "pack the files, not their folder"},
		{"up and out", Bundle{"main.lua": nil, "../a.lua": nil}, `"../a.lua"`},
		{"up inside", Bundle{"main.lua": nil, "a/../b.lua": nil}, `"a/../b.lua"`},
		{"absolute", Bundle{"main.lua": nil, "/a.lua": nil}, `"/a.lua"`},
		{"backslash", Bundle{"main.lua": nil, `a\b.lua`: nil}, `"a\\b.lua"`},
		{"hidden", Bundle{"main.lua": nil, ".a.lua": nil}, `".a.lua"`},
		{"upper case", Bundle{"main.lua": nil, "A.lua": nil}, `"A.lua"`},
		{"not Lua", Bundle{"main.lua": nil, "a.txt": nil}, `"a.txt"`},
		{"empty name", Bundle{"main.lua": nil, "": nil}, `""`},
		{"line feed", Bundle{"main.lua": nil, "a.lua\n": nil}, `"a.lua\n"`},
		{"long name", Bundle{"main.lua": nil, strings.Repeat("a", MaxNameBytes) + ".lua": nil}, "at most 128"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.bundle.Validate()
			if tt.want == "" && err != nil {
				t.Fatal(err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestHashIsStable holds the hash to a value computed with sha256sum: versions
// on disks of the field are known by it.
func TestHashIsStable(t *testing.T) {
	b := Bundle{"main.lua": []byte("return 1"), "a.lua": nil}
	if got, want := string(b.encode()), "5:a.lua,0:,8:main.lua,8:return 1,"; got != want {
		t.Errorf("canonical bytes %q, want %q", got, want)
	}
	const want = "1ad72927129bca48627a89a9fb084f3d8aaf72569da403a4998fa58929002271"
	if got := b.Hash(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestEncodingIsInjective holds both directions for bundles of any content:
// what is encoded decodes to itself, and no two bundles have the same bytes.
func TestEncodingIsInjective(t *testing.T) {
	files := rapid.MapOfN(rapid.StringMatching(`[a,:0-9]{0,3}`), rapid.SliceOfN(rapid.Byte(), 0, 6), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		a, b := Bundle(files.Draw(t, "a")), Bundle(files.Draw(t, "b"))
		decoded, err := decodeBundle(a.encode())
		if err != nil || !maps.EqualFunc(a, decoded, bytes.Equal) {
			t.Fatalf("decoded to %q, %v", decoded, err)
		}
		if same := maps.EqualFunc(a, b, bytes.Equal); same != (a.Hash() == b.Hash()) {
			t.Fatalf("same content: %v, hashes %s and %s", same, a.Hash(), b.Hash())
		}
	})
}

func TestDecodeRefusesOthers(t *testing.T) {
	for _, raw := range []string{"x", "1:a", "1:a,", "1:a,2:b,", "-1:a,", "9999999999:a,0:,", "1:a,1:bc", ":,0:,"} {
		if b, err := decodeBundle([]byte(raw)); !errors.Is(err, errNotBundle) {
			t.Errorf("%q: got %q, %v", raw, b, err)
		}
	}
}

func TestParsePlanID(t *testing.T) {
	tests := []struct {
		text string
		ok   bool
	}{
		{"demo/main", true},
		{"0/a-b_c", true},
		{strings.Repeat("a", 63) + "/b", true},
		{strings.Repeat("a", 64) + "/b", false},
		{"demo", false},
		{"demo/", false},
		{"/main", false},
		{"demo/main/x", false},
		{"Demo/main", false},
		{"../main", false},
		{"demo/_x", false},
		{"demo/-x", false},
		{"demo/main\n", false},
	}
	for _, tt := range tests {
		id, err := ParsePlanID(tt.text)
		if (err == nil) != tt.ok {
			t.Errorf("%q: got %v", tt.text, err)
		}
		if nameErr := (*NameError)(nil); err != nil && !errors.As(err, &nameErr) {
			t.Errorf("%q: error is a %T", tt.text, err)
		}
		if err == nil && id.String() != tt.text {
			t.Errorf("%q: written as %q", tt.text, id)
		}
	}
}
