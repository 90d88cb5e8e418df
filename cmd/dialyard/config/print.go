package config

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Print writes every key with the value that is in force, as a file that Load
// reads. Comments say what the key is for, its default, its variable, and
// where the value comes from. Passwords are not shown: there stands xxxxx, which
// Load would take for the password.
func (c *Config) Print(w io.Writer) error {
	var out bytes.Buffer
	section := ""
	for _, k := range keys {
		if out.Len() > 0 && (k.section() == "" || k.section() != section) {
			out.WriteByte('\n')
		}
		indent := ""
		if k.section() != "" {
			indent = "  "
			if k.section() != section {
				fmt.Fprintf(&out, "%s:\n", k.section())
			}
		}
		section = k.section()
		c.printComment(&out, indent, k)
		c.printValue(&out, indent, k)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func (c *Config) printComment(out *bytes.Buffer, indent string, k key) {
	for line := range strings.Lines(k.doc) {
		fmt.Fprintf(out, "%s# %s\n", indent, strings.TrimSuffix(line, "\n"))
	}
	fmt.Fprintf(out, "%s# Default: %s. %s", indent, k.defaultNote(), k.env())
	if c.isSet(k.name) {
		fmt.Fprintf(out, ". Set by %s", c.places[k.name])
	}
	out.WriteByte('\n')
}

func (c *Config) printValue(out *bytes.Buffer, indent string, k key) {
	texts := k.value.get(c)
	if !k.value.bare {
		for i, text := range texts {
			texts[i] = quote(text)
		}
	}
	fmt.Fprintf(out, "%s%s:", indent, k.leaf())
	switch {
	case !k.value.list:
		fmt.Fprintf(out, " %s\n", texts[0])
	case len(texts) == 0:
		out.WriteString(" []\n")
	default:
		out.WriteByte('\n')
		for _, text := range texts {
			fmt.Fprintf(out, "%s  - %s\n", indent, text)
		}
	}
}

// MarshalJSON is what Print writes, without the comments and as JSON.
func (c *Config) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	if err := c.Print(&out); err != nil {
		return nil, err
	}
	return yaml.YAMLToJSON(out.Bytes())
}

// Changed names the keys whose values differ between two configurations, in
// the order of Print.
func (c *Config) Changed(from *Config) []string {
	var names []string
	for _, k := range keys {
		if !slices.Equal(k.value.get(c), k.value.get(from)) || k.value.hidden != nil && !slices.Equal(k.value.hidden(c), k.value.hidden(from)) {
			names = append(names, k.name)
		}
	}
	return names
}

// plain is the text that YAML needs no quotes for, wherever it stands.
var plain = regexp.MustCompile(`^[A-Za-z0-9./][A-Za-z0-9._/:@+-]*$`)

// quoteInFlow is quote for inside [] and {}, where this YAML parser takes a colon
// for the end of a key even if no space follows.
func quoteInFlow(text string) string {
	if strings.Contains(text, ":") {
		return strconv.Quote(text)
	}
	return quote(text)
}

// quote writes a text such that YAML reads it as that text and as nothing else.
func quote(text string) string {
	var read any
	if plain.MatchString(text) && yaml.Unmarshal([]byte(text), &read) == nil && read == text {
		return text
	}
	return strconv.Quote(text)
}
