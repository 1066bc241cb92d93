package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/web"
	"yundian/shared/web/api"
)

// Count is what was counted under one heading. Sales and commission are net of refunds.
type Count struct {
	Touches    int64        `json:"touches" doc:"Visitors whose browser showed a page of a link, once per visitor, link and day"`
	Orders     int64        `json:"orders" doc:"Paid orders"`
	Sales      money.Amount `json:"sales"`
	Commission money.Amount `json:"commission"`
}

func (c Count) orNothing(currency money.Currency) Count {
	if c.Sales.Currency == "" {
		c.Sales.Currency = currency
	}
	if c.Commission.Currency == "" {
		c.Commission.Currency = currency
	}
	return c
}

// Stat is one line of statistics: of a day, a link or a product, of which the other two are absent.
type Stat struct {
	Day     string `json:"day,omitempty" doc:"Local date in the shop's zone"`
	Link    string `json:"link,omitempty" doc:"Link code"`
	Product string `json:"product,omitempty" doc:"Product id"`
	Count
}

// Stats are statistics over a time. By day there is a line for every day, the oldest first; by link or product the
// lines with the most commission come first, at most 1,000.
type Stats struct {
	From  string `json:"from"`
	To    string `json:"to"`
	By    string `json:"by" enum:"day,link,product"`
	Items []Stat `json:"items"`
	Total Count  `json:"total" doc:"Sum of all lines. By product, touches are not counted and an order counts once per product"`
}

// Limits of one answer.
const (
	statDays  = 366
	statLines = 1000
)

type statsInput struct {
	From string `query:"from" maxLength:"40" doc:"First local date, or a time on it; 29 days before to if absent"`
	To   string `query:"to" maxLength:"40" doc:"Last local date, or a time on it; today if absent"`
	By   string `query:"by" enum:"day,link,product" default:"day"`
}

// days are the first and the last day of a time.
type days struct{ from, to time.Time }

// span reads from and to, or takes the last 30 days. Times mean their day in the shop's zone.
func span(in *statsInput, today time.Time, zone *time.Location) (days, error) {
	var f []fail.Field
	read := func(name, text string, otherwise time.Time) time.Time {
		if text == "" {
			return otherwise
		}
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			text = at.In(zone).Format(time.DateOnly)
		}
		day, err := time.Parse(time.DateOnly, text)
		if err != nil || !shop.Time(day) {
			f = append(f, web.Fault("query."+name, "field_date", ""))
		}
		return day
	}
	d := days{to: read("to", in.To, today)}
	d.from = read("from", in.From, d.to.AddDate(0, 0, -29))
	if len(f) == 0 && (d.from.After(d.to) || d.to.Sub(d.from) >= statDays*24*time.Hour) {
		f = append(f, fail.At("query.from", "span", "Not after the last day, and at most {limit} days in all.", fail.Args{"limit": statDays}))
	}
	return d, fail.NewFields(f)
}

func (p *portal) stats(ctx context.Context, in *statsInput) (*api.Reply[Stats], error) {
	settings, err := p.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	zone, err := settings.Zone()
	if err != nil {
		return nil, err
	}
	today, err := time.Parse(time.DateOnly, p.now().In(zone).Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	d, err := span(in, today, zone)
	if err != nil {
		return nil, err
	}
	headings := map[string]string{"day": "DAY", "link": "LINK", "product": "PRODUCT"}
	found, err := p.store.Stats(ctx, visitOf(ctx).koc.Handle, headings[in.By], d.from.Format(time.DateOnly), d.to.Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	out := Stats{From: d.from.Format(time.DateOnly), To: d.to.Format(time.DateOnly), By: in.By, Items: []Stat{}}
	out.Total = total(found).orNothing(settings.Currency)
	if in.By == "day" {
		out.Items = byDay(found, d, settings.Currency)
	} else {
		out.Items = byKey(found, in.By, settings.Currency)
	}
	return &api.Reply[Stats]{Body: out}, nil
}

// byDay is a line for every day, also for those on which nothing happened.
func byDay(found []store.Stat, d days, currency money.Currency) []Stat {
	sums := sumBy(found, func(s store.Stat) string { return s.Day })
	var out []Stat
	for day := d.from; !day.After(d.to); day = day.AddDate(0, 0, 1) {
		text := day.Format(time.DateOnly)
		out = append(out, Stat{Day: text, Count: sums[text].orNothing(currency)})
	}
	return out
}

// byKey is a line per link or product, the one that earned most first.
func byKey(found []store.Stat, by string, currency money.Currency) []Stat {
	out := []Stat{}
	for key, sum := range sumBy(found, func(s store.Stat) string { return s.Key }) {
		line := Stat{Count: sum.orNothing(currency), Link: key}
		if by == "product" {
			line.Link, line.Product = "", key
		}
		out = append(out, line)
	}
	slices.SortFunc(out, func(a, b Stat) int {
		return cmp.Or(cmp.Compare(b.Commission.Minor, a.Commission.Minor), cmp.Compare(b.Orders, a.Orders), cmp.Compare(b.Touches, a.Touches),
			cmp.Compare(a.Link+a.Product, b.Link+b.Product))
	})
	return out[:min(len(out), statLines)]
}

// sumBy adds statistics up under the keys that name gives them. A shop has one currency; if it ever had another one,
// the amounts of that time cannot be added and count as they were counted: the newest currency names the sum.
func sumBy(stats []store.Stat, name func(store.Stat) string) map[string]Count {
	sums := map[string]Count{}
	for _, s := range stats {
		key := name(s)
		sum := sums[key]
		sum.Touches += s.Touches
		sum.Orders += s.Orders
		sum.Sales = plus(sum.Sales, s.Sales)
		sum.Commission = plus(sum.Commission, s.Earned)
		sums[key] = sum
	}
	return sums
}

func plus(a, b money.Amount) money.Amount {
	return money.Of(a.Minor+b.Minor, cmp.Or(a.Currency, b.Currency))
}

func total(stats []store.Stat) Count {
	return sumBy(stats, func(store.Stat) string { return "" })[""]
}
