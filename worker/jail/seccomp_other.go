//go:build !amd64 && !arm64

package jail

import "errors"

var errNoRules = errors.New("there are no rules for this architecture")

func seccompSupport() error { return errNoRules }

func renounceCalls() error { return errNoRules }
