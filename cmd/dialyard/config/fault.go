package config

import (
	"fmt"
	"strings"
)

// An Error is one fault of a configuration.
type Error struct {
	Where   string // FILE:LINE:COLUMN, the name of an environment variable, or empty
	Key     string // in full, such as workers.count or routes[0].plan; empty if it is no key's fault
	Problem string // what is wrong, and what is allowed
}

func (e *Error) Error() string {
	text := e.Problem
	if e.Key != "" {
		text = e.Key + ": " + text
	}
	if e.Where != "" {
		text = e.Where + ": " + text
	}
	return text
}

// place is where a key was set: in the file at a line and column, counted from
// 1, or by an environment variable.
type place struct {
	file      string
	line, col int
	env       string
}

func (p place) String() string {
	switch {
	case p.env != "":
		return p.env
	case p.line > 0:
		return fmt.Sprintf("%s:%d:%d", p.file, p.line, p.col)
	}
	return p.file
}

// within is the place of something inside a key: that of the variable, if the
// key was set by one.
func (c *Config) within(key string, p place) place {
	if set := c.places[key]; set.env != "" {
		return set
	}
	return p
}

// choices writes names for a message: "a, b or c".
func choices(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// unknownKey says what could have been written where a key does not exist.
func unknownKey(name string, allowed []string) string {
	if near := nearest(name, allowed); near != "" {
		return fmt.Sprintf("unknown key, did you mean %s? Allowed here: %s", near, choices(allowed))
	}
	return "unknown key, allowed here: " + choices(allowed)
}
