package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// maskedPassword is what is shown for any password.
const maskedPassword = "xxxxx"

// maxPassword bounds a password, in bytes.
const maxPassword = 1024

// passwordKind never tells in a message what was there.
var passwordKind = kind[string]{
	want: "a password",
	parse: func(text string) (string, error) {
		if problem := passwordProblem(text); problem != "" {
			return "", secretError(problem)
		}
		return text, nil
	},
	text: func(string) string { return maskedPassword },
}

// secretError stands alone: the text it is about may not be repeated.
type secretError string

func (e secretError) Error() string { return string(e) }

func passwordProblem(text string) string {
	switch {
	case text == "":
		return "the password is empty"
	case len(text) > maxPassword:
		return "the password is too long"
	case strings.ContainsAny(text, "\r\n\x00") || !utf8.ValidString(text):
		return "the password is not one line of text"
	}
	return ""
}

// fileKind is a file that must be there.
var fileKind = kind[string]{
	want: "the name of a file",
	parse: func(text string) (string, error) {
		if text == "" {
			return "", errForm
		}
		return pathKind.parse(text)
	},
	text: sameText,
}

// readSecrets reads the password files, each in one line.
func (c *Config) readSecrets() error {
	var errs []error
	for i := range c.Gateways {
		g := &c.Gateways[i]
		if g.PasswordFile == "" {
			continue
		}
		password, err := readSecret(g.PasswordFile)
		if err != nil {
			errs = append(errs, &Error{
				Where: c.within("gateways", g.secret).String(),
				Key:   fmt.Sprintf("gateways[%d].password_file", i), Problem: err.Error(),
			})
		}
		g.Password = password
	}
	return errors.Join(errs...)
}

// readSecret reads one; only of a plain file, because others may never end.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a plain file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxPassword+3))
	if err != nil {
		return "", err
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if problem := passwordProblem(password); problem != "" {
		return "", fmt.Errorf("%s: %s", path, problem)
	}
	return password, nil
}
