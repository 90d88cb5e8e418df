package dialplans

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"dialyard/proto"
)

// Bounds of HTTP requests and their answers, in bytes unless said; those of the
// wire.
const (
	maxFetches        = 20 // of one run
	maxURL            = 2 << 10
	maxRequestHeaders = 8 << 10
	maxRequestBody    = 64 << 10
	maxFetchedHeaders = 50
	maxFetchedBody    = 192 << 10
)

// lastMoment is how long before the end of a script's time its last request ends,
// so that the script can still decide.
const lastMoment = 250 * time.Millisecond

// fetchRange bounds the time of a request.
var fetchRange = timeRange{what: "time of a request", most: 30}

// methods are the methods of a request, in words that scripts may write.
var methods = map[string]string{
	"GET": "GET", "HEAD": "HEAD", "POST": "POST", "PUT": "PUT", "PATCH": "PATCH", "DELETE": "DELETE"}

// errFetches is what a script is told that has made too many requests.
var errFetches = fmt.Errorf("limit: more than %d HTTP requests", maxFetches)

// checkURL says what is wrong with the URL of a request.
func checkURL(text string) error {
	if len(text) > maxURL {
		return fmt.Errorf("the URL is %d bytes long, the limit is %d", len(text), maxURL)
	}
	bad := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>"\^`+"`{|}", r) }
	if i := strings.IndexFunc(text, bad); i >= 0 {
		return fmt.Errorf("the URL %q contains a character at byte %d that no URL may have; http.escape makes text fit", clip(text), i+1)
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return fmt.Errorf("%q is not a http: or https: URL", clip(text))
	}
	if parsed.User != nil {
		return fmt.Errorf("the URL %q has a user in it; send a header, such as Authorization", clip(text))
	}
	return nil
}

// ofTransport are the headers of a request that belong to whoever sends it; so do
// Proxy-*. Lower case.
var ofTransport = map[string]bool{
	"accept-encoding": true, "connection": true, "content-length": true, "expect": true, "host": true, "http2-settings": true,
	"keep-alive": true, "te": true, "trailer": true, "transfer-encoding": true, "upgrade": true,
}

// checkRequestHeader says what is wrong with a header of a request.
func checkRequestHeader(name, value string) error {
	if name == "" || len(name) > maxHeaderName || strings.ContainsFunc(name, notToken) {
		return fmt.Errorf("%q is not a header name", clip(name))
	}
	lower := strings.ToLower(name)
	if ofTransport[lower] || strings.HasPrefix(lower, "proxy-") {
		return fmt.Errorf("the header %s of a request belongs to the server, a script cannot set it", name)
	}
	return checkText("value of "+name, value, maxRequestHeaders)
}

// checkRequestHeaders says what is wrong with all headers of a request together.
func checkRequestHeaders(list []*proto.Header) error {
	size := 0
	for _, h := range list {
		size += len(h.Name) + len(h.Value)
	}
	if size > maxRequestHeaders {
		return fmt.Errorf("the headers of a request are %d bytes, the limit is %d", size, maxRequestHeaders)
	}
	return nil
}

// checkRequestBody says what is wrong with the body of a request.
func checkRequestBody(f *proto.Fetch) error {
	switch size := len(f.Body); {
	case size > maxRequestBody:
		return fmt.Errorf("the body is %d bytes long, the limit is %d", size, maxRequestBody)
	case size > 0 && (f.Method == "GET" || f.Method == "HEAD"):
		return fmt.Errorf("a %s request has no body", f.Method)
	}
	return nil
}

// escapeURL writes text so that it can stand anywhere in a URL, RFC 3986 §2.1.
func escapeURL(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// errTooLarge is what a script is told of an answer that breaks the wire's bounds.
var errTooLarge = errors.New("the answer is too large")
