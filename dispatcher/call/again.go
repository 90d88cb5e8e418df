package call

// Unnoticed reports whether a call whose script has not decided can begin once more, in
// another process: nothing of it can have been noticed outside but its 100.
func (c *Call) Unnoticed() bool {
	return !c.noticed && (c.state == Placing || c.state == Running)
}
