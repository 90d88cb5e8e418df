package store

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
)

// ReadUpload makes a bundle of what an author sent: a zip archive, known by its
// first bytes, or else the source of a main.lua alone. The bundle is valid.
//
// The error is a *TooLargeError, a *NameError or a *BundleError. An archive is
// unpacked no further than MaxBundleBytes, whatever sizes it claims.
func ReadUpload(body []byte) (Bundle, error) {
	if len(body) > MaxBundleBytes {
		return nil, &TooLargeError{What: "bytes", Limit: MaxBundleBytes}
	}
	if len(body) == 0 {
		return nil, &BundleError{Problem: "the upload is empty"}
	}
	b := Bundle{EntryFile: body}
	if isZip(body) {
		var err error
		if b, err = unzip(body); err != nil {
			return nil, err
		}
	}
	if err := b.Validate(); err != nil {
		return nil, err
	}
	return b, nil
}

// isZip knows an archive with files by its first local header, and an empty one
// by its end record.
func isZip(body []byte) bool {
	return bytes.HasPrefix(body, []byte("PK\x03\x04")) || bytes.HasPrefix(body, []byte("PK\x05\x06"))
}

func unzip(body []byte) (Bundle, error) {
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, &BundleError{Problem: "broken zip archive: " + err.Error()}
	}
	b := Bundle{}
	room := int64(MaxBundleBytes)
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if len(b) == MaxBundleFiles {
			return nil, &TooLargeError{What: "files", Limit: MaxBundleFiles}
		}
		content, err := unzipFile(f, room)
		if err != nil {
			return nil, err
		}
		if _, twice := b[f.Name]; twice {
			return nil, &BundleError{File: f.Name, Problem: "is in the archive twice"}
		}
		b[f.Name] = content
		room -= int64(len(content))
	}
	return b, nil
}

func unzipFile(f *zip.File, room int64) ([]byte, error) {
	if err := checkFileName(f.Name); err != nil {
		return nil, err
	}
	if !f.Mode().IsRegular() {
		return nil, &BundleError{File: f.Name, Problem: "is not a regular file"}
	}
	r, err := f.Open()
	if err != nil {
		return nil, &BundleError{File: f.Name, Problem: err.Error()}
	}
	defer r.Close()
	content, err := readAtMost(r, room)
	if tooLarge := (*TooLargeError)(nil); err != nil && !errors.As(err, &tooLarge) {
		return nil, &BundleError{File: f.Name, Problem: err.Error()}
	}
	return content, err
}

// readAtMost reads r to its end, or gives a *TooLargeError after room bytes.
func readAtMost(r io.Reader, room int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, room+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > room {
		return nil, &TooLargeError{What: "bytes", Limit: MaxBundleBytes}
	}
	return content, nil
}
