// Package probe places SIP calls as a caller would, through sipgo's client: an
// implementation of SIP that shares nothing with the front, so that the two do
// not agree on each other's mistakes. The monitor's probes, `dialyard probe` and
// `dialyard call` use it.
package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// A Caller places calls from one UDP or TCP socket. Safe for concurrent use;
// Close it after the last call.
type Caller struct {
	agent  *sipgo.UserAgent
	client *sipgo.Client
}

// sipgo logs to a logger of the process's; it is silenced once.
var (
	silent = slog.New(slog.DiscardHandler)
	quiet  sync.Once
)

// NewCaller makes a Caller known as name in its From header.
func NewCaller(name string) (*Caller, error) {
	quiet.Do(func() { sip.SetDefaultLogger(silent) })
	agent, err := sipgo.NewUA(sipgo.WithUserAgent(name))
	if err != nil {
		return nil, err
	}
	client, err := sipgo.NewClient(agent, sipgo.WithClientLogger(silent))
	if err != nil {
		agent.Close()
		return nil, err
	}
	return &Caller{agent: agent, client: client}, nil
}

// Close shuts the caller's sockets.
func (c *Caller) Close() { c.agent.Close() }

// A Step is one message of a call, seen by the caller.
type Step struct {
	Sent  bool          `json:"sent"`
	Line  string        `json:"line"` // "INVITE sip:..." or "302 Moved Temporarily"
	After time.Duration `json:"after_ns"`
}

// A Field is a header of an answer.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// An Answer is how a call ended: its final status, headers and every step.
type Answer struct {
	Status  int           `json:"status"`
	Reason  string        `json:"reason"`
	Headers []Field       `json:"headers"`
	Steps   []Step        `json:"steps"`
	Took    time.Duration `json:"took_ns"`
}

// Get returns the value of the answer's first header with this name, or "".
func (a *Answer) Get(name string) string {
	for _, f := range a.Headers {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// ErrUnreachable is wrapped when nothing answered at all.
var ErrUnreachable = errors.New("no answer")

// ParseTarget reads a URI such as "sip:100@127.0.0.1:5060;transport=tcp"; the
// scheme may be left out.
func ParseTarget(text string) (sip.Uri, error) {
	full := text
	if scheme, _, _ := strings.Cut(strings.ToLower(text), ":"); scheme != "sip" && scheme != "sips" {
		full = "sip:" + text
	}
	var uri sip.Uri
	if err := sip.ParseUri(full, &uri); err != nil || uri.Host == "" {
		return uri, fmt.Errorf("%q is not a SIP URI such as sip:100@127.0.0.1", text)
	}
	return uri, nil
}

// Call places one INVITE and waits for its final answer, at most until ctx ends.
// step, if not nil, sees every message as it comes or goes. A call that is
// answered with 2xx is acknowledged and ended with BYE.
func (c *Caller) Call(ctx context.Context, target sip.Uri, headers []Field, step func(Step)) (*Answer, error) {
	invite := sip.NewRequest(sip.INVITE, target)
	if transport, ok := target.UriParams.Get("transport"); ok {
		invite.SetTransport(strings.ToUpper(transport))
	}
	for _, h := range headers {
		invite.AppendHeader(sip.NewHeader(h.Name, h.Value))
	}
	begun := time.Now()
	a := &Answer{}
	note := func(s Step) {
		s.After = time.Since(begun)
		a.Steps = append(a.Steps, s)
		if step != nil {
			step(s)
		}
	}
	note(Step{Sent: true, Line: "INVITE " + target.String()})
	tx, err := c.client.TransactionRequest(ctx, invite)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	res, err := await(ctx, tx, note)
	if err != nil {
		tx.Terminate()
		return nil, err
	}
	a.Status, a.Reason, a.Took = res.StatusCode, res.Reason, time.Since(begun)
	for _, h := range res.Headers() {
		a.Headers = append(a.Headers, Field{Name: h.Name(), Value: h.Value()})
	}
	c.finish(ctx, invite, res, note)
	return a, nil
}

// await notes answers until the final one.
func await(ctx context.Context, tx sip.ClientTransaction, note func(Step)) (*sip.Response, error) {
	for {
		select {
		case res := <-tx.Responses():
			note(Step{Line: fmt.Sprintf("%d %s", res.StatusCode, res.Reason)})
			if res.StatusCode >= 200 {
				return res, nil
			}
		case <-tx.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnreachable, tx.Err())
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
		}
	}
}

// finish acknowledges the answer; one that connected is hung up.
func (c *Caller) finish(ctx context.Context, invite *sip.Request, res *sip.Response, note func(Step)) {
	if res.StatusCode >= 300 {
		note(Step{Sent: true, Line: "ACK"}) // by the transaction
		return
	}
	seq := invite.CSeq().SeqNo
	note(Step{Sent: true, Line: "ACK"})
	if c.client.WriteRequest(inDialog(sip.ACK, seq, invite, res)) != nil {
		return
	}
	note(Step{Sent: true, Line: "BYE"})
	if tx, err := c.client.TransactionRequest(ctx, inDialog(sip.BYE, seq+1, invite, res)); err == nil {
		await(ctx, tx, note)
		tx.Terminate()
	}
}

// inDialog makes a request of the dialog that res opened (RFC 3261 §12.2.1.1).
func inDialog(method sip.RequestMethod, seq uint32, invite *sip.Request, res *sip.Response) *sip.Request {
	r := sip.NewRequest(method, invite.Recipient)
	if contact := res.Contact(); contact != nil {
		r.Recipient = contact.Address
	}
	r.AppendHeader(invite.From())
	r.AppendHeader(res.To())
	r.AppendHeader(invite.CallID())
	r.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	return r
}

// Healthy is the status that only a worker's health plan answers with.
const Healthy = 420

// Health places a probe call to one worker and checks that the answer is the
// health plan's and carries back the nonce.
func (c *Caller) Health(ctx context.Context, front sip.Uri, token, nonce string) (*Answer, error) {
	front.User = "health"
	a, err := c.Call(ctx, front, []Field{{Name: "X-Dialyard-Probe", Value: token}, {Name: "X-Dialyard-Nonce", Value: nonce}}, nil)
	switch {
	case err != nil:
		return nil, err
	case a.Status != Healthy:
		return a, fmt.Errorf("answered %d %s, not %d", a.Status, a.Reason, Healthy)
	case a.Get("X-Dialyard-Nonce") != nonce:
		return a, fmt.Errorf("the nonce did not come back")
	}
	return a, nil
}
