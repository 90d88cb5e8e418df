package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	_ "modernc.org/sqlite"
)

// fault is something that should not happen.
type fault struct {
	name string
	do   func(t *trouble, ctx context.Context, random *rand.Rand) error
}

var faults = []fault{
	{"kill a worker", func(t *trouble, ctx context.Context, r *rand.Rand) error { return t.killSome(ctx, r, 1) }},
	{"kill two workers", func(t *trouble, ctx context.Context, r *rand.Rand) error { return t.killSome(ctx, r, 2) }},
	{"stop a worker", (*trouble).stopOne},
	{"kill a worker for suspects", func(t *trouble, _ context.Context, r *rand.Rand) error { return t.penalize(r, syscall.SIGKILL) }},
	{"stop a worker for suspects", func(t *trouble, _ context.Context, r *rand.Rand) error { return t.penalize(r, syscall.SIGSTOP) }},
	{"attack: Lua", func(t *trouble, ctx context.Context, r *rand.Rand) error { return t.storm(ctx, r, 0) }},
	{"attack: runtime", func(t *trouble, ctx context.Context, r *rand.Rand) error { return t.storm(ctx, r, 1) }},
	{"attack: worker", func(t *trouble, ctx context.Context, r *rand.Rand) error { return t.storm(ctx, r, 2) }},
	{"attack: hang", (*trouble).hangOne},
	{"publish", (*trouble).publish},
	{"recycle", func(t *trouble, ctx context.Context, r *rand.Rand) error { return t.command(ctx, r, "recycle") }},
	{"drain", func(t *trouble, ctx context.Context, r *rand.Rand) error { return t.command(ctx, r, "drain") }},
	{"freeze the front", (*trouble).freeze},
	{"lock calls.db", func(t *trouble, _ context.Context, _ *rand.Rand) error { return t.lock("calls.db") }},
	{"lock keeps.db", (*trouble).lockKeys},
}

// errNotNow says that a fault would be more than the server is to withstand just now: two workers must be left.
var errNotNow = errors.New("not now")

const leftAlone = 2

// victims draws some workers.
func (t *trouble) victims(r *rand.Rand, n int) ([]worker, error) {
	list, err := t.server.workers()
	if err != nil {
		return nil, err
	}
	some := ready(list)
	if len(some) < n+leftAlone {
		return nil, errNotNow
	}
	r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	return some[:n], nil
}

// killSome ends workers, and sees how soon the pool notices and is at full strength again.
func (t *trouble) killSome(ctx context.Context, r *rand.Rand, n int) error {
	victims, err := t.victims(r, n)
	if err != nil {
		return err
	}
	t.calm.RLock()
	defer t.calm.RUnlock()
	for _, w := range victims {
		if err := syscall.Kill(w.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	died := time.Now()
	for _, w := range victims {
		if t.until(ctx, func(list []worker) bool { return !serves(list, w) }) {
			t.figure(figureExit, time.Since(died))
		}
	}
	for _, w := range victims {
		if t.refilled(ctx, w) {
			t.figure(figureStrength, time.Since(died))
		}
	}
	return nil
}

// stopOne has a worker stand still.
func (t *trouble) stopOne(ctx context.Context, r *rand.Rand) error {
	victims, err := t.victims(r, 1)
	if err != nil {
		return err
	}
	w, start := victims[0], born(victims[0].Pid)
	t.calm.RLock()
	defer t.calm.RUnlock()
	if err := syscall.Kill(w.Pid, syscall.SIGSTOP); err != nil {
		return nil // it has ended by itself
	}
	stopped := time.Now()
	if t.until(ctx, func(list []worker) bool { return !serves(list, w) }) {
		t.figure(figureSilent, time.Since(stopped))
	}
	for start != 0 && born(w.Pid) == start {
		if time.Since(stopped) > 2*time.Minute {
			syscall.Kill(w.Pid, syscall.SIGKILL)
			return fmt.Errorf("%s was stopped and still there after two minutes", w.name())
		}
		time.Sleep(lookEvery)
	}
	t.figure(figureGone, time.Since(stopped))
	return nil
}

// penalize does something to a worker that is for suspects: the API does not show those.
func (t *trouble) penalize(r *rand.Rand, sig syscall.Signal) error {
	list, err := t.server.workers()
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(children(t.server.cmd.Process.Pid), func(pid int) bool {
		return slices.ContainsFunc(list, func(w worker) bool { return w.Pid == pid || w.Pid == 0 })
	})
	if len(others) == 0 {
		return errNotNow
	}
	t.calm.RLock()
	defer t.calm.RUnlock()
	if err := syscall.Kill(others[r.IntN(len(others))], sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// freeze has the whole front stand still for a second.
func (t *trouble) freeze(_ context.Context, _ *rand.Rand) error {
	t.calm.Lock() // not while something is timed
	defer t.calm.Unlock()
	if err := t.server.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(time.Second)
	return t.server.cmd.Process.Signal(syscall.SIGCONT)
}

// command has a worker replaced, as an operator would.
func (t *trouble) command(ctx context.Context, r *rand.Rand, verb string) error {
	victims, err := t.victims(r, 1)
	if err != nil {
		return err
	}
	w := victims[0]
	err = t.server.ask(http.MethodPost, "/v1/workers/"+w.name()+"/"+verb+"?reason=chaos", "", nil)
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		return errNotNow // it has died meanwhile
	}
	if err == nil && !t.refilled(ctx, w) {
		return fmt.Errorf("no successor of %s", w.name())
	}
	return err
}

// lockKeys has every script that writes a key wait for it: each of them is past its first effect. It is not
// done while workers are killed, or it would be the number of those that is measured.
func (t *trouble) lockKeys(context.Context, *rand.Rand) error {
	t.calm.Lock()
	defer t.calm.Unlock()
	return t.lock("keeps.db")
}

// lockTime is how long a database cannot be written.
const lockTime = 700 * time.Millisecond

func (t *trouble) lock(name string) error {
	db, err := sql.Open("sqlite", filepath.Join(t.server.dir, "data", name)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	time.Sleep(lockTime)
	_, err = conn.ExecContext(context.Background(), "ROLLBACK")
	return err
}
