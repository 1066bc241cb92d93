package world

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/identity"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/payout"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
)

// setting is what a world's shop is like.
type setting struct {
	weather  int // how often something happens to a call, in thousandths
	currency money.Currency
	skus     []string
	products []string
	kocs     []string
	keys     seal.Ring
	box      seal.Box
	identity identity.Key
	own      map[string]string // by which contact a KOC is known, if by any
	zone     *time.Location

	attributionDays int
	limits          shop.Limits
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
	s.Limits = shop.Limits{OpenOrders: w.between(1, 5), OpenPieces: w.between(4, 14), OnDeliveryPieces: w.between(5, 12),
		ConfirmAbove: [...]int64{0, 1, 2500, 20_000}[w.pick(4)], ConfirmHours: w.between(1, 60)}
	products := w.between(1, 3)
	if w.pick(12) == 11 { // a shop whose orders may have as many lines as there can be
		products = ordering.MaxLines + 2
		s.Limits.OpenPieces, s.Limits.OnDeliveryPieces = 500, 200
	}
	w.shop.currency, w.shop.limits = s.Currency, s.Limits
	w.must(s.Validate())
	w.must(w.db().SaveSettings(ctx, s))
	w.shop.keys, _ = seal.Parse(`{"1": "the simulator's own secret"}`)
	w.shop.box, _ = seal.ParseBox(`{"1": "another secret of the simulator"}`)
	w.shop.identity, w.shop.own = identity.Key("a third secret of the simulator"), map[string]string{}
	zone, err := s.Zone()
	w.must(err)
	w.shop.zone, w.shop.attributionDays = zone, s.Windows.AttributionDays
	for range products {
		w.addProduct(ctx)
	}
	for range w.between(1, 4) {
		w.addKOC(ctx)
	}
	for range w.pick(3) { // inviters, each once
		w.invites(ctx)
	}
	w.opening(ctx)
	first := payout.FirstTerms()
	terms, err := first.Next(w.terms(first), w.now, w.now.In(w.shop.zone).Format(time.DateOnly))
	w.must(err)
	w.must(w.db().PublishPayoutTerms(ctx, terms))
}

// addProduct puts one product with one or two SKUs on the shelf, with little stock.
func (w *World) addProduct(ctx context.Context) {
	id := fmt.Sprintf("product%d", len(w.shop.products)+1)
	p := catalogue.Product{ID: id, Title: id, Status: catalogue.Active, UpdatedAt: w.now}
	if tag := tags[w.pick(len(tags))]; tag != "" {
		p.Tags = []string{tag}
	}
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
	w.must(w.db().SaveProduct(ctx, catalogue.Product{}, p, received))
	w.shop.products = append(w.shop.products, id)
}

// invites says who brought a KOC in, long ago.
func (w *World) invites(ctx context.Context) {
	n := len(w.shop.kocs)
	if n < 2 {
		return
	}
	by, err := w.db().KOC(ctx, w.shop.kocs[w.pick(n)])
	w.must(err)
	_, _ = w.db().UpdateKOC(ctx, w.shop.kocs[w.pick(n)], func(p *koc.Profile) error { return p.InvitedBy(by, w.now.AddDate(0, 0, -20)) }, nil)
}

// addKOC approves a KOC with a link.
func (w *World) addKOC(ctx context.Context) {
	handle := fmt.Sprintf("koc%d", len(w.shop.kocs)+1)
	p, err := koc.NewProfile(handle, handle, handle+"@example.com", w.now.AddDate(0, -1, 0))
	w.must(err)
	if w.pick(2) == 1 { // some of those who order are KOCs
		own := want{person: fmt.Sprint("person", w.pick(9))}
		if w.pick(2) == 1 {
			own = want{mail: fmt.Sprint("mail", w.pick(4))}
		}
		w.shop.own[handle] = cmp.Or(own.mail, own.person)
		p.Recognise(w.shop.identity, w.hashes(own))
	}
	w.must(w.db().CreateKOC(ctx, p))
	_, err = w.db().UpdateKOC(ctx, handle, func(p *koc.Profile) error {
		p.Subject = "login-of-" + handle
		return p.Approve("", w.now.AddDate(0, 0, -20))
	}, func(p koc.Profile) []store.Write { return []store.Write{store.LoginWrite(p.Subject, handle)} })
	w.must(err)
	link, err := koc.NewLink(handle, "storefront", "wechat", "link01", w.now)
	w.must(err)
	w.must(w.db().CreateLink(ctx, link))
	w.shop.kocs = append(w.shop.kocs, handle)
	if w.pick(4) < 3 {
		w.addMethod(ctx, handle)
	}
}

// addMethod enters and verifies where a KOC's payouts go.
func (w *World) addMethod(ctx context.Context, handle string) {
	rail, account := payout.Stripe, "acct_AAAAAA0"
	if w.pick(4) == 3 {
		rail, account = payout.Bank, "6222100000"
	}
	to, err := payout.NewDestination(rail, account, "Mei Lin")
	w.must(err)
	writes, err := w.payer().PayeeWrites(ctx, handle, rail, to, nil, w.now.AddDate(0, 0, -9))
	w.must(err)
	w.must(w.db().SaveReplies(ctx, writes))
	_, err = w.db().VerifyPayee(ctx, handle, 1, operators[0], w.now)
	w.must(err)
}
