package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// listValue is the key of that name with a list of mappings. In the environment it is YAML too.
func listValue(name, want string, read func(r *reader, name string, n ast.Node), get func(c *Config) []string) value {
	return value{
		want: want, list: true, bare: true,
		read: read, get: get,
		set: func(c *Config, text string) string {
			body, err := parseYAML([]byte(text))
			if err != nil {
				return syntaxProblem(err)
			}
			// What is read counts from the first line of the variable; there is no
			// use for that in a message.
			inner := &reader{config: c, failed: map[string]bool{}}
			read(inner, name, body)
			if len(inner.errs) == 0 {
				return ""
			}
			first := inner.errs[0].(*Error)
			return strings.TrimPrefix(first.Key+": ", name+": ") + first.Problem
		},
	}
}

// field is one key of a mapping inside a list, and what to do with its value.
type field struct {
	leaf string
	read func(name string, n ast.Node)
}

// fields reads such a mapping and tells whether it could be read and all its
// keys are known.
func (r *reader) fields(name string, n ast.Node, fields []field) bool {
	before := len(r.errs)
	pairs := r.mapping(name, n)
	known := len(r.errs) == before
	allowed := make([]string, len(fields))
	for i, f := range fields {
		allowed[i] = f.leaf
	}
	for _, pair := range pairs {
		leaf := keyText(pair.Key)
		if i := slices.Index(allowed, leaf); i >= 0 {
			fields[i].read(name+"."+leaf, pair.Value)
			continue
		}
		r.fail(r.at(pair.Key), name+"."+leaf, unknownKey(leaf, allowed))
		known = false
	}
	return known
}

// readScalar reads a value that stands in no line of the table; it gives the
// zero value for one that is wrong.
func readScalar[T any](r *reader, name string, n ast.Node, k kind[T]) T {
	var none T
	text, ok := r.scalar(name, k.want, n)
	if !ok {
		return none
	}
	parsed, err := k.parse(text)
	if err != nil {
		r.fail(r.at(n), name, k.problem(text, err))
		return none
	}
	return parsed
}

// readList reads a list of values of one kind.
func readList[T any](r *reader, name string, n ast.Node, k kind[T]) (list []T) {
	items, _ := r.sequence(name, "a list, each "+k.want, n)
	for i, item := range items {
		list = append(list, readScalar(r, fmt.Sprintf("%s[%d]", name, i), item, k))
	}
	return list
}

// listYAML writes such a list as it stands within one line.
func listYAML[T any](list []T, k kind[T]) string {
	var texts []string
	for _, v := range list {
		texts = append(texts, quoteInFlow(k.text(v)))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
