package sip

import "strings"

// A Name is a header the edge knows; all others are Other and keep their text.
type Name uint8

// The headers whose meaning matters before any script sees them.
const (
	Other Name = iota
	Via
	From
	To
	CallID
	CSeq
	MaxForwards
	ContentLength
	ContentType
	Contact
	Require
	RecordRoute
	Route
	Expires
	Supported
	names // how many there are
)

var nameText = [names]string{
	Via: "Via", From: "From", To: "To", CallID: "Call-ID", CSeq: "CSeq",
	MaxForwards: "Max-Forwards", ContentLength: "Content-Length", ContentType: "Content-Type",
	Contact: "Contact", Require: "Require", RecordRoute: "Record-Route", Route: "Route",
	Expires: "Expires", Supported: "Supported",
}

// compact holds the one-letter forms of RFC 3261 §7.3.3.
var compact = [256]Name{
	'v': Via, 'f': From, 't': To, 'i': CallID, 'l': ContentLength,
	'c': ContentType, 'm': Contact, 'k': Supported,
}

// singular lists the headers that may stand in a message once at most
// (RFC 3261 §7.3.1): two of them are two readings of one message.
var singular = [names]bool{
	From: true, To: true, CallID: true, CSeq: true,
	MaxForwards: true, ContentLength: true, ContentType: true, Expires: true,
}

// String is the header's usual spelling, empty for Other.
func (n Name) String() string { return nameText[n] }

// lookup finds the Name of a header as it was spelt by a peer.
func lookup(text string) Name {
	if len(text) == 1 {
		return compact[text[0]|0x20]
	}
	if len(text) >= len(byLength) {
		return Other
	}
	for _, n := range byLength[len(text)] {
		if nameText[n] == text || strings.EqualFold(nameText[n], text) {
			return n
		}
	}
	return Other
}

// byLength holds the known names by their length, so that most of an unknown
// header's look-up is one index.
var byLength = func() (set [16][]Name) {
	for n := Via; n < names; n++ {
		set[len(nameText[n])] = append(set[len(nameText[n])], n)
	}
	return set
}()

// A Header is one header field: its line unfolded, its value trimmed.
type Header struct {
	Name  Name
	Text  string // the name as spelt
	Value string
}

// IsToken reports whether s is a token of RFC 3261 §25.1, the alphabet of
// methods and header names.
func IsToken(s string) bool {
	for i := range len(s) {
		if !isTokenOctet[s[i]] {
			return false
		}
	}
	return s != ""
}

var isTokenOctet = func() (set [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~" {
		set[c] = true
	}
	return set
}()
