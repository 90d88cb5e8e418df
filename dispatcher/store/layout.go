package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// layout knows which file holds what; see the package comment. It has no state
// of its own, so that bundles, which never change, can be read without a lock.
type layout struct {
	bundles  string // directory
	accounts string // directory
}

const indexSuffix = ".json"

func newLayout(dir string) layout {
	return layout{
		bundles:  filepath.Join(dir, "plans", "bundles"),
		accounts: filepath.Join(dir, "plans", "accounts"),
	}
}

func (l layout) bundleFile(hash string) string { return filepath.Join(l.bundles, hash) }

func (l layout) accountDir(account string) string { return filepath.Join(l.accounts, account) }

func (l layout) indexFile(id PlanID) string {
	return filepath.Join(l.accountDir(id.Account), id.Plan+indexSuffix)
}

// prepare makes the directories and clears what a crash left in them.
func (l layout) prepare() error {
	for _, dir := range []string{l.bundles, l.accounts} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	folders, err := filepath.Glob(filepath.Join(l.accounts, "*"))
	if err != nil {
		return err
	}
	for _, dir := range append(folders, l.bundles) {
		if err := sweep(dir); err != nil {
			return err
		}
	}
	return nil
}

// plans lists the plans that have an index file.
func (l layout) plans() ([]PlanID, error) {
	accounts, err := os.ReadDir(l.accounts)
	if err != nil {
		return nil, err
	}
	var ids []PlanID
	for _, account := range accounts {
		if !account.IsDir() {
			continue
		}
		files, err := os.ReadDir(l.accountDir(account.Name()))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			plan, isIndex := strings.CutSuffix(file.Name(), indexSuffix)
			id := PlanID{Account: account.Name(), Plan: plan}
			if isIndex && id.Validate() == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

func (l layout) readIndex(id PlanID) (index, error) {
	path := l.indexFile(id)
	raw, err := os.ReadFile(path)
	if err != nil {
		return index{}, err
	}
	var x index
	if err := json.Unmarshal(raw, &x); err != nil {
		return index{}, &DamageError{File: path, Err: err}
	}
	if err := x.check(); err != nil {
		return index{}, &DamageError{File: path, Err: err}
	}
	return x, nil
}

func (l layout) writeIndex(id PlanID, x index) error {
	raw, err := json.MarshalIndent(x, "", "\t")
	if err != nil {
		return err
	}
	if err := makeDir(l.accountDir(id.Account)); err != nil {
		return err
	}
	return ReplaceFile(l.indexFile(id), append(raw, '\n'))
}

func (l layout) readBundle(hash string) (Bundle, error) {
	if !isHash(hash) {
		return nil, fmt.Errorf("%w: %q is not a hash", ErrUnknownVersion, hash)
	}
	path := l.bundleFile(hash)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: no bundle %s", ErrUnknownVersion, path)
	}
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != hash {
		return nil, &DamageError{File: path, Err: errors.New("its content does not match its name")}
	}
	b, err := decodeBundle(raw)
	if err != nil {
		return nil, &DamageError{File: path, Err: err}
	}
	return b, nil
}

func (l layout) writeBundle(hash string, b Bundle) error {
	return ReplaceFile(l.bundleFile(hash), b.encode())
}
