package dialplans

import (
	"errors"
	"math/bits"
)

// class is a set of bytes, one bit each.
type class [4]uint64

func (s *class) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }
func (s *class) add(c byte)      { s[c>>6] |= 1 << (c & 63) }

func (s *class) addRange(from, to byte) {
	for c := int(from); c <= int(to); c++ {
		s.add(byte(c))
	}
}

func (s *class) union(o class) {
	for i := range s {
		s[i] |= o[i]
	}
}

func (s class) complement() class {
	for i := range s {
		s[i] = ^s[i]
	}
	return s
}

// only is the single byte of a class that has one.
func (s class) only() (c byte, ok bool) {
	count := 0
	for i, w := range s {
		count += bits.OnesCount64(w)
		if w != 0 {
			c = byte(i<<6 + bits.TrailingZeros64(w))
		}
	}
	return c, count == 1
}

// named holds the classes that a % and a letter stand for.
var named = func() map[byte]class {
	in := func(ranges ...byte) (s class) {
		for i := 0; i < len(ranges); i += 2 {
			s.addRange(ranges[i], ranges[i+1])
		}
		return s
	}
	return map[byte]class{
		'a': in('a', 'z', 'A', 'Z'),
		'c': in(0, 31, 127, 127),
		'd': in('0', '9'),
		'l': in('a', 'z'),
		'p': in('!', '/', ':', '@', '[', '`', '{', '~'),
		's': in('\t', '\r', ' ', ' '),
		'u': in('A', 'Z'),
		'w': in('a', 'z', 'A', 'Z', '0', '9'),
		'x': in('0', '9', 'a', 'f', 'A', 'F'),
		'z': in(0, 0),
	}
}()

// escaped is what % followed by c stands for.
func escaped(c byte) (s class) {
	if set, ok := named[c|0x20]; ok && isLetter(c) {
		if c&0x20 == 0 {
			return set.complement()
		}
		return set
	}
	s.add(c)
	return s
}

// parseClass reads the class that src begins with and gives its length.
func parseClass(src string) (s class, n int, err error) {
	switch c := src[0]; {
	case c == '.':
		return class{}.complement(), 1, nil
	case c == '[':
		return parseSet(src)
	case c == '%' && len(src) == 1:
		return s, 1, errors.New("malformed pattern (ends with '%')")
	case c == '%':
		return escaped(src[1]), 2, nil
	default:
		s.add(c)
		return s, 1, nil
	}
}

// parseSet reads the [set] that src begins with and gives its length. A ]
// directly after [ or [^ stands for itself.
func parseSet(src string) (s class, n int, err error) {
	i, inverted := 1, false
	if i < len(src) && src[i] == '^' {
		inverted = true
		i++
	}
	for first := true; ; first = false {
		switch {
		case i >= len(src):
			return s, i, errors.New("malformed pattern (a '[' is never closed)")
		case src[i] == ']' && !first:
			if inverted {
				s = s.complement()
			}
			return s, i + 1, nil
		case src[i] == '%' && i+1 < len(src):
			s.union(escaped(src[i+1]))
			i += 2
		case i+2 < len(src) && src[i+1] == '-' && src[i+2] != ']':
			s.addRange(src[i], src[i+2])
			i += 3
		default:
			s.add(src[i])
			i++
		}
	}
}
