package main

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"dialyard/dispatcher/store"
)

// walkLua reads every Lua file below root.
func walkLua(root fs.FS, each func(name string, source []byte)) error {
	return fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".lua") {
			return err
		}
		source, err := fs.ReadFile(root, name)
		if err == nil {
			each(name, source)
		}
		return err
	})
}

// zipBundle packs a bundle for an upload.
func zipBundle(b store.Bundle) ([]byte, error) {
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for _, name := range slices.Sorted(maps.Keys(b)) {
		w, err := z.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(b[name]); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return packed.Bytes(), err
}
