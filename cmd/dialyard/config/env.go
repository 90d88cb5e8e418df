package config

import (
	"slices"
	"strings"
)

const envPrefix = "DIALYARD_"

// readEnv reads the variables of the keys; an empty one counts as not set.
//
// Other variables with the prefix are passed over, because container platforms
// make some on their own (DIALYARD_PORT). Only one that is nearly right is a
// fault.
func (r *reader) readEnv(env []string) {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.env()
	}
	for _, pair := range env {
		name, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || text == "" {
			continue
		}
		at := place{env: name}
		if i := slices.Index(names, name); i >= 0 {
			r.readVariable(keys[i], at, text)
		} else if near := nearest(name, names); near != "" {
			r.fail(at, "", "unknown variable, did you mean "+near+"?")
		}
	}
}

func (r *reader) readVariable(k key, at place, text string) {
	r.config.places[k.name] = at
	delete(r.failed, k.name)
	if problem := k.value.set(r.config, text); problem != "" {
		r.fail(at, k.name, problem)
	}
}
