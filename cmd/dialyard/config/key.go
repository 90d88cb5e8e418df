package config

import (
	"slices"
	"strings"
)

// key is one line of the table of keys.
type key struct {
	name   string                 // SECTION.KEY, or KEY alone at the top
	doc    string                 // a line or more for "config print"
	def    string                 // the default, written as in the environment
	byRule func(c *Config) string // instead of def: the default that goes with the other keys
	note   string                 // what to print as the default, if def does not say it
	value  value
}

// env is the name of the key's environment variable.
func (k key) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
}

// section and leaf are the two parts of the name; the section may be empty.
func (k key) section() string { section, _ := splitName(k.name); return section }
func (k key) leaf() string    { _, leaf := splitName(k.name); return leaf }

// fallback is the default that holds in c.
func (k key) fallback(c *Config) string {
	if k.byRule != nil {
		return k.byRule(c)
	}
	return k.def
}

// defaultNote is the default as a reader is told it.
func (k key) defaultNote() string {
	switch {
	case k.note != "":
		return k.note
	case k.def == "":
		return "none"
	case k.value.list:
		return strings.ReplaceAll(k.def, ",", ", ")
	}
	return k.def
}

func splitName(name string) (section, leaf string) {
	if section, leaf, ok := strings.Cut(name, "."); ok {
		return section, leaf
	}
	return "", name
}

// findKey looks a key up by its full name.
func findKey(name string) (key, bool) {
	at := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if at < 0 {
		return key{}, false
	}
	return keys[at], true
}

// namesIn lists what may stand in a section, or with "" at the top, in the
// order of the table.
func namesIn(section string) []string {
	var names []string
	for _, k := range keys {
		name := k.leaf()
		if section == "" && k.section() != "" {
			name = k.section()
		} else if k.section() != section {
			continue
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func isSection(name string) bool {
	return slices.ContainsFunc(keys, func(k key) bool { return k.section() == name && name != "" })
}
