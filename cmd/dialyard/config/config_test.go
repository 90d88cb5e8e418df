package config

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestDefaultsAreValid(t *testing.T) {
	c, err := parse("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if changed := c.Changed(Defaults()); len(changed) > 0 {
		t.Errorf("nothing was said, and %q changed", changed)
	}
	if c.Workers.Count < 2 {
		t.Errorf("got %d workers, want at least 2", c.Workers.Count)
	}
}

func TestLimitsOfBuiltinPlans(t *testing.T) {
	tests := []struct {
		name       string
		env        []string
		runs, rate int
	}{
		{"built-in", nil, 0, 0},
		{"own plans", []string{"DIALYARD_PLANS_DIR=/srv/plans"}, 5, 50},
		{"built-in, said", []string{"DIALYARD_LIMITS_RATE=7"}, 0, 7},
		{"own plans, said", []string{"DIALYARD_PLANS_DIR=/srv/plans", "DIALYARD_LIMITS_RUNS=0"}, 0, 50},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := parse("", nil, tt.env)
			if err != nil {
				t.Fatal(err)
			}
			if c.Limits.Runs != tt.runs || c.Limits.Rate != tt.rate {
				t.Errorf("got runs %d, rate %d, want %d, %d", c.Limits.Runs, c.Limits.Rate, tt.runs, tt.rate)
			}
		})
	}
}

func TestLoadFindsTheFile(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := Load("", nil)
	if err != nil || c.File != "" {
		t.Fatalf("without a file: file %q, error %v", c.File, err)
	}
	if err := os.WriteFile(DefaultFile, []byte("health: {fall: 4}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err = Load("", nil)
	if err != nil || c.File != DefaultFile || c.Health.Fall != 4 {
		t.Fatalf("got %+v, error %v", c, err)
	}
	if _, err := Load("other.yaml", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that was named and is not there: error %v", err)
	}
	if err := os.WriteFile("other.yaml", []byte(strings.Repeat("#", maxFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load("other.yaml", nil); err == nil || !strings.Contains(err.Error(), "1 MiB") {
		t.Errorf("a huge file: error %v", err)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	_, err := parse("a.yaml", []byte("health:\n  fall: 0\n"), nil)
	fault := (*Error)(nil)
	if !errors.As(err, &fault) {
		t.Fatalf("got %T: %v", err, err)
	}
	if fault.Where != "a.yaml:2:9" || fault.Key != "health.fall" {
		t.Errorf("got %+v", fault)
	}
}

// TestEveryVariable gives each key its own printed value through its variable.
func TestEveryVariable(t *testing.T) {
	for _, k := range keys {
		texts := k.value.get(Defaults())
		text := strings.Join(texts, ",")
		if k.value.bare && k.value.list {
			text = "[" + text + "]"
		}
		c, err := parse("", nil, []string{k.env() + "=" + text})
		if err != nil {
			t.Errorf("%s: %v", k.name, err)
			continue
		}
		if changed := c.Changed(Defaults()); len(changed) > 0 {
			t.Errorf("%s=%s changed %q", k.env(), text, changed)
		}
		if text != "" && !c.isSet(k.name) {
			t.Errorf("%s does not set %s", k.env(), k.name)
		}
	}
}

func TestPrint(t *testing.T) {
	c, err := parse("dialyard.yaml", []byte("health:\n  fall: 4\n"), []string{
		"DIALYARD_WORKERS_COUNT=2", // the default is the machine's
		"DIALYARD_ROUTES=[{match: {user: '00.*'}, account: a, plan: abroad}, {account: a, plan: main}]",
		"DIALYARD_SIP_LISTEN=udp://[::1]",
		"DIALYARD_ACCOUNTS=[{name: a, calls: 7}]",
		"DIALYARD_GATEWAYS=[{account: a, name: out, uris: ['sip:gw1.example.net', {uri: 'sip:192.0.2.9:5070;transport=tcp', weight: 3}], username: me, password: hush}]",
	})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	compare(t, "testdata/print.yaml", out.String())
}

func TestPrintAsJSON(t *testing.T) {
	c, err := parse("", nil, []string{"DIALYARD_ROUTES=[{account: '1', plan: main}]", "DIALYARD_SIP_TRUSTED=,"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		SIP     struct{ Trusted []string }
		Workers struct {
			MemorySoft string `json:"memory_soft"`
			Runs       int
		}
		Routes []struct{ Account, Plan string }
	}
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	if read.Workers.MemorySoft != "150MiB" || read.Workers.Runs != 256 || read.Routes[0].Account != "1" || len(read.SIP.Trusted) != 0 {
		t.Errorf("got %+v", read)
	}
}

func TestPasswordIsNotShown(t *testing.T) {
	c := Defaults()
	c.Data.DSN = "postgres://me:secret@db/dialyard"
	var out strings.Builder
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "secret") || !strings.Contains(out.String(), "postgres://me:") {
		t.Errorf("got %s", out.String())
	}
}
