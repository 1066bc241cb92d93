package world

import (
	"maps"
	"slices"
	"strings"

	"yundian/shared/ledger"
	"yundian/shared/ordering"
	"yundian/shared/store"
)

// fold works everything out once more from what is stored, and nothing else.
func (w *World) fold() {
	w.lastFold = w.Counts.Events
	w.Counts.Folds++
	f := &folded{w: w, orders: map[string]ordering.Order{}, applied: map[string]int64{}, balances: map[string]map[ledger.Account]int64{},
		postings: map[string]map[ledger.Account]int64{}, months: map[string]map[monthOf]adjusted{}, expected: map[string]int64{}, stock: map[string]stock{},
		stats: map[string]stat{}, tallied: map[string]ledger.Fact{}, taxes: map[taxOf]taxSum{}}
	f.read()
	f.checkOrders()
	f.checkLedger()
	f.checkForecast()
	f.checkTaxes()
	w.watch.checkStatements()
	f.checkStatistics()
}

// folded is what the tables say.
type folded struct {
	w         *World
	orders    map[string]ordering.Order
	keys      int
	contacts  int
	applied   map[string]int64
	balances  map[string]map[ledger.Account]int64
	postings  map[string]map[ledger.Account]int64 // by KOC
	months    map[string]map[monthOf]adjusted
	monthRows int
	expected  map[string]int64 // forecast, by KOC and day
	stock     map[string]stock
	stats     map[string]stat // by KOC and heading
	tallied   map[string]ledger.Fact
	taxes     map[taxOf]taxSum
}

type stat struct{ touches, orders, sales, commission int64 }

func (f *folded) read() {
	for t := range tableNames {
		for k, it := range f.w.maps.Items(store.Table(t)) {
			f.item(store.Table(t), k, it)
		}
	}
}

func (f *folded) item(t store.Table, k store.Key, it store.Item) {
	kind := kindOf(k)
	switch {
	case t == store.Orders && kind == "ORDER":
		o, err := store.OrderFrom(it)
		f.w.must(err)
		f.orders[o.ID] = o
	case t == store.Orders && kind == "IDEMP":
		f.keys++
	case t == store.People && kind == "ORDER":
		f.contacts++
	case t == store.Shop && kind == "SKU":
		id := text(it["variant"])
		if _, twice := f.stock[id]; twice {
			f.w.violate(6, "variant %s is in two places, one is %s", id, k.PK)
		}
		f.stock[id] = stockOf(it)
	case t == store.Shop && kind == "TALLIED" && strings.HasPrefix(k.PK, "STAT#ORDER#"):
		fact, err := store.TalliedFrom(it)
		f.w.must(err)
		f.tallied[fact.Order] = fact
	case t == store.Shop && strings.HasPrefix(k.PK, "STAT#") && kind != "TALLIED":
		f.stats[strings.TrimPrefix(k.PK, "STAT#")+" "+k.SK] = stat{number(it["touches"]), number(it["orders"]), number(it["sales"]), number(it["commission"])}
	case t == store.Ledger:
		f.entry(kind, k, it)
	}
}

func (f *folded) entry(kind string, k store.Key, it store.Item) {
	switch kind {
	case "APPLIED":
		f.applied[strings.TrimPrefix(k.PK, "ORDER#")] = number(it["v"])
	case "BAL":
		b := map[ledger.Account]int64{}
		for _, a := range accounts {
			b[a] = number(it[string(a)])
		}
		f.balances[strings.TrimPrefix(k.PK, "KOC#")] = b
	case "DUE":
		f.expected[strings.TrimPrefix(k.PK, "KOC#")+" "+strings.Split(k.SK, "#")[1]] = number(it["minor"])
	case "TAX":
		period := strings.SplitN(k.SK, "#", 3)[2]
		f.taxes[taxOf{strings.TrimPrefix(k.PK, "KOC#"), period}] = taxSum{number(it["gross"]), number(it["tax"])}
	case "POST":
		p, err := store.PostingFrom(it)
		f.w.must(err)
		if f.postings[p.KOC] == nil {
			f.postings[p.KOC] = map[ledger.Account]int64{}
		}
		for _, l := range p.Legs() {
			f.postings[p.KOC][l.Account] += l.Minor
		}
	}
}

// checkOrders compares keys, contacts and stock with the orders.
func (f *folded) checkOrders() {
	w := f.w
	if len(f.orders) != f.keys || len(f.orders) != f.contacts || len(f.orders) != len(w.watch.ids) {
		w.violate(11, "there are %d orders, %d keys and %d contacts", len(f.orders), f.keys, f.contacts)
	}
	hold := map[string]stock{}
	for _, id := range w.watch.ids {
		o := f.orders[id]
		for i, l := range o.Lines {
			reserved, sold, off := lineHolds(o, i)
			h := hold[l.VariantID]
			h.reserved, h.sold, h.writtenOff = h.reserved+reserved, h.sold+sold, h.writtenOff+off
			hold[l.VariantID] = h
			if _, exists := f.stock[l.VariantID]; !exists {
				w.violate(6, "order %s holds variant %s, which is nowhere", id, l.VariantID)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.stock)) {
		s, h := f.stock[id], hold[id]
		owed := max(0, -s.available)
		balanced := max(0, s.available)+s.reserved+s.sold == s.received-s.writtenOff+owed && min(s.reserved, s.sold) >= 0
		if s.reserved != h.reserved || s.sold != h.sold || s.writtenOff < h.writtenOff || !balanced || owed > 0 && !w.watch.variant(id).owing {
			w.violate(6, "stock of variant %s is %+v, orders hold %+v", id, s, h)
		}
	}
}

// checkLedger compares every balance with its postings, and with what follows from the orders as far as they are posted.
func (f *folded) checkLedger() {
	w := f.w
	want := map[string]map[ledger.Account]int64{}
	add := func(koc string, a ledger.Account, minor int64) {
		if want[koc] == nil {
			want[koc] = map[ledger.Account]int64{}
		}
		want[koc][a] += minor
	}
	months := map[string]map[monthOf]monthSum{}
	for _, id := range w.watch.ids {
		v := f.applied[id]
		if v == 0 {
			continue
		}
		o, ok := w.watch.orders[id].image(v)
		if !ok {
			w.violate(2, "order %s is posted up to version %d, which never was", id, v)
		}
		for at, s := range earned(o) {
			add(at.koc, ledger.Pending, s.accrued-s.reversed-s.released)
			add(at.koc, ledger.Available, s.released)
			add(at.koc, ledger.Debt, -s.clawed)
		}
		addMonths(o, func(koc string, m monthOf, s monthSum) {
			if months[koc] == nil {
				months[koc] = map[monthOf]monthSum{}
			}
			months[koc][m] = s.plus(months[koc][m])
		})
	}
	for koc, sums := range months {
		for m, s := range sums {
			a := s.adjustment()
			if posted := w.watch.purse(koc).months[m]; posted != a {
				w.violate(2, "month %s of %s under %s is posted as %+v, and should be %+v", m.month, koc, m.rule, posted, a)
			}
			add(koc, ledger.Pending, a.pending)
			add(koc, ledger.Available, a.available)
			add(koc, ledger.Debt, a.debt)
		}
	}
	w.watch.others(add)
	for _, koc := range w.shop.kocs {
		for _, a := range accounts {
			stored, fold, should := f.balances[koc][a], f.postings[koc][a], want[koc][a]
			if stored != fold || stored != should {
				w.violate(4, "%s of %s is stored as %d, its postings fold to %d, and it should be %d", a, koc, stored, fold, should)
			}
		}
	}
}

func (s monthSum) plus(o monthSum) monthSum {
	s.pending, s.released, s.clawed = s.pending+o.pending, s.released+o.released, s.clawed+o.clawed
	s.sales, s.salesReleased, s.salesReturned = s.sales+o.sales, s.salesReleased+o.salesReleased, s.salesReturned+o.salesReturned
	return s
}

// checkForecast compares the forecast with what is pending on a known day.
func (f *folded) checkForecast() {
	want := map[string]int64{}
	for _, id := range f.w.watch.ids {
		v := f.applied[id]
		if v == 0 {
			continue
		}
		o, _ := f.w.watch.orders[id].image(v)
		for at, s := range earned(o) {
			day, err := o.AvailableDay()
			f.w.must(err)
			if day != "" {
				want[at.koc+" "+day] += s.accrued - s.reversed - s.released
			}
		}
	}
	compare(f.w, 4, "the forecast", f.expected, want, 0)
}

// checkStatistics compares statistics with the facts that they say they count.
func (f *folded) checkStatistics() {
	want := map[string]stat{}
	for _, fact := range f.tallied {
		if fact.KOC == "" || !fact.Counted {
			continue
		}
		add := func(heading string, s stat) {
			h := want[fact.KOC+" "+heading]
			want[fact.KOC+" "+heading] = stat{h.touches + s.touches, h.orders + s.orders, h.sales + s.sales, h.commission + s.commission}
		}
		whole := stat{orders: 1}
		products := map[string]stat{}
		for _, l := range fact.Lines {
			whole.sales, whole.commission = whole.sales+l.Sales, whole.commission+l.Commission
			p := products[l.Product]
			products[l.Product] = stat{0, 1, p.sales + l.Sales, p.commission + l.Commission}
		}
		add("DAY#"+fact.Day, whole)
		add("LINK#"+fact.Day+"#"+fact.Code, whole)
		for id, p := range products {
			add("PRODUCT#"+fact.Day+"#"+id, p)
		}
	}
	got := map[string]stat{}
	for name, s := range f.stats {
		s.touches = 0
		got[name] = s
	}
	compare(f.w, 9, "statistics", got, want, stat{})
}

// compare holds two maps together; a missing value is none.
func compare[T comparable](w *World, number int, what string, got, want map[string]T, none T) {
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != want[name] {
			w.violate(number, "%s of %s is %+v, and should be %+v", what, name, got[name], want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] == none && want[name] != none {
			w.violate(number, "%s of %s is missing, and should be %+v", what, name, want[name])
		}
	}
}
