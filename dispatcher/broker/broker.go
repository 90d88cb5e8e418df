package broker

import (
	"cmp"
	"context"
	"crypto/x509"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"time"

	"dialyard/proto"
)

// A Keeper holds the accounts' keys and values. What it is given has been checked
// against worker.proto. Do ends soon after ctx. An error that is a [Refusal] reaches
// the script; of any other it learns "unavailable".
type Keeper interface {
	Do(ctx context.Context, account string, k *proto.Keep) (*proto.Kept, error)
}

// A Claimer is the ledger of named limits; see [Claims]. It is called from any
// goroutine and never waits. A per of 0 means places at once.
type Claimer interface {
	Claim(now time.Time, account, call, name string, places int, per time.Duration) (granted bool)
}

// Options are what a Broker is made from. The zero value works, but keeps and claims
// nothing.
type Options struct {
	Servers []string       // name servers as ADDR or ADDR:PORT, in the order to ask; default those of /etc/resolv.conf
	Refused []netip.Prefix // networks that no account reaches, such as this machine's own public addresses
	Roots   *x509.CertPool // whom TLS trusts; default the machine's

	// Asks under way at once, of all accounts together.
	Fetches int // default 256
	Lookups int // default 128
	Keeps   int // default 128

	Keeper  Keeper
	Claimer Claimer
	Log     *slog.Logger // default none
}

// Times that no policy sets.
const (
	lookupTime = 3 * time.Second
	keepTime   = 2 * time.Second
)

// An Asker is the run that asks, as the dispatcher's own table knows it.
type Asker struct {
	Account   string
	Call      string     // whose claims end with it
	Policy    *Policy    // nil reaches no host
	Allowance *Allowance // of the run; only the caller's goroutine touches it
}

// A Broker carries out what scripts ask. Its methods may be called from any
// goroutine.
type Broker struct {
	Stats Stats

	options Options
	crowds  [Kinds]crowd
	names   names
	clients clients
	sockets sockets
	life    context.Context
	end     context.CancelFunc
}

// New makes a Broker; it is to be closed. It has no goroutine until it is asked.
func New(o Options) *Broker {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := &Broker{options: o}
	b.crowds[Fetching].places = cmp.Or(o.Fetches, 256)
	b.crowds[LookingUp].places = cmp.Or(o.Lookups, 128)
	b.crowds[Keeping].places = cmp.Or(o.Keeps, 128)
	b.names.given = o.Servers
	b.life, b.end = context.WithCancel(context.Background())
	return b
}

// Close ends all work under way, as cancelled, and returns when done was called for
// all of it and every connection is closed. What is asked afterwards is busy.
func (b *Broker) Close() {
	b.end()
	for k := range b.crowds {
		b.crowds[k].close()
	}
	b.sockets.close()
	b.clients.close()
}

// Ask carries out what a run asks, and calls done exactly once with what came of it:
// from another goroutine, or from this one, before Ask returns. Whoever cannot bear
// the latter uses Begin.
//
// The end of ctx, which is that of the run, ends the work. ask must not be changed
// before done is called.
func (b *Broker) Ask(ctx context.Context, from Asker, ask *proto.Ask, done func(*proto.Answer)) {
	if answer := b.Begin(ctx, from, ask, done); answer != nil {
		done(answer)
	}
}

// Begin is Ask for a goroutine that must not be called back by itself, such as a
// shard, which could not wait for room in its own mailbox. It returns an answer that
// is known at once, and then never calls done; else nil, and done is called by
// another goroutine.
func (b *Broker) Begin(ctx context.Context, from Asker, ask *proto.Ask, done func(*proto.Answer)) *proto.Answer {
	kind, ok := kindOf(ask)
	if !ok {
		b.Stats.Nothing.Add(1)
		return answerOf(nil, Refusal{BadRequest, "nothing is asked"})
	}
	if from.Policy == nil {
		from.Policy = nothing
	}
	if !from.Allowance.Take(kind, from.Policy) {
		return b.conclude(kind, nil, Refusal{Outcome: Limit})
	}
	work, err := b.accept(from, ask)
	switch {
	case err != nil:
		return b.conclude(kind, nil, err)
	case kind == Claiming: // is arithmetic
		answer, err := work(ctx)
		return b.conclude(kind, answer, err)
	case !b.crowds[kind].enter(from.Account):
		return b.conclude(kind, nil, Refusal{Outcome: Busy})
	}
	go b.carryOut(ctx, kind, from.Account, work, done)
	return nil
}

// A task is an Ask that was accepted.
type task func(context.Context) (*proto.Answer, error)

// accept checks what is asked and says how it is done.
func (b *Broker) accept(from Asker, ask *proto.Ask) (task, error) {
	switch is := ask.Is.(type) {
	case *proto.Ask_Fetch:
		e, err := checkFetch(is.Fetch, from.Policy)
		return func(ctx context.Context) (*proto.Answer, error) { return b.fetch(ctx, from, e) }, err
	case *proto.Ask_Lookup:
		q, err := checkLookup(is.Lookup)
		return func(ctx context.Context) (*proto.Answer, error) { return b.lookup(ctx, q) }, err
	case *proto.Ask_Keep:
		return func(ctx context.Context) (*proto.Answer, error) { return b.keep(ctx, from, is.Keep) }, checkKeep(is.Keep)
	case *proto.Ask_Claim:
		return func(context.Context) (*proto.Answer, error) { return b.claim(from, is.Claim) }, checkClaim(is.Claim)
	}
	return nil, Refusal{Outcome: BadRequest}
}

// carryOut does one piece of work, on a place that its account holds.
func (b *Broker) carryOut(ctx context.Context, kind Kind, account string, work task, done func(*proto.Answer)) {
	defer b.crowds[kind].leave(account)
	answer, err := b.attempt(ctx, work)
	done(b.conclude(kind, answer, err))
}

// attempt does the work until the run or the broker ends. A panic costs one answer.
func (b *Broker) attempt(ctx context.Context, work task) (answer *proto.Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			b.Stats.Panics.Add(1)
			b.options.Log.Error("panic in the broker", "panic", p, "stack", string(debug.Stack()))
			answer, err = nil, Refusal{Outcome: Unavailable}
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.life, cancel)()
	return work(ctx)
}

// conclude counts what came of an Ask and puts it into words.
func (b *Broker) conclude(kind Kind, answer *proto.Answer, err error) *proto.Answer {
	if err == nil {
		b.Stats.asks[kind][Answered].Add(1)
		return answer
	}
	refusal := refusalOf(err)
	b.Stats.asks[kind][refusal.Outcome].Add(1)
	b.options.Log.Debug("ask refused", "kind", kind.String(), "words", refusal.Error(), "error", err)
	return answerOf(nil, refusal)
}

// answerOf is an answer in words.
func answerOf(answer *proto.Answer, err error) *proto.Answer {
	if err != nil {
		return &proto.Answer{Error: err.Error()}
	}
	return answer
}

func (b *Broker) keep(ctx context.Context, from Asker, k *proto.Keep) (*proto.Answer, error) {
	if b.options.Keeper == nil {
		return nil, Refusal{Outcome: Unavailable}
	}
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	kept, err := b.options.Keeper.Do(ctx, from.Account, k)
	if err != nil {
		return nil, err
	}
	return &proto.Answer{Is: &proto.Answer_Kept{Kept: kept}}, nil
}

func (b *Broker) claim(from Asker, c *proto.Claim) (*proto.Answer, error) {
	if b.options.Claimer == nil {
		return nil, Refusal{Outcome: Unavailable}
	}
	granted := b.options.Claimer.Claim(time.Now(), from.Account, from.Call, c.Name, int(c.Places), milliseconds(c.PerMs))
	return &proto.Answer{Is: &proto.Answer_Claimed{Claimed: &proto.Claimed{Granted: granted}}}, nil
}

func milliseconds(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }
