package dispatcher

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"dialyard/dispatcher/call"
	"dialyard/proto"
)

// The instructions of a worker, as it sends them.
func reject(code uint32, reason string, headers ...*proto.Header) *proto.Instruction {
	return &proto.Instruction{Is: &proto.Instruction_Reject{Reject: &proto.Reject{Code: code, Reason: reason, Headers: headers}}}
}

func redirect(code uint32, targets ...string) *proto.Instruction {
	return &proto.Instruction{Is: &proto.Instruction_Redirect{Redirect: &proto.Redirect{Code: code, Targets: targets}}}
}

func ring(code uint32) *proto.Instruction {
	return &proto.Instruction{Is: &proto.Instruction_Ring{Ring: &proto.Ring{Code: code}}}
}

func setHeader(name, value string) *proto.Instruction {
	return &proto.Instruction{Is: &proto.Instruction_SetHeader{SetHeader: &proto.SetHeader{Header: header(name, value)}}}
}

func tag(name, value string) *proto.Instruction {
	return &proto.Instruction{Is: &proto.Instruction_Tag{Tag: &proto.Tag{Name: name, Value: value}}}
}

func header(name, value string) *proto.Header { return &proto.Header{Name: name, Value: value} }

// said is a report of a run's first instruction.
func said(i *proto.Instruction) *proto.Report {
	i.Seq = 1
	return &proto.Report{Is: &proto.Report_Instruction{Instruction: i}}
}

func ended(d *proto.Done) *proto.Report { return &proto.Report{Is: &proto.Report_Done{Done: d}} }

// targets are n that differ.
func targets(n int) (list []string) {
	for i := range n {
		list = append(list, "sip:"+strings.Repeat("1", i+1)+"@gw.example.net")
	}
	return list
}

func TestTranslateWhatIsAllowed(t *testing.T) {
	long, longer := strings.Repeat("x", maxText), strings.Repeat("x", maxURI)
	for name, c := range map[string]struct {
		report *proto.Report
		want   call.Event
	}{
		"reject":             {said(reject(486, "")), call.Reject{Code: 486}},
		"reject, all said":   {said(reject(699, "Nein, höflich", header("Retry-After", "30"))), call.Reject{Code: 699, Reason: "Nein, höflich", Headers: []call.Field{{Name: "Retry-After", Value: "30"}}}},
		"reject, long":       {said(reject(400, long, header("X-A", longer))), call.Reject{Code: 400, Reason: long, Headers: []call.Field{{Name: "X-A", Value: longer}}}},
		"redirect":           {said(redirect(302, "sip:100@gw.example.net", "tel:+4930100")), call.Redirect{Code: 302, Targets: []string{"sip:100@gw.example.net", "tel:+4930100"}}},
		"redirect, most":     {said(redirect(300, targets(maxTargets)...)), call.Redirect{Code: 300, Targets: targets(maxTargets)}},
		"ring":               {said(ring(180)), call.Ring{Code: 180}},
		"ring, progress":     {said(ring(183)), call.Ring{Code: 183}},
		"set header":         {said(setHeader("X-Queue", "sales")), call.SetHeader{Field: call.Field{Name: "X-Queue", Value: "sales"}}},
		"remove header":      {said(setHeader("X-Queue", "")), call.SetHeader{Field: call.Field{Name: "X-Queue"}}},
		"tag":                {said(tag("cost", "0.12 €")), call.Tag{Name: "cost", Value: "0.12 €"}},
		"done":               {ended(&proto.Done{Outcome: proto.Outcome_OUTCOME_FINISHED}), call.Done{Outcome: call.Undecided}},
		"done, failed":       {ended(&proto.Done{Outcome: proto.Outcome_OUTCOME_ERROR, Error: &proto.ScriptError{File: "main.lua", Line: 3, Message: "no"}}), call.Done{Outcome: call.ScriptFailed, Error: &call.ScriptError{File: "main.lua", Line: 3, Message: "no"}}},
		"done, over a limit": {ended(&proto.Done{Outcome: proto.Outcome_OUTCOME_LIMIT}), call.Done{Outcome: call.ScriptLimited}},
		"done, cancelled":    {ended(&proto.Done{Outcome: proto.Outcome_OUTCOME_CANCELLED}), call.Done{Outcome: call.ScriptLimited}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &live{script: script{seq: 1}}
			if got := l.translate(c.report); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v became %#v, want %#v", c.report, got, c.want)
			}
		})
	}
}

func TestTranslateWhatEndsTheRun(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	many := make([]*proto.Header, maxFields+1)
	for i := range many {
		many[i] = header("X-A", "1")
	}
	for name, i := range map[string]*proto.Instruction{
		"nothing at all":            {},
		"reject, no code":           reject(0, ""),
		"reject, a success":         reject(200, ""),
		"reject, a redirect":        reject(302, ""),
		"reject, too high":          reject(700, ""),
		"reject, huge":              reject(1<<31, ""),
		"reject, reason ends line":  reject(486, "Busy\r\nX-Evil: 1"),
		"reject, reason with LF":    reject(486, "Busy\nX-Evil: 1"),
		"reject, reason with NUL":   reject(486, "Busy\x00"),
		"reject, reason with DEL":   reject(486, "Busy\x7f"),
		"reject, reason with TAB":   reject(486, "Busy\tHere"),
		"reject, reason not UTF-8":  reject(486, "Busy\xff"),
		"reject, reason too long":   reject(486, long),
		"reject, header of ours":    reject(486, "", header("Via", "SIP/2.0/UDP evil")),
		"reject, too many headers":  reject(486, "", many...),
		"reject, header ends line":  reject(486, "", header("X-A", "1\r\nX-Evil: 1")),
		"redirect, no code":         redirect(0, "sip:a@example.net"),
		"redirect, a refusal":       redirect(404, "sip:a@example.net"),
		"redirect, a success":       redirect(299, "sip:a@example.net"),
		"redirect, nowhere":         redirect(302),
		"redirect, too many":        redirect(302, targets(maxTargets+1)...),
		"redirect, one is bad":      redirect(302, "sip:a@example.net", "sip:b@example.net>"),
		"redirect, empty":           redirect(302, ""),
		"redirect, no scheme":       redirect(302, "example.net"),
		"redirect, with brackets":   redirect(302, "<sip:a@example.net>"),
		"redirect, two in one":      redirect(302, "sip:a@example.net>, <sip:b@example.net"),
		"redirect, with space":      redirect(302, "sip:a b@example.net"),
		"redirect, ends line":       redirect(302, "sip:a@example.net\r\nX-Evil: 1"),
		"redirect, too long":        redirect(302, "sip:"+strings.Repeat("1", maxURI)+"@example.net"),
		"ring, no code":             ring(0),
		"ring, trying":              ring(100),
		"ring, dialog":              ring(199),
		"ring, a success":           ring(200),
		"header, none":              {Is: &proto.Instruction_SetHeader{SetHeader: &proto.SetHeader{}}},
		"header, no name":           setHeader("", "1"),
		"header, name with colon":   setHeader("X-A: 1\r\nX-Evil", "1"),
		"header, name with space":   setHeader("X A", "1"),
		"header, name too long":     setHeader(long, "1"),
		"header, value ends line":   setHeader("X-A", "1\r\n\r\nv=0"),
		"header, value with CR":     setHeader("X-A", "1\rX-Evil: 1"),
		"header, value not UTF-8":   setHeader("X-A", "\xc3\x28"),
		"header, value too long":    setHeader("X-A", strings.Repeat("x", maxURI+1)),
		"tag, name ends line":       tag("a\nb", "1"),
		"tag, value ends line":      tag("a", "1\n2"),
		"tag, name too long":        tag(long, "1"),
		"tag, value too long":       tag("a", long),
		"tag, an escape in the log": tag("a", "\x1b[2J"),
	} {
		t.Run(name, func(t *testing.T) {
			l := &live{script: script{seq: 1}}
			if got := l.translate(said(i)); got != brokenProtocol {
				t.Errorf("%v became %#v", i, got)
			}
		})
	}
}

// TestTranslateReservedHeaders: no spelling of what belongs to the transaction and
// the transport may come from a script.
func TestTranslateReservedHeaders(t *testing.T) {
	for _, name := range []string{
		"Via", "v", "From", "f", "To", "t", "Call-ID", "i", "CSeq", "Max-Forwards", "Content-Length", "l",
		"Route", "Record-Route", "Contact", "m",
	} {
		for _, spelt := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			for _, i := range []*proto.Instruction{setHeader(spelt, "1"), setHeader(spelt, ""), reject(486, "", header(spelt, "1"))} {
				l := &live{script: script{seq: 1}}
				if got := l.translate(said(i)); got != brokenProtocol {
					t.Errorf("%v became %#v", i, got)
				}
			}
		}
	}
}

func TestTranslateSequence(t *testing.T) {
	l := &live{script: script{seq: 1}}
	numbered := func(seq uint32) *proto.Report {
		i := ring(180)
		i.Seq = seq
		return &proto.Report{Is: &proto.Report_Instruction{Instruction: i}}
	}
	for seq := range uint32(3) {
		if got := l.translate(numbered(seq + 1)); got != (call.Ring{Code: 180}) {
			t.Fatalf("instruction %d became %#v", seq+1, got)
		}
	}
	for _, seq := range []uint32{0, 1, 3, 5, 1<<32 - 1} {
		if got := l.translate(numbered(seq)); got != brokenProtocol {
			t.Errorf("instruction %d after 3 became %#v", seq, got)
		}
	}
}

// TestTranslateOtherReports: what is not about a run, or says nothing, is no word
// on one.
func TestTranslateOtherReports(t *testing.T) {
	for _, r := range []*proto.Report{
		{},
		{Is: &proto.Report_Beat{Beat: &proto.Beat{}}},
		{Is: &proto.Report_Checked{Checked: &proto.Checked{}}},
		ended(&proto.Done{}),
		ended(&proto.Done{Outcome: 99}),
	} {
		l := &live{script: script{seq: 1}}
		if got := l.translate(r); got != brokenProtocol {
			t.Errorf("%v became %#v", r, got)
		}
	}
}

// TestTranslateCutsErrors: what the author is told has bounds, and they do not cut
// a letter in two.
func TestTranslateCutsErrors(t *testing.T) {
	long := "x" + strings.Repeat("ä", maxMessage)
	l := &live{script: script{seq: 1}}
	got, _ := l.translate(ended(&proto.Done{
		Outcome: proto.Outcome_OUTCOME_ERROR,
		Error:   &proto.ScriptError{File: long, Line: 7, Message: long, Stack: "\xff" + long},
	})).(call.Done)
	if got.Error == nil || got.Error.Line != 7 {
		t.Fatalf("became %#v", got)
	}
	for _, c := range []struct {
		what, text string
		limit      int
	}{
		{"file", got.Error.File, maxText},
		{"message", got.Error.Message, maxMessage},
		{"stack", got.Error.Stack, maxMessage},
	} {
		if n := len(c.text); n > c.limit || n < c.limit-2 || !utf8.ValidString(c.text) {
			t.Errorf("the %s has %d bytes, the limit is %d: %q...", c.what, n, c.limit, c.text[:8])
		}
	}
}
