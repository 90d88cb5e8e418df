package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dialyard/dispatcher/journal"
)

const (
	maxFollowers = 16
	usualEvents  = 100
	stillHere    = 15 * time.Second // between two signs of life to a follower
	writeTime    = 10 * time.Second // for a follower to take what it is sent
)

// A query is what somebody wants to know of the journal.
type query struct {
	after   uint64
	since   bool // after was given
	limit   int
	kinds   []journal.Kind
	subject string
}

func readQuery(r *http.Request) (q query, err error) {
	values := r.URL.Query()
	after := cmp.Or(values.Get("after"), r.Header.Get("Last-Event-ID"))
	if q.since = after != ""; q.since {
		if q.after, err = strconv.ParseUint(after, 10, 64); err != nil {
			return q, fmt.Errorf("after is the number of an event, not %q", after)
		}
	}
	q.limit = usualEvents
	if text := values.Get("limit"); text != "" {
		if q.limit, err = strconv.Atoi(text); err != nil || q.limit < 1 || q.limit > journal.Kept {
			return q, fmt.Errorf("limit is a number from 1 to %d, not %q", journal.Kept, text)
		}
	}
	if text := values.Get("kind"); text != "" {
		for name := range strings.SplitSeq(text, ",") {
			if !slices.Contains(journal.Kinds(), journal.Kind(name)) {
				return q, fmt.Errorf("kind is one of %v, not %q", journal.Kinds(), name)
			}
			q.kinds = append(q.kinds, journal.Kind(name))
		}
	}
	q.subject = values.Get("subject")
	return q, nil
}

// wants reports whether an event is of a kind and about a subject that is asked for.
// A subject stands for all that belongs to it: w1 for w1.3, acme for acme/main@7.
func (q *query) wants(e *journal.Event) bool {
	if q.kinds != nil && !slices.Contains(q.kinds, e.Kind) {
		return false
	}
	rest, ok := strings.CutPrefix(e.Subject, q.subject)
	return ok && (q.subject == "" || rest == "" || strings.ContainsAny(rest[:1], "./@"))
}

// read returns the events asked for, and the number to go on after. Without after
// they are the newest.
func (q *query) read(j *journal.Journal) (list []journal.Event, missed, upTo uint64) {
	if q.since {
		return j.After(min(q.after, j.Last()), q.limit, q.wants)
	}
	list, _, upTo = j.After(0, journal.Kept, q.wants)
	return list[max(0, len(list)-q.limit):], 0, upTo
}

// events answers GET /v1/events: a list, or with ?follow=1 a stream that goes on.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	q, err := readQuery(r)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if truth(r, "follow") {
		s.follow(w, r, q)
		return
	}
	list, missed, upTo := q.read(s.Journal)
	w.Header().Set("X-Dialyard-Missed", strconv.FormatUint(missed, 10))
	w.Header().Set("X-Dialyard-Last", strconv.FormatUint(upTo, 10))
	answer(w, http.StatusOK, append([]journal.Event{}, list...))
}

// follow sends events as they come, until the client goes, does not read any more, or
// the server ends.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, q query) {
	if s.followers.Add(1) > maxFollowers {
		s.followers.Add(-1)
		fail(w, http.StatusTooManyRequests, fmt.Sprintf("%d follow already", maxFollowers))
		return
	}
	defer s.followers.Add(-1)
	f := follower{w: w, control: http.NewResponseController(w), sse: strings.Contains(r.Header.Get("Accept"), "text/event-stream")}
	f.begin()
	list, missed, upTo := q.read(s.Journal)
	for f.send(list, missed) == nil {
		var ok bool
		if list, missed, upTo, ok = s.more(r.Context(), &q, upTo); !ok {
			return
		}
	}
}

// more waits for what comes after a number; after a while without, for nothing.
func (s *Server) more(ctx context.Context, q *query, after uint64) (list []journal.Event, missed, upTo uint64, ok bool) {
	limited, cancel := context.WithTimeout(ctx, stillHere)
	defer cancel()
	if err := s.Journal.Wait(limited, after); err != nil {
		return nil, 0, after, errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
	}
	list, missed, upTo = s.Journal.After(after, usualEvents, q.wants)
	return list, missed, upTo, true
}

// A follower is a client that reads a stream: lines of JSON, or server-sent events if
// it accepts those. An empty line, or a comment, is a sign of life. It is told how many
// events it was too slow for as {"missed": N}.
type follower struct {
	w       http.ResponseWriter
	control *http.ResponseController
	sse     bool
}

func (f *follower) begin() {
	kind := "application/x-ndjson"
	if f.sse {
		kind = "text/event-stream"
	}
	f.w.Header().Set("Content-Type", kind)
	f.w.Header().Set("Cache-Control", "no-store")
	f.w.WriteHeader(http.StatusOK)
	f.control.SetReadDeadline(time.Time{}) // it may be silent for as long as it likes
}

// send writes events, or a sign of life if there are none. An error says that the
// client does not read.
func (f *follower) send(list []journal.Event, missed uint64) error {
	f.control.SetWriteDeadline(time.Now().Add(writeTime))
	if missed > 0 {
		f.line("missed", 0, map[string]uint64{"missed": missed})
	}
	for i := range list {
		f.line(string(list[i].Kind), list[i].Number, &list[i])
	}
	if len(list) == 0 {
		fmt.Fprint(f.w, map[bool]string{true: ":\n\n", false: "\n"}[f.sse])
	}
	return f.control.Flush()
}

// line writes one thing; an error shows when it is flushed.
func (f *follower) line(kind string, number uint64, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		return
	}
	if !f.sse {
		fmt.Fprintf(f.w, "%s\n", text)
		return
	}
	if number > 0 {
		fmt.Fprintf(f.w, "id: %d\n", number)
	}
	fmt.Fprintf(f.w, "event: %s\ndata: %s\n\n", kind, text)
}
