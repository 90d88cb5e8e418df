package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dialyard/dispatcher/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serveEvents serves a journal alone, with the impatience of a real server.
func serveEvents(t *testing.T) (*journal.Journal, *httptest.Server) {
	t.Helper()
	s := &Server{Journal: &journal.Journal{}}
	web := httptest.NewUnstartedServer(http.HandlerFunc(s.events))
	web.Config.ReadTimeout, web.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	web.Start()
	t.Cleanup(web.Close)
	return s.Journal, web
}

func get(t *testing.T, url, accept string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func someEvents(j *journal.Journal) {
	for i, subject := range []string{"w1.1", "w10.1", "acme/main@7", "acme", "w1"} {
		kind := journal.Worker
		if i >= 2 {
			kind = journal.Plan
		}
		j.Add(journal.Event{Kind: kind, Subject: subject, What: "ready"})
	}
}

func TestEventsAreListedByWish(t *testing.T) {
	j, web := serveEvents(t)
	someEvents(j)
	for query, want := range map[string]string{
		"":                               "[1 2 3 4 5] last 5",
		"limit=2":                        "[4 5] last 5",
		"after=0&limit=2":                "[1 2] last 2",
		"after=3":                        "[4 5] last 5",
		"after=99":                       "[] last 5",
		"kind=plan":                      "[3 4 5] last 5",
		"kind=plan,worker&subject=w1":    "[1 5] last 5",
		"subject=acme":                   "[3 4] last 5",
		"subject=acme/main":              "[3] last 5",
		"subject=none":                   "[] last 5",
		"after=x":                        `400 after is the number of an event, not "x"`,
		"limit=0":                        `400 limit is a number from 1 to 2000, not "0"`,
		"limit=2001":                     `400 limit is a number from 1 to 2000, not "2001"`,
		"kind=worker,weather":            `400 kind is one of [worker verdict health quarantine command plan gateway store config front], not "weather"`,
		"kind=worker&follow=1&after=abc": `400 after is the number of an event, not "abc"`,
	} {
		res := get(t, web.URL+"?"+query, "")
		var got string
		if res.StatusCode != 200 {
			var p Problem
			json.NewDecoder(res.Body).Decode(&p)
			got = fmt.Sprint(res.StatusCode, " ", p.Error)
		} else {
			list := []journal.Event{}
			if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
				t.Fatal(err)
			}
			numbers := []uint64{}
			for _, e := range list {
				numbers = append(numbers, e.Number)
			}
			got = fmt.Sprintf("%v last %s", numbers, res.Header.Get("X-Dialyard-Last"))
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestFollowersHearWhatComes(t *testing.T) {
	j, web := serveEvents(t)
	someEvents(j)
	lines := bufio.NewScanner(get(t, web.URL+"?follow=1&after=3&kind=plan", "").Body)
	next := func() (e journal.Event) {
		t.Helper()
		for lines.Scan() {
			if len(lines.Bytes()) > 0 {
				if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
					t.Fatal(err)
				}
				return e
			}
		}
		t.Fatal("the stream has ended", lines.Err())
		return e
	}
	if a, b := next(), next(); a.Number != 4 || b.Number != 5 {
		t.Errorf("first come %d and %d", a.Number, b.Number)
	}
	time.Sleep(300 * time.Millisecond) // longer than the server waits for anybody else
	j.Add(journal.Event{Kind: journal.Worker, Subject: "w1.1"})
	j.Add(journal.Event{Kind: journal.Plan, Subject: "new"})
	if e := next(); e.Number != 7 || e.Subject != "new" {
		t.Errorf("then comes %+v", e)
	}
	j.Close("")
	if lines.Scan() && len(lines.Bytes()) > 0 {
		t.Errorf("after the end comes %q", lines.Text())
	}
}

func TestServerSentEvents(t *testing.T) {
	j, web := serveEvents(t)
	someEvents(j)
	for range journal.Kept {
		j.Add(journal.Event{Kind: journal.Front, Subject: "front"})
	}
	res := get(t, web.URL+"?follow=1&after=1&limit=1", "text/event-stream")
	j.Close("")
	text, err := io.ReadAll(res.Body)
	if err != nil || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(err, res.Header)
	}
	parts := strings.Split(string(text), "\n\n")
	if !strings.HasPrefix(parts[0], "event: missed\ndata: {\"missed\":") {
		t.Errorf("first comes %q", parts[0])
	}
	if want := "id: 2006\nevent: front\ndata: {\"number\":2006,"; len(parts) < journal.Kept || !strings.HasPrefix(parts[len(parts)-2], want) {
		t.Errorf("%d events, the last: %q", len(parts), parts[len(parts)-2])
	}
}

func TestFollowersAreBounded(t *testing.T) {
	j, web := serveEvents(t)
	someEvents(j)
	var last *http.Response
	for range maxFollowers {
		if last = get(t, web.URL+"?follow=1", ""); last.StatusCode != 200 {
			t.Fatal(last.Status)
		}
		bufio.NewReader(last.Body).ReadString('\n') // it is there
	}
	if res := get(t, web.URL+"?follow=1", ""); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one more: %s", res.Status)
	}
	last.Body.Close()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		j.Add(journal.Event{Kind: journal.Front, Subject: "front"})
		res := get(t, web.URL+"?follow=1", "")
		if res.StatusCode == 200 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("a place is not given back")
		}
	}
	j.Close("")
}

func TestOperatorsWordsAreOneLine(t *testing.T) {
	r := httptest.NewRequest("POST", "/?reason=a%0Ab%1B%5B31m+%C3%A4%FF&by=eve", nil)
	if got := reason(r); got != "operator: a b [31m ä" {
		t.Errorf("reason %q", got)
	}
	if got := operator(r); got != "eve" {
		t.Errorf("by %q", got)
	}
	r.Header.Set("X-Operator", strings.Repeat("ä", maxWish))
	if got := operator(r); len(got) > maxWish || !strings.HasSuffix(got, "ä") {
		t.Errorf("by %d octets", len(got))
	}
	if got := reason(httptest.NewRequest("POST", "/", nil)); got != "operator: no reason given" {
		t.Errorf("reason %q", got)
	}
}

func TestProbeTimesAreCumulative(t *testing.T) {
	var p ProbeTimes
	for _, took := range []time.Duration{500 * time.Microsecond, time.Millisecond, 3 * time.Millisecond, time.Minute, -time.Second} {
		p.Observe(took, true)
	}
	p.Observe(2*time.Second, false)
	count, seconds, buckets := p.good.histogram()
	if count != 5 || buckets[0.001] != 3 || buckets[0.0025] != 3 || buckets[0.005] != 4 || buckets[5] != 4 || seconds < 60 || seconds > 60.01 {
		t.Errorf("%d probes, %v s, %v", count, seconds, buckets)
	}
	if count, _, buckets := p.bad.histogram(); count != 1 || buckets[1] != 0 || buckets[2] != 1 {
		t.Errorf("%d bad ones, %v", count, buckets)
	}
}
