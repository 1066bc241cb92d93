package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"yundian/shared/koc"
	"yundian/shared/letter"
	"yundian/shared/locale"
	"yundian/shared/mail"
	"yundian/shared/ordering"
	"yundian/shared/shop"
	"yundian/shared/telemetry"
	"yundian/shared/webhook"
)

// knowledge is what letters are put together from.
type knowledge struct {
	settings shop.Settings
	zone     *time.Location // of the settings
	orders   map[string]ordering.Order
	contacts map[string]ordering.Contact
	kocs     map[string]koc.Profile
}

// look reads what these letters are about, in three rounds: many shoppers leave no address, and then the rest is not read.
func (n *notify) look(ctx context.Context, letters []letter.Letter) (k knowledge, err error) {
	var orders, handles []string
	for _, l := range letters {
		if l.Order != "" {
			orders = append(orders, l.Order)
		}
		if l.KOC != "" {
			handles = append(handles, l.KOC)
		}
	}
	if k.orders, err = n.store.Orders(ctx, orders); err != nil {
		return k, err
	}
	if k.contacts, err = n.store.Contacts(ctx, slices.Collect(maps.Values(k.orders))); err != nil {
		return k, err
	}
	if k.kocs, err = n.store.KOCs(ctx, handles); err != nil || !k.reaches() {
		return k, err
	}
	if k.settings, err = n.store.Settings(ctx); err != nil {
		return k, err
	}
	k.zone, err = k.settings.Zone()
	return k, err
}

// reaches reports whether anybody can be written to.
func (k knowledge) reaches() bool {
	for _, c := range k.contacts {
		if c.Email != "" {
			return true
		}
	}
	return len(k.kocs) > 0
}

// errNobody means that there is nobody to write to, or nothing to write about any more.
var errNobody = errors.New("nobody to write to")

// compose puts a letter together, and says to whom it goes.
func (n *notify) compose(l letter.Letter, k knowledge) (to string, m mail.Message, err error) {
	if !k.reaches() {
		return "", m, errNobody
	}
	s := mail.Shop{Brand: k.settings.Brand, Zone: k.zone}
	if l.Order != "" {
		return n.composeForShopper(l, k, s)
	}
	p, ok := k.kocs[l.KOC]
	if !ok {
		return "", m, errNobody
	}
	speaks := speaker(k, p.Language)
	switch l.Kind {
	case letter.PayoutSent:
		m = mail.PayoutSent(speaks, s, l)
	case letter.PayeeChanged:
		m = mail.PayeeChanged(speaks, s, l)
	case letter.WebhookDead:
		m = mail.WebhookDead(speaks, s, l)
	case letter.EmailAsked:
		m = mail.EmailAsked(speaks, s, l)
	case letter.EmailChanged:
		m = mail.EmailChanged(speaks, s, l)
	case letter.EmailConfirm:
		c := p.Pending(n.now())
		if c == nil || c.N != l.Change || n.publicURL == "" {
			return "", m, errNobody
		}
		return c.Email, mail.EmailConfirm(speaks, s, c.At.Add(koc.ConfirmHours*time.Hour), n.publicURL+n.keys.EmailPath(p.Handle, c.N, c.Email)), nil
	}
	if to = addressee(l, p); to == "" || m.Subject == "" { // the kind is of a later version of this function
		return "", m, errNobody
	}
	return to, m, nil
}

// addressee is to which address of a KOC a letter goes: the one that was on record when its cause happened, whatever has
// changed since, or the one of before that.
func addressee(l letter.Letter, p koc.Profile) string {
	if l.Former {
		return p.FormerEmail(l.At)
	}
	return p.EmailAt(l.At)
}

// composeForShopper puts a letter about an order together. Without an address of the store nobody can be led to the page on
// which an order is confirmed; then the operator confirms it.
func (n *notify) composeForShopper(l letter.Letter, k knowledge, s mail.Shop) (to string, m mail.Message, err error) {
	o, ok := k.orders[l.Order]
	if to = k.contacts[l.Order].Email; !ok || to == "" {
		return "", m, errNobody
	}
	speaks := speaker(k, o.Language)
	switch {
	case l.Kind == letter.OrderPaid && !l.TooLate(o) && n.publicURL == "":
		return to, mail.OrderPaid(speaks, s, o, ""), nil
	case l.Kind == letter.OrderPaid && !l.TooLate(o):
		return to, mail.OrderPaid(speaks, s, o, n.publicURL+n.keys.OrderPath(o.ID)), nil
	case l.Kind == letter.OrderConfirm && o.Unconfirmed() && l.At.Before(o.Terms.ConfirmUntil) && n.publicURL != "":
		return to, mail.OrderConfirm(speaks, s, o, n.publicURL+n.keys.ConfirmPath(o.ID)), nil
	default:
		return "", m, errNobody
	}
}

// speaker speaks somebody's language, the shop's first one where it is not known.
func speaker(k knowledge, language string) *locale.Locale {
	return locale.For(locale.Language(cmp.Or(language, k.settings.Languages[0])))
}

// recordLetters puts letters into the store that are not there yet, and returns those that are to be sent.
func (n *notify) recordLetters(ctx context.Context, letters []letter.Letter, written map[string]bool) (fresh []letter.Letter, k knowledge, err error) {
	var wanted []letter.Letter
	for _, l := range letters {
		if !written[l.ID] {
			written[l.ID] = true // several facts of one order share a letter
			wanted = append(wanted, l)
		}
	}
	if len(wanted) == 0 {
		return nil, k, nil
	}
	if k, err = n.look(ctx, wanted); err != nil {
		return nil, k, err
	}
	for _, l := range wanted {
		l.Progress = webhook.Begin(n.now())
		if _, _, err := n.compose(l, k); err != nil {
			l.Keep()
		}
		added, err := n.store.SaveLetter(ctx, &l)
		if err != nil {
			return nil, k, err
		}
		if added && l.State == webhook.Due {
			fresh = append(fresh, l)
		}
	}
	return fresh, k, nil
}

// sendLetters makes one attempt at each letter, and returns how many outcomes could not be recorded.
func (n *notify) sendLetters(ctx, attempts context.Context, letters []letter.Letter, k knowledge, now time.Time) int {
	var lost atomic.Int64
	var group errgroup.Group
	group.SetLimit(lettersAtOnce)
	for i := range letters {
		group.Go(func() error {
			if attempts.Err() == nil && n.sendLetter(ctx, attempts, &letters[i], k, now) != nil {
				lost.Add(1)
			}
			return nil
		})
	}
	_ = group.Wait() // counted above
	return int(lost.Load())
}

// sendLetter makes one attempt. SES may take a letter whose success is then not recorded, because this process or the
// store fails in between: that letter goes out twice.
func (n *notify) sendLetter(ctx, attempts context.Context, l *letter.Letter, k knowledge, now time.Time) error {
	to, m, err := n.compose(*l, k)
	if err != nil {
		l.Keep()
	} else if status, problem := n.sender.Send(attempts, k.settings.Brand, to, m); problem == "" {
		l.Succeed(status, now)
	} else {
		l.Fail(status, problem, now)
		slog.WarnContext(ctx, "letter not sent", "letter", l.ID, "status", status, "problem", problem, "attempts", l.Attempts)
	}
	if l.State == webhook.Failed {
		telemetry.Count(ctx, "LettersFailed", 1)
	}
	if _, err := n.store.SaveLetter(ctx, l); err != nil {
		slog.ErrorContext(ctx, "letter not recorded", "letter", l.ID, "error", err)
		return err
	}
	return nil
}
