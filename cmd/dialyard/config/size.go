package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Size is an amount of memory in bytes, never negative.
type Size int64

// The units of a Size.
const (
	Byte Size = 1
	KiB       = 1024 * Byte
	MiB       = 1024 * KiB
	GiB       = 1024 * MiB
)

var sizeUnits = []struct {
	suffix string
	size   Size
}{{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", Byte}}

var errSize = errors.New("want a size such as 150MiB")

// ParseSize reads a whole number with a unit B, KiB, MiB or GiB, such as 150MiB.
func ParseSize(text string) (Size, error) {
	for _, unit := range sizeUnits {
		digits, ok := strings.CutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || Size(n) > math.MaxInt64/unit.size {
			return 0, errSize
		}
		return Size(n) * unit.size, nil
	}
	return 0, errSize
}

// String is the size in the largest unit that loses nothing, as ParseSize
// reads it.
func (s Size) String() string {
	for _, unit := range sizeUnits {
		if s != 0 && s%unit.size == 0 {
			return strconv.FormatInt(int64(s/unit.size), 10) + unit.suffix
		}
	}
	return "0B"
}
