package world

import (
	"context"
	"fmt"
	"slices"
	"time"

	"yundian/shared/commission"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

var rates = [...]money.BasisPoints{1000, 0, 1, 333, 500, 800, 1500, 2500, 10_000}

// What rules can be about, beside KOCs and products. The empty ones are about everything.
var (
	tags      = [...]string{"", "green", "gift"}
	tiers     = [...]string{"", "gold", "silver"}
	customers = [...]ordering.Customer{"", ordering.NewCustomer, ordering.Returning}
)

// opening publishes the first rules of the shop, long enough ago that all of them count.
func (w *World) opening(ctx context.Context) {
	now := w.now
	w.now = now.AddDate(0, 0, -40)
	plan, err := w.db().Plan(ctx, w.now)
	w.must(err)
	d := commission.Draft{Book: w.draft(), Seen: plan.Latest, From: w.notice().Earliest(w.now)}
	market, err := w.db().Market(ctx)
	w.must(err)
	if pub, err := plan.Publish(d, w.shop.currency, w.notice(), market, w.now); err == nil { // a draft whose rules clash is none
		w.must(w.db().Publish(ctx, pub))
	}
	w.now = now
}

func (w *World) notice() commission.Notice {
	return commission.Notice{Days: w.shop.attributionDays, Zone: w.shop.zone}
}

// publishes brings out other rules: single rates, or a whole book, at once or later.
func (w *World) publishes() {
	_ = w.act("admin: publish rules", func() error {
		now := w.time()
		plan, err := w.db().Plan(w.ctx, now)
		if err != nil {
			return err
		}
		market, err := w.db().Market(w.ctx)
		if err != nil {
			return err
		}
		var pub commission.Publication
		if w.pick(2) == 0 {
			rate := rates[w.pick(len(rates))]
			products := map[string]money.BasisPoints{w.shop.products[w.pick(len(w.shop.products))]: rates[w.pick(len(rates))]}
			pub, err = plan.Set(commission.Edit{Default: &rate, Products: products}, w.notice(), market, now)
		} else {
			d := commission.Draft{Book: w.draft(), Seen: plan.Latest, Withdraw: w.pick(4) == 3}
			if w.pick(3) > 0 {
				d.From = w.notice().Earliest(now)
			}
			pub, err = plan.Publish(d, w.shop.currency, w.notice(), market, now)
		}
		if err != nil || len(pub.New) == 0 {
			return err
		}
		return w.db().Publish(w.ctx, pub)
	})
}

// draft is a book with rules of every kind.
func (w *World) draft() commission.Book {
	b := commission.Book{Default: rates[w.pick(len(rates))], Products: map[string]money.BasisPoints{}, InviterRate: rates[w.pick(2)*w.pick(len(rates))]}
	if b.InviterRate == rates[0] {
		b.InviterRate = 0
	}
	if w.pick(2) == 1 {
		b.Products[w.shop.products[w.pick(len(w.shop.products))]] = rates[w.pick(len(rates))]
	}
	if w.pick(2) == 1 {
		b.Campaigns = []commission.Campaign{{ID: "spring", From: epoch.AddDate(0, 0, 1), To: epoch.AddDate(0, 0, 20)}}
	}
	for i := range w.pick(4) {
		r := commission.Rule{ID: fmt.Sprintf("rule-%d", i+1), Match: w.match(b)}
		if w.pick(4) == 3 {
			r.PerUnit = w.amount(w.between(1, 600))
		} else {
			r.Rate = rates[w.pick(len(rates))]
		}
		switch w.pick(4) {
		case 2:
			r.LineCap = w.amount(w.between(1, 300))
		case 3:
			r.OrderCap = w.amount(w.between(1, 400))
		}
		b.Rules = append(b.Rules, r)
	}
	w.monthRules(&b)
	return b
}

func (w *World) monthRules(b *commission.Book) {
	if w.pick(2) == 1 {
		b.MonthRules = append(b.MonthRules, commission.MonthRule{ID: "cap", Cap: w.amount(w.between(100, 2000))})
	}
	if w.pick(2) == 1 {
		m := w.match(*b)
		m.Customer = ""
		b.MonthRules = append(b.MonthRules, commission.MonthRule{ID: "bonus", Match: m, Milestones: []commission.Milestone{
			{Sales: w.amount(900), Bonus: w.amount(50)}, {Sales: w.amount(3000), Bonus: w.amount(210)}}})
	}
}

func (w *World) amount(minor int) money.Amount { return money.Of(int64(minor), w.shop.currency) }

// match is about some sales.
func (w *World) match(b commission.Book) commission.Match {
	m := commission.Match{Tag: tags[w.pick(len(tags))], Tier: tiers[w.pick(len(tiers))], Customer: customers[w.pick(len(customers))]}
	if w.pick(3) == 2 {
		m.KOC = w.shop.kocs[w.pick(len(w.shop.kocs))]
	}
	if w.pick(3) == 2 {
		m.Product = w.shop.products[w.pick(len(w.shop.products))]
	}
	if len(b.Campaigns) > 0 && w.pick(3) == 2 {
		m.Campaign = b.Campaigns[0].ID
	}
	return m
}

// promotes moves a KOC to another tier.
func (w *World) promotes() {
	handle, tier := w.shop.kocs[w.pick(len(w.shop.kocs))], tiers[w.pick(len(tiers))]
	_ = w.act("admin: tier of "+handle, func() error {
		_, err := w.db().UpdateKOC(w.ctx, handle, func(p *koc.Profile) error { return p.SetTier(tier, w.time()) }, nil)
		return err
	})
}

// checkRates holds the rates that a decision froze against the book that counted when the order was placed: of the rules
// that are about a sale, the one counts that names the KOC; if none or several do, the one that names the product; and so
// on through tag, tier, campaign and customer.
func (x *watch) checkRates(o ordering.Order, a ordering.Award) {
	if len(a.Winners) == 0 || len(a.Rates) != len(o.Lines) {
		return
	}
	ctx, s := x.w.peek()
	book, err := s.BookAt(ctx, o.PlacedAt)
	x.w.must(err)
	profile, err := s.KOC(ctx, a.Winners[0].KOC)
	x.w.must(err)
	fresh := o.PlacedAt.Add(-10 * time.Second)
	changed := slices.ContainsFunc(profile.Tiers, func(t koc.Tier) bool { return t.From.After(fresh) })
	if book.From.After(fresh) || changed || a.BookVersion != book.Version && x.bookSince(o.PlacedAt) {
		return // written at the same time by a clock that is off: whoever decided may not have seen it
	}
	for i, l := range o.Lines {
		if want := best(book, o, l, a.Winners[0].KOC, profile.TierAt(o.PlacedAt)); a.Rates[i] != want {
			x.w.violate(13, "order %s line %d earns by %+v, and should by %+v of version %d", o.ID, i, a.Rates[i], want, book.Version)
		}
	}
}

// bookSince reports whether a rule book was published after a moment that counts from before it.
func (x *watch) bookSince(at time.Time) bool {
	return slices.ContainsFunc(x.books, func(b published) bool { return b.written.After(at.Add(-10*time.Second)) && !b.from.After(at) })
}

type published struct{ from, written time.Time }

// best is the rate of a line by the most specific rule about it.
func best(b commission.Book, o ordering.Order, l ordering.Line, handle, tier string) ordering.LineRate {
	type candidate struct {
		named [6]bool
		rate  ordering.LineRate
	}
	var found []candidate
	for _, r := range b.Rules {
		m := r.Match
		named := [6]bool{m.KOC != "", m.Product != "", m.Tag != "", m.Tier != "", m.Campaign != "", m.Customer != ""}
		fits := [6]bool{m.KOC == handle, m.Product == l.Product, slices.Contains(l.Tags, m.Tag), m.Tier == tier, runs(b, m.Campaign, o.PlacedAt), m.Customer == o.Buyer()}
		about := true
		for i := range named {
			about = about && (!named[i] || fits[i])
		}
		if about {
			found = append(found, candidate{named, ordering.LineRate{Rule: r.ID, RuleVersion: b.Version, Rate: r.Rate, PerUnit: r.PerUnit.Minor, LineCap: r.LineCap.Minor, OrderCap: r.OrderCap.Minor}})
		}
	}
	if rate, ok := b.Products[l.Product]; ok {
		found = append(found, candidate{[6]bool{1: true}, ordering.LineRate{Rule: "product:" + l.Product, RuleVersion: b.Version, Rate: rate}})
	}
	for i := range 6 {
		if slices.ContainsFunc(found, func(c candidate) bool { return c.named[i] }) {
			found = slices.DeleteFunc(found, func(c candidate) bool { return !c.named[i] })
		}
	}
	if len(found) == 0 {
		return ordering.LineRate{Rule: "default", RuleVersion: b.Version, Rate: b.Default}
	}
	return found[0].rate
}

func runs(b commission.Book, campaign string, at time.Time) bool {
	return slices.ContainsFunc(b.Campaigns, func(c commission.Campaign) bool { return c.ID == campaign && !at.Before(c.From) && at.Before(c.To) })
}
