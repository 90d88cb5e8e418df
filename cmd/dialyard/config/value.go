package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// value ties a key to its field of Config.
type value struct {
	want string // what may be written, for messages
	list bool   // a list in YAML, separated by commas in the environment
	bare bool   // its text is YAML already, not to be quoted

	// set gives the field what the environment or a default says, and
	// otherwise tells the problem.
	set func(c *Config, text string) (problem string)
	// read does so with a node of the file; it reports problems itself.
	read func(r *reader, name string, n ast.Node)
	// get is the text of the field: one, or as many as the list has.
	get func(c *Config) []string
	// hidden is what get leaves out because nobody may see it; nil for nothing.
	hidden func(c *Config) []string
}

// kind is a type of value: how its text is read and written.
type kind[T any] struct {
	want  string
	parse func(text string) (T, error)
	text  func(T) string
	bare  bool
}

// errForm is the error of a parse that has nothing to add to what is wanted.
var errForm = errors.New("not of the wanted form")

// formError adds to what is wanted why a text is not that.
type formError string

func (e formError) Error() string { return string(e) }

// problem says what is wrong with a text that parse refused.
func (k kind[T]) problem(text string, err error) string {
	if secret := secretError(""); errors.As(err, &secret) {
		return secret.Error()
	}
	detail := ""
	if form := formError(""); errors.As(err, &form) {
		detail = ": " + string(form)
	}
	return fmt.Sprintf("want %s, got %q%s", k.want, text, detail)
}

// one is a key with a single value.
func one[T any](field func(*Config) *T, k kind[T]) value {
	v := value{want: k.want, bare: k.bare}
	v.set = func(c *Config, text string) string {
		parsed, err := k.parse(text)
		if err != nil {
			return k.problem(text, err)
		}
		*field(c) = parsed
		return ""
	}
	v.read = func(r *reader, name string, n ast.Node) {
		text, ok := r.scalar(name, k.want, n)
		if !ok {
			return
		}
		if problem := v.set(r.config, text); problem != "" {
			r.fail(r.at(n), name, problem)
		}
	}
	v.get = func(c *Config) []string { return []string{k.text(*field(c))} }
	return v
}

// many is a key with a list of values.
func many[T any](field func(*Config) *[]T, k kind[T]) value {
	v := value{want: "a list, each " + k.want, list: true, bare: k.bare}
	v.set = func(c *Config, text string) string {
		items := []T{}
		for part := range strings.SplitSeq(text, ",") {
			part = strings.TrimSpace(part)
			if part == "" {
				continue
			}
			item, err := k.parse(part)
			if err != nil {
				return k.problem(part, err)
			}
			items = append(items, item)
		}
		*field(c) = items
		return ""
	}
	v.read = func(r *reader, name string, n ast.Node) {
		nodes, ok := r.sequence(name, v.want, n)
		if !ok {
			return
		}
		items := []T{}
		for _, node := range nodes {
			text, ok := r.scalar(name, k.want, node)
			if !ok {
				continue
			}
			item, err := k.parse(text)
			if err != nil {
				r.fail(r.at(node), name, k.problem(text, err))
				continue
			}
			items = append(items, item)
		}
		*field(r.config) = items
	}
	v.get = func(c *Config) []string {
		texts := []string{}
		for _, item := range *field(c) {
			texts = append(texts, k.text(item))
		}
		return texts
	}
	return v
}

// count is a whole number in a range.
func count(least, most int) kind[int] {
	return kind[int]{
		want: fmt.Sprintf("a whole number from %d to %d", least, most),
		parse: func(text string) (int, error) {
			n, err := strconv.Atoi(text)
			if err != nil || n < least || n > most {
				return 0, errForm
			}
			return n, nil
		},
		text: strconv.Itoa,
		bare: true,
	}
}

// span is a duration in a range.
func span(least, most time.Duration) kind[time.Duration] {
	return kind[time.Duration]{
		want: "a duration such as 10s",
		parse: func(text string) (time.Duration, error) {
			d, err := time.ParseDuration(text)
			if err != nil {
				return 0, errForm
			}
			if d < least || d > most {
				return 0, formError(fmt.Sprintf("it must be %s to %s", spanText(least), spanText(most)))
			}
			return d, nil
		},
		text: spanText,
	}
}

// spanText writes 5m0s as 300s: the unit that the documents use.
func spanText(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return d.String()
}

// sized is a Size in a range.
func sized(least, most Size) kind[Size] {
	return kind[Size]{
		want: "a size such as 150MiB",
		parse: func(text string) (Size, error) {
			s, err := ParseSize(text)
			if err != nil {
				return 0, errForm
			}
			if s < least || s > most {
				return 0, formError(fmt.Sprintf("it must be %s to %s", least, most))
			}
			return s, nil
		},
		text: Size.String,
	}
}

// oneOf is one of a few words.
func oneOf[T ~string](words ...T) kind[T] {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return kind[T]{
		want: "one of " + strings.Join(list, ", "),
		parse: func(text string) (T, error) {
			if !slices.Contains(list, text) {
				return "", errForm
			}
			return T(text), nil
		},
		text: func(word T) string { return string(word) },
	}
}

// optional also takes an empty text, for the zero value.
func optional[T any](k kind[T]) kind[T] {
	parse := k.parse
	k.parse = func(text string) (T, error) {
		if text == "" {
			var none T
			return none, nil
		}
		return parse(text)
	}
	return k
}

var levelKind = kind[slog.Level]{
	want: "one of debug, info, warn, error",
	parse: func(text string) (slog.Level, error) {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			if levelText(level) == text {
				return level, nil
			}
		}
		return 0, errForm
	},
	text: levelText,
}

func levelText(level slog.Level) string { return strings.ToLower(level.String()) }

// pathKind is the name of a file or directory. It may be empty; the rules say
// where it must not.
var pathKind = kind[string]{
	want: "a path",
	parse: func(text string) (string, error) {
		if strings.Contains(text, "\x00") || !utf8.ValidString(text) {
			return "", errForm
		}
		return text, nil
	},
	text: func(path string) string { return path },
}

// dsnKind never shows the password again.
var dsnKind = kind[string]{
	want:  "a URL such as postgres://user@host/database",
	parse: pathKind.parse,
	text: func(dsn string) string {
		if u, err := url.Parse(dsn); err == nil {
			return u.Redacted()
		}
		return "(not a URL)"
	},
}

var boolKind = kind[bool]{
	want: "true or false",
	parse: func(text string) (bool, error) {
		switch text {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return false, errForm
	},
	text: strconv.FormatBool,
	bare: true,
}
