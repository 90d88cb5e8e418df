package sip

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// tortureDir is where the messages of RFC 4475 lie with the manifest that says
// what is due to each: beside the repository, or where DIALYARD_TORTURE says.
func tortureDir() string {
	if dir := os.Getenv("DIALYARD_TORTURE"); dir != "" {
		return dir
	}
	return "../../../shared/torture"
}

// deviations are the messages for which the guard knowingly does something else
// than the manifest asks. One that disappears fails the test, so that this list
// stays true.
var deviations = map[string]string{
	"rfc4475/wsinv.dat":   "400: its topmost branch is of RFC 2543, which is not matched (inv2543 is the same and may be refused)",
	"rfc4475/longreq.dat": "400: the same",
	"rfc4475/intmeth.dat": "400: octets below 0x20, here escaped in a quoted name, never come in, for a plan would see them",
	"rfc4475/insuf.dat":   "silence: without From, To and Call-ID there is nothing to copy into the 400",
	"rfc4475/baddn.dat":   "silence: the file has no empty line behind the header; TestRefused has the comma in the name",
}

// TestTorture asks the guard about every message: "400", "501 + Allow", "process"
// and their like in the manifest are refused with that status, or pass. A status
// that takes more than the guard to give (200, 404, 415, 501) is a pass here.
func TestTorture(t *testing.T) {
	manifest, err := os.ReadFile(filepath.Join(tortureDir(), "rfc4475", "MANIFEST.tsv"))
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("DIALYARD_TORTURE") == "" && os.Getenv("DIALYARD_REQUIRE_TOOLS") == "" {
		t.Skip("no shared/torture beside the repository and no DIALYARD_TORTURE")
	}
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(manifest)), "\n")[1:]
	for _, row := range rows {
		columns := strings.Split(row, "\t")
		if len(columns) < 5 {
			t.Fatalf("manifest: %q", row)
		}
		file, class, want, also := columns[0], columns[2], columns[3], columns[4]
		if want == "-" {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".dat"), func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(tortureDir(), file))
			if err != nil {
				t.Fatal(err)
			}
			verdict := guardVerdict(text)
			fits := verdictFits(verdict, class, want) || also != "-" && verdictFits(verdict, class, also)
			if why, known := deviations[file]; known == fits {
				t.Errorf("the guard says %q, the manifest %q or %q; known deviation: %q", verdict, want, also, why)
			}
		})
	}
}

// guardVerdict is "pass", "drop" for silence, or the status of a refusal.
func guardVerdict(text []byte) string {
	m, refusal := Scan(text)
	switch {
	case refusal == nil && m.IsRequest():
		return "pass"
	case refusal == nil: // no client transaction matches it
		return "drop"
	case refusal.Encode(source) == nil:
		return "drop"
	}
	return strconv.Itoa(refusal.Status)
}

var leadingStatus = regexp.MustCompile(`^(?:UDP )?(\d{3})\b`)

// verdictFits reads one cell of the manifest.
func verdictFits(verdict, class, cell string) bool {
	if strings.Contains(class, "response") {
		return verdict == "drop"
	}
	if m := leadingStatus.FindStringSubmatch(cell); m != nil {
		switch m[1] {
		case "200", "404", "501", "401", "405", "415", "406":
			return verdict == "pass"
		}
		return verdict == m[1]
	}
	return verdict == "pass" // "process", "accept", "ignore", "forward" and so on
}
