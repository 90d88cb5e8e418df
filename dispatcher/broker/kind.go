package broker

import "dialyard/proto"

// Kind is what sort of thing is asked.
type Kind uint8

// The kinds.
const (
	Fetching Kind = iota
	LookingUp
	Keeping
	Claiming

	Kinds = iota
)

func (k Kind) String() string {
	return [...]string{"fetch", "lookup", "keep", "claim"}[k]
}

// kindOf is false for an Ask that asks nothing.
func kindOf(ask *proto.Ask) (Kind, bool) {
	switch {
	case ask.GetFetch() != nil:
		return Fetching, true
	case ask.GetLookup() != nil:
		return LookingUp, true
	case ask.GetKeep() != nil:
		return Keeping, true
	case ask.GetClaim() != nil:
		return Claiming, true
	}
	return 0, false
}
