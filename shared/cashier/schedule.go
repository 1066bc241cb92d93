package cashier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/payout"
	"yundian/shared/shop"
)

// Limits of making scheduled payouts: KOCs read at once, and decided at once.
const (
	schedulePage = 100
	decideAtOnce = 8
)

// Schedule makes the payouts of every schedule whose day has come, for each KOC one, with an id that follows from KOC, day
// and currency. It goes on where the last call stopped, while more says that there is time, and does one page of KOCs at
// least. What fails for one KOC is reported and tried again in another pass; it holds up no other.
func (m Paymaster) Schedule(ctx context.Context, now time.Time, more func() bool) error {
	settings, err := m.Store.Settings(ctx)
	if err != nil {
		return err
	}
	terms, err := m.Store.PayoutTermsAt(ctx, now)
	if err != nil {
		return err
	}
	var failures []error
	for _, c := range terms.Currencies {
		if err := m.scheduleOf(ctx, terms, c, settings, now, more); err != nil {
			failures = append(failures, fmt.Errorf("payouts in %s: %w", c.Currency, err))
		}
	}
	return errors.Join(failures...)
}

func (m Paymaster) scheduleOf(ctx context.Context, terms payout.Terms, c payout.CurrencyTerms, s shop.Settings, now time.Time, more func() bool) error {
	zone, err := s.Zone()
	if err != nil {
		return err
	}
	today := now.In(zone).Format(time.DateOnly)
	day := c.Schedule.Latest(today)
	if day == "" {
		return nil
	}
	run, err := m.Store.PayRun(ctx, c.Currency, day)
	if err != nil || run.Done {
		return err
	}
	// Terms do not reach back: a schedule that was chosen today pays nothing for the day that it would have had last week.
	midnight, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil || run.Version == 0 && midnight.Before(terms.From) {
		return err
	}
	var failures []error
	for {
		profiles, next, err := m.Store.ListKOCs(ctx, run.After, schedulePage)
		if err != nil {
			return err
		}
		failed := m.makeAll(ctx, terms, pass{run, today, now}, profiles)
		failures = append(failures, failed...)
		run.Advance(next, len(failed))
		if err := m.Store.SavePayRun(ctx, run); err != nil {
			if fail.Is(err, "changed_meanwhile") { // another process is at it
				return nil
			}
			return err
		}
		run.Version++
		if next == "" || !more() {
			return few(failures)
		}
	}
}

// pass is what the payouts of one page are made for.
type pass struct {
	run   payout.Run
	today string // which can be later than the run's day, and decides about tax
	now   time.Time
}

// makeAll makes the payouts of a page of KOCs side by side, and returns what failed.
func (m Paymaster) makeAll(ctx context.Context, terms payout.Terms, at pass, profiles []koc.Profile) (failures []error) {
	var handles []string
	for _, p := range profiles {
		if p.Status() == koc.Approved {
			handles = append(handles, p.Handle)
		}
	}
	balances, err := m.Store.BalancesOf(ctx, handles, at.run.Currency)
	if err != nil {
		return []error{err}
	}
	minimum := terms.Of(at.run.Currency).Minimum
	handles = slices.DeleteFunc(handles, func(h string) bool { b := balances[h]; return b.Withdrawable() < minimum })
	return m.sideBySide(len(handles), func(i int) error {
		err := m.make(ctx, terms, at, handles[i])
		if err != nil {
			slog.ErrorContext(ctx, "scheduled payout not made", "koc", handles[i], "day", at.run.Day, "error", err)
		}
		return err
	})
}

// make makes one KOC's payout. That nothing can be paid out is no failure: the KOC sees why.
func (m Paymaster) make(ctx context.Context, terms payout.Terms, at pass, handle string) error {
	run := at.run
	method, err := m.Payee(ctx, handle)
	if err != nil {
		return err
	}
	p, err := m.Store.ReservePayout(ctx, payout.Ask{ID: payout.ScheduledID(handle, run.Day, run.Currency), KOC: handle, Currency: run.Currency,
		Cause: payout.Scheduled, By: payout.BySchedule, Day: at.today}, terms, method, at.now)
	switch {
	case fail.KindOf(err) == fail.Conflict:
		slog.InfoContext(ctx, "no scheduled payout", "koc", handle, "day", run.Day, "because", err)
		return nil
	case err != nil:
		return err
	}
	slog.InfoContext(ctx, "scheduled payout", "payout", p.ID, "koc", handle, "day", run.Day)
	return nil
}
