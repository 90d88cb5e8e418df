package sip

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestMarks: what a shard makes names it, whatever its number, and says nothing else.
func TestMarks(t *testing.T) {
	for shard := range 256 {
		var queue Queue
		l := NewLayer(&queue, [32]byte{byte(shard)}, byte(shard))
		tag, branch := l.NewTag(), l.newBranch()
		if got, ok := Owner(tag); !ok || got != byte(shard) {
			t.Errorf("the tag %s of shard %d is that of %d, %v", tag, shard, got, ok)
		}
		if got, ok := OwnerOfBranch(branch); !ok || got != byte(shard) {
			t.Errorf("the branch %s of shard %d is that of %d, %v", branch, shard, got, ok)
		}
		if !IsToken(tag) || !strings.HasPrefix(branch, branchCookie) || len(branch) != len(branchCookie)+len(tag) {
			t.Errorf("tag %q, branch %q", tag, branch)
		}
	}
}

// TestTokensOccurOnce: neither a layer nor two of different seeds repeat themselves,
// and the same seed does.
func TestTokensOccurOnce(t *testing.T) {
	var queue Queue
	one, two, again := NewLayer(&queue, [32]byte{1}, 7), NewLayer(&queue, [32]byte{2}, 7), NewLayer(&queue, [32]byte{1}, 7)
	seen := map[string]bool{}
	for range 10_000 {
		tag := one.NewTag()
		if seen[tag] || again.NewTag() != tag {
			t.Fatalf("%s", tag)
		}
		seen[tag] = true
		if tag = two.NewTag(); seen[tag] {
			t.Fatalf("%s", tag)
		}
		seen[tag] = true
	}
}

// TestForeignMarks: tokens of another make have no owner.
func TestForeignMarks(t *testing.T) {
	for _, tag := range []string{
		"", "00", "0000000000000", "000000000000000", "w0000000000000", "00000000000-00", "0000000000000A", "0000000\x00000000", "00000000000éx",
		"80000000000000", "v0000000000000", // a shard of 256 and more
	} {
		if shard, ok := Owner(tag); ok {
			t.Errorf("the tag %q is taken for shard %d's", tag, shard)
		}
	}
	for _, branch := range []string{"", branchCookie, "00000000000000", "Z9hG4bK00000000000000", branchCookie + "0000000000000", branchCookie + "0000000000000W", branchCookie + branchCookie + "0000000"} {
		if shard, ok := OwnerOfBranch(branch); ok {
			t.Errorf("the branch %q is taken for shard %d's", branch, shard)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		tag := rapid.String().Draw(t, "tag")
		Owner(tag) // must not panic
		OwnerOfBranch(branchCookie + tag)
	})
}
