package store

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// saveCalls leaves a file of some hundred pages, closed.
func saveCalls(t *testing.T, path string) {
	t.Helper()
	c := openCalls(t, path)
	for i := range 200 {
		c.Put(fmt.Sprint("call", i), bytes.Repeat([]byte{byte(i)}, 1500), nil)
	}
	closeCalls(t, c)
	if left, _ := filepath.Glob(path + "-*"); len(left) > 0 {
		t.Fatalf("left after Close: %q", left)
	}
}

// alter runs SQL on a file that is not open.
func alter(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedCalls(t *testing.T) {
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
		{"list of free pages", overwrite(32, "\x00\x00\x00\x07\x00\x00\x00\x01"), errBroken},
		{"foreign", altered("PRAGMA application_id = 1"), errForeign},
		{"newer", altered("PRAGMA user_version = 2"), errForeign},
		{"no table", altered("DROP TABLE calls"), nil},
		{"another table", altered("DROP TABLE calls; CREATE TABLE calls (row INTEGER PRIMARY KEY, id TEXT)"), nil},
		{"two rows of a call", altered("UPDATE calls SET id = 'call7' WHERE row = 9"), errBroken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "calls.db")
			saveCalls(t, path)
			tt.damage(t, path)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := openCalls(t, path)
			damage := c.Damage()
			if damage == nil || damage.File != path || !strings.HasPrefix(damage.Aside, path+".damaged-") {
				t.Fatalf("damage %+v", damage)
			}
			if tt.want != nil && !errors.Is(damage, tt.want) || !strings.Contains(damage.Error(), damage.Aside) {
				t.Errorf("damage %v", damage)
			}
			aside, err := os.ReadFile(damage.Aside)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == errForeign && !bytes.Equal(aside, content) {
				t.Error("the foreign file has been changed")
			}
			expectKept(t, c, map[string]string{})
			c.Put("new", []byte("1"), nil)
			closeCalls(t, c)
			c = openCalls(t, path)
			if c.Damage() != nil {
				t.Errorf("next start: %v", c.Damage())
			}
			expectKept(t, c, map[string]string{"new": "1"})
		})
	}
}

// TestForeignFileIsNotTouched sets another program's database aside as it was.
func TestForeignFileIsNotTouched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	alter(t, path, "CREATE TABLE books (title TEXT); INSERT INTO books VALUES ('Emma')")
	c := openCalls(t, path)
	if !errors.Is(c.Damage(), errForeign) {
		t.Fatalf("damage %v", c.Damage())
	}
	db, err := sql.Open("sqlite", c.Damage().Aside)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var title string
	if err := db.QueryRow("SELECT title FROM books").Scan(&title); err != nil || title != "Emma" {
		t.Errorf("%q, %v", title, err)
	}
}

func TestSetAsideTakesCompanions(t *testing.T) {
	for _, companions := range [][]string{{""}, {"", "-wal"}, {"", "-wal", "-shm"}} {
		path := filepath.Join(t.TempDir(), "calls.db")
		for _, companion := range companions {
			writeFile(t, path+companion, "content"+companion)
		}
		aside, err := setAside(path, monday)
		if err != nil || aside != path+".damaged-20261123T090000.000000Z" {
			t.Fatal(aside, err)
		}
		for _, companion := range companions {
			if content, err := os.ReadFile(aside + companion); string(content) != "content"+companion {
				t.Errorf("%q, %v", content, err)
			}
		}
		if left, _ := filepath.Glob(path + "*"); len(left) != len(companions) {
			t.Errorf("there are %q", left)
		}
	}
	if aside, err := setAside(filepath.Join(t.TempDir(), "calls.db"), monday); err == nil {
		t.Errorf("nothing was set aside as %s", aside)
	}
}

// TestTornLog spoils the end of a write-ahead log, as a power loss can: the
// transactions before it are there.
func TestTornLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "calls.db")
	c := openCalls(t, path)
	for i := range 3 {
		c.Put(fmt.Sprint("call", i), []byte("1"), nil)
		waitFor(t, "the row", func() bool { return c.Stats().Written == uint64(i+1) })
	}
	copied := filepath.Join(dir, "copied.db")
	for _, companion := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + companion)
		if err != nil {
			t.Fatal(err)
		}
		if companion == "-wal" {
			content = content[:len(content)-1000]
		}
		writeFile(t, copied+companion, string(content))
	}
	c = openCalls(t, copied)
	if c.Damage() != nil {
		t.Fatal(c.Damage())
	}
	expectKept(t, c, map[string]string{"call0": "1", "call1": "1"})
}

func TestEmptyFileIsNoDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	writeFile(t, path, "")
	if c := openCalls(t, path); c.Damage() != nil {
		t.Error(c.Damage())
	}
}

// TestCallsCannotBeOpened holds that a file in the way is an error and not
// damage: it may be sound.
func TestCallsCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, "file")
	writeFile(t, inTheWay, "")
	for _, path := range []string{dir, filepath.Join(inTheWay, "calls.db")} {
		if c, err := OpenCalls(path); err == nil {
			t.Errorf("%s opened: %v", path, c.Close())
		}
	}
	if left, _ := filepath.Glob(dir + "*damaged*"); len(left) > 0 {
		t.Errorf("set aside: %q", left)
	}
}
