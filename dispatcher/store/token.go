package store

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// minToken is the least length of a token that an operator has put in place.
const minToken = 32

// Token gives the bearer token of the HTTP API, which lies in admin.token under
// the data directory. At the first start it makes one, of 32 random bytes in
// hex, in a file that only its owner can read; a file that others can read is
// refused, because then the token is no secret.
func Token(dir string) (string, error) {
	path := filepath.Join(dir, "admin.token")
	token, err := readToken(path)
	if errors.Is(err, fs.ErrNotExist) {
		token, err = makeToken(path)
	}
	if err != nil {
		return "", fmt.Errorf("admin token: %w", err)
	}
	return token, nil
}

func readToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("%s is open to other users (mode %04o): run chmod 600 on it, or remove it to get a new token", path, mode)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(raw))
	if len(token) < minToken || strings.ContainsFunc(token, notInToken) {
		return "", fmt.Errorf("%s does not hold at least %d visible characters: remove it to get a new token", path, minToken)
	}
	return token, nil
}

// notInToken keeps to what an Authorization header can carry.
func notInToken(r rune) bool { return r <= ' ' || r > '~' }

func makeToken(path string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	token := hex.EncodeToString(secret)
	return token, ReplaceFile(path, []byte(token+"\n"))
}
