package call

import "strings"

// contacts renders redirect targets as Contact headers, in the script's order of
// preference (RFC 3261 §8.1.3.4).
func contacts(targets []string) []Field {
	fields := make([]Field, len(targets))
	for i, t := range targets {
		fields[i] = Field{Name: "Contact", Value: "<" + t + ">"}
	}
	return fields
}

func (c *Call) setHeader(f Field) {
	if i := indexOf(c.headers, f.Name); i >= 0 {
		c.headers = append(c.headers[:i], c.headers[i+1:]...)
	}
	if f.Value != "" {
		c.headers = append(c.headers, f)
	}
}

// indexOf finds a field by its name in any case, -1 if it is not there.
func indexOf(fields []Field, name string) int {
	for i := range fields {
		if strings.EqualFold(fields[i].Name, name) {
			return i
		}
	}
	return -1
}

func (c *Call) tag(t Tag) {
	if c.Tags == nil {
		c.Tags = map[string]string{}
	}
	c.Tags[t.Name] = t.Value
}
