package dispatcher

import (
	"encoding/json"

	"dialyard/dispatcher/call"
	"dialyard/dispatcher/sip"
)

// memoSize is what the memo of an answered call has, in octets, more or less.
const memoSize = 3 << 10

// encode writes the memo as encoding/json would, which reads it. There is one for each
// answered call, so what those have is written out and only the rest is left to
// encoding/json; a test holds the two against each other.
func (m *memo) encode() []byte {
	o := call.NewObject(make([]byte, 0, memoSize))
	o.Append("Call", m.Call.AppendJSON)
	o.Text("Account", m.Account)
	if len(m.Claims) > 0 {
		o.Value("Claims", m.Claims)
	}
	if len(m.Parties) > 0 {
		o.List("Parties", len(m.Parties), func(b []byte, i int) []byte { return m.Parties[i].append(b) })
	}
	o.TextIf("Invite", m.Invite)
	if m.Source != (peerMemo{}) {
		o.Append("Source", m.Source.append)
	}
	o.TextIf("Tag", m.Tag)
	if len(m.Faces) > 0 {
		o.Value("Faces", m.Faces)
	}
	if m.Refusal != nil {
		o.Append("Refusal", m.Refusal.append)
	}
	if len(m.Legs) > 0 {
		o.List("Legs", len(m.Legs), func(b []byte, i int) []byte { return m.Legs[i].append(b) })
	}
	if len(m.Forsaken) > 0 {
		o.Value("Forsaken", m.Forsaken)
	}
	return o.End()
}

func (m *peerMemo) append(b []byte) []byte {
	o := call.NewObject(b)
	o.Text("Transport", m.Transport)
	o.Append("Addr", func(b []byte) []byte {
		b = append(b, '"')
		if m.Addr.IsValid() {
			b = m.Addr.AppendTo(b)
		}
		return append(b, '"')
	})
	return o.End()
}

func (m *partyMemo) append(b []byte) []byte {
	o := call.NewObject(b)
	o.Append("Dialog", func(b []byte) []byte { return appendDialog(b, &m.Dialog) })
	o.Append("Heard", m.Heard.append)
	o.TrueIf("Bye", m.Bye)
	o.TextIf("Gateway", m.Gateway)
	if m.Answer != nil {
		o.Append("Answer", m.Answer.append)
	}
	if m.Awaits != nil {
		o.Append("Awaits", m.Awaits.append)
	}
	return o.End()
}

func (m *answerMemo) append(b []byte) []byte {
	o := call.NewObject(b)
	o.Text("Invite", m.Invite)
	o.Append("Source", m.Source.append)
	o.Text("Tag", m.Tag)
	o.Append("Reply", func(b []byte) []byte { return appendReply(b, &m.Reply) })
	return o.End()
}

func (m *awaitMemo) append(b []byte) []byte {
	o := call.NewObject(b)
	o.Text("Branch", m.Branch)
	o.Append("Peer", m.Peer.append)
	o.Number("Seq", int64(m.Seq))
	return o.End()
}

// append writes null for a leg that is over.
func (m *legMemo) append(b []byte) []byte {
	if m == nil {
		return append(b, "null"...)
	}
	text, _ := json.Marshal(m) // it is made of strings and numbers
	return append(b, text...)
}

func appendDialog(b []byte, d *sip.Dialog) []byte {
	o := call.NewObject(b)
	o.Text("CallID", d.CallID)
	o.Text("Local", d.Local)
	o.Text("Remote", d.Remote)
	o.Text("LocalTag", d.LocalTag)
	o.Text("RemoteTag", d.RemoteTag)
	o.Text("Target", d.Target)
	if len(d.Routes) > 0 {
		o.Value("Routes", d.Routes)
	}
	o.Number("LocalSeq", int64(d.LocalSeq))
	o.Number("RemoteSeq", int64(d.RemoteSeq))
	return o.End()
}

func appendReply(b []byte, r *sip.Reply) []byte {
	o := call.NewObject(b)
	o.Number("Status", int64(r.Status))
	o.TextIf("Reason", r.Reason)
	if len(r.Headers) > 0 {
		o.List("Headers", len(r.Headers), func(b []byte, i int) []byte {
			field := call.NewObject(b)
			field.Text("Name", r.Headers[i].Name)
			field.Text("Value", r.Headers[i].Value)
			return field.End()
		})
	}
	o.Text("Body", r.Body)
	o.TextIf("Tag", r.Tag)
	return o.End()
}
