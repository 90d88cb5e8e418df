package worker

import "math/bits"

// Shuffle sharding: an account's runs go to few slots of many, which ones its name
// decides. Two accounts rarely share all of theirs, so that one whose plans hang or
// kill workers leaves nearly everybody else another worker. While none of an
// account's slots is ready the others help out.

const (
	allSlots   = ^uint64(0)
	shardFrom  = 4 // slots, from which on accounts touch only some
	shardUsual = 2 // slots that an account touches then
)

// slotsOf are the slots that an account may touch, a bit each, of 64 at the most: those with the highest
// scores for its name (rendezvous hashing), so that a change of the number of slots
// moves few accounts.
func (p *Pool) slotsOf(account string) uint64 {
	n := p.shard()
	if n >= p.Slots {
		return allSlots
	}
	name := fnv(account)
	var mask uint64
	for range n {
		best, most := 0, uint64(0)
		for slot := range p.Slots {
			if score := scatter(name, slot); mask&(1<<slot) == 0 && score >= most {
				best, most = slot, score
			}
		}
		mask |= 1 << best
	}
	return mask
}

// shard is how many slots an account may touch.
func (p *Pool) shard() int {
	switch {
	case p.Shard > 0:
		return p.Shard
	case p.Slots < shardFrom:
		return p.Slots
	}
	return shardUsual
}

// fnv is FNV-1a of a name: the same in every process.
func fnv(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// scatter is a slot's score for a name.
func scatter(name uint64, slot int) uint64 {
	x := bits.RotateLeft64(name, slot%64) ^ uint64(slot+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>32) * 0xd6e8feb86659fd93
	x = (x ^ x>>32) * 0xd6e8feb86659fd93
	return x ^ x>>32
}
