package api

import (
	"cmp"
	"net/http"
	"strings"
	"unicode"

	"dialyard/dispatcher/journal"
)

// maxWish is the most octets of what an operator says of a command.
const maxWish = 200

// reason is what a command's caller gave as one, or that there is none.
func reason(r *http.Request) string {
	return "operator: " + cmp.Or(oneLine(r.URL.Query().Get("reason")), "no reason given")
}

// operator is who says to have given a command: the header X-Operator, or ?by=. The
// token alone gives the right to it; the name is for whoever reads the journal.
func operator(r *http.Request) string {
	return oneLine(cmp.Or(r.Header.Get("X-Operator"), r.URL.Query().Get("by")))
}

// oneLine is text as it may stand in a log and on a terminal.
func oneLine(text string) string {
	text = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, " "))
	text = strings.TrimSpace(text)
	return strings.ToValidUTF8(text[:min(len(text), maxWish)], "")
}

// audit writes a command that was carried out into the journal and the log.
func (s *Server) audit(r *http.Request, verb, subject string) {
	by := operator(r)
	s.Journal.Add(journal.Event{Kind: journal.Command, Subject: subject, What: verb, Reason: reason(r), By: by})
	s.Log.Info("operator's command", "command", verb, "subject", subject, "reason", reason(r), "by", by, "from", r.RemoteAddr)
}
