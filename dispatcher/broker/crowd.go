package broker

import "sync"

// A crowd is those who are at work, on a bounded number of places. It is shared so
// that no account needs a figure of its own: one more may enter while its account
// holds fewer places than are free. Alone, an account gets half; beside one storm
// there is as much left as the storm has; n storms leave one part in n+1.
type crowd struct {
	places int
	// A mutex, because shards enter and workers leave; it is held for one look
	// into the map and never while anything is waited for.
	mu     sync.Mutex
	inside int
	of     map[string]int // account -> places it holds
	closed bool
	gone   sync.WaitGroup // for all that entered to have left
}

// enter takes a place for an account, or says that there is none for it.
func (c *crowd) enter(account string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.of[account] >= c.places-c.inside {
		return false
	}
	if c.of == nil {
		c.of = make(map[string]int)
	}
	c.inside++
	c.of[account]++
	c.gone.Add(1)
	return true
}

// leave gives back a place of an account.
func (c *crowd) leave(account string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inside--
	if c.of[account]--; c.of[account] == 0 {
		delete(c.of, account)
	}
	c.gone.Done()
}

// len is how many are inside.
func (c *crowd) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inside
}

// close lets nobody in any more, and waits until all have left.
func (c *crowd) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.gone.Wait()
}
