package dialplans

import (
	"errors"
	"fmt"
	"math"
)

// Bounds of keys, values and limits; those of the wire.
const (
	maxKey       = 256                // bytes
	maxValue     = 16 << 10           // bytes
	maxTTL       = 365 * 24 * 60 * 60 // seconds
	maxLimitName = 64                 // bytes
	maxPlaces    = 1_000_000
	maxStep      = 1e15 // of incr: Lua has whole numbers up to 2^53
)

// rateRange is the time over which a rate may count.
var rateRange = timeRange{what: "time of a rate", most: 24 * 60 * 60}

// checkKey says what is wrong with a key.
func checkKey(key string) error {
	if key == "" {
		return errors.New("the key is empty")
	}
	return checkText("key", key, maxKey)
}

// checkValue refuses a value that is too long.
func checkValue(size int) error {
	if size > maxValue {
		return fmt.Errorf("the value is %d bytes long, the limit is %d", size, maxValue)
	}
	return nil
}

// checkLimitName says what is wrong with the name of a limit.
func checkLimitName(name string) error {
	if name == "" {
		return errors.New("the name of the limit is empty")
	}
	return checkText("name of the limit", name, maxLimitName)
}

// wholeNumber checks a number that must be whole and within bounds.
func wholeNumber(what string, n, low, high float64) error {
	if n != math.Trunc(n) || n < low || n > high { // trunc of NaN is NaN, which equals nothing
		return fmt.Errorf("the %s is %s, not a whole number from %s to %s", what, numberText(n), numberText(low), numberText(high))
	}
	return nil
}
