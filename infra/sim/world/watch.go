package world

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/provider"
	"yundian/shared/store"
)

// watch sees every change of the tables as it is made, and holds what it touches against the invariants. It keeps its own
// account of everything, which the whole folds compare with what the tables say.
type watch struct {
	w    *World
	seen [len(tableNames)]int // changes of each table that it has seen
	// streams are the changes of each table by shard, in their order.
	streams [len(tableNames)][shards][]store.Change

	ids       []string // of orders, as they were placed
	orders    map[string]*watched
	placed    map[string]placement // by idempotency key
	replies   map[string]string    // what was asked for, by the id of the reply
	stock     map[string]*held     // by SKU
	kocs      map[string]*purse    // by handle
	payouts   map[string]*paidOut
	payoutIDs []string
	taxes     map[taxOf]taxSum // of payouts, by KOC and period
	adjusted  map[string]ledger.Adjustment
	adjustIDs []string
	files     []string                      // bank files
	ledgers   map[string][]ledger.Statement // by KOC, in their order
	standings map[string][]standing
	books     []published
	lost      map[string]int // lost disputes, and how many events had happened when that was recorded
	placing   []*request     // those under way, one in the middle of the other
	moment    int            // counts the changes of orders

	// What this write has touched.
	touchedOrders, touchedKOCs, touchedVariants []string
	contradictions                              map[string]bool // orders with news that contradict them, for people to look at
}

type placement struct{ order, hash string }

// watched is an order with what is posted for it.
type watched struct {
	first    ordering.Order // as it was placed
	now      ordering.Order
	contacts []string         // of who ordered
	moments  []moment         // what it has been since each of its changes, as far as its contacts are concerned
	pending  []ordering.Order // the applied version and those after it
	applied  int64
	facts    int64 // the last one
	tallied  int64 // the last fact that statistics count
	posted   map[position]amounts
	versions map[postingOf]bool
}

// image is the order at a version.
func (x *watched) image(v int64) (ordering.Order, bool) {
	for _, o := range x.pending {
		if o.Version == v {
			return o, true
		}
	}
	return ordering.Order{}, false
}

// position is what somebody earns by a line.
type position struct {
	line    int
	koc     string
	inviter bool
}

// amounts are the postings of a position, by what they tell.
type amounts struct{ accrued, reversed, released, clawed int64 }

type postingOf struct {
	koc string
	v   int64
}

// purse is what a KOC's postings add up to, and what is stored.
type purse struct {
	folded, stored map[ledger.Account]int64
	closed         int64 // milliseconds since 1970: the end of what is closed
	months         map[monthOf]adjusted
	postings       []ledger.Posting
}

// held is what orders hold of a variant, what was written off with returns and by hand, and what is stored, and where; nothing
// when it is nowhere.
type held struct {
	reserved, sold, off int64
	untracked           int64 // what orders took of it that nobody counted
	owing               bool  // whether any was ordered that may be owed
	stored              stock
	at                  store.Key
}

type stock struct{ available, reserved, sold, received, writtenOff int64 }

func newWatch(w *World) *watch {
	return &watch{w: w, orders: map[string]*watched{}, placed: map[string]placement{}, replies: map[string]string{}, stock: map[string]*held{},
		kocs: map[string]*purse{}, payouts: map[string]*paidOut{}, taxes: map[taxOf]taxSum{}, adjusted: map[string]ledger.Adjustment{}, ledgers: map[string][]ledger.Statement{}, standings: map[string][]standing{}, lost: map[string]int{}, contradictions: map[string]bool{}}
}

// observe looks at what a call has changed, and reports whether it changed anything.
func (x *watch) observe() bool {
	changed := false
	x.touchedOrders, x.touchedKOCs, x.touchedVariants = x.touchedOrders[:0], x.touchedKOCs[:0], x.touchedVariants[:0]
	for t := range x.seen {
		for _, c := range x.w.maps.Changes(store.Table(t), x.seen[t]) {
			changed = true
			x.seen[t] = c.Seq
			shard := shardOf(c.Key)
			x.streams[t][shard] = append(x.streams[t][shard], c)
			x.change(store.Table(t), c)
		}
	}
	for _, id := range x.touchedOrders {
		x.checkPosted(id)
	}
	for _, handle := range x.touchedKOCs {
		x.checkBalances(handle)
	}
	for _, id := range x.touchedVariants {
		x.checkStock(id)
	}
	return changed
}

// onceOnly are the kinds of items that are written once and never again.
var onceOnly = map[string]int{"POST": 1, "FACT": 1, "EFFECT": 9, "MOVE": 9, "IDEMP": 11, "V": 1, "STATEMENT": 1, "NOTICE": 1}

func (x *watch) change(t store.Table, c store.Change) {
	kind := kindOf(c.Key)
	if number, once := onceOnly[kind]; once && c.Old != nil && t != store.People { // a payout method is verified after it was put
		x.w.violate(number, "%s %s was written for the second time", c.Key.PK, c.Key.SK)
	}
	// A variant that gets another SKU leaves its place; checkStock finds it elsewhere. An order of many products that goes to
	// another KOC is taken off the statistics before it is counted again.
	if c.New == nil && kind != "SKU" && kind != "TALLIED" {
		x.w.violate(14, "%s %s was removed", c.Key.PK, c.Key.SK)
	}
	if c.Old != nil && c.Old["v"] != nil && t != store.Ledger && kind != "TALLIED" && number(c.New["v"]) != number(c.Old["v"])+1 {
		x.w.violate(14, "%s went from version %d to %d", c.Key.PK, number(c.Old["v"]), number(c.New["v"]))
	}
	switch {
	case t == store.Orders && kind == "ORDER":
		x.changeOrder(c)
	case t == store.Orders && kind == "IDEMP":
		x.placed[strings.TrimPrefix(c.Key.PK, "IDEMP#orders#")] = placement{order: text(c.New["order"]), hash: text(c.New["hash"])}
	case t == store.Shop && kind == "IDEMP":
		x.replies[strings.TrimPrefix(c.Key.PK, "IDEMP#")] = text(c.New["hash"])
	case t == store.Shop && kind == "MOVE":
		x.variant(strings.TrimPrefix(c.Key.PK, "VARIANT#")).off += movedOff(c.New)
	case t == store.Shop && kind == "SKU":
		x.changeStock(c)
	case t == store.Shop && kind == "FROM":
		from, err := time.Parse(time.RFC3339Nano, text(c.New["from"]))
		x.w.must(err)
		x.books = append(x.books, published{from, x.w.now})
	case t == store.Shop && kind == "PROFILE":
		x.changeKOC(c)
	case t == store.Shop && strings.HasPrefix(c.Key.PK, "STAT#ORDER#"):
		x.orders[strings.TrimPrefix(c.Key.PK, "STAT#ORDER#")].tallied = number(c.New["v"])
	case t == store.Ledger:
		x.changeLedger(kind, c)
	}
}

// movedOff is what a movement of stock by hand has written off.
func movedOff(it store.Item) int64 {
	if m, ok := it["move"].(*types.AttributeValueMemberM); ok {
		return number(m.Value["WrittenOff"])
	}
	return 0
}

// standing is since when a KOC is approved or suspended, and when that was written.
type standing struct {
	koc.Standing
	written time.Time
}

func (x *watch) changeKOC(c store.Change) {
	p, err := store.KOCFrom(c.New)
	if err != nil {
		x.w.violate(0, "a KOC cannot be read: %v", err)
	}
	known := x.standings[p.Handle]
	for _, s := range p.Standings[len(known):] {
		known = append(known, standing{s, x.w.now})
	}
	x.standings[p.Handle] = known
}

func text(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func number(v types.AttributeValue) int64 {
	if n, ok := v.(*types.AttributeValueMemberN); ok {
		i, _ := strconv.ParseInt(n.Value, 10, 64)
		return i
	}
	return 0
}

func (x *watch) changeOrder(c store.Change) {
	o, err := store.OrderFrom(c.New)
	if err != nil {
		x.w.violate(0, "an order cannot be read: %v", err)
	}
	seen := x.orders[o.ID]
	switch {
	case seen == nil:
		seen = &watched{first: o, now: o, posted: map[position]amounts{}, versions: map[postingOf]bool{}}
		x.orders[o.ID] = seen
		x.ids = append(x.ids, o.ID)
		x.checkNew(o)
		x.holds(ordering.Order{}, o)
	case c.Old == nil:
		x.w.violate(11, "order %s was placed twice", o.ID)
	default:
		x.checkGrowth(seen.now, o)
		x.holds(seen.now, o)
	}
	x.checkMoney(o)
	x.checkAward(o)
	for _, d := range o.Disputes {
		if _, known := x.lost[d.ID]; d.Lost != nil && !known {
			x.lost[d.ID] = x.w.Counts.Events
		}
	}
	seen.now = o
	x.remember(seen)
	seen.pending = append(seen.pending, o)
}

// holds moves what orders hold of their variants.
func (x *watch) holds(before, after ordering.Order) {
	for i, l := range after.Lines {
		h := x.variant(l.VariantID)
		was := h.reserved + h.sold + h.off
		if before.ID != "" {
			reserved, sold, off := lineHolds(before, i)
			h.reserved, h.sold, h.off = h.reserved-reserved, h.sold-sold, h.off-off
		}
		reserved, sold, off := lineHolds(after, i)
		h.reserved, h.sold, h.off = h.reserved+reserved, h.sold+sold, h.off+off
		switch l.StockPolicy {
		case catalogue.Untracked:
			h.untracked += h.reserved + h.sold + h.off - was
		case catalogue.Continue:
			h.owing = true
		}
		x.touchedVariants = append(x.touchedVariants, l.VariantID)
	}
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (x *watch) variant(id string) *held {
	if x.stock[id] == nil {
		x.stock[id] = &held{}
	}
	return x.stock[id]
}

func (x *watch) changeStock(c store.Change) {
	if id := text(c.Old["variant"]); id != "" && id != text(c.New["variant"]) && x.variant(id).at == c.Key {
		x.variant(id).at = store.Key{}
		x.touchedVariants = append(x.touchedVariants, id)
	}
	if c.New == nil {
		return
	}
	id := text(c.New["variant"])
	x.variant(id).stored, x.variant(id).at = stockOf(c.New), c.Key
	x.touchedVariants = append(x.touchedVariants, id)
}

func stockOf(it store.Item) stock {
	return stock{number(it["available"]), number(it["reserved"]), number(it["sold"]), number(it["received"]), number(it["writtenOff"])}
}

func (x *watch) purse(handle string) *purse {
	if x.kocs[handle] == nil {
		x.kocs[handle] = &purse{folded: map[ledger.Account]int64{}, stored: map[ledger.Account]int64{}, months: map[monthOf]adjusted{}}
	}
	return x.kocs[handle]
}

func (x *watch) changeLedger(kind string, c store.Change) {
	switch kind {
	case "APPLIED":
		id := strings.TrimPrefix(c.Key.PK, "ORDER#")
		x.apply(id, number(c.New["v"]))
	case "FACT":
		id := strings.TrimPrefix(c.Key.PK, "ORDER#")
		x.orders[id].facts = max(x.orders[id].facts, number(c.New["v"]))
	case "POST":
		p, err := store.PostingFrom(c.New)
		if err != nil {
			x.w.violate(0, "a posting cannot be read: %v", err)
		}
		x.post(p)
	case "BAL":
		handle := strings.TrimPrefix(c.Key.PK, "KOC#")
		if currency := strings.TrimPrefix(c.Key.SK, "BAL#"); currency != string(x.w.shop.currency) {
			x.w.violate(16, "%s has a balance in %s", handle, currency)
		}
		b := x.purse(handle)
		for _, a := range accounts {
			b.stored[a] = number(c.New[string(a)])
		}
		if at := number(c.New["closed"]); at < b.closed {
			x.w.violate(1, "what is closed of %s went back from %d to %d", handle, b.closed, at)
		} else {
			b.closed = at
		}
		x.touchedKOCs = append(x.touchedKOCs, handle)
	case "PAYOUT":
		if strings.HasPrefix(c.Key.PK, "PAYOUT#") {
			x.changePayout(c)
		}
	case "ADJUSTMENT":
		x.changeAdjustment(c)
	case "PAYFILE":
		if c.Old == nil {
			x.files = append(x.files, strings.TrimPrefix(c.Key.PK, "PAYFILE#"))
		}
	case "STATEMENT":
		x.closeStatement(c)
	}
}

// accounts are those of a KOC.
var accounts = [...]ledger.Account{ledger.Pending, ledger.Available, ledger.Debt, ledger.InPayout, ledger.Paid, ledger.TaxWithheld, ledger.Fees}

// apply notes up to which version an order is posted.
func (x *watch) apply(id string, v int64) {
	seen := x.orders[id]
	if seen == nil {
		x.w.violate(2, "order %s is posted, but does not exist", id)
	}
	if v <= seen.applied {
		x.w.violate(2, "order %s was posted up to version %d, and then up to %d", id, seen.applied, v)
	}
	if v > seen.now.Version {
		x.w.violate(2, "order %s is posted up to version %d, and has %d", id, v, seen.now.Version)
	}
	seen.applied = v
	for len(seen.pending) > 0 && seen.pending[0].Version < v {
		seen.pending = seen.pending[1:]
	}
	x.touchedOrders = append(x.touchedOrders, id)
}

// post adds a posting up.
func (x *watch) post(p ledger.Posting) {
	b := x.purse(p.KOC)
	x.touchedKOCs = append(x.touchedKOCs, p.KOC)
	b.postings = append(b.postings, p)
	if p.At.UnixMilli() < b.closed {
		x.w.violate(1, "posting %s of %s was put into what is closed", p.ID, p.At)
	}
	if p.Currency != x.w.shop.currency {
		x.w.violate(16, "posting %s is in %s", p.ID, p.Currency)
	}
	for _, e := range p.Entries {
		var sum int64
		for _, l := range e.Legs {
			sum += l.Minor
			if l.Account != ledger.Expense && l.Account != ledger.Adjustments {
				b.folded[l.Account] += l.Minor
			}
		}
		if sum != 0 {
			x.w.violate(1, "the legs of %s in posting %s sum to %d", e.Kind, p.ID, sum)
		}
	}
	if p.Order != "" {
		x.postOrder(p)
	}
}

func (x *watch) postOrder(p ledger.Posting) {
	seen := x.orders[p.Order]
	if seen == nil {
		x.w.violate(2, "posting %s is of no order", p.ID)
	}
	if seen.versions[postingOf{p.KOC, p.V}] {
		x.w.violate(2, "order %s version %d is posted twice for %s", p.Order, p.V, p.KOC)
	}
	seen.versions[postingOf{p.KOC, p.V}] = true
	x.touchedOrders = append(x.touchedOrders, p.Order)
	for _, e := range p.Entries {
		if month, ok := strings.CutPrefix(e.Reason, "month:"); ok && e.SKU == "" {
			x.postMonth(p, e, month)
			continue
		}
		at := position{line: e.Line, koc: p.KOC, inviter: e.Rule == ledger.RuleInviter}
		sum := seen.posted[at]
		switch e.Kind {
		case ledger.Accrual:
			sum.accrued += e.Minor
		case ledger.Refunded:
			sum.reversed -= e.Minor
		case ledger.Release:
			sum.released += e.Minor
		case ledger.Clawback:
			sum.clawed -= e.Minor
		default:
			x.w.violate(2, "posting %s has an entry %s", p.ID, e.Kind)
		}
		seen.posted[at] = sum
	}
}

func (x *watch) postMonth(p ledger.Posting, e ledger.Entry, month string) {
	b := x.purse(p.KOC)
	key := monthOf{month: month, rule: e.Rule}
	sum := b.months[key]
	for _, l := range e.Legs {
		switch l.Account {
		case ledger.Pending:
			sum.pending += l.Minor
		case ledger.Available:
			sum.available += l.Minor
		case ledger.Debt:
			sum.debt += l.Minor
		}
	}
	b.months[key] = sum
}

// contradicted notes news of the provider that the store refused.
func (x *watch) contradicted(e provider.Event, err error) {
	x.contradictions[e.OrderID] = true
	x.w.say("%s contradicts %s: %v", e.ID, e.OrderID, err)
}

// amountOf is an amount of the world's currency.
func (x *watch) amountOf(a money.Amount, what, id string) int64 {
	if a.Currency != x.w.shop.currency {
		x.w.violate(16, "%s of order %s is in %q", what, id, a.Currency)
	}
	return a.Minor
}
