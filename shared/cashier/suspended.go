package cashier

import (
	"context"
	"log/slog"
	"time"

	"yundian/shared/koc"
	"yundian/shared/payout"
	"yundian/shared/store"
)

// Limits of looking for the open payouts of a suspended KOC: pages of the latest ones. An older one that is approved waits
// when it would be sent.
const (
	openPages = 10
	openPage  = 100
)

// KeepBack makes the payouts of a suspended KOC wait that have not left yet, so that operators see them at once. Again, it
// changes nothing.
func (m Paymaster) KeepBack(ctx context.Context, profile koc.Profile, now time.Time) error {
	after := ""
	for range openPages {
		payouts, next, err := m.Store.ListPayouts(ctx, store.PayoutFilter{KOC: profile.Handle}, after, openPage)
		if err != nil {
			return err
		}
		for _, p := range payouts {
			if _, err := m.keepBack(ctx, p, profile, now); err != nil {
				return err
			}
		}
		if after = next; next == "" {
			break
		}
	}
	return nil
}

// keepBack makes one payout wait if its KOC is suspended and nobody has said that it may go on in spite of that.
func (m Paymaster) keepBack(ctx context.Context, p payout.Payout, profile koc.Profile, now time.Time) (payout.Payout, error) {
	since := profile.SuspendedSince()
	after := p.Clone()
	if after.Wait(since, now); after.Equal(p) {
		return p, nil
	}
	slog.WarnContext(ctx, "payout waits for an operator because its KOC is suspended", "payout", p.ID, "koc", p.KOC)
	return m.Store.UpdatePayout(ctx, p.ID, now, func(p *payout.Payout) error { p.Wait(since, now); return nil })
}

// Release lets a payout of a suspended KOC go on, on an operator's word: one that waits, or that would have to.
func (m Paymaster) Release(ctx context.Context, p payout.Payout, r payout.Release, extra ...store.Write) (payout.Payout, error) {
	profile, err := m.Store.KOC(ctx, p.KOC)
	if err != nil {
		return p, err
	}
	return m.Store.UpdatePayout(ctx, p.ID, r.At, func(p *payout.Payout) error {
		p.Wait(profile.SuspendedSince(), r.At) // made while the KOC was being suspended
		return p.Release(r, profile.Subject)
	}, extra...)
}
