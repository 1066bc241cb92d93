package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/web"
	"yundian/shared/web/api"
)

// SimulationWish is a draft to be tried on past orders.
type SimulationWish struct {
	Version *int64     `json:"version,omitempty" minimum:"1" doc:"As for publishing; the draft is tried whatever was published when it is absent"`
	From    *time.Time `json:"from,omitempty" doc:"Orders placed since then; 30 days before to when absent"`
	To      *time.Time `json:"to,omitempty" doc:"Orders placed before then; now when absent"`
	RuleContent
	Withdraw bool             `json:"withdraw,omitempty" doc:"As for publishing; matters for cuts only"`
	Cursor   string           `json:"cursor,omitempty" maxLength:"2048" doc:"next of the slice before"`
	Months   []SimulatedMonth `json:"months,omitempty" maxItems:"1000" doc:"months of the slice before, as they came"`
}

// Simulated is what one slice of past orders earned and would have earned under a draft. Sums of slices add up.
type Simulated struct {
	Orders     int              `json:"orders" doc:"Paid orders in this slice"`
	Commission []SimulatedSum   `json:"commission" doc:"Of this slice, by currency, net of refunds"`
	KOCs       []SimulatedKOC   `json:"kocs" doc:"KOCs for whom the draft makes a difference in this slice"`
	Months     []SimulatedMonth `json:"months,omitempty" doc:"What rules about months have seen so far: caps and bonuses look at a month as a whole, so each slice counts what its orders change given those before. Send this with the next slice"`
	Cuts       []SimulatedCut   `json:"cuts,omitempty" doc:"What would be less than announced if the draft counted at once; in the first slice"`
	Earliest   time.Time        `json:"earliestCut" doc:"When a draft with cuts can begin to count"`
	Next       string           `json:"next,omitempty" doc:"Cursor of the next slice; absent after the last one"`
}

// SimulatedSum is commission before and after.
type SimulatedSum struct {
	Currency      string `json:"currency"`
	Was           int64  `json:"was" doc:"As it was, in minor units, with what rules about months added or kept"`
	WouldBe       int64  `json:"wouldBe" doc:"Under the draft"`
	MonthsWas     int64  `json:"monthsWas" doc:"The part of was by rules about months"`
	MonthsWouldBe int64  `json:"monthsWouldBe"`
}

// SimulatedKOC is a KOC's commission before and after.
type SimulatedKOC struct {
	KOC string `json:"koc"`
	SimulatedSum
}

// SimulatedMonth is what a rule about months has seen of a KOC's month.
type SimulatedMonth struct {
	KOC      string               `json:"koc" maxLength:"30"`
	Month    string               `json:"month" maxLength:"7"`
	Currency string               `json:"currency" maxLength:"3"`
	Rule     string               `json:"ruleId" maxLength:"40"`
	Was      commission.MonthSums `json:"was"`
	WouldBe  commission.MonthSums `json:"wouldBe"`
}

// SimulatedCut is something that would earn less than was announced.
type SimulatedCut struct {
	Rule   string    `json:"ruleId" doc:"The rule that counts as announced"`
	Next   string    `json:"nextRuleId" doc:"The rule that would count"`
	Sales  string    `json:"sales" doc:"Such as koc:mei product:tea; a star for everything that no rule names"`
	Before string    `json:"before"`
	After  string    `json:"after"`
	From   time.Time `json:"from"`
}

// Bounds of one slice, so that it answers well within a request, and of a simulation.
const (
	simulateOrders = 100
	simulateDays   = 30
	simulateLimit  = 366 // days
	simulateMonths = 1000
)

type simulateInput struct{ Body SimulationWish }

// simulateRules tries a draft on past orders and writes nothing.
func (a *admin) simulateRules(ctx context.Context, in *simulateInput) (*api.Reply[Simulated], error) {
	w := in.Body
	bound := seal.Binding{Owner: visitOf(ctx).subject, Query: fmt.Sprint("simulate?from=", w.From, "&to=", w.To)}
	at, err := a.keys.OpenCursor(bound, w.Cursor)
	if err != nil {
		return nil, err
	}
	filter, after, err := w.orders(at, a.now())
	if err != nil {
		return nil, err
	}
	out := Simulated{}
	book, err := a.simulated(ctx, w, &out)
	if err != nil {
		return nil, err
	}
	orders, next, err := a.store.ListOrders(ctx, filter, after, simulateOrders)
	if err != nil {
		return nil, err
	}
	s := commission.NewSimulation(book, w.months())
	if err := a.replay(ctx, orders, s); err != nil {
		return nil, err
	}
	if len(s.Months) > simulateMonths {
		return nil, fail.New(fail.TooMany, "simulation_wide", "The rules look at more than {limit} months of KOCs. Simulate a shorter time.", fail.Args{"limit": simulateMonths})
	}
	out.fill(s)
	if next != "" {
		out.Next = a.keys.Cursor(bound, filter.From.UTC().Format(time.RFC3339Nano)+"|"+next)
	}
	return &api.Reply[Simulated]{Body: out}, nil
}

// orders are the orders to look at, and after which of them a slice begins. Later slices keep the first one's beginning.
func (w SimulationWish) orders(at string, now time.Time) (f store.OrderFilter, after string, err error) {
	f.To = now
	if w.To != nil {
		f.To = *w.To
	}
	f.From = f.To.AddDate(0, 0, -simulateDays)
	if w.From != nil {
		f.From = *w.From
	}
	if begin, rest, later := strings.Cut(at, "|"); later {
		if f.From, err = time.Parse(time.RFC3339Nano, begin); err != nil {
			return f, "", fmt.Errorf("read place of simulation: %w", err)
		}
		after = rest
	}
	switch {
	case !shop.Time(f.To):
		return f, "", fail.NewFields([]fail.Field{web.Fault("body.to", "field_date_time", "")})
	case !shop.Time(f.From):
		return f, "", fail.NewFields([]fail.Field{web.Fault("body.from", "field_date_time", "")})
	case f.From.After(f.To):
		return f, "", fail.NewFields([]fail.Field{fail.At("body.from", "dates_reversed", "The first time must not be after the last one.", nil)})
	case f.To.Sub(f.From) > simulateLimit*24*time.Hour:
		return f, "", fail.NewFields([]fail.Field{fail.At("body.from", "period_long", "At most {days} days.", fail.Args{"days": simulateLimit})})
	}
	return f, after, nil
}

// simulated is the draft as a book that could be published, apart from its cuts, which are listed.
func (a *admin) simulated(ctx context.Context, w SimulationWish, out *Simulated) (commission.Book, error) {
	book, err := w.book()
	if err != nil {
		return book, err
	}
	settings, err := a.store.Settings(ctx)
	if err != nil {
		return book, err
	}
	now := a.now()
	plan, err := a.store.Plan(ctx, now)
	if err != nil {
		return book, err
	}
	notice, err := a.notice(ctx, settings)
	if err != nil {
		return book, err
	}
	if err := fail.Join(book.Check(settings.Currency), a.checkNamed(ctx, plan, book)); err != nil {
		return book, err
	}
	if w.Version != nil && *w.Version != plan.Latest {
		return book, changedMeanwhile()
	}
	out.Earliest = notice.Earliest(now)
	if w.Cursor != "" {
		return book, nil
	}
	market, err := a.market(ctx, notice)
	if err != nil {
		return book, err
	}
	cuts, err := plan.CutsOf(commission.Draft{Book: book, Withdraw: w.Withdraw}, notice, market, now)
	for _, c := range cuts {
		out.Cuts = append(out.Cuts, SimulatedCut{Rule: c.Before.Rule, Next: c.After.Rule, Sales: c.Sale.String(), Before: c.Before.String(), After: c.After.String(), From: c.From.UTC()})
	}
	return book, err
}

// replay adds the paid ones of some orders.
func (a *admin) replay(ctx context.Context, orders []ordering.Order, s *commission.Simulation) error {
	orders = slices.DeleteFunc(orders, func(o ordering.Order) bool { return !o.IsPaid() })
	known := map[string]koc.Profile{}
	for range 2 { // winners, then those who had invited them
		var handles []string
		for _, o := range orders {
			for _, award := range o.Awards {
				for _, winner := range award.Winners {
					handles = append(handles, winner.KOC)
				}
				handles = append(handles, s.Draft.InvitersOf(o, award, known)...)
			}
		}
		handles = slices.DeleteFunc(handles, func(h string) bool { _, ok := known[h]; return ok })
		if len(handles) == 0 {
			break
		}
		found, err := a.store.KOCs(ctx, handles)
		if err != nil {
			return err
		}
		maps.Copy(known, found)
	}
	for _, o := range orders {
		if err := s.Add(o, known); err != nil {
			return err
		}
	}
	return nil
}

// months are the sums that the slice before left.
func (w SimulationWish) months() map[commission.MonthKey]commission.MonthPair {
	out := map[commission.MonthKey]commission.MonthPair{}
	for _, m := range w.Months {
		out[commission.MonthKey{KOC: m.KOC, Month: m.Month, Currency: money.Currency(m.Currency), Rule: m.Rule}] = commission.MonthPair{Was: m.Was, Would: m.WouldBe}
	}
	return out
}

// fill writes what a simulation has found, in a fixed order.
func (v *Simulated) fill(s *commission.Simulation) {
	v.Orders, v.Commission, v.KOCs = s.Orders, []SimulatedSum{}, []SimulatedKOC{}
	all := map[money.Currency]commission.Earned{}
	for k, e := range s.Earned {
		all[k.Currency] = all[k.Currency].Plus(e)
		if e.Changed() {
			v.KOCs = append(v.KOCs, SimulatedKOC{k.KOC, viewEarned(k.Currency, e)})
		}
	}
	for currency, e := range all {
		v.Commission = append(v.Commission, viewEarned(currency, e))
	}
	for k, m := range s.Months {
		v.Months = append(v.Months, SimulatedMonth{KOC: k.KOC, Month: k.Month, Currency: string(k.Currency), Rule: k.Rule, Was: m.Was, WouldBe: m.Would})
	}
	slices.SortFunc(v.Commission, func(a, b SimulatedSum) int { return cmp.Compare(a.Currency, b.Currency) })
	slices.SortFunc(v.KOCs, func(a, b SimulatedKOC) int {
		return cmp.Or(cmp.Compare(a.KOC, b.KOC), cmp.Compare(a.Currency, b.Currency))
	})
	slices.SortFunc(v.Months, func(a, b SimulatedMonth) int {
		return cmp.Or(cmp.Compare(a.KOC, b.KOC), cmp.Compare(a.Month, b.Month), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Currency, b.Currency))
	})
}

func viewEarned(c money.Currency, e commission.Earned) SimulatedSum {
	return SimulatedSum{Currency: string(c), Was: e.Was, WouldBe: e.Would, MonthsWas: e.MonthsWas, MonthsWouldBe: e.MonthsWould}
}
