package broker

import (
	"container/list"
	"time"
)

// claimAccount is what an account has in use. It exists while it has a name.
type claimAccount struct {
	account string
	names   map[string]*claimName
	calls   map[string][]*claimName // what each call holds, in the order of the grants

	// While it is full of names, it is not searched for one to forget again
	// between these two, Unix ns: there was none.
	searched, fruitless int64
}

// claimName is one name of an account: places that calls hold, or a rate, or both.
type claimName struct {
	account *claimAccount
	name    string
	holders int
	full    int64         // when the bucket of the rate is full again, Unix ns
	turn    *list.Element // among Claims.rates; nil when the bucket is full
}

// token is the generic cell rate algorithm: the bucket is one instant, that at
// which it is full, and a token is an interval of it. The interval is rounded up,
// so that the rate is never exceeded, and the bucket holds exactly so many.
//
// An instant further ahead than an empty bucket comes of a claim with other
// figures, or of a clock that was set back: it counts as an empty bucket.
func (n *claimName) token(now int64, places int, per time.Duration) bool {
	interval := (int64(per) + int64(places) - 1) / int64(places)
	empty := now + interval*int64(places)
	n.full = min(max(n.full, now), empty)
	if n.full+interval > empty {
		return false
	}
	n.full += interval
	return true
}

// isFull says that the rate can be forgotten: nothing of it is used up, or it is
// so for longer than a rate can be, which means that the clock was set back.
func (n *claimName) isFull(now int64) bool {
	return n.full <= now || n.full-now > int64(ClaimLongestPer+time.Second)
}

func (c *Claims) account(account string) *claimAccount {
	a := c.accounts[account]
	if a == nil {
		a = &claimAccount{account: account, names: map[string]*claimName{}, calls: map[string][]*claimName{}}
		if c.accounts == nil {
			c.accounts = map[string]*claimAccount{}
		}
		c.accounts[account] = a
	}
	return a
}

// name is the account's name, made if there is none; nil if there are too many.
func (c *Claims) name(at int64, a *claimAccount, name string) *claimName {
	if n := a.names[name]; n != nil {
		return n
	}
	if len(a.names) >= ClaimNames && !c.makeRoom(at, a) {
		return nil
	}
	n := &claimName{account: a, name: name}
	a.names[name] = n
	c.accounts[a.account] = a // from which making room may have removed it
	return n
}

// makeRoom forgets the account's rates whose bucket is full. If there are none
// it remembers when the first of them will be: a search takes 10 us, and an
// account might ask for one with every claim.
func (c *Claims) makeRoom(at int64, a *claimAccount) bool {
	if a.searched <= at && at < a.fruitless {
		return false
	}
	a.searched, a.fruitless = at, at+int64(time.Second)
	for _, n := range a.names {
		if n.turn == nil {
			continue
		}
		if n.isFull(at) {
			c.forgetRate(n)
		} else {
			a.fruitless = min(a.fruitless, n.full)
		}
	}
	return len(a.names) < ClaimNames
}

// forgetFull looks at two rates in turn. A claim makes at most one, so that those
// to be forgotten cannot become many.
func (c *Claims) forgetFull(at int64) {
	for range min(2, c.rates.Len()) {
		e := c.rates.Front()
		if n := e.Value.(*claimName); n.isFull(at) {
			c.forgetRate(n)
		} else {
			c.rates.MoveToBack(e)
		}
	}
}

func (c *Claims) forgetRate(n *claimName) {
	c.rates.Remove(n.turn)
	n.turn, n.full = nil, 0
	c.forget(n)
}

// forget removes the name if nothing of it is in use, and its account with the
// last one.
func (c *Claims) forget(n *claimName) {
	a := n.account
	if n.holders > 0 || n.turn != nil {
		return
	}
	delete(a.names, n.name)
	if len(a.names) == 0 {
		delete(c.accounts, a.account)
	}
}
