package broker

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestShares: what one storm, and several, leave to others.
func TestShares(t *testing.T) {
	for storms, want := range map[int]int{1: 50, 2: 33, 3: 25, 9: 10, 99: 1} {
		c := &crowd{places: 100}
		for range 100 { // all at the same time
			for s := range storms {
				c.enter(fmt.Sprint(s))
			}
		}
		if free := c.places - c.inside; free < want {
			t.Errorf("%d storms leave %d places, want %d", storms, free, want)
		}
		if !c.enter("calm") {
			t.Errorf("beside %d storms there is no place", storms)
		}
	}
}

// TestCrowdModel: whatever happens, nobody holds more than was free, nothing is lost,
// and a newcomer gets a place while there is one.
func TestCrowdModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &crowd{places: rapid.IntRange(1, 20).Draw(t, "places")}
		held, inside := map[string]int{}, 0
		account := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		for range rapid.IntRange(0, 100).Draw(t, "steps") {
			who := account.Draw(t, "who")
			if rapid.Bool().Draw(t, "leave") {
				if held[who] > 0 {
					held[who]--
					inside--
					c.leave(who)
				}
				continue
			}
			free := c.places - inside
			if got, want := c.enter(who), held[who] < free; got != want {
				t.Fatalf("%s holds %d, %d are free: enters %v", who, held[who], free, got)
			} else if got {
				held[who]++
				inside++
			}
			if inside > c.places || c.len() != inside {
				t.Fatalf("%d inside of %d, counted %d", inside, c.places, c.len())
			}
		}
		for who, n := range held {
			for range n {
				c.leave(who)
			}
		}
		if len(c.of) != 0 || c.len() != 0 {
			t.Fatalf("left behind: %v", c.of)
		}
		c.close()
		if c.enter("a") {
			t.Fatal("a closed crowd lets in")
		}
	})
}
