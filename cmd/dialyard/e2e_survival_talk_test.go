package main_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A talk is what one phone saw of one call. What was repeated counts once.
type talk struct {
	invites  int    // INVITEs that began it
	finals   []int  // different final answers to them
	byes     string // "sent" or "received", a word for each BYE
	answered time.Time
	bye      time.Time

	cseq string          // of the INVITE that began it
	seen map[string]bool // requests, by method and Via
}

// talks are the calls of a phone by their Call-IDs.
func (p *phone) talks() map[string]*talk {
	talks := map[string]*talk{}
	for _, entry := range strings.Split(p.heard(), "-----------------------------------------------") {
		head, message, found := strings.Cut(entry, "\n\n")
		if !found {
			continue
		}
		id := field(message, "Call-ID")
		if talks[id] == nil {
			talks[id] = &talk{seen: map[string]bool{}}
		}
		talks[id].take(head, message)
	}
	return talks
}

// take takes a message and the lines that say when and which way it went.
func (k *talk) take(head, message string) {
	start, _, _ := strings.Cut(message, "\n")
	method, rest, _ := strings.Cut(start, " ")
	if method == "SIP/2.0" {
		k.takeAnswer(head, rest, field(message, "CSeq"))
		return
	}
	one := method + field(message, "Via")
	if k.seen[one] {
		return
	}
	k.seen[one] = true
	switch {
	case method == "INVITE" && !strings.Contains(field(message, "To"), ";tag="):
		k.invites++
		k.cseq = field(message, "CSeq")
	case method == "BYE":
		k.bye = written(head)
		k.byes = strings.TrimSpace(k.byes + " " + way(head))
	}
}

func (k *talk) takeAnswer(head, rest, cseq string) {
	var status int
	if _, err := fmt.Sscan(rest, &status); err != nil || status < 200 || cseq != k.cseq || slices.Contains(k.finals, status) {
		return
	}
	k.finals = append(k.finals, status)
	k.answered = written(head)
}

func way(head string) string {
	if strings.Contains(head, " message sent") {
		return "sent"
	}
	return "received"
}

// written is when a message was written down; the zero time if the head is not as it
// should be.
func written(head string) time.Time {
	line, _, _ := strings.Cut(strings.TrimSpace(head), "\n")
	at, _ := time.ParseInLocation("2006-01-02 15:04:05.999999", line, time.Local)
	return at
}
