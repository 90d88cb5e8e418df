package main

import (
	"context"
	"errors"
	"fmt"
)

// relayed is how calls fare that go through both legs: INVITE, 180, 200, ACK and BYE between the caller
// and the callee of the generator.
type relayed struct {
	Points               []beside `json:"points"`
	HighestClean         float64  `json:"highest_clean_rate,omitempty"`          // calls/s
	KamailioHighestClean float64  `json:"kamailio_highest_clean_rate,omitempty"` // calls/s
	Skipped              string   `json:"skipped,omitempty"`                     // why there is no Kamailio
}

// beside is one rate with both, medians over the rounds; without Kamailio there is one round.
type beside struct {
	Rate     float64 `json:"rate"`
	Dialyard point   `json:"dialyard"`
	Kamailio *point  `json:"kamailio,omitempty"`
	// Ratio is the CPU per call of Dialyard over that of Kamailio, the median of the rounds' ratios.
	Ratio float64 `json:"ratio,omitempty"`
}

// dialled measures calls which the plan dials, beside Kamailio's relay where there is one.
func (b bench) dialled(ctx context.Context, binary string) (*relayed, error) {
	s, err := b.startWarm(ctx, binary, planDial)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	k, err := startRelay(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		r := &relayed{Skipped: err.Error()}
		return r, b.relayAlone(ctx, s, r)
	}
	defer k.stop()
	return b.relayBeside(ctx, s, k)
}

func (b bench) relayAlone(ctx context.Context, s subject, r *relayed) (err error) {
	for _, rate := range b.dialledRates {
		p, err := b.point(ctx, s, rate, b.pace.point)
		if err != nil {
			return err
		}
		r.Points = append(r.Points, beside{Rate: rate, Dialyard: p})
	}
	r.HighestClean, err = b.search(ctx, s, dialledSearchStart)
	return err
}

func (b bench) relayBeside(ctx context.Context, s, k subject) (*relayed, error) {
	r := new(relayed)
	if _, err := b.point(ctx, k, warmRate, b.pace.step); err != nil {
		return nil, err
	}
	for _, rate := range b.dialledRates {
		v, err := b.duel(ctx, contender{"kamailio", k}, contender{"dialyard", s}, rate)
		if err != nil {
			return nil, err
		}
		r.Points = append(r.Points, beside{Rate: rate, Dialyard: v.New, Kamailio: &v.Old, Ratio: v.Ratio})
	}
	var errs [2]error
	fmt.Fprintln(b.progress, "dialyard's highest rate")
	r.HighestClean, errs[0] = b.search(ctx, s, dialledSearchStart)
	fmt.Fprintln(b.progress, "kamailio's highest rate")
	r.KamailioHighestClean, errs[1] = b.search(ctx, k, dialledSearchStart)
	return r, errors.Join(errs[:]...)
}
