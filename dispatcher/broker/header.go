package broker

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"dialyard/proto"
)

// Limits of the headers of a request and of a response; bytes are of names and
// values together.
const (
	maxHeaders     = 20
	maxHeaderBytes = 8 << 10

	maxResponseHeaders     = 50
	maxResponseHeaderBytes = 16 << 10
)

// reserved are the headers that say where a message ends, to whom it goes or what
// becomes of the connection. So do all that begin with Proxy-.
var reserved = []string{
	"Connection", "Content-Length", "Expect", "Host", "Http2-Settings", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// harmless are the headers that tell a stranger nothing: what is left of a script's
// headers when a redirect leads to another host. A key may be in any other, not only
// in Authorization and Cookie.
var harmless = []string{"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Content-Type", "User-Agent"}

// userAgent is sent when the script names none.
const userAgent = "dialyard"

// requestHeader checks the headers that a script wants to send.
func requestHeader(headers []*proto.Header) (http.Header, error) {
	if len(headers) > maxHeaders {
		return nil, Refusal{BadRequest, "too many headers"}
	}
	header, bytes := make(http.Header), 0
	for _, h := range headers {
		name, value := h.GetName(), h.GetValue()
		if bytes += len(name) + len(value); bytes > maxHeaderBytes {
			return nil, Refusal{BadRequest, "headers too long"}
		}
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, Refusal{BadRequest, "header"}
		}
		key := http.CanonicalHeaderKey(name)
		if slices.Contains(reserved, key) || strings.HasPrefix(key, "Proxy-") {
			return nil, Refusal{BadRequest, "header is not a script's to set"}
		}
		header.Add(key, value)
	}
	if header["User-Agent"] == nil {
		header.Set("User-Agent", userAgent)
	}
	return header, nil
}

// forStrangers is what is left of a request's headers for another host.
func forStrangers(header http.Header) http.Header {
	left := make(http.Header)
	for _, name := range harmless {
		if values, ok := header[name]; ok {
			left[name] = values
		}
	}
	return left
}

// responseHeaders takes the headers of a response as the wire carries them, by name
// and as far as there is room. Text on the wire is UTF-8.
func responseHeaders(header http.Header) []*proto.Header {
	var list []*proto.Header
	room := maxResponseHeaderBytes
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range header[name] {
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
				continue
			}
			value = strings.ToValidUTF8(value, "\ufffd")
			if room -= len(name) + len(value); room < 0 || len(list) == maxResponseHeaders {
				return list
			}
			list = append(list, &proto.Header{Name: name, Value: value})
		}
	}
	return list
}
