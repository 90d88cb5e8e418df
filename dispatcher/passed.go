package dispatcher

import (
	"strings"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// kept are the headers that one dialog does not pass to the other: they belong to
// the hop, to the dialog, or to this front. All others go through, known or not.
var kept = map[string]bool{
	"via": true, "v": true, "from": true, "f": true, "to": true, "t": true, "call-id": true, "i": true, "cseq": true,
	"contact": true, "m": true, "max-forwards": true, "content-length": true, "l": true, "route": true, "record-route": true,
	"path": true, "service-route": true, "user-agent": true, "server": true, "date": true, "timestamp": true,
	"authorization": true, "proxy-authorization": true, "www-authenticate": true, "proxy-authenticate": true,
	"authentication-info": true, "proxy-authentication-info": true, "proxy-require": true, "rseq": true, "rack": true,
	"allow": true, "organization": true, "expires": true, "unsupported": true,
}

// passed are the headers of a message that go on to the other party. Who somebody is,
// only a trusted peer may say.
func (s *shard) passed(m *sip.Message, from sip.Peer) (fields []call.Field) {
	trusted := s.table.Load().trusts(from.Addr.Addr())
	for i := range m.Headers {
		h := &m.Headers[i]
		name := strings.ToLower(h.Text)
		switch {
		case kept[name], strings.HasPrefix(name, "x-dialyard-"), !trusted && isIdentity(name):
			continue
		case name == "supported", name == "k", name == "require":
			// What this front cannot carry through must not be agreed on.
			if tags := sip.Offered(h.Value); tags != "" {
				fields = append(fields, call.Field{Name: h.Text, Value: tags})
			}
			continue
		}
		fields = append(fields, call.Field{Name: h.Text, Value: h.Value})
	}
	return fields
}

// withField replaces a header, or appends it.
func withField(fields []sip.Field, f sip.Field) []sip.Field {
	return append(withoutField(fields, f.Name), f)
}

// withoutField leaves a header out.
func withoutField(fields []sip.Field, name string) []sip.Field {
	out := make([]sip.Field, 0, len(fields)+1)
	for _, have := range fields {
		if !strings.EqualFold(have.Name, name) {
			out = append(out, have)
		}
	}
	return out
}

func withContact(fields []sip.Field, to sip.Peer) []sip.Field { return withField(fields, contact(to)) }

// sipFields turns fields of the Call into those of the edge.
func sipFields(fields []call.Field) []sip.Field {
	out := make([]sip.Field, len(fields))
	for i, f := range fields {
		out[i] = sip.Field(f)
	}
	return out
}
