package storm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/ordering"
)

// check compares everything with what follows from the orders' facts.
func (s *storm) check(ctx context.Context) error {
	orders, err := s.orders(ctx)
	if err != nil {
		return err
	}
	byID := map[string]ordering.Order{}
	for _, o := range orders {
		byID[o.ID] = o
		s.reach(o)
	}
	for _, part := range []func(context.Context, map[string]ordering.Order) error{
		s.checkVerify, s.checkKeys, s.checkAwards, s.checkEarnings, s.checkStock, s.checkProvider, s.checkStatistics, s.checkPaidOut} {
		if err := part(ctx, byID); err != nil {
			return err
		}
	}
	return nil
}

// checkVerify asks the shop itself.
func (s *storm) checkVerify(ctx context.Context, _ map[string]ordering.Order) error {
	for cursor := ""; ; {
		var v struct {
			Unsettled   int
			Differences []json.RawMessage
			Next        string
		}
		if err := s.operate(ctx, http.MethodGet, "/v1/admin/verify?cursor="+url.QueryEscape(cursor), nil, &v, 200); err != nil {
			return err
		}
		for _, d := range v.Differences {
			s.differ("verify: %s", d)
		}
		if v.Unsettled > 0 {
			s.differ("verify: %d orders are unsettled", v.Unsettled)
		}
		if cursor = v.Next; cursor == "" {
			return nil
		}
	}
}

// checkKeys holds every key to the one order that it placed, and every order to a key.
func (s *storm) checkKeys(ctx context.Context, orders map[string]ordering.Order) error {
	of := map[string]string{}
	for _, p := range s.placed {
		if p == nil {
			continue
		}
		c, err := s.store.Checkout(ctx, nil, "", p.key)
		if err != nil {
			return err
		}
		switch {
		case c.Earlier == nil && p.id != "":
			s.differ("key %s was answered with order %s, but has placed none", p.key, p.id)
		case c.Earlier != nil && c.Earlier.Order != p.id:
			s.differ("key %s placed order %s, but was answered with %q", p.key, c.Earlier.Order, p.id)
		case c.Earlier != nil && orders[p.id].ID == "":
			s.differ("key %s placed order %s, which does not exist", p.key, p.id)
		}
		of[p.id] = p.key
	}
	for id := range orders {
		if of[id] == "" {
			s.differ("order %s belongs to no key", id)
		}
	}
	return nil
}

// checkAwards holds every decision to the link or code that the shopper really used.
func (s *storm) checkAwards(_ context.Context, orders map[string]ordering.Order) error {
	suspended := s.shop.kocs[kocCount-1]
	for _, p := range s.placed {
		if p == nil || p.id == "" {
			continue
		}
		o := orders[p.id]
		koc, _ := winner(o)
		switch {
		case len(o.Awards) == 0:
			s.differ("order %s was never attributed", o.ID)
		case p.own && (koc != "" || o.Awards[0].Reason != "self_purchase" && p.koc != suspended.handle):
			s.differ("order %s of %s's own is earned by %q, because of %q", o.ID, p.koc, koc, o.Awards[0].Reason)
		case p.own, koc == p.koc:
		case koc == "" && p.koc == suspended.handle && !suspended.suspendedAt.IsZero():
		default:
			s.differ("order %s was earned by %q, but came through %q", o.ID, koc, p.koc)
		}
		if koc == suspended.handle && !suspended.suspendedAt.IsZero() && o.PlacedAt.After(suspended.suspendedAt) {
			s.differ("order %s was earned by %s after the suspension", o.ID, koc)
		}
	}
	return nil
}

// checkEarnings compares balances and postings with the fold, KOC by KOC and order by order.
func (s *storm) checkEarnings(ctx context.Context, orders map[string]ordering.Order) error {
	expected := map[string]sums{}
	for _, o := range orders {
		koc, _ := winner(o)
		expected[koc] = expected[koc].plus(earned(o))
		if len(o.Awards) > 0 && len(o.Awards[len(o.Awards)-1].Winners) > 1 {
			s.differ("order %s has more than one winner", o.ID)
		}
	}
	paid, err := s.payouts(ctx)
	if err != nil {
		return err
	}
	for _, k := range s.shop.kocs {
		expected[k.handle] = expected[k.handle].plus(paidOut(paid, k.handle))
		found, err := s.balances(ctx, k)
		if err != nil {
			return err
		}
		if found != expected[k.handle] {
			s.differ("earnings of %s are %+v, the fold says %+v", k.handle, found, expected[k.handle])
		}
		if min(found.pending, found.available, found.inPayout, found.paid) < 0 {
			s.differ("an account of %s is below zero: %+v", k.handle, found)
		}
		if err := s.checkPostings(ctx, k.handle, orders); err != nil {
			return err
		}
		if err := s.checkForecast(ctx, k.handle, orders); err != nil {
			return err
		}
	}
	return nil
}

// balances are what is stored, and what the KOC reads, a suspended one too.
func (s *storm) balances(ctx context.Context, k *seller) (sums, error) {
	stored, err := s.store.Balances(ctx, k.handle)
	if err != nil || len(stored) == 0 {
		return sums{}, err
	}
	b := stored[0]
	if len(stored) != 1 || b.Currency != "CNY" {
		return sums{}, fmt.Errorf("balances of %s are %+v", k.handle, stored)
	}
	kept := sums{b.Pending, b.Available, -b.Debt, b.InPayout, b.Paid, b.TaxWithheld, b.Fees}
	var e struct {
		Balances []struct{ Pending, InPayout, Paid int64 }
	}
	if err := s.client.must(ctx, ask{method: http.MethodGet, path: "/v1/earnings", token: k.token}, &e, 200); err != nil {
		return sums{}, err
	}
	if len(e.Balances) != 1 || e.Balances[0].Pending != b.Pending || e.Balances[0].InPayout != b.InPayout || e.Balances[0].Paid != b.Paid {
		s.differ("%s reads %+v, stored are %+v", k.handle, e.Balances, b)
	}
	return kept, nil
}

// checkPostings adds the legs up: to zero, once per order and version, and per order to what the order has earned.
func (s *storm) checkPostings(ctx context.Context, handle string, orders map[string]ordering.Order) error {
	type once struct {
		order string
		v     int64
	}
	seen, of := map[once]bool{}, map[string]sums{}
	for after := ""; ; {
		postings, next, err := s.store.Postings(ctx, handle, after, 500, false)
		if err != nil {
			return err
		}
		for _, p := range postings {
			if p.Order == "" { // of a payout
				continue
			}
			if seen[once{p.Order, p.V}] {
				s.differ("order %s version %d is posted twice for %s", p.Order, p.V, handle)
			}
			seen[once{p.Order, p.V}] = true
			for _, e := range p.Entries {
				of[p.Order] = of[p.Order].plus(s.legs(p, e))
			}
		}
		if after = next; after == "" {
			break
		}
	}
	for id, o := range orders {
		if koc, _ := winner(o); koc != handle {
			continue
		}
		if want := earned(o); of[id] != want {
			s.differ("postings of order %s for %s add up to %+v, the fold says %+v", id, handle, of[id], want)
		}
		delete(of, id)
	}
	for id := range of {
		s.differ("%s has postings of order %s, which somebody else earned", handle, id)
	}
	return nil
}

// legs are one entry's effect on the KOC's accounts.
func (s *storm) legs(p ledger.Posting, e ledger.Entry) (on sums) {
	var zero int64
	for _, l := range e.Legs {
		zero += l.Minor
		switch l.Account {
		case "pending":
			on.pending += l.Minor
		case "available":
			on.available += l.Minor
		case "debt":
			on.debt -= l.Minor
		case "commission_expense":
		default:
			s.differ("posting %s moves %q", p.ID, l.Account)
		}
	}
	if zero != 0 {
		s.differ("an entry of posting %s is off balance by %d", p.ID, zero)
	}
	return on
}

// checkForecast compares the stored forecast with what is pending on a known day.
func (s *storm) checkForecast(ctx context.Context, handle string, orders map[string]ordering.Order) error {
	expected := map[string]int64{}
	for _, o := range orders {
		day, err := o.AvailableDay()
		if err != nil {
			return err
		}
		if koc, _ := winner(o); koc == handle && day != "" {
			expected[day] += earned(o).pending
		}
	}
	found, err := s.store.Expected(ctx, handle, "0")
	if err != nil {
		return err
	}
	for _, e := range found {
		if expected[e.Day] != e.Minor {
			s.differ("the forecast of %s for %s is %d, the fold says %d", handle, e.Day, e.Minor, expected[e.Day])
		}
		delete(expected, e.Day)
	}
	for day, minor := range expected {
		if minor != 0 {
			s.differ("the forecast of %s for %s is missing, the fold says %d", handle, day, minor)
		}
	}
	return nil
}

// checkStock compares the counts of every product's one variant with what the orders hold, whatever it was called when they
// were placed.
func (s *storm) checkStock(ctx context.Context, orders map[string]ordering.Order) error {
	reserved, sold, off := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, o := range orders {
		isReserved, isSold := shelf(o)
		for _, l := range o.Lines {
			if isReserved {
				reserved[l.Product] += l.Quantity
			}
			if isSold {
				sold[l.Product] += l.Quantity
			}
		}
		for _, g := range o.Goods {
			product := o.Lines[g.Line].Product
			if isSold {
				sold[product] -= g.Quantity
			}
			if g.To == ordering.WriteOff {
				off[product] += g.Quantity
			}
		}
	}
	found, err := s.store.Sellables(ctx, s.shop.skus)
	if err != nil {
		return err
	}
	for k, sku := range s.shop.skus {
		c, product := found[sku].Stock, productOf(k)
		if min(c.Available, c.Reserved, c.Sold) < 0 || c.Available+c.Reserved+c.Sold != c.Received-c.WrittenOff || c.Owed != 0 {
			s.differ("stock of %s is off balance: %+v", sku, c)
		}
		if c.Received != s.stock[product] {
			s.differ("stock of %s says that %d were received, it were %d", sku, c.Received, s.stock[product])
		}
		if c.WrittenOff != off[product]+s.off[product] {
			s.differ("stock of %s has %d written off, returns wrote off %d and the shop %d", sku, c.WrittenOff, off[product], s.off[product])
		}
		if c.Reserved != reserved[product] || c.Sold != sold[product] {
			s.differ("stock of %s has %d reserved and %d sold, the orders hold %d and %d", sku, c.Reserved, c.Sold, reserved[product], sold[product])
		}
	}
	return nil
}

// checkStatistics compares statistics by day and by link with a fold of the orders and touches.
func (s *storm) checkStatistics(ctx context.Context, orders map[string]ordering.Order) error {
	type heading struct{ koc, by, name string }
	expected := map[heading]tally{}
	for _, o := range orders {
		koc, code := winner(o)
		for _, h := range []heading{{koc, "day", o.Day}, {koc, "link", code}} {
			expected[h] = expected[h].plus(counted(o))
		}
	}
	touched, err := s.touches(ctx)
	if err != nil {
		return err
	}
	for _, t := range touched {
		for _, h := range []heading{{t.koc, "day", t.day}, {t.koc, "link", t.code}} {
			expected[h] = expected[h].plus(tally{touches: 1})
		}
	}
	for _, k := range s.shop.kocs {
		for _, by := range []string{"day", "link"} {
			found, err := s.statistics(ctx, k, by)
			if err != nil {
				return err
			}
			for name, t := range found {
				h := heading{k.handle, by, name}
				if expected[h] != t {
					s.differ("statistics of %s by %s %s are %+v, the fold says %+v", k.handle, by, name, t, expected[h])
				}
				delete(expected, h)
			}
		}
	}
	for h, t := range expected {
		if h.koc != "" && t != (tally{}) {
			s.differ("statistics of %s by %s %s are missing, the fold says %+v", h.koc, h.by, h.name, t)
		}
	}
	return nil
}

// statistics are what the KOC reads, by day or link.
func (s *storm) statistics(ctx context.Context, k *seller, by string) (map[string]tally, error) {
	out := map[string]tally{}
	from, to := time.Now().AddDate(0, 0, -2).Format(time.DateOnly), time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	var stats struct {
		Items []struct {
			Day, Link         string
			Touches, Orders   int64
			Sales, Commission struct{ Amount int64 }
		}
	}
	err := s.client.must(ctx, ask{method: http.MethodGet, path: "/v1/stats?by=" + by + "&from=" + from + "&to=" + to, token: k.token}, &stats, 200)
	for _, t := range stats.Items {
		if one := (tally{t.Touches, t.Orders, t.Sales.Amount, t.Commission.Amount}); one != (tally{}) {
			out[t.Day+t.Link] = one
		}
	}
	return out, err
}
