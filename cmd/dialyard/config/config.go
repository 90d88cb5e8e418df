// Package config is the configuration of dialyard: what may be said in
// dialyard.yaml and in the environment, checked before anything starts.
//
//	keys (one table) ──> defaults ──┐
//	dialyard.yaml ──────────────────┼──> Config ──> rules between keys ──> serve
//	DIALYARD_SECTION_KEY=... ───────┘                                └──> config print
//
// The environment is stronger than the file, the file stronger than the
// defaults. A key stands once, in the table in keys.go; its default, its
// environment variable, what an error says is allowed and its lines in "config
// print" all come from there.
//
// Reading is strict. An unknown key or a wrong value is an [*Error] that says
// where it stands, which key it is and what would be allowed; all that are
// found are reported together, and then there is no Config. A Config that was
// given out is complete, valid and never changes.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"time"
)

// DefaultFile is read when no file is named and it exists.
const DefaultFile = "dialyard.yaml"

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// Config is a complete and valid configuration.
type Config struct {
	File string // that was read, empty for none

	SIP     SIP
	HTTP    HTTP
	Data    Data
	Workers Workers
	Health  Health
	Drain   Drain
	Limits  Limits
	Dial    Dial
	Plans   Plans

	Accounts []Account // those that were named; Account knows all
	Gateways []Gateway // a name is unique within its account
	Routes   []Route   // the first that matches decides; none matching is 404
	Log      Log

	places map[string]place // where each key was set; a default has none
}

// SIP is the front: its sockets and whom it believes.
type SIP struct {
	Listen      []Listen       // at least one
	Advertise   HostPort       // for Contact and Via; zero means the socket's own
	Trusted     []netip.Prefix // peers whose identity and X-Dialyard-* headers are believed
	Nameservers []HostPort     // each with a port; none means the system's
}

// HTTP is the API, the metrics and the readiness checks.
type HTTP struct {
	Listen string // host:port, as net.Listen takes it
}

// Data says where durable state lies.
type Data struct {
	Dir string
	DSN string // of PostgreSQL; always empty so far
}

// Workers is the pool of worker processes.
type Workers struct {
	Count      int  // slots, 1 to 64
	Runs       int  // at once in each worker, 1 to 10000
	MemorySoft Size // drain and replace above it
	MemoryHard Size // the kernel ends the worker above it; more than MemorySoft
	Jail       Jail
	Shard      int // slots that one account may touch, 0 for the built-in rule
}

// Jail says how firmly a worker must be locked in.
type Jail string

// The ways to treat a kernel that cannot lock a worker in completely.
const (
	JailRequire    Jail = "require"     // do not start
	JailBestEffort Jail = "best-effort" // lock in as far as it can, and say so
	JailOff        Jail = "off"         // do not try
)

// Health is the pace of the probe calls.
type Health struct {
	Interval time.Duration // between two probes of a worker
	Timeout  time.Duration // of one probe; at most Interval
	Fall     int           // failures in a row that make a worker suspect
	Rise     int           // successes in a row that clear it
}

// Drain is how the server ends at SIGTERM.
type Drain struct {
	Wait time.Duration // says that it is not ready, and still takes calls
	Time time.Duration // then refuses them, while others end
}

// Limits holds what one run may use and, in the last three, what an account may
// of which Accounts says nothing else.
type Limits struct {
	Wall     time.Duration // outside dial
	CPU      time.Duration
	Total    time.Duration // with dial; at least Wall
	Legs     int
	HTTP     int // requests
	LogLines int
	Runs     int     // of one account at once, 0 for no limit
	Rate     int     // calls per second of one account, 0 for no limit
	Load     float64 // seconds of CPU per second of one account's scripts, 0 for no limit
	Calls    int     // of one account at once, with the answered ones, 0 for no limit
}

// Plans says where plans are read from.
type Plans struct {
	Dir string // DIR/ACCOUNT/PLAN/*.lua; empty means the built-in examples
}

// Log is the process's own log.
type Log struct {
	Level  slog.Level
	Format string // "text", "json", or empty: text on a terminal, else json
}

// Defaults is the configuration that holds when nothing is said.
func Defaults() *Config {
	c := &Config{places: map[string]place{}}
	for _, k := range keys {
		if problem := k.value.set(c, k.fallback(c)); problem != "" {
			panic(fmt.Sprintf("config: default of %s: %s", k.name, problem)) // a test sets them all
		}
	}
	return c
}

// Load reads the configuration from the YAML file at path and from env, which
// has the form of os.Environ. With path empty it reads dialyard.yaml in the
// working directory if there is one.
//
// When the file was read but is not right, the error joins one *Error for each
// fault.
func Load(path string, env []string) (*Config, error) {
	file, content, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c, err := parse(file, content, env)
	if err != nil {
		return nil, err
	}
	if err := c.readSecrets(); err != nil {
		return nil, err
	}
	return c, nil
}

// readFile gives the name of the file that counts, empty for none, and its
// content.
func readFile(path string) (string, []byte, error) {
	file := path
	if file == "" {
		file = DefaultFile
	}
	info, err := os.Stat(file)
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	if info.Size() > maxFile {
		return "", nil, fmt.Errorf("%s is larger than 1 MiB", file)
	}
	content, err := os.ReadFile(file)
	return file, content, err
}

// parse is Load without the disk.
func parse(file string, content []byte, env []string) (*Config, error) {
	r := &reader{config: Defaults(), file: file, failed: map[string]bool{}}
	r.config.File = file
	r.readYAML(content)
	r.readEnv(env)
	r.settle()
	r.checkRules()
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return r.config, nil
}
