package locate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// failureKept is how long a question that nobody answered is not asked again:
// RFC 9520 §3.2 wants at least a second.
const failureKept = 2 * time.Second

// A flight is a question that is being asked. All who want its answer wait for it.
type flight struct {
	landed    chan struct{} // closed when answer is there
	answer    answer
	abandoned bool // who asked was called off: there is no answer, ask yourself
}

// answersTo asks a batch of questions side by side.
func (r *Resolver) answersTo(ctx context.Context, l *local, questions []question) []answer {
	answers := make([]answer, len(questions))
	if len(questions) == 1 {
		answers[0] = r.answerTo(ctx, l, questions[0])
		return answers
	}
	var wait sync.WaitGroup
	for i, q := range questions {
		wait.Go(func() { answers[i] = r.answerTo(ctx, l, q) })
	}
	wait.Wait()
	return answers
}

// answerTo takes an answer from this machine's files, the cache, a flight that is
// under way, or the name servers, in this order.
func (r *Resolver) answerTo(ctx context.Context, l *local, q question) answer {
	if a, ok := l.answer(time.Now(), q); ok {
		return a
	}
	for {
		r.mu.Lock()
		if a, ok := r.answers.get(time.Now(), q); ok {
			r.mu.Unlock()
			return a
		}
		f, running := r.flights[q]
		if !running {
			f = &flight{landed: make(chan struct{}), abandoned: true}
			if r.flights == nil {
				r.flights = make(map[question]*flight)
			}
			r.flights[q] = f
		}
		r.mu.Unlock()
		if !running {
			r.fly(ctx, l, q, f)
			return f.answer
		}
		select {
		case <-f.landed:
			if !f.abandoned {
				return f.answer
			}
		case <-ctx.Done():
			return answer{err: ctx.Err()}
		}
	}
}

// fly asks the name servers for all who wait in f.
func (r *Resolver) fly(ctx context.Context, l *local, q question, f *flight) {
	defer func() {
		r.mu.Lock()
		delete(r.flights, q)
		r.answers.limit = r.cacheSize()
		r.answers.put(time.Now(), q, f.answer, f.answer.expires)
		r.mu.Unlock()
		close(f.landed)
	}()
	a, ttl := r.resolve(ctx, l.servers, q)
	if ttl > 0 {
		a.expires = time.Now().Add(ttl)
	}
	f.answer, f.abandoned = a, a.err != nil && ctx.Err() != nil
}

// resolve asks for a name, and on from alias to alias where name servers leave
// that to us. An answer with a TTL of 0 must not be kept.
func (r *Resolver) resolve(ctx context.Context, servers []string, q question) (answer, time.Duration) {
	ttl := r.lifetime().most
	for range maxAlias {
		if n := r.asking.Add(1); int(n) > r.maxAsking() {
			r.asking.Add(-1)
			return answer{err: fmt.Errorf("%d questions are open already", n-1)}, 0
		}
		got, err := r.inquire(ctx, servers, q)
		r.asking.Add(-1)
		switch {
		case ctx.Err() != nil && err != nil:
			return answer{err: ctx.Err()}, 0
		case err != nil:
			return answer{err: err}, failureKept
		}
		ttl = min(ttl, got.ttl)
		if got.alias == "" {
			return got.answer, ttl
		}
		q.name = got.alias
	}
	return answer{err: errAliases}, failureKept
}

// inquire asks the name servers in turn, each Tries times, until one answers. It
// begins with the one that answered last, so that a dead one costs its timeout
// once and not for each question.
func (r *Resolver) inquire(ctx context.Context, servers []string, q question) (reading, error) {
	if len(servers) == 0 {
		return reading{}, fmt.Errorf("no name server is configured")
	}
	var err error
	first := r.first.Load()
	for i := range uint32(r.tries() * len(servers)) {
		at := (first + i) % uint32(len(servers))
		m, failure := exchange(ctx, servers[at], q, r.timeout())
		var got reading
		if failure == nil {
			got, failure = read(q, m, r.lifetime())
		}
		if failure == nil {
			if i > 0 {
				r.first.CompareAndSwap(first, at)
			}
			return got, nil
		}
		if ctx.Err() != nil || errors.Is(failure, errAliases) {
			return reading{}, failure // the others have the same zone
		}
		err = failure
	}
	return reading{}, err
}
