package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
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
	orders   map[string]ordering.Order
	contacts map[string]ordering.Contact
	kocs     map[string]koc.Profile
}

// look reads what these letters are about, in two rounds.
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
	var group errgroup.Group
	group.Go(func() (err error) { k.settings, err = n.store.Settings(ctx); return err })
	group.Go(func() (err error) { k.kocs, err = n.store.KOCs(ctx, handles); return err })
	group.Go(func() (err error) {
		if k.orders, err = n.store.Orders(ctx, orders); err != nil {
			return err
		}
		all := make([]ordering.Order, 0, len(k.orders))
		for _, o := range k.orders {
			all = append(all, o)
		}
		k.contacts, err = n.store.Contacts(ctx, all)
		return err
	})
	return k, group.Wait()
}

// errNobody means that there is nobody to write to, or nothing to write about any more.
var errNobody = errors.New("nobody to write to")

// compose puts a letter together, and says to whom it goes.
func (n *notify) compose(l letter.Letter, k knowledge) (to string, m mail.Message, err error) {
	s := mail.Shop{Brand: k.settings.Brand, Zone: k.settings.Zone()}
	if l.Kind == letter.OrderPaid {
		o, ok := k.orders[l.Order]
		if to = k.contacts[l.Order].Email; !ok || to == "" || l.TooLate(o) {
			return "", m, errNobody
		}
		address := ""
		if n.publicURL != "" {
			address = n.publicURL + n.keys.OrderPath(o.ID)
		}
		return to, mail.OrderPaid(speaker(k, o.Language), s, o, address), nil
	}
	p, ok := k.kocs[l.KOC]
	if !ok || p.Email == "" {
		return "", m, errNobody
	}
	switch l.Kind {
	case letter.PayoutSent:
		return p.Email, mail.PayoutSent(speaker(k, p.Language), s, l), nil
	case letter.PayeeChanged:
		return p.Email, mail.PayeeChanged(speaker(k, p.Language), s, l), nil
	case letter.WebhookDead:
		return p.Email, mail.WebhookDead(speaker(k, p.Language), s, l), nil
	default: // written by a later version of this function
		return "", m, errNobody
	}
}

// speaker speaks somebody's language, the shop's first one where it is not known.
func speaker(k knowledge, language string) *locale.Locale {
	return locale.For(locale.Language(cmp.Or(language, k.settings.Languages[0])))
}

// recordLetters puts letters into the store that are not there yet, and returns those that are to be sent.
func (n *notify) recordLetters(ctx context.Context, letters []letter.Letter) (fresh []letter.Letter, k knowledge, err error) {
	if !n.sender.On() || len(letters) == 0 {
		return nil, k, nil
	}
	ids := make([]string, len(letters))
	for i, l := range letters {
		ids[i] = l.ID
	}
	written, err := n.store.WrittenLetters(ctx, ids)
	if err != nil {
		return nil, k, err
	}
	var wanted []letter.Letter
	for _, l := range letters {
		if !written[l.ID] {
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
