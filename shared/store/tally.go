package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
)

type talliedItem struct {
	V    int64    `dynamodbav:"v"`
	Fact factItem `dynamodbav:"fact"`
}

type statItem struct {
	Touches    int64          `dynamodbav:"touches"`
	Orders     int64          `dynamodbav:"orders"`
	Sales      int64          `dynamodbav:"sales"`
	Commission int64          `dynamodbav:"commission"`
	Currency   money.Currency `dynamodbav:"currency"`
	Changes    int64          `dynamodbav:"changes"`
}

// Tallied are the facts that statistics already count, by order.
func (s *Store) Tallied(ctx context.Context, orders []string) (map[string]ledger.Fact, error) {
	reads := make([]read, len(orders))
	for i, id := range orders {
		reads[i] = read{Shop, talliedKey(id)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[string]ledger.Fact, len(found))
	for _, it := range found {
		f, err := TalliedFrom(it)
		if err != nil {
			return nil, err
		}
		out[f.Order] = f
	}
	return out, nil
}

// TalliedFrom decodes the fact that statistics count of an order from a stored item.
func TalliedFrom(it Item) (ledger.Fact, error) {
	var x talliedItem
	err := decode(it, &x)
	f := x.Fact
	return ledger.Fact{Order: f.Order, V: f.V, At: f.At, Day: f.Day, Currency: f.Currency, KOC: f.KOC, Code: f.Code, Counted: f.Counted, Lines: f.Lines.Value}, err
}

// statWrite adds to one heading of a KOC's statistics; the record beside it in the transaction makes it count once. Every
// change is counted, so that a reader of several items knows by equal counts that they belong together.
func statWrite(t ledger.Tally) Write {
	w := Write{Table: Shop, Key: statKey(t.KOC, t.Heading), Add: map[string]int64{changesAttr: 1}}
	for attr, by := range map[string]int64{"touches": t.Touches, "orders": t.Orders, "sales": t.Sales, "commission": t.Commission} {
		if by != 0 {
			w.Add[attr] = by
		}
	}
	if t.Currency != "" {
		w.Set = Item{"currency": text(t.Currency)}
	}
	return w
}

func tallyWrites(before, after ledger.Fact) []Write {
	f := factItem{Order: after.Order, V: after.V, At: after.At, Day: after.Day, Currency: after.Currency, KOC: after.KOC, Code: after.Code,
		Counted: after.Counted, Lines: doc(after.Lines)}
	writes := []Write{Write{Table: Shop, Key: talliedKey(after.Order), Guards: replaces(before.V)}.
		put(talliedItem{V: after.V, Fact: f})}
	for _, t := range ledger.Tallies(before, after) {
		writes = append(writes, statWrite(t))
	}
	return writes
}

// untallyWrites take the fact of an order off the statistics, together with the record that they count it.
func untallyWrites(counted ledger.Fact) []Write {
	writes := []Write{{Table: Shop, Key: talliedKey(counted.Order), Guards: replaces(counted.V), Delete: true}}
	for _, t := range ledger.Tallies(counted, ledger.Fact{}) {
		writes = append(writes, statWrite(t))
	}
	return writes
}

// Tally moves statistics from one fact of an order to a later one. False means that another fact was counted
// meanwhile and the caller has to look again.
//
// An order of 60 products that goes from one KOC to another changes 124 sums, which fit no transaction. It is then taken off
// the one's statistics first and counted as a new one for the other: in between it is in nobody's, as before it was counted.
func (s *Store) Tally(ctx context.Context, before, after ledger.Fact) (bool, error) {
	writes := tallyWrites(before, after)
	if len(writes) > maxActions {
		if done, err := s.tallied(ctx, before.Order, untallyWrites(before)); err != nil || !done {
			return false, err
		}
		writes = tallyWrites(ledger.Fact{}, after)
	}
	return s.tallied(ctx, after.Order, writes)
}

func (s *Store) tallied(ctx context.Context, order string, writes []Write) (bool, error) {
	err := s.apply(ctx, writes)
	if _, refused := errors.AsType[*Refused](err); refused {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("tally order %s: %w", order, err)
	}
	return true, nil
}

// tallyTries bounds how often a fact is counted again because another batch counted one of the same order meanwhile.
const tallyTries = 5

// CountFacts brings statistics to where these facts stand. Of several facts of one order only the latest matters.
func (s *Store) CountFacts(ctx context.Context, facts []ledger.Fact) error {
	latest := map[string]ledger.Fact{}
	var orders []string
	for _, f := range facts {
		if _, seen := latest[f.Order]; !seen {
			orders = append(orders, f.Order)
		}
		if f.V > latest[f.Order].V {
			latest[f.Order] = f
		}
	}
	counted, err := s.Tallied(ctx, orders)
	if err != nil {
		return err
	}
	for _, id := range orders {
		if err := s.countFact(ctx, counted[id], latest[id]); err != nil {
			return err
		}
	}
	return nil
}

// countFact moves the statistics from the fact counted before to a later one.
func (s *Store) countFact(ctx context.Context, before, after ledger.Fact) error {
	for range tallyTries {
		// An order that is not paid counts nothing, and what came before that did not either: payments are not taken back.
		unpaid := before.V == 0 && !after.Counted
		if unpaid || before.V >= after.V {
			return nil
		}
		done, err := s.Tally(ctx, before, after)
		if err != nil || done {
			return err
		}
		counted, err := s.Tallied(ctx, []string{after.Order})
		if err != nil {
			return err
		}
		before = counted[after.Order]
	}
	return fmt.Errorf("tally: order %s kept changing", after.Order)
}

// Touch is a link really seen by a browser, once per visitor, link and day.
type Touch struct {
	Code    string
	KOC     string
	Day     string // local date in the shop's zone
	Visitor string // daily keyed hash, unlinkable across days
	At      time.Time
	Network string // daily keyed hash of the address, whose rate is limited; "" limits nothing. It is not kept with the touch
}

// TouchesPerMinute is how many new touches count from one address in a minute, whatever browsers it names. A carrier or a
// dormitory stands behind one address, so nothing else is limited, and after a minute it may go on.
const TouchesPerMinute = 60

// touchRateHours is how long the count of a minute is kept.
const touchRateHours = 1

// touchDays is how long single touches are kept; their counts stay.
const touchDays = 35

type touchItem struct {
	Code string    `dynamodbav:"code"`
	KOC  string    `dynamodbav:"koc"`
	Day  string    `dynamodbav:"day"`
	At   time.Time `dynamodbav:"at"`
	TTL  int64     `dynamodbav:"ttl"`
}

// SaveTouch records a touch. One that is recorded already changes nothing, and neither does one too many of its address.
func (s *Store) SaveTouch(ctx context.Context, t Touch) error {
	writes := []Write{Write{Table: Touches, Key: touchKey(t.Code, t.Day, t.Visitor), Guards: once()}.
		put(touchItem{Code: t.Code, KOC: t.KOC, Day: t.Day, At: t.At, TTL: t.At.AddDate(0, 0, touchDays).Unix()})}
	if t.Network != "" {
		minute := t.At.UTC().Truncate(time.Minute)
		writes = append(writes, Write{Table: Touches, Key: touchRateKey(t.Network, minute), Guards: []Guard{{Attr: "n", Is: AtMost, Value: number(TouchesPerMinute - 1)}},
			Add: map[string]int64{"n": 1}, Set: Item{"ttl": number(minute.Add(touchRateHours * time.Hour).Unix())}})
	}
	err := s.apply(ctx, writes)
	if _, refused := errors.AsType[*Refused](err); refused {
		return nil
	}
	return err
}

// TouchFrom decodes a touch from a stream image.
func TouchFrom(it Item) (Touch, error) {
	var x touchItem
	if err := decode(it, &x); err != nil {
		return Touch{}, err
	}
	_, visitor, _ := strings.Cut(strings.TrimPrefix(str(it["sk"]), "TOUCH#"), "#")
	return Touch{Code: x.Code, KOC: x.KOC, Day: x.Day, Visitor: visitor, At: x.At}, nil
}

// CountTouch adds a touch to its KOC's statistics, once.
func (s *Store) CountTouch(ctx context.Context, t Touch) error {
	effect := Write{Table: Shop, Key: talliedTouchKey(t.Code + "#" + t.Day + "#" + t.Visitor), Guards: once()}.
		put(struct {
			TTL int64 `dynamodbav:"ttl"`
		}{t.At.AddDate(0, 0, touchDays).Unix()})
	err := s.apply(ctx, []Write{effect,
		statWrite(ledger.Tally{KOC: t.KOC, Heading: ledger.DayHeading(t.Day), Touches: 1}),
		statWrite(ledger.Tally{KOC: t.KOC, Heading: ledger.LinkHeading(t.Code, t.Day), Touches: 1})})
	if _, refused := errors.AsType[*Refused](err); refused {
		return nil
	}
	if err != nil {
		return fmt.Errorf("count touch of %s: %w", t.Code, err)
	}
	return nil
}

// Stat is one line of a KOC's statistics: of a day, or of a link or product on a day.
type Stat struct {
	Heading  string // DAY, LINK or PRODUCT
	Day      string
	Key      string // link code or product id
	Touches  int64
	Orders   int64
	Sales    money.Amount
	Earned   money.Amount
	Currency money.Currency
}

// statRows bounds one read of statistics: a year of days, or a quarter of 40 links a day. Beyond it the oldest are left out.
const statRows = 4000

// Stats are the statistics of a KOC under a heading (DAY, LINK or PRODUCT), for local days from and to, both included,
// newest first.
func (s *Store) Stats(ctx context.Context, handle, heading, from, to string) ([]Stat, error) {
	var out []Stat
	q := query{table: Shop, pk: statKey(handle, "").PK, from: heading + "#" + from, to: heading + "#" + to + "~", limit: 1000, descending: true}
	for {
		items, next, err := s.page(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			var x statItem
			if err := decode(it, &x); err != nil {
				return nil, err
			}
			day, key, _ := strings.Cut(strings.TrimPrefix(str(it["sk"]), heading+"#"), "#")
			out = append(out, Stat{Heading: heading, Day: day, Key: key, Touches: x.Touches, Orders: x.Orders, Currency: x.Currency,
				Sales: money.Of(x.Sales, x.Currency), Earned: money.Of(x.Commission, x.Currency)})
		}
		if next == nil || len(out) >= statRows {
			return out, nil
		}
		q.after = next
	}
}
