package dialplans

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"dialyard/proto"
)

// answer gives the run what it was told to, or an error.
func (s *switchboard) answer(i *proto.Instruction) {
	answer := &proto.Answer{Error: "nobody answers"}
	if len(s.told) > 0 {
		answer, s.told = s.told[0], s.told[1:]
	}
	s.run.Result(answerTo(i, answer))
}

// answerTo is the answer to an instruction.
func answerTo(i *proto.Instruction, a *proto.Answer) *proto.Result {
	return &proto.Result{Run: i.Run, Seq: i.Seq, Is: &proto.Result_Answer{Answer: a}}
}

// tellAnswer reads what comes of something that is asked:
//
//	error WORDS
//	http STATUS [NAME:VALUE]... BODY
//	found [NAME=VALUE... [; NAME=VALUE...]]
//	kept [VALUE] | nothing | number N
//	granted | refused
func tellAnswer(t testing.TB, told string) *proto.Answer {
	t.Helper()
	what, rest, _ := strings.Cut(told, " ")
	switch what {
	case "error":
		return &proto.Answer{Error: rest}
	case "http":
		return httpAnswer(t, rest)
	case "found":
		found := &proto.Found{}
		for record := range strings.SplitSeq(rest, " ; ") {
			if record != "" {
				found.Records = append(found.Records, dnsRecord(t, record))
			}
		}
		return &proto.Answer{Is: &proto.Answer_Found{Found: found}}
	case "kept":
		return keptAnswer(&proto.Kept{Found: true, Value: []byte(rest)})
	case "nothing":
		return keptAnswer(&proto.Kept{})
	case "number":
		n, err := strconv.ParseInt(rest, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return keptAnswer(&proto.Kept{Number: n})
	case "granted", "refused":
		return &proto.Answer{Is: &proto.Answer_Claimed{Claimed: &proto.Claimed{Granted: what == "granted"}}}
	}
	t.Fatalf("no answer begins with %q", what)
	return nil
}

func keptAnswer(kept *proto.Kept) *proto.Answer {
	return &proto.Answer{Is: &proto.Answer_Kept{Kept: kept}}
}

func httpAnswer(t testing.TB, told string) *proto.Answer {
	t.Helper()
	status, rest, _ := strings.Cut(told, " ")
	n, err := strconv.ParseUint(status, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	fetched := &proto.Fetched{Status: uint32(n)}
	for strings.HasPrefix(rest, "[") {
		line, after, _ := strings.Cut(rest[1:], "]")
		name, value, _ := strings.Cut(line, ":")
		fetched.Headers = append(fetched.Headers, &proto.Header{Name: name, Value: value})
		rest = strings.TrimPrefix(after, " ")
	}
	fetched.Body = []byte(rest)
	return &proto.Answer{Is: &proto.Answer_Fetched{Fetched: fetched}}
}

func dnsRecord(t testing.TB, told string) *proto.DNSRecord {
	t.Helper()
	r := &proto.DNSRecord{}
	for _, field := range strings.Fields(told) {
		name, value, _ := strings.Cut(field, "=")
		n, err := strconv.ParseUint(value, 10, 32)
		switch name {
		case "value":
			r.Value, err = value, nil
		case "flags":
			r.Flags, err = value, nil
		case "service":
			r.Service, err = value, nil
		case "regexp":
			r.Regexp, err = value, nil
		case "ttl":
			r.TtlS = uint32(n)
		case "priority":
			r.Priority = uint32(n)
		case "weight":
			r.Weight = uint32(n)
		case "port":
			r.Port = uint32(n)
		default:
			t.Fatalf("no record has %q", name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// describeAsk is what is asked as one line.
func describeAsk(a *proto.Ask) string {
	switch is := a.Is.(type) {
	case *proto.Ask_Fetch:
		return describeFetch(is.Fetch)
	case *proto.Ask_Lookup:
		return fmt.Sprintf("dns %s %s", is.Lookup.Type, is.Lookup.Name)
	case *proto.Ask_Keep:
		return describeKeep(is.Keep)
	case *proto.Ask_Claim:
		line := fmt.Sprintf("limit %s: %d", is.Claim.Name, is.Claim.Places)
		if is.Claim.PerMs != 0 {
			line += fmt.Sprintf(" in %gs", float64(is.Claim.PerMs)/1000)
		}
		return line
	}
	return a.String()
}

// describeFetch leaves out a time that is all that the script has.
func describeFetch(f *proto.Fetch) string {
	line := "http " + f.Method + " " + f.Url
	for _, h := range f.Headers {
		line += fmt.Sprintf(" [%s: %s]", h.Name, h.Value)
	}
	if f.TimeoutMs < 9000 {
		line += fmt.Sprintf(" within %gs", float64(f.TimeoutMs)/1000)
	}
	if len(f.Body) > 0 {
		line += " " + strconv.Quote(string(f.Body))
	}
	return line
}

func describeKeep(k *proto.Keep) string {
	line := "kv " + strings.ToLower(strings.TrimPrefix(k.Op.String(), "KEEP_OP_")) + " " + k.Key
	if k.By != 0 {
		line += fmt.Sprintf(" by %d", k.By)
	}
	if len(k.Value) > 0 {
		line += " " + strconv.Quote(string(k.Value))
	}
	if k.TtlS != 0 {
		line += fmt.Sprintf(" for %ds", k.TtlS)
	}
	return line
}
