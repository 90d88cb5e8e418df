package store

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// A PlanID names a plan: the account that owns it and its name there. Both
// match ^[a-z0-9][a-z0-9_-]{0,62}$, which also makes them safe as file names.
type PlanID struct {
	Account string
	Plan    string
}

var planName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// A NameError says that an account, a plan or a file of a bundle has a name
// that is not allowed.
type NameError struct {
	What string // "account", "plan", "file" or "plan id"
	Name string
	Want string // what would be allowed
}

func (e *NameError) Error() string {
	return fmt.Sprintf("%s name %q: want %s", e.What, e.Name, e.Want)
}

// NameForm says in words what names of accounts and plans look like.
const NameForm = "1 to 63 of a-z 0-9 _ -, not beginning with _ or -"

// ParsePlanID reads an id written as ACCOUNT/PLAN, such as demo/main. The error
// is a *NameError.
func ParsePlanID(text string) (PlanID, error) {
	account, plan, ok := strings.Cut(text, "/")
	if !ok {
		return PlanID{}, &NameError{What: "plan id", Name: text, Want: "ACCOUNT/PLAN, such as demo/main"}
	}
	id := PlanID{Account: account, Plan: plan}
	return id, id.Validate()
}

// Validate reports the first of the two names that is not allowed, as a
// *NameError.
func (id PlanID) Validate() error {
	if !planName.MatchString(id.Account) {
		return &NameError{What: "account", Name: id.Account, Want: NameForm}
	}
	if !planName.MatchString(id.Plan) {
		return &NameError{What: "plan", Name: id.Plan, Want: NameForm}
	}
	return nil
}

// String is the id as ParsePlanID reads it.
func (id PlanID) String() string { return id.Account + "/" + id.Plan }

// Compare orders ids by account, then by plan.
func (id PlanID) Compare(other PlanID) int {
	return cmp.Or(strings.Compare(id.Account, other.Account), strings.Compare(id.Plan, other.Plan))
}
