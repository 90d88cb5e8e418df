package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestToken(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := Token(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 64 {
		t.Errorf("got a token of %d characters", len(first))
	}
	info, err := os.Stat(filepath.Join(dir, "admin.token"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if again, err := Token(dir); again != first || err != nil {
		t.Errorf("the second time: %q, %v", again, err)
	}
	if other, err := Token(t.TempDir()); other == first || err != nil {
		t.Errorf("elsewhere: %q, %v", other, err)
	}
}

func TestTokenRefused(t *testing.T) {
	good := strings.Repeat("k", minToken)
	tests := []struct {
		name, content string
		mode          os.FileMode
		want          string
	}{
		{"open to the group", good, 0o640, "chmod 600"},
		{"open to all", good, 0o644, "mode 0644"},
		{"empty", "", 0o600, "at least 32"},
		{"short", "secret\n", 0o600, "at least 32"},
		{"two lines", good + "\n" + good + "\n", 0o600, "visible"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "admin.token")
			writeFile(t, path, tt.content)
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			token, err := Token(dir)
			if token != "" || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, error %v", token, err)
			}
		})
	}
}
