package load

import "fmt"

// Dialled is what the callee saw of a run that answered its own calls, together with what only calls that
// ring and talk have.
type Dialled struct {
	Invited    int `json:"invited"`     // calls whose INVITE came to the callee
	Rung       int `json:"rung"`        // calls whose caller heard a 180
	Answered   int `json:"answered"`    // calls which the callee answered
	Connected  int `json:"connected"`   // of those, the callee got the ACK
	Released   int `json:"released"`    // calls over at both ends: the callee got the BYE, the caller its 2xx or a BYE
	Stranded   int `json:"stranded"`    // calls which the callee answered and whose BYE it never got
	DoubleLegs int `json:"double_legs"` // INVITEs that were another leg of a call the callee had; refused

	Repeats       int `json:"repeats"`        // INVITEs and BYEs which came to the callee again
	AnswersResent int `json:"answers_resent"` // 2xx which the callee sent again for want of an ACK

	PostDial Quantiles `json:"post_dial"` // from the instant a call was due to its 180
}

// dialled sums up the callee's part of the tally.
func (t *tally) dialled() *Dialled {
	c := t.callee
	return &Dialled{
		Invited:       c.invited,
		Rung:          t.rung,
		Answered:      c.answered,
		Connected:     c.acknowledged,
		Released:      t.released,
		Stranded:      c.answered - c.hungUp,
		DoubleLegs:    c.doubled,
		Repeats:       c.repeats,
		AnswersResent: c.repeated,
		PostDial:      t.postDial.quantiles(),
	}
}

// blame adds what went wrong with the calls.
func (d *Dialled) blame(f *faults) {
	f.add(d.DoubleLegs, "calls placed twice")
	f.add(d.Answered-d.Connected, fmt.Sprintf("of %d answers never acknowledged", d.Answered))
	f.add(d.Stranded, fmt.Sprintf("of %d callees never heard the BYE", d.Answered))
}

// lines are its part of the report for people.
func (d *Dialled) lines() []string {
	return []string{
		fmt.Sprintf("callee     invited %d, rung %d, answered %d, connected %d, released %d", d.Invited, d.Rung, d.Answered, d.Connected, d.Released),
		fmt.Sprintf("faults     stranded %d, double legs %d, repeats %d, answers resent %d", d.Stranded, d.DoubleLegs, d.Repeats, d.AnswersResent),
		fmt.Sprintf("post-dial  %v", d.PostDial),
	}
}
