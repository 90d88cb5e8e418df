package store

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestPlansModel does random things to Plans on a real disk, crashes included,
// and holds it against a model in memory that knows contents only.
func TestPlansModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "plans-model")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		m := &plansModel{dir: dir, plans: map[PlanID]*planModel{}}
		m.reopen(t)
		t.Repeat(map[string]func(*rapid.T){
			"":         m.check,
			"publish":  m.publish,
			"import":   m.imports,
			"rollback": m.rollback,
			"reopen":   m.reopen,
			"crash":    m.crash,
		})
	})
}

type plansModel struct {
	dir   string
	store *Plans
	plans map[PlanID]*planModel
}

// planModel is what a plan ought to be.
type planModel struct {
	versions []string // contents, in the order of first publication
	live     []string // contents, in the order they went live
	imported string
}

var (
	modelIDs      = rapid.SampledFrom([]PlanID{{"a", "x"}, {"a", "y"}, {"b", "x"}})
	modelContents = rapid.SampledFrom([]string{"1", "2", "3", "4"})
)

func (m *plansModel) plan(id PlanID) *planModel {
	if m.plans[id] == nil {
		m.plans[id] = &planModel{}
	}
	return m.plans[id]
}

func (p *planModel) publish(content string) {
	if !slices.Contains(p.versions, content) {
		p.versions = append(p.versions, content)
	}
	if p.current() != content {
		p.live = append(p.live, content)
	}
	p.live = p.live[max(0, len(p.live)-maxLive):]
}

func (p *planModel) current() string {
	if len(p.live) == 0 {
		return ""
	}
	return p.live[len(p.live)-1]
}

func (m *plansModel) publish(t *rapid.T) {
	id, content := modelIDs.Draw(t, "id"), modelContents.Draw(t, "content")
	v, err := m.store.Publish(id, plan(content), SourceUpload, monday)
	if err != nil {
		t.Fatal(err)
	}
	m.plan(id).publish(content)
	if !v.Live || v.Hash != plan(content).Hash() {
		t.Fatalf("published %+v", v)
	}
}

func (m *plansModel) imports(t *rapid.T) {
	id, content := modelIDs.Draw(t, "id"), modelContents.Draw(t, "content")
	v, published, err := m.store.Import(id, plan(content), monday)
	if err != nil {
		t.Fatal(err)
	}
	p := m.plan(id)
	before := p.current()
	if p.imported != content {
		p.imported = content
		p.publish(content)
	}
	if v.Hash != plan(p.current()).Hash() || published != (before != p.current()) {
		t.Fatalf("imported %+v, %v", v, published)
	}
}

func (m *plansModel) rollback(t *rapid.T) {
	id, to := modelIDs.Draw(t, "id"), rapid.IntRange(0, 5).Draw(t, "to")
	p := m.plan(id)
	_, err := m.store.Rollback(id, uint32(to))
	switch {
	case to == 0 && len(p.live) > 1:
		p.live = p.live[:len(p.live)-1]
	case to > 0 && to <= len(p.versions):
		p.publish(p.versions[to-1])
	default:
		if err == nil {
			t.Fatalf("rollback to %d of %d versions", to, len(p.versions))
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (m *plansModel) reopen(t *rapid.T) {
	var err error
	if m.store, err = Open(m.dir); err != nil {
		t.Fatal(err)
	}
	if damage := m.store.Damage(); len(damage) > 0 {
		t.Fatal(damage)
	}
}

// crash leaves what a kill in the middle of Publish can leave, and opens again:
// a bundle or an index written in part under a temporary name, or a bundle that
// no index names yet.
func (m *plansModel) crash(t *rapid.T) {
	content := modelContents.Draw(t, "content")
	whole := plan(content).encode()
	cut := rapid.IntRange(0, len(whole)).Draw(t, "cut")
	left := []string{filepath.Join(m.store.layout.bundles, ".tmp-1")}
	for _, id := range m.store.Plans() {
		left = append(left, filepath.Join(m.store.layout.accountDir(id.Account), ".tmp-1"))
	}
	for _, path := range left {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.store.layout.writeBundle(plan(content).Hash(), plan(content)); err != nil {
		t.Fatal(err)
	}
	m.reopen(t)
	for _, path := range left {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Fatalf("%s was left: %v", path, err)
		}
	}
}

func (m *plansModel) check(t *rapid.T) {
	var ids []PlanID
	for id, p := range m.plans {
		if len(p.versions) > 0 {
			ids = append(ids, id)
		}
		m.checkPlan(t, id, p)
	}
	slices.SortFunc(ids, PlanID.Compare)
	if got := m.store.Plans(); !slices.Equal(got, ids) {
		t.Fatalf("plans %v, want %v", got, ids)
	}
}

func (m *plansModel) checkPlan(t *rapid.T, id PlanID, p *planModel) {
	versions, _ := m.store.Versions(id)
	if len(versions) != len(p.versions) {
		t.Fatalf("%s has %d versions, want %d", id, len(versions), len(p.versions))
	}
	for i, v := range versions {
		content := p.versions[i]
		if v.Number != uint32(i+1) || v.Hash != plan(content).Hash() || v.Live != (content == p.current()) {
			t.Fatalf("%s: %+v, want content %q, live %q", id, v, content, p.current())
		}
		if b, err := m.store.Bundle(v.Hash); err != nil || string(b[EntryFile]) != content {
			t.Fatalf("%s: %+v reads as %q, %v", id, v, b, err)
		}
	}
}
