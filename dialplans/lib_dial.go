package dialplans

import (
	"time"

	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

// lastWord is how long before the end of a run's total time its last dial ends,
// so that the script can still decide.
const lastWord = time.Second

// callDial is call:dial(targets, options).
func callDial(L *lua.LState) int {
	self(L, "dial")
	d := newDialling(L, 3)
	dial := &proto.Dial{Groups: d.targets(2), TimeoutMs: d.total}
	legs, err := countLegs(dial.Groups)
	check(L, err)
	answer := undecided(L, "dial").dial(L, dial, legs)
	L.Push(dialledTable(L, answer))
	return 1
}

// dial sends the instruction and waits for its outcome. It does not return if
// the run is over.
func (r *Run) dial(L *lua.LState, dial *proto.Dial, legs int) *proto.Dialled {
	if r.gone {
		r.budget.end(proto.Outcome_OUTCOME_CANCELLED, givenUp)
	}
	if r.legs += legs; r.legs > maxLegs {
		r.budget.end(proto.Outcome_OUTCOME_LIMIT, "the script dialled more than 20 legs")
	}
	pay(L, lookEvery)
	left := uint32(max(time.Millisecond, r.budget.totalLeft()-lastWord) / time.Millisecond)
	if dial.TimeoutMs == 0 || dial.TimeoutMs > left {
		dial.TimeoutMs = left
	}
	i := &proto.Instruction{Is: &proto.Instruction_Dial{Dial: dial}}
	r.address(L, i)
	answer := r.await(i).GetDialled()
	pay(L, lookEvery) // raises the end of a run that was stopped in its sleep
	switch answer.GetStatus() {
	case proto.DialStatus_DIAL_STATUS_ANSWERED:
		r.decided = answered
		r.budget.part(answered)
	case proto.DialStatus_DIAL_STATUS_CANCELLED:
		r.gone = true
		r.budget.part(givenUp)
	}
	return answer
}

// dialled is what a script is told of each status; the code stands in for one
// that is not known.
var dialled = map[proto.DialStatus]struct {
	status string
	code   uint32
}{
	proto.DialStatus_DIAL_STATUS_ANSWERED:   {"answered", 200},
	proto.DialStatus_DIAL_STATUS_BUSY:       {"busy", 486},
	proto.DialStatus_DIAL_STATUS_NO_ANSWER:  {"no_answer", 408},
	proto.DialStatus_DIAL_STATUS_FAILED:     {"failed", 480},
	proto.DialStatus_DIAL_STATUS_CANCELLED:  {"cancelled", 487},
	proto.DialStatus_DIAL_STATUS_REDIRECTED: {"redirected", 302},
}

// dialledTable is the outcome of a dial for the script. Text in it came from
// far away: what the verbs would refuse is not passed on.
func dialledTable(L *lua.LState, d *proto.Dialled) *lua.LTable {
	told, ok := dialled[d.GetStatus()]
	if !ok {
		told = dialled[proto.DialStatus_DIAL_STATUS_FAILED]
	}
	code := d.GetCode()
	if code < 100 || code > 699 {
		code = told.code
	}
	t := L.NewTable()
	t.RawSetString("status", lua.LString(told.status))
	t.RawSetString("code", lua.LNumber(code))
	t.RawSetString("reason", lua.LString(plainText(d.GetReason(), maxReason)))
	t.RawSetString("leg", lua.LNumber(d.GetLeg()))
	t.RawSetString("seconds", lua.LNumber(d.GetElapsedMs())/1000)
	if d.GetStatus() == proto.DialStatus_DIAL_STATUS_REDIRECTED {
		contacts := L.NewTable()
		for _, uri := range d.GetContacts() {
			if checkTarget(uri) == nil && contacts.Len() < maxTargets {
				contacts.Append(lua.LString(uri))
			}
		}
		t.RawSetString("contacts", contacts)
	}
	return t
}
