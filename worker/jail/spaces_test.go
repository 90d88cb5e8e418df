package jail

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

// What systems allow, in the order of how much they do.
func TestTheMostIsMadeOfWhatASystemAllows(t *testing.T) {
	root, other := []identity{foreignUser, hostUser}, []identity{hostUser}
	deny := func(flags clone) func(clone, identity) error {
		return func(asked clone, _ identity) error {
			if asked&flags != 0 {
				return syscall.EPERM
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		who   []identity
		try   func(clone, identity) error
		want  string
		lacks string
	}{
		"everything, as root":      {root, deny(0), "userns,mountns,pidns,netns,ipcns,utsns,uid", ""},
		"everything, as a user":    {other, deny(0), "userns,mountns,pidns,netns,ipcns,utsns", ""},
		"no user namespaces, root": {root, deny(syscall.CLONE_NEWUSER), "mountns,pidns,netns,ipcns,utsns,uid", "userns"},
		"one that is forbidden":    {root, deny(syscall.CLONE_NEWNET), "userns,mountns,pidns,ipcns,utsns,uid", "netns"},
		"nothing, root":            {root, deny(syscall.CLONE_NEWUSER | everySpace), "uid", "userns mountns pidns netns ipcns utsns"},
		"nothing, as a user":       {other, deny(syscall.CLONE_NEWUSER | everySpace), "", "userns mountns pidns netns ipcns utsns"},
		"namespaces for users of namespaces only": {other, func(asked clone, _ identity) error {
			if asked&everySpace != 0 && asked&syscall.CLONE_NEWUSER == 0 {
				return syscall.EPERM
			}
			return nil
		}, "userns,mountns,pidns,netns,ipcns,utsns", ""},
		"65534 is not mapped": {root, func(_ clone, who identity) error {
			if who == foreignUser {
				return errors.New("not mapped")
			}
			return nil
		}, "userns,mountns,pidns,netns,ipcns,utsns", ""},
	} {
		r := Report{}
		bestAttempt(c.who, c.try).report(&r)
		if r.String() != c.want {
			t.Errorf("%s: %q, want %q", name, r, c.want)
		}
		for _, wall := range strings.Fields(c.lacks) {
			if !strings.Contains(r.Gaps(), "no "+wall+": ") {
				t.Errorf("%s: nothing of %s in %q", name, wall, r.Gaps())
			}
		}
	}
}

func TestAJailIsRequiredWholeOrNotAtAll(t *testing.T) {
	whole := build(t).Report().Gaps() == ""
	j, err := New(Require)
	if whole != (err == nil) || !whole && !strings.Contains(err.Error(), "no ") {
		t.Errorf("with the gaps %q: %v", build(t).Report().Gaps(), err)
	}
	if err == nil && !strings.HasSuffix(j.Report().String(), "nnp,landlock,seccomp,rlimits") {
		t.Error(j.Report())
	}
	if j, err = New(Off); err != nil || j.Report().String() != Rlimits {
		t.Errorf("off: %q %v", j.Report(), err)
	}
	if _, err = New("on"); err == nil {
		t.Error("there is a level called on")
	}
}
