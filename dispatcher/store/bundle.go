package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The limits of a bundle.
const (
	MaxBundleBytes = 256 << 10 // all names and contents together, also after unzipping
	MaxBundleFiles = 64
	MaxNameBytes   = 128 // of one file, its folders included
)

// EntryFile is the file every bundle must have: where a run begins.
const EntryFile = "main.lua"

// A Bundle is the files of one plan version: contents by name. Names are
// relative paths with slashes that end in .lua. A Bundle that has been given to
// [Plans] or hashed must not be changed.
type Bundle map[string][]byte

// A TooLargeError says which limit a bundle breaks.
type TooLargeError struct {
	What  string // what there is too much of: "bytes", "files"
	Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("bundle has more than %d %s", e.Limit, e.What)
}

// A BundleError says why files do not make a bundle.
type BundleError struct {
	File    string // the file at fault; empty when it is the whole
	Problem string
}

func (e *BundleError) Error() string {
	if e.File == "" {
		return "bundle: " + e.Problem
	}
	return fmt.Sprintf("bundle: file %q: %s", e.File, e.Problem)
}

// Hash is the hex SHA-256 of the bundle's canonical bytes. It depends on the
// names and contents only.
func (b Bundle) Hash() string {
	sum := sha256.Sum256(b.encode())
	return hex.EncodeToString(sum[:])
}

// Validate reports the first reason why b cannot be published: a
// *TooLargeError, a *NameError, or a *BundleError.
func (b Bundle) Validate() error {
	if len(b) > MaxBundleFiles {
		return &TooLargeError{What: "files", Limit: MaxBundleFiles}
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if err := checkFileName(name); err != nil {
			return err
		}
		size += len(name) + len(b[name])
	}
	if size > MaxBundleBytes {
		return &TooLargeError{What: "bytes", Limit: MaxBundleBytes}
	}
	return b.checkEntry()
}

func (b Bundle) checkEntry() error {
	if _, ok := b[EntryFile]; ok {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if strings.HasSuffix(name, "/"+EntryFile) {
			return &BundleError{Problem: fmt.Sprintf("no %s at the top, only %s: pack the files, not their folder", EntryFile, name)}
		}
	}
	return &BundleError{Problem: "no " + EntryFile}
}

// fileName holds what lies between slashes to one rule: no leading dot, so
// neither "..", nor hidden files, nor an empty element.
var fileName = regexp.MustCompile(`^([a-z0-9_-][a-z0-9_.-]*/)*[a-z0-9_-][a-z0-9_.-]*\.lua$`)

func checkFileName(name string) error {
	if len(name) > MaxNameBytes || !fileName.MatchString(name) {
		return &NameError{What: "file", Name: name,
			Want: fmt.Sprintf("a relative path of at most %d of a-z 0-9 _ - . / that ends in .lua", MaxNameBytes)}
	}
	return nil
}

// encode gives the canonical bytes: for each file, in the order of the names,
// the name and the content as netstrings (LENGTH:BYTES,). They are also what
// lies on the disk, so that sha256sum of a bundle's file prints its name.
func (b Bundle) encode() []byte {
	var out []byte
	for _, name := range slices.Sorted(maps.Keys(b)) {
		out = appendNetstring(out, []byte(name))
		out = appendNetstring(out, b[name])
	}
	return out
}

func appendNetstring(out, text []byte) []byte {
	out = strconv.AppendInt(out, int64(len(text)), 10)
	out = append(out, ':')
	out = append(out, text...)
	return append(out, ',')
}

var errNotBundle = errors.New("not a bundle")

// decodeBundle is the inverse of encode. The contents share memory with raw.
func decodeBundle(raw []byte) (Bundle, error) {
	b := Bundle{}
	for len(raw) > 0 {
		name, rest, ok := cutNetstring(raw)
		if !ok {
			return nil, errNotBundle
		}
		content, rest, ok := cutNetstring(rest)
		if !ok {
			return nil, errNotBundle
		}
		b[string(name)] = content
		raw = rest
	}
	return b, nil
}

func cutNetstring(raw []byte) (text, rest []byte, ok bool) {
	digits, after, ok := bytes.Cut(raw, []byte(":"))
	if !ok {
		return nil, nil, false
	}
	n, err := strconv.ParseUint(string(digits), 10, 31)
	if err != nil || uint64(len(after)) <= n || after[n] != ',' {
		return nil, nil, false
	}
	return after[:n:n], after[n+1:], true
}
