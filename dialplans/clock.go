package dialplans

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones must not depend on the machine
)

// maxZoneName is the length of the longest zone name, in bytes.
const maxZoneName = 40

// zones keeps the zones that scripts have asked for: of only so many names that
// load, each in one spelling.
var zones sync.Map // of name to *time.Location

// zone is a time zone by its IANA name; "" is UTC.
func zone(name string) (*time.Location, error) {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), nil
	}
	var location *time.Location
	err := errors.ErrUnsupported
	if len(name) <= maxZoneName && name != "Local" && (name == "" || path.Clean(name) == name) {
		location, err = time.LoadLocation(name)
	}
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q; zones are called like \"Europe/London\"", clip(name))
	}
	zones.Store(strings.Clone(name), location)
	return location, nil
}

// weekday is the day of the week as "mon" to "sun".
func weekday(t time.Time) string {
	return strings.ToLower(t.Weekday().String()[:3])
}

// clockTime reads "HH:MM", up to "24:00", as minutes since midnight.
func clockTime(s string) (minutes int, err error) {
	hours, mins, found := strings.Cut(s, ":")
	h, okHours := twoDigits(hours)
	m, okMins := twoDigits(mins)
	if !found || !okHours || !okMins || m > 59 || h*60+m > 24*60 {
		return 0, fmt.Errorf("%q is not a time of day; write it like \"09:00\"", clip(s))
	}
	return h*60 + m, nil
}

// twoDigits reads one or two digits.
func twoDigits(s string) (int, bool) {
	if len(s) < 1 || len(s) > 2 {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// between reports whether t is in the part of the day that begins at from and
// ends just before to. It goes past midnight when to is not after from: the
// whole day if they are equal.
func between(t time.Time, from, to string) (bool, error) {
	begin, err := clockTime(from)
	if err != nil {
		return false, err
	}
	end, err := clockTime(to)
	if err != nil {
		return false, err
	}
	now := t.Hour()*60 + t.Minute()
	if begin < end {
		return begin <= now && now < end, nil
	}
	return begin <= now || now < end, nil
}
