package dialplans

import (
	"errors"

	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

// errNoAnswer is what a script is told of an answer that makes no sense.
var errNoAnswer = errors.New("no answer")

// ask sends what a script wants of the dispatcher's broker and waits for the
// answer; the error is for the script, as a value. It does not return if the run
// is over.
func (r *Run) ask(L *lua.LState, ask *proto.Ask) (*proto.Answer, error) {
	pay(L, lookEvery)
	i := &proto.Instruction{Is: &proto.Instruction_Ask{Ask: ask}}
	r.address(L, i)
	answer := r.await(i).GetAnswer()
	pay(L, lookEvery) // raises the end of a run that was stopped in its sleep
	switch {
	case answer.GetError() != "":
		return nil, errors.New(plainText(answer.Error, maxReason))
	case answer.GetIs() == nil:
		return nil, errNoAnswer
	}
	return answer, nil
}

// pushOutcome pushes a value, or nil and what went wrong in its place.
func pushOutcome(L *lua.LState, value lua.LValue, err error) int {
	return pushOr(L, lua.LNil, value, err)
}

// pushOr pushes a value, or another and what went wrong in its place.
func pushOr(L *lua.LState, failed, value lua.LValue, err error) int {
	if err == nil {
		L.Push(value)
		return 1
	}
	L.Push(failed)
	L.Push(lua.LString(err.Error()))
	return 2
}

// built is a string that came from far away, within the budget of the run.
func built[T string | []byte](L *lua.LState, text T) lua.LString {
	check(L, runOf(L).budget.grow(len(text)))
	return lua.LString(text)
}
