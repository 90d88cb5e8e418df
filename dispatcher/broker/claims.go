package broker

import (
	"container/list"
	"math"
	"slices"
	"sync"
	"time"
)

// The bounds of Claims.
const (
	ClaimNameBytes  = 64      // the longest name
	ClaimPlaces     = 1 << 20 // the most places of one name that mean anything
	ClaimNames      = 1000    // names an account may have in use at once
	ClaimsOfACall   = 20      // places a call may hold at once
	ClaimLongestPer = 24 * time.Hour
)

// Claims is the ledger of named limits: which call holds a place of which name,
// and how far each rate is used up. Names belong to their account. The zero
// value is ready; it must not be copied.
//
//	            granted                    Release, at the end of the call
//	nothing ----------------> call holds the name ----------------> nothing
//	            granted                    time
//	full ---------------> a token fewer ---------> full (and forgotten)
//
// How many places a name has is said by each claim, because plans are edited: a
// claim is granted if there is room by its own figure, and takes nothing from
// those who got theirs by another.
//
// Its memory is that of the places held and of the rates in use: a name of which
// nothing is held is forgotten at once, a rate soon after its bucket is full.
type Claims struct {
	// A mutex and no goroutine: a claim takes some 200 ns, which is less than a
	// message there and back would. Nothing under it waits.
	mu       sync.Mutex
	accounts map[string]*claimAccount
	rates    list.List // of *claimName, those whose bucket is not known to be full
	places   int       // held by calls
	latest   int64     // when the last claim was, Unix ns
}

// ClaimStats is what Claims holds at present.
type ClaimStats struct {
	Accounts int // that have a name in use
	Names    int // in use, rates too
	Rates    int // whose bucket was not known to be full
	Places   int // held by calls
}

// Claim takes a place of the account's name and says whether it could.
//
// With per 0 there are so many places at once, and the place belongs to the call
// until Release; a call that holds the name is granted it again without another
// place. Else there are so many per that time, at most a day, and as many in one
// burst; such a place comes back by itself.
//
// It is refused, whatever is free, when places is not positive, the name is not
// 1 to 64 bytes, the account has 1,000 other names in use, or the call holds 20.
//
// A claim after the call's Release would hold its place for ever: whoever claims
// for a call must have done so before it is released, or must release it again.
func (c *Claims) Claim(now time.Time, account, call, name string, places int, per time.Duration) (granted bool) {
	if places <= 0 || per < 0 || name == "" || len(name) > ClaimNameBytes {
		return false
	}
	at := now.UnixNano()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest = at
	c.forgetFull(at)
	if per > 0 {
		return c.claimRate(at, account, name, places, per)
	}
	return c.claimPlace(at, account, call, name, places)
}

func (c *Claims) claimPlace(at int64, account, call, name string, places int) bool {
	a := c.account(account)
	held := a.calls[call]
	if slices.ContainsFunc(held, func(n *claimName) bool { return n.name == name }) {
		return true
	}
	n := a.names[name]
	if n != nil && n.holders >= places || len(held) >= ClaimsOfACall {
		return false
	}
	return c.hold(at, a, call, name)
}

// hold gives the call a place of the name unless the account has too many names.
func (c *Claims) hold(at int64, a *claimAccount, call, name string) bool {
	n := c.name(at, a, name)
	if n == nil {
		return false
	}
	n.holders++
	c.places++
	a.calls[call] = append(a.calls[call], n)
	return true
}

func (c *Claims) claimRate(at int64, account, name string, places int, per time.Duration) bool {
	a := c.account(account)
	n := c.name(at, a, name)
	if n == nil {
		return false
	}
	if n.turn == nil {
		n.turn = c.rates.PushBack(n)
	}
	return n.token(at, min(places, ClaimPlaces), min(per, ClaimLongestPer))
}

// Release gives back every place that the call holds, and may be called at any
// time and again.
func (c *Claims) Release(account, call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.accounts[account]
	if a == nil {
		return
	}
	held := a.calls[call]
	delete(a.calls, call)
	for _, n := range held {
		n.holders--
		c.places--
		c.forget(n)
	}
}

// Held names the places that the call holds, in the order they were granted:
// what Restore needs in another process.
func (c *Claims) Held(account, call string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.accounts[account]
	if a == nil {
		return nil
	}
	var names []string
	for _, n := range a.calls[call] {
		names = append(names, n.name)
	}
	return names
}

// Restore lets a call hold places that it held in an earlier process, as many as
// others may hold: it had them first. Names beyond the bounds, and those that it
// holds already, are passed over.
func (c *Claims) Restore(account, call string, names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		if name != "" && len(name) <= ClaimNameBytes {
			c.claimPlace(c.latest, account, call, name, math.MaxInt)
		}
	}
}

// Stats may be called at any time. It takes time in proportion to the accounts.
func (c *Claims) Stats() ClaimStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := ClaimStats{Accounts: len(c.accounts), Rates: c.rates.Len(), Places: c.places}
	for _, a := range c.accounts {
		s.Names += len(a.names)
	}
	return s
}
