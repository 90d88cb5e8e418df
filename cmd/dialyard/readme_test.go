package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dialyard/cmd/dialyard/config"
	"dialyard/dialplans"
)

// blocks are the fenced code blocks of a language in the README.
func blocks(t *testing.T, language string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split(string(text), "```") {
		if body, ok := strings.CutPrefix(part, language+"\n"); ok && i%2 == 1 {
			list = append(list, body)
		}
	}
	if len(list) == 0 {
		t.Fatalf("no %s block in the README", language)
	}
	return list
}

func TestReadmePlansCompile(t *testing.T) {
	for _, source := range blocks(t, "lua") {
		if _, err := dialplans.Compile(map[string][]byte{"main.lua": []byte(source)}); err != nil {
			t.Errorf("%v in\n%s", err, source)
		}
	}
}

func TestReadmeConfigurationIsRight(t *testing.T) {
	for _, text := range blocks(t, "yaml") {
		path := filepath.Join(t.TempDir(), "dialyard.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(path, nil); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
	}
}

func TestReadmeCommandsExist(t *testing.T) {
	seen := 0
	for _, session := range blocks(t, "console") {
		for line := range strings.Lines(session) {
			command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ bin/dialyard ")
			if !ok {
				continue
			}
			seen++
			name := strings.Fields(command)[0]
			if out, err := exec.Command(binary, name, "--help").CombinedOutput(); err != nil || !strings.Contains(string(out), "Examples:") {
				t.Errorf("dialyard %s --help: %v\n%s", name, err, out)
			}
		}
	}
	if seen < 4 {
		t.Errorf("only %d commands found", seen)
	}
}
