package broker

// An Allowance counts what one run has asked for. The zero value has asked nothing.
// It belongs to the goroutine that owns the run, and must stay with it from one
// attempt to the next.
type Allowance struct {
	spent [Kinds]int
}

// Take counts one more Ask and says whether the policy grants it. Asks that are
// refused afterwards, as busy or bad, count too: a script that asks in a loop comes
// to an end.
func (a *Allowance) Take(k Kind, p *Policy) bool {
	if a.spent[k] >= p.most(k) {
		return false
	}
	a.spent[k]++
	return true
}
