package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Plans is the durable set of plans, their versions and their live pointers.
// All methods may be called concurrently.
type Plans struct {
	layout layout

	// A mutex and no goroutine: publishing is rare and wants to wait for the
	// disk, and nothing on the call path comes here.
	mu      sync.Mutex
	indexes map[PlanID]index
	damaged map[PlanID]error // indexes that could not be read
}

// Open opens the plans under the data directory dir, which it creates if need
// be, readable by its owner only. Damaged files do not make it fail: see
// [Plans.Damage].
func Open(dir string) (*Plans, error) {
	p := &Plans{
		layout:  newLayout(dir),
		indexes: map[PlanID]index{},
		damaged: map[PlanID]error{},
	}
	if err := p.open(); err != nil {
		return nil, fmt.Errorf("open plans: %w", err)
	}
	return p, nil
}

func (p *Plans) open() error {
	if err := p.layout.prepare(); err != nil {
		return err
	}
	ids, err := p.layout.plans()
	if err != nil {
		return err
	}
	for _, id := range ids {
		x, err := p.layout.readIndex(id)
		if err != nil {
			p.damaged[id] = err
			continue
		}
		p.indexes[id] = x
	}
	return nil
}

// Damage lists the plans that cannot be served because their index was found
// damaged by Open, one *DamageError or file system error each. They stay
// untouched, and cannot be published to, until the file is restored or removed.
func (p *Plans) Damage() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, id := range slices.SortedFunc(maps.Keys(p.damaged), PlanID.Compare) {
		errs = append(errs, p.damaged[id])
	}
	return errs
}

// Publish makes b the live version of the plan and returns it once that is on
// the disk. Content that the plan has had before becomes live again under the
// number it has; if it is live already, nothing changes. On an error the old
// version stays live.
//
// The error is a *NameError, *TooLargeError or *BundleError for input that is
// refused, a *DamageError for a plan whose index is damaged, else the disk's.
func (p *Plans) Publish(id PlanID, b Bundle, source string, now time.Time) (Version, error) {
	if err := checkInput(id, b); err != nil {
		return Version{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	x, err := p.index(id)
	if err != nil && !errors.Is(err, ErrUnknownPlan) {
		return Version{}, err
	}
	return p.publish(id, b, x.publish(b.Hash(), source, now))
}

// Import publishes what plans.dir holds for the plan, unless that is what was
// imported the last time: so a version that was uploaded or rolled back to
// since then stays live over restarts. It returns the version that is live
// then, and whether Import made it so. Errors are those of Publish.
func (p *Plans) Import(id PlanID, b Bundle, now time.Time) (Version, bool, error) {
	if err := checkInput(id, b); err != nil {
		return Version{}, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	x, err := p.index(id)
	if err != nil && !errors.Is(err, ErrUnknownPlan) {
		return Version{}, false, err
	}
	hash := b.Hash()
	if x.Imported == hash {
		return x.version(x.live()), false, nil
	}
	next := x.publish(hash, SourceDir, now)
	next.Imported = hash
	v, err := p.publish(id, b, next)
	return v, err == nil && next.live() != x.live(), err
}

// Imported reports whether a bundle with this hash is what Import took last for
// the plan: Import would change nothing then.
func (p *Plans) Imported(id PlanID, hash string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, err := p.index(id)
	return err == nil && x.Imported == hash
}

// Rollback makes an earlier version live: the one numbered to, or with 0 the
// one that was live before the present one, which can be repeated. It returns
// ErrUnknownPlan, ErrUnknownVersion, or a *DamageError when the version to go
// back to cannot be read; then nothing changes.
func (p *Plans) Rollback(id PlanID, to uint32) (Version, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, err := p.index(id)
	if err != nil {
		return Version{}, err
	}
	next, err := x.rollback(to)
	if err != nil {
		return Version{}, fmt.Errorf("%s: %w", id, err)
	}
	if _, err := p.Bundle(next.version(next.live()).Hash); err != nil {
		return Version{}, err
	}
	return p.store(id, next)
}

// Versions lists the versions of a plan in the order of their numbers.
func (p *Plans) Versions(id PlanID) ([]Version, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, err := p.index(id)
	if err != nil {
		return nil, err
	}
	versions := make([]Version, len(x.Versions))
	for i := range versions {
		versions[i] = x.version(uint32(i + 1))
	}
	return versions, nil
}

// Plans lists all plans that have a live version, in order.
func (p *Plans) Plans() []PlanID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Keys(p.indexes), PlanID.Compare)
}

// Live gives the version of the plan that new calls run, false if there is none.
func (p *Plans) Live(id PlanID) (Version, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, ok := p.indexes[id]
	if !ok {
		return Version{}, false
	}
	return x.version(x.live()), true
}

// Bundle reads the files of a version and verifies them. The error is
// ErrUnknownVersion when there is no such bundle, and a *DamageError when its
// content is not what the hash says. The caller owns the result.
func (p *Plans) Bundle(hash string) (Bundle, error) { return p.layout.readBundle(hash) }

func checkInput(id PlanID, b Bundle) error {
	if err := id.Validate(); err != nil {
		return err
	}
	return b.Validate()
}

// index finds a plan; the caller holds the mutex.
func (p *Plans) index(id PlanID) (index, error) {
	if err := p.damaged[id]; err != nil {
		return index{}, err
	}
	x, ok := p.indexes[id]
	if !ok {
		return index{}, fmt.Errorf("%w %s", ErrUnknownPlan, id)
	}
	return x, nil
}

// publish puts the bundle on the disk before the index that names it.
func (p *Plans) publish(id PlanID, b Bundle, next index) (Version, error) {
	hash := b.Hash()
	if _, err := p.Bundle(hash); err != nil { // missing, or damaged and now repaired
		if err := p.layout.writeBundle(hash, b); err != nil {
			return Version{}, fmt.Errorf("write bundle of %s: %w", id, err)
		}
	}
	return p.store(id, next)
}

// store makes next the index of the plan, on the disk and then in memory.
func (p *Plans) store(id PlanID, next index) (Version, error) {
	if err := p.layout.writeIndex(id, next); err != nil {
		return Version{}, fmt.Errorf("write index of %s: %w", id, err)
	}
	p.indexes[id] = next
	return next.version(next.live()), nil
}
