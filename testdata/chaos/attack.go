package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	stormRate = 20 // calls/s of an attack
	stormTime = 4 * time.Second
)

// storm has a hostile account publish another of its attacks and be called a lot.
func (t *trouble) storm(ctx context.Context, r *rand.Rand, arsenal int) error {
	arms := arsenals[arsenal]
	return t.strike(ctx, everybody()[behavedAccounts+arsenal], arms[r.IntN(len(arms))], stormTime)
}

// hangOne has the script engine of a worker hang, and sees how soon that is known.
func (t *trouble) hangOne(ctx context.Context, _ *rand.Rand) error {
	t.calm.RLock()
	defer t.calm.RUnlock()
	from, _ := t.server.logged(0, "")
	begun := time.Now()
	known := make(chan bool, 1)
	go func() {
		known <- t.await(ctx, time.Minute, func() bool { _, n := t.server.logged(from, "runs do not end"); return n > 0 })
	}()
	err := t.strike(ctx, everybody()[behavedAccounts+1], hang, time.Second)
	if <-known {
		t.figure(figureHang, time.Since(begun))
	}
	return err
}

// strike publishes a plan of a hostile account and places calls on it. A number makes each attack a version
// of its own, so that none is in quarantine yet.
func (t *trouble) strike(ctx context.Context, a account, source string, d time.Duration) error {
	t.mu.Lock()
	t.attacks++
	source = fmt.Sprintf("%s\n-- %d\n", source, t.attacks)
	t.mu.Unlock()
	if err := t.put(a, source); err != nil {
		return err
	}
	report, err := t.call(ctx, a, stormRate, d)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.attack.Sent += report.Sent
	t.attack.Lost += report.Lost
	t.attack.Answered = sum(t.attack.Answered, report.Answered)
	return err
}

// put publishes a plan. The worker that checks it may die of something else, so it is tried more than once.
func (t *trouble) put(a account, source string) (err error) {
	for range 5 {
		err = t.server.ask(http.MethodPut, "/v1/accounts/"+a.name+"/plans/main", source, nil)
		if refused := (*refusal)(nil); !errors.As(err, &refused) || refused.status != http.StatusServiceUnavailable {
			return err
		}
		time.Sleep(time.Second)
	}
	return err
}

// publish gives somebody who behaves well a version that does not compile, which must be refused, and then
// a good one.
func (t *trouble) publish(_ context.Context, r *rand.Rand) error {
	a := everybody()[r.IntN(behavedAccounts)]
	source := fmt.Sprintf("%s\n-- %d\n", t.server.source(a), r.Uint64())
	refused := (*refusal)(nil)
	if err := t.put(a, source+"local = ="); !errors.As(err, &refused) || refused.status != http.StatusUnprocessableEntity {
		return fmt.Errorf("a version that does not compile was answered with %v", err)
	}
	return t.put(a, source)
}

func sum(a, b map[int]int) map[int]int {
	both := map[int]int{}
	for _, m := range []map[int]int{a, b} {
		for status, n := range m {
			both[status] += n
		}
	}
	return both
}
