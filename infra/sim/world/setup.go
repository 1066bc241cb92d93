package world

import (
	"context"
	"fmt"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/seal"
	"yundian/shared/shop"
)

// setting is what a world's shop is like.
type setting struct {
	weather  int // how often something happens to a call, in thousandths
	currency money.Currency
	skus     []string
	products []string
	kocs     []string
	keys     seal.Ring
}

// weathers are how often something happens to a call, in thousandths. The worst are rare, because little comes through.
var weathers = [...]int{120, 120, 160, 160, 200, 250, 350}

var currencies = [...]money.Currency{"CNY", "USD", "JPY", "KWD"}

// zones have nights of 23 and of 25 hours, and nights of the same length.
var zones = [...]string{"UTC", "Asia/Shanghai", "America/New_York"}

var taxes = [...]money.BasisPoints{0, 0, 600, 1300}

// prices, in minor units; the last one makes totals that only just fit.
var prices = [...]int64{1000, 1, 99, 333, 4999, 12_345, 700_001}

// must stops the world when something fails that nothing can have disturbed.
func (w *World) must(err error) {
	if err != nil {
		w.violate(0, "cannot go on: %v", err)
	}
}

// setup makes the shop, in good weather.
func (w *World) setup() {
	w.calm = true
	_, _ = w.run("setup", func() error {
		w.furnish(w.ctx)
		return nil
	})
	w.calm = false
}

func (w *World) furnish(ctx context.Context) {
	s := shop.Default()
	w.shop.weather = weathers[w.pick(len(weathers))]
	s.Currency = currencies[w.pick(len(currencies))]
	s.TimeZone = zones[w.pick(len(zones))]
	s.Tax = taxes[w.pick(len(taxes))]
	s.Shipping = shop.Shipping{Fee: int64(w.pick(3)) * 150, FreeFrom: int64(w.pick(2)) * 5000}
	s.Windows = shop.Windows{AttributionDays: w.between(1, 14), ReturnDays: w.pick(5), ReceiptDays: w.between(1, 4), HoldMinutes: w.between(10, 90)}
	w.shop.currency = s.Currency
	w.must(s.Validate())
	w.must(w.store.SaveSettings(ctx, s))
	w.shop.keys, _ = seal.Parse(`{"1": "the simulator's own secret"}`)
	for range w.between(1, 3) {
		w.addProduct(ctx)
	}
	for range w.between(1, 4) {
		w.addKOC(ctx)
	}
	w.publish(ctx)
}

// addProduct puts one product with one or two SKUs on the shelf, with little stock.
func (w *World) addProduct(ctx context.Context) {
	id := fmt.Sprintf("product%d", len(w.shop.products)+1)
	p := catalogue.Product{ID: id, Title: id, Status: catalogue.Active, UpdatedAt: w.now}
	received := map[string]int64{}
	n := w.between(1, 2)
	if n > 1 {
		p.Options = []string{"Size"}
	}
	for i := range n {
		sku := fmt.Sprintf("SKU%d-%d", len(w.shop.products)+1, i+1)
		v := catalogue.Variant{SKU: sku, Price: money.Of(prices[w.pick(len(prices))], w.shop.currency)}
		if n > 1 {
			v.Title, v.Options = fmt.Sprint(i), []string{fmt.Sprint(i)}
		}
		p.Variants = append(p.Variants, v)
		received[sku] = int64(w.between(2, 12))
		w.shop.skus = append(w.shop.skus, sku)
	}
	w.must(p.Validate(w.shop.currency))
	w.must(w.store.SaveProduct(ctx, catalogue.Product{}, p, received))
	w.shop.products = append(w.shop.products, id)
}

// addKOC approves a KOC with a link.
func (w *World) addKOC(ctx context.Context) {
	handle := fmt.Sprintf("koc%d", len(w.shop.kocs)+1)
	p, err := koc.NewProfile(handle, handle, handle+"@example.com", w.now.AddDate(0, -1, 0))
	w.must(err)
	w.must(w.store.CreateKOC(ctx, p))
	_, err = w.store.UpdateKOC(ctx, handle, func(p *koc.Profile) error { return p.Approve("", w.now.AddDate(0, 0, -20)) }, nil)
	w.must(err)
	_, err = w.store.UpdateKOC(ctx, handle, func(p *koc.Profile) error {
		if n := len(w.shop.kocs); n > 0 && w.pick(2) == 1 {
			p.Inviter = &koc.Invitation{KOC: w.shop.kocs[0], From: w.now.AddDate(0, 0, w.pick(9)-3)}
		}
		return p.SetTier([]string{"", "gold"}[w.pick(2)], w.now.AddDate(0, 0, w.pick(9)-3))
	}, nil)
	w.must(err)
	link, err := koc.NewLink(handle, "storefront", "wechat", "link01", w.now)
	w.must(err)
	w.must(w.store.CreateLink(ctx, link))
	w.shop.kocs = append(w.shop.kocs, handle)
}

var rates = [...]money.BasisPoints{1000, 0, 1, 333, 500, 800, 1500, 2500, 10_000}

// publish brings out a rule book.
func (w *World) publish(ctx context.Context) {
	before, err := w.store.Plan(ctx, w.time())
	w.must(err)
	next, err := w.nextRates(before)
	w.must(err)
	w.must(w.store.Publish(ctx, next))
}

// nextRates publishes other rates, raises at once and cuts after a notice, or a whole book.
func (w *World) nextRates(before commission.Plan) (commission.Publication, error) {
	if w.pick(2) == 1 {
		return w.nextBook(before)
	}
	rate := rates[w.pick(len(rates))]
	products := map[string]money.BasisPoints{}
	if w.pick(2) == 1 {
		products[w.shop.products[w.pick(len(w.shop.products))]] = rates[w.pick(len(rates))]
	}
	return before.Set(commission.Edit{Default: &rate, Products: products}, commission.Notice{Days: 2, Zone: time.UTC}, w.time())
}

// nextBook publishes a book of rules of every kind, at once or for later.
func (w *World) nextBook(before commission.Plan) (commission.Publication, error) {
	amount := func(low, high int) money.Amount { return money.Of(int64(w.between(low, high)), w.shop.currency) }
	b := commission.Book{Default: rates[w.pick(len(rates))], InviterRate: rates[w.pick(len(rates))]}
	matches := []commission.Match{{KOC: w.shop.kocs[0]}, {Product: w.shop.products[0]}, {Tier: "gold"}, {Customer: ordering.NewCustomer},
		{KOC: w.shop.kocs[0], Campaign: "campaign"}, {Tier: "gold", Customer: ordering.Returning}}
	b.Campaigns = []commission.Campaign{{ID: "campaign", From: w.time(), To: w.time().AddDate(0, 0, w.between(1, 9))}}
	for i := range w.pick(len(matches)) {
		r := commission.Rule{ID: fmt.Sprint("rule", i), Match: matches[i], Rate: rates[w.pick(len(rates))]}
		switch w.pick(4) {
		case 1:
			r.Rate, r.PerUnit = 0, amount(1, 500)
		case 2:
			r.LineCap = amount(1, 300)
		case 3:
			r.OrderCap = amount(1, 300)
		}
		b.Rules = append(b.Rules, r)
	}
	if w.pick(2) == 1 {
		b.MonthRules = []commission.MonthRule{{ID: "most", Cap: amount(100, 900)}, {ID: "most-gold", Match: commission.Match{Tier: "gold"}, Cap: amount(100, 900)},
			{ID: "more", Match: commission.Match{Product: w.shop.products[0]}, Milestones: []commission.Milestone{{Sales: amount(100, 900), Bonus: amount(1, 90)}, {Sales: amount(1000, 9000), Bonus: amount(100, 200)}}}}
	}
	d := commission.Draft{Book: b, Seen: before.Latest, Withdraw: w.pick(2) == 1}
	if w.pick(2) == 1 {
		d.From = w.time().AddDate(0, 0, w.between(1, 9))
	}
	return before.Publish(d, w.shop.currency, commission.Notice{Zone: time.UTC}, w.time())
}
