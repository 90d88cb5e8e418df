package journal

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind is what an event is about.
type Kind string

// The kinds.
const (
	Worker     Kind = "worker"     // a worker entered a state
	Verdict    Kind = "verdict"    // the monitor decided about a worker
	Health     Kind = "health"     // the monitor about itself: alarms, lapses
	Quarantine Kind = "quarantine" // what is held against a version of a plan
	Command    Kind = "command"    // an operator's wish
	Plan       Kind = "plan"       // another version is live
	Gateway    Kind = "gateway"    // a URI of a gateway went up or down
	Store      Kind = "store"      // a file or database stopped or began to answer
	Config     Kind = "config"     // the configuration was read again
	Front      Kind = "front"      // the server itself
)

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{Worker, Verdict, Health, Quarantine, Command, Plan, Gateway, Store, Config, Front}
}

// An Event is one thing that happened. What is a word or two out of few: it is
// counted by. Numbers are what the reason rests on, by the names of the API's fields
// where there are such.
type Event struct {
	Number  uint64             `json:"number"` // given by the journal, from 1
	At      time.Time          `json:"at"`
	Kind    Kind               `json:"kind"`
	Subject string             `json:"subject"` // "w1.3", "acme/main@7", "acme/carrier-a"
	What    string             `json:"what"`    // the state entered, the verdict, the command
	Reason  string             `json:"reason,omitempty"`
	By      string             `json:"by,omitempty"` // the operator, as far as known
	Numbers map[string]float64 `json:"numbers,omitempty"`
}

// maxText is the most octets of any text of an event.
const maxText = 1000

// bound cuts what is too long, and drops numbers that JSON cannot say.
func (e *Event) bound() {
	for _, text := range []*string{(*string)(&e.Kind), &e.Subject, &e.What, &e.Reason, &e.By} {
		*text = short(*text)
	}
	for name, n := range e.Numbers {
		if math.IsNaN(n) || math.IsInf(n, 0) {
			delete(e.Numbers, name)
		}
	}
}

func short(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}
