package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// saveKeeps leaves a file of some hundred pages, closed.
func saveKeeps(t *testing.T, path string) {
	t.Helper()
	k := openKeeps(t, path, nil)
	for i := range 100 {
		setKeep(t, k, "demo", fmt.Sprint("key", i), strings.Repeat(fmt.Sprint(i%10), 3000))
	}
	closeKeeps(t, k)
}

func TestDamagedKeeps(t *testing.T) {
	overwrite := func(offset int, with string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			copy(content[offset:], with)
			writeFile(t, path, string(content))
		}
	}
	altered := func(text string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) { alter(t, path, text) }
	}
	tests := []struct {
		name   string
		damage func(t *testing.T, path string)
		want   error // nil: what SQLite says
	}{
		{"text", func(t *testing.T, path string) { writeFile(t, path, strings.Repeat("not a database\n", 1000)) }, nil},
		{"cut", func(t *testing.T, path string) {
			if err := os.Truncate(path, 100_000); err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"header", overwrite(0, "SQLite format 9"), nil},
		{"first page", overwrite(100, strings.Repeat("\xff", 3000)), nil},
		{"a page of zeros", overwrite(40*4096, strings.Repeat("\x00", 4096)), nil},
		{"foreign", altered("PRAGMA application_id = 1"), errForeignKeeps},
		{"a calls file", altered(fmt.Sprint("PRAGMA application_id = ", callsApplication)), errForeignKeeps},
		{"newer", altered("PRAGMA user_version = 2"), errForeignKeeps},
		{"no table", altered("DROP TABLE usage"), nil},
		{"another table", altered("DROP TABLE keeps; CREATE TABLE keeps (row INTEGER PRIMARY KEY, key TEXT)"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keeps.db")
			saveKeeps(t, path)
			tt.damage(t, path)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			k := openKeeps(t, path, nil)
			damage := k.Damage()
			if damage == nil || damage.File != path || !strings.HasPrefix(damage.Aside, path+".damaged-") {
				t.Fatalf("damage %+v", damage)
			}
			if tt.want != nil && !errors.Is(damage, tt.want) || !strings.Contains(damage.Error(), damage.Aside) {
				t.Errorf("damage %v", damage)
			}
			aside, err := os.ReadFile(damage.Aside)
			if err != nil || tt.want == errForeignKeeps && !bytes.Equal(aside, content) {
				t.Errorf("the foreign file has been changed, %v", err)
			}
			expectKeep(t, k, "demo", "key1", "none")
			setKeep(t, k, "demo", "new", "1")
			closeKeeps(t, k)
			k = openKeeps(t, path, nil)
			if k.Damage() != nil {
				t.Errorf("next start: %v", k.Damage())
			}
			expectKeep(t, k, "demo", "new", "1")
		})
	}
}

// TestKeepsCannotBeOpened holds that a file in the way is an error and not damage:
// it may be sound.
func TestKeepsCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, "file")
	writeFile(t, inTheWay, "")
	for _, path := range []string{dir, filepath.Join(inTheWay, "keeps.db")} {
		if k, err := OpenKeeps(path, nil); err == nil {
			t.Errorf("%s opened: %v", path, k.Close())
		}
	}
	if left, _ := filepath.Glob(dir + "*damaged*"); len(left) > 0 {
		t.Errorf("set aside: %q", left)
	}
}
