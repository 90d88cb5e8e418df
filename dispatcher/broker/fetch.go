package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"dialyard/proto"
)

// maxRedirects is how many are followed for one request.
const maxRedirects = 5

// An errand is a request that was checked; a redirect changes it.
type errand struct {
	method string
	to     *target
	header http.Header
	body   []byte
	time   time.Duration // for all of it
	bytes  int           // of the response's body
}

// fetch makes a request and follows where it leads, as far as the policy goes.
func (b *Broker) fetch(ctx context.Context, from Asker, e *errand) (*proto.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, e.time)
	defer cancel()
	ctx = context.WithValue(ctx, wanted{}, ctx)
	client := b.client(from.Account, from.Policy)
	for hop := 0; ; hop++ {
		response, err := client.RoundTrip(e.request(ctx))
		if err != nil {
			return nil, wordsFor(ctx, err)
		}
		next, err := e.redirected(response, from.Policy)
		if err == nil && next == nil {
			fetched, err := receive(response, e)
			if err != nil {
				return nil, wordsFor(ctx, err)
			}
			return &proto.Answer{Is: &proto.Answer_Fetched{Fetched: fetched}}, nil
		}
		response.Body.Close()
		switch {
		case err != nil:
			return nil, err
		case hop == maxRedirects:
			return nil, Refusal{NotAllowed, "redirects"}
		}
		b.Stats.Redirects.Add(1)
		e = next
	}
}

func (e *errand) request(ctx context.Context) *http.Request {
	r := (&http.Request{Method: e.method, URL: e.to.url, Host: e.to.url.Host, Header: e.header}).WithContext(ctx)
	if len(e.body) > 0 {
		r.ContentLength = int64(len(e.body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(e.body)), nil }
		r.Body, _ = r.GetBody()
	}
	return r
}

// redirected is the errand that a response leads to, nil if it is an answer. What it
// leads to is judged as if the script had asked for it.
func (e *errand) redirected(r *http.Response, p *Policy) (*errand, error) {
	location := r.Header.Get("Location")
	if !isRedirect(r.StatusCode) || location == "" {
		return nil, nil
	}
	to, ok := e.to.next(location)
	switch {
	case !ok:
		return nil, Refusal{BadAnswer, "redirect"}
	case e.to.url.Scheme == "https" && to.url.Scheme == "http":
		return nil, Refusal{NotAllowed, "redirect from https to http"}
	case !p.allowsHost(to):
		return nil, Refusal{NotAllowed, "host"}
	}
	next := *e
	next.to, next.header = to, e.header.Clone()
	if !e.to.trusts(to) {
		next.header = forStrangers(e.header)
	}
	if becomesGet(r.StatusCode, e.method) {
		next.method, next.body = http.MethodGet, nil
		next.header.Del("Content-Type")
	}
	return &next, nil
}

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// becomesGet tells whether a redirect changes the method (RFC 9110 §15.4).
func becomesGet(status int, method string) bool {
	switch status {
	case 301, 302:
		return method == http.MethodPost
	case 303:
		return method != http.MethodHead
	}
	return false
}

// receive reads a response, and leaves its connection to the next request or closes
// it.
func receive(r *http.Response, e *errand) (*proto.Fetched, error) {
	defer r.Body.Close()
	if r.StatusCode < 200 {
		return nil, Refusal{BadAnswer, "status"}
	}
	fetched := &proto.Fetched{Status: uint32(r.StatusCode), Headers: responseHeaders(r.Header)}
	if e.method == http.MethodHead {
		return fetched, nil
	}
	if r.ContentLength > int64(e.bytes) {
		return nil, Refusal{Outcome: TooLarge}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(e.bytes)+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > e.bytes:
		return nil, Refusal{Outcome: TooLarge}
	}
	fetched.Body = body
	return fetched, nil
}

// wordsFor puts an error of the client into words.
func wordsFor(ctx context.Context, err error) error {
	var (
		refusal     Refusal
		certificate *tls.CertificateVerificationError
		network     net.Error
		refused     *net.OpError
	)
	words := Refusal{Outcome: BadAnswer}
	switch {
	case errors.As(err, &refusal):
		words = refusal
	case ctx.Err() != nil:
		words = refusalOf(ctx.Err())
	case errors.As(err, &certificate):
		words = Refusal{Unreachable, "certificate"}
	case errors.As(err, &network) && network.Timeout():
		words.Outcome = Timeout
	case errors.As(err, &refused):
		words.Outcome = Unreachable
	case strings.Contains(err.Error(), "response headers exceeded"): // net/http has no value for it
		words.Outcome = TooLarge
	}
	return fmt.Errorf("%w (%w)", words, err)
}
