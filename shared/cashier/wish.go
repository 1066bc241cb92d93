package cashier

import (
	"context"
	"time"

	"yundian/shared/koc"
	"yundian/shared/payout"
	"yundian/shared/store"
)

// Payee is where a KOC's payouts go now, with everything that holds them: a new method, or a new e-mail address.
func (m Paymaster) Payee(ctx context.Context, handle string) (payout.Method, error) {
	profile, err := m.Store.KOC(ctx, handle)
	if err != nil {
		return payout.Method{}, err
	}
	return m.payeeOf(ctx, profile)
}

func (m Paymaster) payeeOf(ctx context.Context, profile koc.Profile) (payout.Method, error) {
	method, err := m.Store.Payee(ctx, profile.Handle)
	return method.NotBefore(profile.HeldUntil()), err
}

// Reserve makes a payout of a wish by the terms in force, or refuses. The wish's day is now's.
func (m Paymaster) Reserve(ctx context.Context, a payout.Ask, now time.Time, extra ...store.Write) (payout.Payout, error) {
	method, err := m.Payee(ctx, a.KOC)
	if err != nil {
		return payout.Payout{}, err
	}
	terms, err := m.Store.PayoutTermsAt(ctx, now)
	if err != nil {
		return payout.Payout{}, err
	}
	settings, err := m.Store.Settings(ctx)
	if err != nil {
		return payout.Payout{}, err
	}
	if a.Day, err = settings.Day(now); err != nil {
		return payout.Payout{}, err
	}
	return m.Store.ReservePayout(ctx, a, terms, method, now, extra...)
}

// Approve lets a payout be sent to where its KOC's money goes now, if somebody may.
func (m Paymaster) Approve(ctx context.Context, p payout.Payout, by string, now time.Time, extra ...store.Write) (payout.Payout, error) {
	profile, err := m.Store.KOC(ctx, p.KOC)
	if err != nil {
		return p, err
	}
	method, err := m.payeeOf(ctx, profile)
	if err != nil {
		return p, err
	}
	c := payout.Checker{By: by, Method: method, Subject: profile.Subject, Suspended: profile.SuspendedSince()}
	return m.Store.UpdatePayout(ctx, p.ID, now, func(p *payout.Payout) error { return p.Approve(c, now) }, extra...)
}

// PayeeWrites are the writes of a KOC's new payout method; none when it is the one that there is. Without a contact the
// one that there is stays.
func (m Paymaster) PayeeWrites(ctx context.Context, handle, rail string, wanted payout.Destination, contact *payout.Contact, now time.Time) ([]store.Write, error) {
	before, err := m.Store.Payee(ctx, handle)
	if err != nil {
		return nil, err
	}
	var current payout.Destination
	if before.Version > 0 {
		if current, err = OpenPayee(m.Box, handle, before); err != nil {
			return nil, err
		}
	}
	moves := before.Rail != rail || current.Account != wanted.Account || current.Name != wanted.Name
	if wanted.Contact = current.Contact; contact != nil {
		wanted.Contact = *contact
	}
	if !moves && current == wanted {
		return nil, nil
	}
	terms, err := m.Store.PayoutTermsAt(ctx, now)
	if err != nil {
		return nil, err
	}
	sealed, err := SealPayee(m.Box, handle, wanted)
	if err != nil {
		return nil, err
	}
	hold := time.Duration(terms.HoldHours) * time.Hour
	if !moves {
		hold = 0
	}
	next, err := payout.Change(before, payout.Method{Rail: rail, Sealed: sealed, Mask: wanted.Mask()}, current.Name == wanted.Name, hold, now)
	if err != nil {
		return nil, err
	}
	return store.PayeeWrites(handle, next), nil
}
