package broker

import (
	"context"
	"errors"
)

// Outcome is what came of an Ask.
type Outcome uint8

// The outcomes. All but Answered are refusals, and their names are the words that a
// script reads.
const (
	Answered    Outcome = iota
	Busy                // too much is under way, of all accounts or of this one
	Limit               // the run has had all that it may ask for
	BadRequest          // a field is not as worker.proto wants it
	NotAllowed          // the account may not reach that
	Timeout             // no answer, or not all of it, in time
	TooLarge            // the answer exceeds what a script may be told
	Unreachable         // no connection, or no name server that answers
	BadAnswer           // what answered does not speak HTTP
	Cancelled           // the run is over
	Unavailable         // the store, or this broker, cannot do it now

	Outcomes = iota
)

func (o Outcome) String() string {
	return [...]string{"answered", "busy", "limit", "bad request", "not allowed", "timeout", "too large", "unreachable",
		"bad answer", "cancelled", "unavailable"}[o]
}

// A Refusal is why there is no answer, in words for the script: "not allowed: host".
type Refusal struct {
	Outcome Outcome
	Detail  string // names a field or a rule, never an address or anything that was found
}

func (r Refusal) Error() string {
	if r.Detail == "" {
		return r.Outcome.String()
	}
	return r.Outcome.String() + ": " + r.Detail
}

// refusalOf finds the words for an error: its own, if it is a Refusal, or those for
// the end of a context. Any other is unavailable, and its text stays here.
func refusalOf(err error) Refusal {
	var refusal Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.Is(err, context.DeadlineExceeded):
		return Refusal{Outcome: Timeout}
	case errors.Is(err, context.Canceled):
		return Refusal{Outcome: Cancelled}
	}
	return Refusal{Outcome: Unavailable}
}
