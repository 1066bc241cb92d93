package store

import (
	"context"
	"strings"
	"time"

	"yundian/shared/ledger"
)

// StatRow is one item of a KOC's statistics as it is stored. Changes counts how often it was changed.
type StatRow struct {
	ledger.Tally
	Day     string
	Changes int64
}

// Headings of statistics, in the order of their keys.
var statHeadings = [...]string{"DAY#", "LINK#", "PRODUCT#"}

// StatRows are all statistics of a KOC for local days from and to, both included.
func (s *Store) StatRows(ctx context.Context, handle, from, to string) (map[string]StatRow, error) {
	out := map[string]StatRow{}
	for _, heading := range statHeadings {
		q := query{table: Shop, pk: statKey(handle, "").PK, from: heading + from, to: heading + to + "~", limit: auditPage}
		for more := true; more; more = q.after != nil {
			items, next, err := s.page(ctx, q)
			if err != nil {
				return nil, err
			}
			for _, it := range items {
				row, err := statRowFrom(handle, it)
				if err != nil {
					return nil, err
				}
				out[row.Heading] = row
			}
			q.after = next
		}
	}
	return out, nil
}

func statRowFrom(handle string, it Item) (StatRow, error) {
	var x statItem
	if err := decode(it, &x); err != nil {
		return StatRow{}, err
	}
	sk := str(it["sk"])
	_, rest, _ := strings.Cut(sk, "#")
	day, _, _ := strings.Cut(rest, "#")
	return StatRow{Tally: ledger.Tally{KOC: handle, Heading: sk, Touches: x.Touches, Orders: x.Orders, Sales: x.Sales, Commission: x.Commission,
		Currency: string(x.Currency)}, Day: day, Changes: x.Changes}, nil
}

// FirstStatDay is the first local day from a given one on for which a KOC has any statistics; empty when there is none.
func (s *Store) FirstStatDay(ctx context.Context, handle, from string) (string, error) {
	first := ""
	for _, heading := range statHeadings {
		items, _, err := s.page(ctx, query{table: Shop, pk: statKey(handle, "").PK, from: heading + from, to: heading + "~", limit: 1})
		if err != nil {
			return "", err
		}
		for _, it := range items {
			row, err := statRowFrom(handle, it)
			if err != nil {
				return "", err
			}
			if first == "" || row.Day < first {
				first = row.Day
			}
		}
	}
	return first, nil
}

// Listed is an order's place in a list.
type Listed struct {
	ID string
	At time.Time // when it was placed
}

// OrdersSince are places of orders from a time on, oldest first, at most limit: of a KOC's own list. more says that there
// are others.
func (s *Store) OrdersSince(ctx context.Context, handle string, from time.Time, limit int) (places []Listed, more bool, err error) {
	return s.places(ctx, query{table: Orders, index: "koc", pk: kocKey(handle).PK, from: sortable(from), to: "~"}, limit)
}

// OrdersPlaced are places of all orders that were placed within a span, oldest first, at most limit.
func (s *Store) OrdersPlaced(ctx context.Context, span Span, limit int) (places []Listed, more bool, err error) {
	month := span.From.UTC()
	for month = time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC); month.Before(span.To) && !more; month = month.AddDate(0, 1, 0) {
		q := query{table: Orders, index: "placed", pk: placedMonth(month), from: sortable(span.From), to: sortable(span.To)}
		var of []Listed
		if of, more, err = s.places(ctx, q, limit-len(places)); err != nil {
			return nil, false, err
		}
		places = append(places, of...)
	}
	return places, more, nil
}

func (s *Store) places(ctx context.Context, q query, limit int) (places []Listed, more bool, err error) {
	for len(places) < limit {
		q.limit = min(limit-len(places), auditPage)
		items, next, err := s.page(ctx, q)
		if err != nil {
			return nil, false, err
		}
		for _, it := range items {
			at, _, _ := strings.Cut(str(it[indexKeys[q.index][1]]), "#")
			placed, err := time.Parse("2006-01-02T15:04:05.000Z", at)
			if err != nil {
				return nil, false, err
			}
			places = append(places, Listed{strings.TrimPrefix(str(it["pk"]), "ORDER#"), placed})
		}
		if q.after = next; next == nil {
			return places, false, nil
		}
	}
	return places, true, nil
}

// Seen are the visitors whose touches of a link are kept, by local day from and to, both included, at most limit.
func (s *Store) Seen(ctx context.Context, code, from, to string, limit int) (visitors map[string][]string, more bool, err error) {
	visitors = map[string][]string{}
	q := query{table: Touches, pk: touchKey(code, "", "").PK, from: "TOUCH#" + from, to: "TOUCH#" + to + "~"}
	for n := 0; n < limit; {
		q.limit = min(limit-n, auditPage)
		items, next, err := s.page(ctx, q)
		if err != nil {
			return nil, false, err
		}
		for _, it := range items {
			day, visitor, _ := strings.Cut(strings.TrimPrefix(str(it["sk"]), "TOUCH#"), "#")
			visitors[day] = append(visitors[day], visitor)
		}
		n += len(items)
		if q.after = next; next == nil {
			return visitors, false, nil
		}
	}
	return visitors, true, nil
}

// TouchesCounted is how many of these visitors' touches of a link on a day statistics count.
func (s *Store) TouchesCounted(ctx context.Context, code, day string, visitors []string) (int64, error) {
	reads := make([]read, len(visitors))
	for i, v := range visitors {
		reads[i] = read{Shop, talliedTouchKey(code + "#" + day + "#" + v)}
	}
	found, err := s.get(ctx, reads)
	return int64(len(found)), err
}
