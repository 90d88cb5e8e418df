package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

const monitoring = "../../dispatcher/api/monitoring"

// exposed is what /metrics has: the values of each label of each metric.
type exposed map[string]map[string][]string

var (
	sample   = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? [^ ]+$`)
	label    = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)
	selector = regexp.MustCompile(`\b((?:dialyard|process|go)_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)(=~|!=|=)"([^"]*)"`)
	quoted   = regexp.MustCompile(`"[^"]*"`)
)

func readMetrics(text string) exposed {
	found := exposed{}
	for line := range strings.Lines(text) {
		m := sample.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		if found[m[1]] == nil {
			found[m[1]] = map[string][]string{}
		}
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			found[m[1]][l[1]] = append(found[m[1]][l[1]], l[2])
		}
	}
	return found
}

// lacks says what an expression names that is not exposed. The labels that Prometheus
// adds itself are not.
func (e exposed) lacks(expression string) (faults []string) {
	bare := quoted.ReplaceAllString(expression, "")
	for _, pair := range []string{"()", "{}", "[]"} {
		if strings.Count(bare, pair[:1]) != strings.Count(bare, pair[1:]) {
			faults = append(faults, "unbalanced "+pair)
		}
	}
	names := selector.FindAllStringSubmatch(expression, -1)
	if len(names) == 0 {
		faults = append(faults, "no metric")
	}
	for _, name := range names {
		labels, ok := e[name[1]]
		if !ok {
			faults = append(faults, "no metric "+name[1])
		}
		for _, m := range matcher.FindAllStringSubmatch(name[2], -1) {
			if m[1] == "job" {
				continue
			}
			for value := range strings.SplitSeq(m[3], "|") {
				if values, ok := labels[m[1]]; !ok || m[2] != "!=" && !slices.Contains(values, value) {
					faults = append(faults, fmt.Sprintf("no %s{%s=%q}", name[1], m[1], value))
				}
			}
		}
	}
	return faults
}

func TestMissingMetricsAreSeen(t *testing.T) {
	e := readMetrics("# HELP x y\na_total 1\ndialyard_a{state=\"ready\",why=\"a \\\"b\\\"\"} 1\ndialyard_b_bucket{le=\"+Inf\"} 2\n")
	for expression, want := range map[string]string{
		`rate(dialyard_a{state="ready"}[1m]) > 0`: "",
		`dialyard_a{why!=""} / dialyard_b_bucket`: "",
		`dialyard_c`:                                   "no metric dialyard_c",
		`sum(dialyard_a{state=~"ready|gone"})`:         `no dialyard_a{state="gone"}`,
		`dialyard_a{worker="w1"}`:                      `no dialyard_a{worker="w1"}`,
		`rate(dialyard_b_bucket[5m]`:                   "unbalanced ()",
		`up == 0`:                                      "no metric",
		`dialyard_a{state="ready", job=~".*dialyard"}`: "",
	} {
		if got := strings.Join(e.lacks(expression), ", "); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
}

type alertFile struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For    string
			Labels, Annotations map[string]string
		}
	}
}

func readAlerts(t *testing.T) (a alertFile) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(text, &a, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return a
}

// dashboardExpressions are those of all panels, by the panels' titles.
func dashboardExpressions(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Title       string
		Annotations struct{ List []struct{ Name, Expr string } }
		Panels      []struct {
			ID          int
			Type, Title string
			GridPos     struct{ X, Y, W, H int }
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, a := range d.Annotations.List {
		all[a.Name] = append(all[a.Name], a.Expr)
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %d %q has no id or title of its own, no place or nothing to show", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			all[p.Title] = append(all[p.Title], target.Expr)
		}
	}
	return all
}

// TestAlertsAndDashboardNameWhatThereIs asks a server where a plan is in quarantine and
// a gateway is known.
func TestAlertsAndDashboardNameWhatThereIs(t *testing.T) {
	s := startServer(t, withFaults, plan("exit", `fault.exit()`),
		settings(`gateways: [{account: test, name: carrier, uris: ["sip:127.0.0.1:9"]}]`))
	s.call("plan-exit")
	s.eventually(5*time.Second, "a plan in quarantine, and all workers ready", func() bool {
		text := s.metrics()
		return strings.Contains(text, `dialyard_plan_quarantined{account="test",plan="exit",version="1"} 1`) && len(s.ready()) == 2
	})
	found := readMetrics(s.metrics())
	for _, group := range readAlerts(t).Groups {
		for _, rule := range group.Rules {
			for _, fault := range found.lacks(rule.Expr) {
				t.Errorf("alert %s: %s in %s", rule.Alert, fault, rule.Expr)
			}
			severity := rule.Labels["severity"]
			if !slices.Contains([]string{"critical", "warning", "info"}, severity) || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("alert %s does not say how bad it is, what it means and what to do", rule.Alert)
			}
		}
	}
	for title, expressions := range dashboardExpressions(t) {
		for _, expression := range expressions {
			for _, fault := range found.lacks(expression) {
				t.Errorf("panel %q: %s in %s", title, fault, expression)
			}
		}
	}
}
