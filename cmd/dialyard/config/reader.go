package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// reader fills a Config, which starts out as the defaults, and collects what is
// wrong on the way. Nothing stops it but YAML that cannot be parsed.
type reader struct {
	config *Config
	file   string
	errs   []error
	failed map[string]bool // keys whose value is wrong; rules leave them alone
}

func (r *reader) fail(at place, name, problem string) {
	r.failed[name] = true
	r.errs = append(r.errs, &Error{Where: at.String(), Key: name, Problem: problem})
}

// at is where a node begins.
func (r *reader) at(n ast.Node) place {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		n = m.Values[0].Key // the token of a block mapping is its first colon
	}
	p := place{file: r.file}
	if token := n.GetToken(); token != nil && token.Position != nil {
		p.line, p.col = token.Position.Line, token.Position.Column
	}
	return p
}

// readYAML reads the whole file.
func (r *reader) readYAML(content []byte) {
	body, err := parseYAML(content)
	if err != nil {
		r.fail(r.syntaxPlace(err), "", syntaxProblem(err))
		return
	}
	if body == nil {
		return
	}
	r.section("", body)
}

// section reads a mapping of keys: the top of the file, or one of its sections.
func (r *reader) section(section string, n ast.Node) {
	for _, pair := range r.mapping(section, n) {
		leaf := keyText(pair.Key)
		name := strings.TrimPrefix(section+"."+leaf, ".")
		k, known := findKey(name)
		switch {
		case known && k.leaf() == leaf:
			r.config.places[name] = r.at(pair.Key)
			k.value.read(r, name, pair.Value)
		case section == "" && isSection(name):
			r.section(name, pair.Value)
		case known:
			r.fail(r.at(pair.Key), name, fmt.Sprintf("write %q inside %q", k.leaf(), k.section()))
		default:
			r.fail(r.at(pair.Key), name, unknownKey(leaf, namesIn(section)))
		}
	}
}

// mapping gives the pairs of a mapping; nothing at all counts as an empty one.
func (r *reader) mapping(name string, n ast.Node) []*ast.MappingValueNode {
	n, ok := r.resolve(name, n)
	if !ok {
		return nil
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	case *ast.NullNode:
		return nil
	}
	r.fail(r.at(n), name, "want keys and values, got "+describe(n))
	return nil
}

// sequence gives the items of a list.
func (r *reader) sequence(name, want string, n ast.Node) ([]ast.Node, bool) {
	n, ok := r.resolve(name, n)
	if !ok {
		return nil, false
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.fail(r.at(n), name, fmt.Sprintf("want %s, got %s", want, describe(n)))
		return nil, false
	}
	return list.Values, true
}

// scalar gives the text of a single value, as it stands in the file.
func (r *reader) scalar(name, want string, n ast.Node) (string, bool) {
	n, ok := r.resolve(name, n)
	if !ok {
		return "", false
	}
	text, ok := scalarText(n)
	if !ok {
		r.fail(r.at(n), name, fmt.Sprintf("want %s, got %s", want, describe(n)))
	}
	return text, ok
}

// resolve looks through an anchor and refuses what a configuration this small
// does not need.
func (r *reader) resolve(name string, n ast.Node) (ast.Node, bool) {
	switch n := n.(type) {
	case *ast.AnchorNode:
		return r.resolve(name, n.Value)
	case *ast.AliasNode:
		r.fail(r.at(n), name, "aliases are not supported, write the value out")
		return nil, false
	case *ast.TagNode:
		r.fail(r.at(n), name, "tags are not supported")
		return nil, false
	case nil:
		r.fail(place{file: r.file}, name, "has no value")
		return nil, false
	}
	return n, true
}

// settle gives the keys that nobody set the default that goes with the others.
func (r *reader) settle() {
	for _, k := range keys {
		if _, set := r.config.places[k.name]; !set && k.byRule != nil {
			k.value.set(r.config, k.fallback(r.config))
		}
	}
	r.config.settleAccounts()
}

// parseYAML gives the only document of the content, nil if there is none.
func parseYAML(content []byte) (ast.Node, error) {
	if !utf8.Valid(content) {
		return nil, errors.New("the file is not UTF-8")
	}
	file, err := parser.ParseBytes(content, 0)
	if err != nil {
		return nil, err
	}
	docs := slices.DeleteFunc(file.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	switch len(docs) {
	case 0:
		return nil, nil
	case 1:
		return docs[0].Body, nil
	}
	return nil, errors.New("want one YAML document, got " + strconv.Itoa(len(docs)))
}

func (r *reader) syntaxPlace(err error) place {
	p := place{file: r.file}
	syntax := yaml.Error(nil)
	if errors.As(err, &syntax) && syntax.GetToken() != nil {
		p.line, p.col = syntax.GetToken().Position.Line, syntax.GetToken().Position.Column
	}
	return p
}

func syntaxProblem(err error) string {
	if syntax := yaml.Error(nil); errors.As(err, &syntax) {
		return syntax.GetMessage()
	}
	return err.Error()
}

// scalarText takes numbers and booleans as they were written: what a text means
// is for the key to say, so a user part 0049 stays what it is.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func keyText(n ast.MapKeyNode) string {
	if text, ok := scalarText(n); ok {
		return text
	}
	return n.GetToken().Value
}

// describe names what a node is in words of the file.
func describe(n ast.Node) string {
	if text, ok := scalarText(n); ok {
		return strconv.Quote(text)
	}
	switch n.(type) {
	case *ast.NullNode:
		return "nothing"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	}
	return "something else"
}
