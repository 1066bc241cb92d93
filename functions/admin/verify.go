package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// Verification is one slice of checking every figure against the facts it follows from.
type Verification struct {
	Checked     int          `json:"checked" doc:"Orders, KOCs or SKUs in this slice"`
	Unsettled   int          `json:"unsettled" doc:"Orders that nobody has decided yet or whose last change has not reached the ledger; a moment later they are"`
	Waiting     []string     `json:"waiting,omitempty" doc:"Their ids; an order that stays here can be redriven"`
	Differences []Difference `json:"differences"`
	Next        string       `json:"next,omitempty" doc:"Cursor of the next slice; absent after the last one"`
}

// Difference is a figure that is not what it should be.
type Difference struct {
	Kind     string `json:"kind" enum:"order,commission,balance,posting,stock"`
	ID       string `json:"id" doc:"Of the order, KOC, posting or SKU"`
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

// What one slice looks at, so that it answers well within a request.
const (
	verifyOrders   = 100
	verifyKOCs     = 20
	verifyProducts = 50
	postingPage    = 500
	postingPages   = 40 // per slice: 20,000 postings
	rereads        = 3  // of what differs, because the shop goes on while it is checked
)

// firstOrders is when no shop of this software had an order yet; the store is asked month by month, back to here.
var firstOrders = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// place is where a run of slices has got to.
type place struct {
	Part    string            `json:"p"`           // orders, kocs, stock
	After   string            `json:"a,omitempty"` // cursor of orders, or the last KOC or product
	Posting string            `json:"n,omitempty"` // the last posting of that KOC that was counted, while there are more
	Sums    []ledger.Balances `json:"s,omitempty"` // of the postings so far
}

// budget is how many pages of postings, of which size, one slice still reads.
type budget struct{ pages, size int }

var parts = []string{"orders", "kocs", "stock"}

type verifyInput struct {
	Cursor string `query:"cursor" maxLength:"2048" doc:"next of the slice before"`
}

// verify reports what is wrong and nothing else: whatever differs is read again before it is reported, and an order
// whose last change is still on its way to the ledger is counted apart.
func (a *admin) verify(ctx context.Context, in *verifyInput) (*api.Reply[Verification], error) {
	bound := seal.Binding{Owner: visitOf(ctx).subject, Query: "verify"}
	text, err := a.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	at := place{Part: parts[0]}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &at); err != nil {
			return nil, fmt.Errorf("read place of verification: %w", err)
		}
	}
	v := Verification{Differences: []Difference{}}
	var next place
	switch at.Part {
	case "orders":
		next, err = a.verifyOrders(ctx, at, &v)
	case "kocs":
		next, err = a.verifyKOCs(ctx, at, &v)
	default:
		next, err = a.verifyStock(ctx, at, &v)
	}
	if err != nil {
		return nil, err
	}
	if next.Part != "" {
		text, err := json.Marshal(next)
		if err != nil {
			return nil, fmt.Errorf("keep place of verification: %w", err)
		}
		v.Next = a.keys.Cursor(bound, string(text))
	}
	return &api.Reply[Verification]{Body: v}, nil
}

// then is the place after a slice: further in this part, or the next part, or the end.
func (p place) then(after string) place {
	if after != "" {
		return place{Part: p.Part, After: after}
	}
	if i := slices.Index(parts, p.Part) + 1; i < len(parts) {
		return place{Part: parts[i]}
	}
	return place{}
}

func (v *Verification) differ(kind, id, expected, found string) {
	v.Differences = append(v.Differences, Difference{Kind: kind, ID: id, Expected: expected, Found: found})
}

// verifyOrders holds what is posted for orders against what follows from their facts.
func (a *admin) verifyOrders(ctx context.Context, at place, v *Verification) (place, error) {
	filter := store.OrderFilter{From: firstOrders, To: a.now().Add(time.Hour)} // clocks of two functions may disagree
	orders, next, err := a.store.ListOrders(ctx, filter, at.After, verifyOrders)
	if err != nil {
		return at, err
	}
	ids := make([]string, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
	}
	applied, err := a.store.Applied(ctx, ids)
	if err != nil {
		return at, err
	}
	for _, o := range orders {
		v.Checked++
		if err := a.verifyOrder(ctx, o, applied[o.ID], v); err != nil {
			return at, err
		}
	}
	return at.then(next), nil
}

func (a *admin) verifyOrder(ctx context.Context, o ordering.Order, applied ledger.Applied, v *Verification) error {
	// The ledger was read after the order, so it may know a later version: then the order is read again.
	for range rereads {
		if applied.V <= o.Version {
			break
		}
		var err error
		if o, err = a.store.Order(ctx, o.ID); err != nil {
			return err
		}
	}
	if sum := sumOfLines(o); sum != o.Total.Minor {
		v.differ("order", o.ID, "total "+money.Of(sum, o.Total.Currency).String(), "total "+o.Total.String())
	}
	target, err := commission.Target(o)
	switch {
	case err != nil:
		return err
	case applied.V < o.Version, len(o.Awards) == 0:
		v.Unsettled++
		v.Waiting = append(v.Waiting, o.ID)
	case applied.V > o.Version:
		v.differ("order", o.ID, fmt.Sprintf("version %d", applied.V), fmt.Sprintf("version %d", o.Version))
	case !slices.Equal(ordered(target.Positions), ordered(applied.Positions)):
		v.differ("commission", o.ID, describe(target.Positions), describe(applied.Positions))
	}
	return nil
}

func sumOfLines(o ordering.Order) int64 {
	sum := o.Shipping.Minor + o.Tax.Minor
	for _, l := range o.Lines {
		sum += l.Net.Minor
	}
	return sum
}

func ordered(positions []commission.Position) []commission.Position {
	out := slices.Clone(positions)
	slices.SortFunc(out, func(a, b commission.Position) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.KOC, b.KOC))
	})
	return out
}

func describe(positions []commission.Position) string {
	if len(positions) == 0 {
		return "nothing"
	}
	var text string
	for _, p := range ordered(positions) {
		text += fmt.Sprintf("%s line %d: accrued %d, reversed %d, released %d, clawed back %d; ", p.KOC, p.Line, p.Accrued, p.Reversed, p.Released, p.Clawed)
	}
	return strings.TrimSuffix(text, "; ")
}

// verifyKOCs holds stored balances against the postings they are sums of.
func (a *admin) verifyKOCs(ctx context.Context, at place, v *Verification) (place, error) {
	left := &budget{pages: postingPages, size: postingPage}
	if at.Posting != "" {
		if rest, err := a.verifyKOC(ctx, at, left, v); err != nil || rest.Posting != "" {
			return rest, err
		}
	}
	profiles, next, err := a.store.ListKOCs(ctx, at.After, verifyKOCs)
	if err != nil {
		return at, err
	}
	for _, p := range profiles {
		if left.pages <= 0 {
			return place{Part: at.Part, After: at.After}, nil
		}
		rest, err := a.verifyKOC(ctx, place{Part: at.Part, After: p.Handle}, left, v)
		if err != nil || rest.Posting != "" {
			return rest, err
		}
		at.After = p.Handle
	}
	return at.then(next), nil
}

// verifyKOC adds up the postings of one KOC, from where the last slice stopped. The place it returns names a posting
// when they do not fit this slice either.
func (a *admin) verifyKOC(ctx context.Context, at place, left *budget, v *Verification) (place, error) {
	for try := 1; ; try++ {
		before, err := a.store.Balances(ctx, at.After)
		if err != nil {
			return at, err
		}
		rest, off, err := a.fold(ctx, at, left)
		if err != nil || rest.Posting != "" {
			v.Differences = append(v.Differences, off...)
			return rest, err
		}
		after, err := a.store.Balances(ctx, at.After)
		if err != nil {
			return at, err
		}
		expected, found := nonZero(rest.Sums), nonZero(after)
		agree := slices.Equal(expected, found) && slices.Equal(before, after)
		if !agree && try < rereads {
			continue // a settlement may have come in between
		}
		v.Checked++
		v.Differences = append(v.Differences, off...)
		if !slices.Equal(expected, found) {
			v.differ("balance", at.After, balancesText(expected), balancesText(found))
		}
		return place{}, nil
	}
}

// fold reads postings on from a place and adds them up; off are those that are not balanced in themselves.
func (a *admin) fold(ctx context.Context, at place, left *budget) (rest place, off []Difference, err error) {
	rest = place{Part: at.Part, After: at.After, Sums: slices.Clone(at.Sums)}
	for key := at.Posting; ; {
		postings, next, err := a.store.Postings(ctx, at.After, key, left.size, false)
		if err != nil {
			return at, nil, err
		}
		for _, p := range postings {
			if err := p.Check(); err != nil {
				off = append(off, Difference{Kind: "posting", ID: p.ID, Expected: "legs that sum to 0", Found: err.Error()})
			}
		}
		rest.Sums = added(rest.Sums, ledger.Fold(postings))
		left.pages--
		if next == "" {
			return rest, off, nil
		}
		if key = next; left.pages <= 0 {
			rest.Posting = key
			return rest, off, nil
		}
	}
}

// added sums balances by currency.
func added(a, b []ledger.Balances) []ledger.Balances {
	out := slices.Clone(a)
	for _, x := range b {
		i := slices.IndexFunc(out, func(o ledger.Balances) bool { return o.Currency == x.Currency })
		if i < 0 {
			out = append(out, x)
			continue
		}
		out[i] = out[i].Plus(x)
	}
	slices.SortFunc(out, func(a, b ledger.Balances) int { return cmp.Compare(a.Currency, b.Currency) })
	return out
}

// nonZero leaves out currencies in which there is nothing: no balance and a balance of nothing are the same.
func nonZero(b []ledger.Balances) []ledger.Balances {
	return slices.DeleteFunc(slices.Clone(b), func(x ledger.Balances) bool { return x == ledger.Balances{Currency: x.Currency} })
}

func balancesText(b []ledger.Balances) string {
	text := "nothing"
	for i, x := range b {
		if i == 0 {
			text = ""
		}
		text += fmt.Sprintf("%s pending %d, available %d, debt %d, in payout %d, paid %d; ", x.Currency, x.Pending, x.Available, x.Debt, x.InPayout, x.Paid)
	}
	return strings.TrimSuffix(text, "; ")
}

// verifyStock holds the counts of every SKU against each other. An item is read whole, so there is nothing to read again.
func (a *admin) verifyStock(ctx context.Context, at place, v *Verification) (place, error) {
	products, next, err := a.store.ListProducts(ctx, at.After, verifyProducts)
	if err != nil {
		return at, err
	}
	var skus []string
	for _, p := range products {
		for _, x := range p.Variants {
			skus = append(skus, x.SKU)
		}
	}
	found, err := a.store.Sellables(ctx, skus)
	if err != nil {
		return at, err
	}
	for _, sku := range skus {
		v.Checked++
		s, ok := found[sku]
		switch {
		case !ok:
			v.differ("stock", sku, "a stock record", "none")
		case !s.Stock.Balanced():
			c := s.Stock
			v.differ("stock", sku, "available + reserved + sold = received − written off",
				fmt.Sprintf("%d + %d + %d, %d − %d", c.Available, c.Reserved, c.Sold, c.Received, c.WrittenOff))
		}
	}
	return at.then(next), nil
}
