package gateway

import (
	"cmp"
	"reflect"
	"slices"
	"time"
)

// Config says what a gateway is. It is taken as it is: what comes from people
// is checked where it is read. Zero fields mean what is said beside them.
type Config struct {
	Account, Name string // a name is unique within its account
	URIs          []URI

	// For challenges; without a username none is answered.
	Username, Password string
	Realm              string // the only one that is answered; empty for any of this gateway

	Proxy      string // URI that requests are sent by (RFC 3261 §8.1.2); empty for none
	FromDomain string // host of From; empty for the caller's own
	CallerID   string // where the caller's number goes: CallerFrom, CallerPAI or CallerRPID; empty for CallerFrom

	Ping time.Duration // between two OPTIONS to one URI; 0 = never, and always up
	Fall int           // failed pings in a row that take a URI down; 0 = 3
	Rise int           // answered pings in a row that bring it back; 0 = 2

	Calls int     // at once; 0 = no limit
	Rate  float64 // new calls per second, with a burst of one second's worth; 0 = no limit

	NextOn []int // status codes that mean: try the next; nil for NextByDefault, empty for none
}

// URI is one way to reach a gateway.
type URI struct {
	URI      string
	Priority int // lower ones are tried first
	Weight   int // share among those of the same priority; 0 counts as 1
}

// The forms that the caller's number takes.
const (
	CallerFrom = "from" // From
	CallerPAI  = "pai"  // P-Asserted-Identity (RFC 3325)
	CallerRPID = "rpid" // Remote-Party-ID, which never became an RFC
)

// String is the gateway's name, and never the password.
func (c Config) String() string { return c.Account + "/" + c.Name }

// Filled has what is left out filled in, and shares no memory with c.
func (c Config) Filled() Config {
	c.URIs = slices.Clone(c.URIs)
	for i := range c.URIs {
		c.URIs[i].Weight = max(1, c.URIs[i].Weight)
	}
	c.CallerID = cmp.Or(c.CallerID, CallerFrom)
	c.Fall = cmp.Or(c.Fall, 3)
	c.Rise = cmp.Or(c.Rise, 2)
	if c.NextOn == nil {
		c.NextOn = NextByDefault()
	}
	c.NextOn = append([]int{}, c.NextOn...)
	slices.Sort(c.NextOn)
	c.NextOn = slices.Compact(c.NextOn)
	return c
}

// Same reports whether c says what the gateway was made from.
func (g *Gateway) Same(c Config) bool { return reflect.DeepEqual(g.config, c.Filled()) }
