package dialplans

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dialyard/proto"
)

// evaluate runs an expression and gives the text of its value.
func evaluate(t *rapid.T, expression string) string {
	p, err := Compile(map[string][]byte{mainFile: []byte("call:tag('value', " + expression + ")")})
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	host := &recorder{}
	if done := NewRun(demoStart(), host, noon).Execute(p); done.Outcome != proto.Outcome_OUTCOME_FINISHED {
		t.Fatalf("%s: %v", expression, done.Error)
	}
	return host.instructions[0].GetTag().GetValue()
}

// TestConcatIsWhatItWas draws chains of .. with brackets between, which the
// compiler takes apart, and compares with plain joining.
func TestConcatIsWhatItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		operands := rapid.SliceOfN(rapid.StringMatching(`[a-z]{0,2}`), 2, 90).Draw(t, "operands")
		expression := strconv.Quote(operands[0])
		for _, o := range operands[1:] {
			if rapid.IntRange(0, 9).Draw(t, "bracket") == 0 {
				expression = "(" + expression + ")"
			}
			expression += " .. " + strconv.Quote(o)
		}
		if got, want := evaluate(t, expression), strings.Join(operands, ""); got != want {
			t.Fatalf("%s gives %q, want %q", expression, got, want)
		}
	})
}

// TestNumbersReadBack writes numbers as Lua does and reads them again.
func TestNumbersReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := float64(rapid.Int64Range(-1e14, 1e14).Draw(t, "n"))
		if back, ok := parseNumber(numberText(n)); !ok || back != n {
			t.Fatalf("%v is written %s and read %v", n, numberText(n), back)
		}
		f := rapid.Float64().Draw(t, "f")
		if got, want := general(f, 14, 'e'), fmt.Sprintf("%.14g", f); got != want && !strings.ContainsAny(want, "NI") {
			t.Fatalf("%v is written %s, want %s", f, got, want)
		}
	})
}

// TestFormatAgainstFmt compares string.format with Go's for what they share.
func TestFormatAgainstFmt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flags := rapid.StringMatching(`-?\+?`).Draw(t, "flags")
		format := "%" + flags + rapid.SampledFrom([]string{"", "5", "12"}).Draw(t, "width")
		n := rapid.IntRange(-100000, 100000).Draw(t, "n")
		if got, want := evaluate(t, fmt.Sprintf("string.format(%q, %d)", format+"d", n)), fmt.Sprintf(format+"d", n); got != want {
			t.Fatalf("%sd of %d: %q, want %q", format, n, got, want)
		}
		f := float64(n) / 64
		format += rapid.SampledFrom([]string{"", ".0", ".3"}).Draw(t, "precision") + "f"
		if got, want := evaluate(t, fmt.Sprintf("string.format(%q, %v)", format, f)), fmt.Sprintf(format, f); got != want {
			t.Fatalf("%s of %v: %q, want %q", format, f, got, want)
		}
	})
}

// TestBetweenAgainstMinutes walks through the span minute by minute.
func TestBetweenAgainstMinutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to, at := rapid.IntRange(0, 1439).Draw(t, "from"), rapid.IntRange(0, 1439).Draw(t, "to"), rapid.IntRange(0, 1439).Draw(t, "at")
		want := from == to
		for m := from; m != to; m = (m + 1) % 1440 {
			want = want || m == at
		}
		clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
		now := time.Date(2026, 11, 20, at/60, at%60, 59, 0, time.UTC)
		if got, err := between(now, clock(from), clock(to)); err != nil || got != want {
			t.Fatalf("%s between %s and %s: %v, want %v (%v)", clock(at), clock(from), clock(to), got, want, err)
		}
	})
}
