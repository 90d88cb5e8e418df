package sip

// Every branch, tag and Call-ID that a shard makes begins with its mark, so that
// whatever comes back finds its shard without a table that all would share. Marks
// outlive the process in the dialogs it leaves behind: after a restart with fewer
// shards, the number they name is taken modulo.
//
// The random part has 60 bits; RFC 3261 §19.3 asks for 32.

const (
	markAlphabet = "0123456789abcdefghijklmnopqrstuv"
	markLength   = 2
	tokenLength  = markLength + 12
)

// digits is the value of each octet of the alphabet, -1 for all others.
var digits = func() (d [256]int8) {
	for i := range d {
		d[i] = -1
	}
	for i, c := range markAlphabet {
		d[c] = int8(i)
	}
	return d
}()

// Owner reads the number of the shard that made a tag; ok is false for a tag of
// another make.
func Owner(tag string) (shard byte, ok bool) {
	if len(tag) != tokenLength {
		return 0, false
	}
	for i := range len(tag) {
		if digits[tag[i]] < 0 {
			return 0, false
		}
	}
	return byte(digits[tag[0]]<<5 | digits[tag[1]]), digits[tag[0]] < 8
}

// OwnerOfBranch reads the number of the shard whose request an answer belongs to.
func OwnerOfBranch(branch string) (shard byte, ok bool) {
	if len(branch) != len(branchCookie)+tokenLength || branch[:len(branchCookie)] != branchCookie {
		return 0, false
	}
	return Owner(branch[len(branchCookie):])
}

// NewTag makes a token that names the layer's shard and occurs but once.
func (l *Layer) NewTag() string { return string(l.appendToken(make([]byte, 0, tokenLength))) }

func (l *Layer) newBranch() string {
	return string(l.appendToken(append(make([]byte, 0, len(branchCookie)+tokenLength), branchCookie...)))
}

func (l *Layer) appendToken(b []byte) []byte {
	b = append(b, markAlphabet[l.mark>>5], markAlphabet[l.mark&31])
	bits := l.random.Uint64()
	for range tokenLength - markLength {
		b = append(b, markAlphabet[bits&31])
		bits >>= 5
	}
	return b
}
