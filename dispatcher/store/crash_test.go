package store

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// crashDir makes the test binary a publisher into that directory, to be killed.
const crashDir = "DIALYARD_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		publishForEver(dir)
	}
	os.Exit(m.Run())
}

// publishForEver publishes version after version and prints the number of each
// once Publish has returned.
func publishForEver(dir string) {
	p, err := Open(dir)
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	live, _ := p.Live(demo)
	for n := live.Number + 1; ; n++ {
		v, err := p.Publish(demo, plan(fmt.Sprint("version ", n)), SourceUpload, time.Now())
		if err != nil || v.Number != n {
			fmt.Println("publish:", v, err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

// TestKilledWhilePublishing kills a publisher at arbitrary moments: what it said
// is published is there, at most the one under way is there too, and everything
// there can be read.
func TestKilledWhilePublishing(t *testing.T) {
	dir := t.TempDir()
	for round := range 20 {
		said := publishAndKill(t, dir, time.Duration(20+3*round)*time.Millisecond)
		p := open(t, dir)
		if damage := p.Damage(); len(damage) > 0 {
			t.Fatal(damage)
		}
		live, ok := p.Live(demo)
		if !ok && said == 0 {
			continue
		}
		if said != 0 && live.Number != said && live.Number != said+1 {
			t.Fatalf("version %d is live, %d was published", live.Number, said)
		}
		b, err := p.Bundle(live.Hash)
		if err != nil || string(b[EntryFile]) != fmt.Sprint("version ", live.Number) {
			t.Fatalf("version %d reads as %q, %v", live.Number, b, err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "plans", "*", "*", tempPattern)); len(left) > 0 {
			t.Fatalf("left after opening: %q", left)
		}
	}
}

// publishAndKill gives the last version number that the publisher printed, 0 if
// it came to none.
func publishAndKill(t *testing.T, dir string, after time.Duration) uint32 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(after, func() { cmd.Process.Kill() })
	defer kill.Stop()
	var last uint32
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
			t.Fatalf("the publisher says %q", lines.Text())
		}
	}
	cmd.Wait() // its error is the kill
	return last
}

func TestDamagedBundle(t *testing.T) {
	dir := t.TempDir()
	p := open(t, dir)
	first := publish(t, p, demo, "one")
	second := publish(t, p, demo, "two")
	for _, content := range []string{"", "8:main.lua,3:on", "8:main.lua,3:two,"} {
		path := p.layout.bundleFile(first.Hash)
		writeFile(t, path, content)
		_, err := p.Bundle(first.Hash)
		if damage := (*DamageError)(nil); !errors.As(err, &damage) || damage.File != path {
			t.Errorf("content %q: %v", content, err)
		}
		if v, err := p.Rollback(demo, 1); err == nil {
			t.Errorf("content %q: rolled back to %+v", content, v)
		}
	}
	if live, _ := p.Live(demo); live != second {
		t.Errorf("%+v is live", live)
	}
	publish(t, p, demo, "one")
	if _, err := p.Bundle(first.Hash); err != nil {
		t.Errorf("published again: %v", err)
	}
}

func TestDamagedIndex(t *testing.T) {
	hash := plan("one").Hash()
	tests := []struct{ name, content string }{
		{"empty", ""},
		{"cut", `{"versions":[{"hash":"` + hash},
		{"no versions", `{}`},
		{"no such live version", `{"versions":[{"hash":"` + hash + `"}],"live":[2]}`},
		{"version 0 live", `{"versions":[{"hash":"` + hash + `"}],"live":[0]}`},
		{"hash leads away", `{"versions":[{"hash":"../../admin.token"}],"live":[1]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			other := PlanID{Account: "demo", Plan: "other"}
			p := open(t, dir)
			publish(t, p, demo, "one")
			publish(t, p, other, "one")
			path := p.layout.indexFile(demo)
			writeFile(t, path, tt.content)

			p = open(t, dir)
			damage := p.Damage()
			if len(damage) != 1 || !strings.Contains(damage[0].Error(), path) {
				t.Errorf("damage %v", damage)
			}
			if live, ok := p.Live(demo); ok {
				t.Errorf("%+v is live", live)
			}
			if _, err := p.Publish(demo, plan("two"), SourceUpload, monday); err == nil {
				t.Error("published over the damaged index")
			}
			if _, ok := p.Live(other); !ok {
				t.Error("the other plan is not live")
			}
		})
	}
}

// TestDiskRefuses publishes into a directory that takes no files: the old
// version stays live and a later attempt works.
func TestDiskRefuses(t *testing.T) {
	p := open(t, t.TempDir())
	first := publish(t, p, demo, "one")
	for _, dir := range []string{p.layout.bundles, p.layout.accountDir(demo.Account)} {
		aside := dir + ".aside"
		if err := os.Rename(dir, aside); err != nil {
			t.Fatal(err)
		}
		writeFile(t, dir, "in the way")
		if v, err := p.Publish(demo, plan("two"), SourceUpload, monday); err == nil {
			t.Errorf("published %+v", v)
		}
		if live, _ := p.Live(demo); live != first {
			t.Errorf("%+v is live", live)
		}
		if err := errors.Join(os.Remove(dir), os.Rename(aside, dir)); err != nil {
			t.Fatal(err)
		}
	}
	if v := publish(t, p, demo, "two"); v.Number != 2 {
		t.Errorf("later: %+v", v)
	}
}
