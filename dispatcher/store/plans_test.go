package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	demo   = PlanID{Account: "demo", Plan: "main"}
	monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
)

func open(t *testing.T, dir string) *Plans {
	t.Helper()
	p, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func publish(t *testing.T, p *Plans, id PlanID, source string) Version {
	t.Helper()
	v, err := p.Publish(id, plan(source), SourceUpload, monday)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func plan(source string) Bundle { return Bundle{EntryFile: []byte(source)} }

func TestPublish(t *testing.T) {
	dir := t.TempDir()
	p := open(t, dir)
	first := publish(t, p, demo, "one")
	want := Version{Number: 1, Hash: plan("one").Hash(), Created: monday, Source: SourceUpload, Live: true}
	if first != want {
		t.Errorf("got %+v, want %+v", first, want)
	}
	if again := publish(t, p, demo, "one"); again != first {
		t.Errorf("the same content again: %+v", again)
	}
	if second := publish(t, p, demo, "two"); second.Number != 2 {
		t.Errorf("new content: %+v", second)
	}
	if old := publish(t, p, demo, "one"); old != first {
		t.Errorf("old content: %+v", old)
	}
	p = open(t, dir)
	if live, ok := p.Live(demo); !ok || live != first {
		t.Errorf("after opening again: %+v", live)
	}
	if b, err := p.Bundle(first.Hash); err != nil || string(b[EntryFile]) != "one" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestPublishRefuses(t *testing.T) {
	p := open(t, t.TempDir())
	var name *NameError
	if _, err := p.Publish(PlanID{"../x", "main"}, plan("x"), SourceUpload, monday); !errors.As(err, &name) {
		t.Errorf("a bad account: %v", err)
	}
	var large *TooLargeError
	if _, err := p.Publish(demo, plan(strings.Repeat("x", MaxBundleBytes)), SourceUpload, monday); !errors.As(err, &large) {
		t.Errorf("a large bundle: %v", err)
	}
	var bad *BundleError
	if _, _, err := p.Import(demo, Bundle{}, monday); !errors.As(err, &bad) {
		t.Errorf("an empty bundle: %v", err)
	}
	if ids := p.Plans(); len(ids) != 0 {
		t.Errorf("got plans %v", ids)
	}
}

func TestUnknown(t *testing.T) {
	p := open(t, t.TempDir())
	if _, err := p.Versions(demo); !errors.Is(err, ErrUnknownPlan) {
		t.Errorf("Versions: %v", err)
	}
	if _, err := p.Rollback(demo, 0); !errors.Is(err, ErrUnknownPlan) {
		t.Errorf("Rollback: %v", err)
	}
	if v, ok := p.Live(demo); ok {
		t.Errorf("Live: %+v", v)
	}
	publish(t, p, demo, "one")
	for _, to := range []uint32{0, 2, 1 << 31} {
		if _, err := p.Rollback(demo, to); !errors.Is(err, ErrUnknownVersion) {
			t.Errorf("Rollback to %d: %v", to, err)
		}
	}
	for _, hash := range []string{"", "../../admin.token", strings.Repeat("0", 64)} {
		if _, err := p.Bundle(hash); !errors.Is(err, ErrUnknownVersion) {
			t.Errorf("Bundle %q: %v", hash, err)
		}
	}
}

// TestUploadOutlivesRestart is the rule of Import: plans.dir counts when it
// changes, not whenever the server starts.
func TestUploadOutlivesRestart(t *testing.T) {
	dir := t.TempDir()
	steps := []struct {
		what  string
		do    func(p *Plans) error
		live  string
		fresh bool
	}{
		{"first start", imports("shipped"), "shipped", true},
		{"restart", imports("shipped"), "shipped", false},
		{"upload", publishes("mine"), "mine", false},
		{"restart after upload", imports("shipped"), "mine", false},
		{"new in plans.dir", imports("shipped, second"), "shipped, second", true},
		{"rollback", func(p *Plans) error { _, err := p.Rollback(demo, 0); return err }, "mine", false},
		{"restart after rollback", imports("shipped, second"), "mine", false},
		{"plans.dir has the upload", imports("mine"), "mine", false},
		{"and changes back", imports("shipped"), "shipped", true},
	}
	for _, step := range steps {
		p := open(t, dir)
		before, _ := p.Live(demo)
		if err := step.do(p); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		live, _ := p.Live(demo)
		if live.Hash != plan(step.live).Hash() {
			t.Errorf("%s: version %d is live", step.what, live.Number)
		}
		if step.fresh && live == before {
			t.Errorf("%s: nothing changed", step.what)
		}
	}
}

func imports(source string) func(*Plans) error {
	return func(p *Plans) error {
		before, _ := p.Live(demo)
		v, published, err := p.Import(demo, plan(source), monday)
		if err == nil && published != (v != before) {
			return fmt.Errorf("says published: %v, version %+v after %+v", published, v, before)
		}
		return err
	}
}

func publishes(source string) func(*Plans) error {
	return func(p *Plans) error {
		_, err := p.Publish(demo, plan(source), SourceUpload, monday)
		return err
	}
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	publish(t, open(t, dir), demo, "one")
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	p := open(t, t.TempDir())
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			id := PlanID{Account: "demo", Plan: fmt.Sprint("p", i%2)}
			v, err := p.Publish(id, plan(fmt.Sprint(i)), SourceUpload, monday)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := p.Bundle(v.Hash); err != nil {
				t.Error(err)
			}
			p.Plans()
			p.Live(id)
		})
	}
	group.Wait()
	for _, id := range p.Plans() {
		if versions, err := p.Versions(id); err != nil || len(versions) != 4 {
			t.Errorf("%s: %+v, %v", id, versions, err)
		}
	}
}
