package dispatcher

import (
	"time"

	"dialyard/dispatcher/gateway"
	"dialyard/dispatcher/sip"
)

// maxChallenges bounds how often one leg or dialog is challenged, by its CSeq.
const maxChallenges = 20

// credentials answers a challenge with those configured for the gateway it came
// from. asked says that this request was challenged before; then only a stale nonce
// is worth an answer.
func credentials(gw *gateway.Gateway, r *sip.Request, m *sip.Message, asked bool) (sip.Field, bool) {
	name, header := "WWW-Authenticate", "Authorization"
	switch {
	case gw == nil:
		return sip.Field{}, false
	case m.Status == 407:
		name, header = "Proxy-Authenticate", "Proxy-Authorization"
	case m.Status != 401:
		return sip.Field{}, false
	}
	challenges := m.All(name)
	if asked && (!gateway.Stale(challenges) || r.Seq > maxChallenges) {
		return sip.Field{}, false
	}
	value, ok := gw.Answer(gateway.Demand{Method: r.Method, URI: r.URI, Body: []byte(r.Body), Challenges: challenges})
	return sip.Field{Name: header, Value: value}, ok
}

// farewell is a BYE to a party behind a gateway that may want to know who hangs up.
type farewell struct {
	dialog  sip.Dialog
	request *sip.Request
	gateway *gateway.Gateway
	peer    sip.Peer
}

// farewellAnswered repeats a BYE that was challenged.
func (s *shard) farewellAnswered(now time.Time, f *farewell, m *sip.Message) {
	field, ok := credentials(f.gateway, f.request, m, false)
	if !ok {
		return
	}
	again := f.dialog.Request("BYE")
	again.Headers = withField(f.request.Headers, field)
	s.layer.Send(now, again, f.peer, nil)
}
