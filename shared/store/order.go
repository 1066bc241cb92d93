package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/ordering"
	"yundian/shared/shop"
)

// orderItem is an order with the attributes its indexes and stream filters need.
type orderItem struct {
	V         int64                    `dynamodbav:"v"`
	Status    string                   `dynamodbav:"status"`
	Undecided bool                     `dynamodbav:"undecided,omitempty"`
	PlacedPk  string                   `dynamodbav:"placedPk"`
	PlacedSk  string                   `dynamodbav:"placedSk"`
	KOC       string                   `dynamodbav:"koc,omitempty"`
	KOCPk     string                   `dynamodbav:"kocPk,omitempty"`
	KOCSk     string                   `dynamodbav:"kocSk,omitempty"`
	DuePk     string                   `dynamodbav:"duePk,omitempty"`
	DueSk     string                   `dynamodbav:"dueSk,omitempty"`
	Order     document[ordering.Order] `dynamodbav:"order"`
}

type contactItem struct {
	Contact  document[ordering.Contact] `dynamodbav:"contact"`
	Address  document[ordering.Address] `dynamodbav:"address"`
	PlacedAt time.Time                  `dynamodbav:"placedAt"`
}

type placementItem struct {
	Order string `dynamodbav:"order"`
	Hash  string `dynamodbav:"hash"`
	TTL   int64  `dynamodbav:"ttl"`
}

// replyDays is how long a repeated request is answered as the first one was.
const replyDays = 30

// OrderFrom decodes an order from a stream image or a read item.
func OrderFrom(it Item) (ordering.Order, error) {
	var x orderItem
	if err := decode(it, &x); err != nil {
		return ordering.Order{}, err
	}
	o := x.Order.Value
	if o.ID == "" || x.V < 1 {
		return ordering.Order{}, fmt.Errorf("store: %s is not an order", str(it["pk"]))
	}
	o.Version = x.V
	return o, nil
}

// orderWrite saves an order as the version after the one it was read with.
func orderWrite(o ordering.Order) Write {
	seen := o.Version
	o.Version++
	x := orderItem{V: o.Version, Status: string(o.Status()), Undecided: len(o.Awards) == 0,
		PlacedPk: placedMonth(o.PlacedAt), PlacedSk: placedSort(o), Order: doc(o)}
	if award, ok := o.Award(); ok && len(award.Winners) > 0 {
		x.KOC = award.Winners[0].KOC
		x.KOCPk, x.KOCSk = "KOC#"+x.KOC, x.PlacedSk
	}
	if due := o.DueAt(); !due.IsZero() {
		x.DuePk, x.DueSk = dueShard(o.ID), sortable(due)+"#"+o.ID
	}
	return Write{Table: Orders, Key: orderKey(o.ID), Guards: replaces(seen)}.put(x)
}

func placedSort(o ordering.Order) string { return sortable(o.PlacedAt) + "#" + o.ID }

// Checkout is what an order is decided from, read in one round.
type Checkout struct {
	Settings shop.Settings
	Sold     map[string]catalogue.Sellable
	KOC      koc.Profile // of a typed code; zero when the code names nobody
	Earlier  *Placement  // the order this idempotency key already placed
	placing  []placing   // of each contact of who orders
}

// Placement is what an idempotency key stands for.
type Placement struct {
	Order string
	Hash  string // of the request's body
}

// Checkout reads SKUs, settings, the KOC of a typed code and the idempotency record together. Empty code and key are
// not read.
func (s *Store) Checkout(ctx context.Context, skus []string, code, key string) (Checkout, error) {
	return s.checkout(ctx, Wanted{SKUs: skus, Code: code, Key: key})
}

func (s *Store) checkout(ctx context.Context, w Wanted) (Checkout, error) {
	skus, code, key := w.SKUs, w.Code, w.Key
	reads := []read{{Shop, settingsKey()}}
	for _, sku := range skus {
		reads = append(reads, read{Shop, skuKey(sku)})
	}
	for _, contact := range w.Contacts {
		reads = append(reads, read{People, placingKey(contact)})
	}
	handle, coded := koc.HandleOf(code)
	if coded {
		reads = append(reads, read{Shop, kocKey(handle)})
	}
	if key != "" {
		reads = append(reads, read{Orders, placementKey(key)})
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return Checkout{}, err
	}
	c := Checkout{Sold: map[string]catalogue.Sellable{}}
	if c.Settings, err = settingsFrom(found[reads[0]]); err != nil {
		return Checkout{}, err
	}
	for _, sku := range skus {
		if it, ok := found[read{Shop, skuKey(sku)}]; ok {
			if c.Sold[sku], err = sellableFrom(it); err != nil {
				return Checkout{}, err
			}
		}
	}
	if it, ok := found[read{Shop, kocKey(handle)}]; coded && ok {
		if c.KOC, err = KOCFrom(it); err != nil {
			return Checkout{}, err
		}
	}
	if it, ok := found[read{Orders, placementKey(key)}]; ok {
		if c.Earlier, err = placementFrom(it); err != nil {
			return Checkout{}, err
		}
	}
	c.placing, err = placingFrom(w.Contacts, found)
	return c, err
}

func placementFrom(it Item) (*Placement, error) {
	var x placementItem
	if err := decode(it, &x); err != nil {
		return nil, err
	}
	return &Placement{Order: x.Order, Hash: x.Hash}, nil
}

// NewOrder is everything one placement writes.
type NewOrder struct {
	Order   ordering.Order
	Contact ordering.Contact
	Address ordering.Address
	Key     string    // idempotency key
	Hash    string    // of the request's body
	placing []placing // of each contact, as it is after this order
}

// placeWrites are what a placement writes beside the stock that it reserves.
func placeWrites(n NewOrder) []Write {
	writes := []Write{
		Write{Table: Orders, Key: placementKey(n.Key), Guards: once()}.
			put(placementItem{Order: n.Order.ID, Hash: n.Hash,
				TTL: n.Order.PlacedAt.AddDate(0, 0, replyDays).Unix()}),
		orderWrite(n.Order),
		Write{Table: People, Key: contactKey(n.Order.Person, n.Order.ID), Guards: once()}.
			put(contactItem{Contact: doc(n.Contact), Address: doc(n.Address), PlacedAt: n.Order.PlacedAt}),
	}
	for _, p := range n.placing {
		writes = append(writes, placingWrite(p))
	}
	return writes
}

// PlaceOrder writes order, contact, stock and idempotency record in one transaction. If the key has already placed
// an order, that placement is returned and nothing is written; too little stock is a Conflict.
func (s *Store) PlaceOrder(ctx context.Context, n NewOrder) (*Placement, error) {
	err := s.applyMoving(ctx, ordering.StockMoves(ordering.Order{}, n.Order), placeWrites(n))
	switch {
	case err == nil:
		return &Placement{Order: n.Order.ID, Hash: n.Hash}, nil
	case refusedBy(err, func(k Key) bool { return k == placementKey(n.Key) }):
		found, err := s.get(ctx, []read{{Orders, placementKey(n.Key)}})
		if err != nil {
			return nil, err
		}
		return placementFrom(found[read{Orders, placementKey(n.Key)}])
	case refusedBy(err, isSKU) && !refusedBy(err, isPlacing): // beside another order of the contact, nobody has looked why
		return nil, stockShort(err, n.Order)
	default:
		return nil, fmt.Errorf("place order %s: %w", n.Order.ID, err)
	}
}

// stockShort names the line whose stock was gone by the time of the write.
func stockShort(err error, o ordering.Order) error {
	r, _ := errors.AsType[*Refused](err)
	for _, w := range r.Writes {
		for _, l := range o.Lines {
			if movesRefused(w, l.VariantID) {
				return ordering.SoldOut(catalogue.Sellable{SKU: l.SKU, Title: l.Title, Variant: l.Variant}, 0)
			}
		}
	}
	return fmt.Errorf("stock of order %s: %w", o.ID, err)
}

// Wanted is what a request for an order wants to know, and the idempotency key that it came with.
type Wanted struct {
	SKUs []string
	Code string // a KOC's, typed; empty for none
	Key  string // idempotency key
	Hash string // of the request's body
	// Contacts are the keyed hashes of the phone and e-mail of who orders, the order's person first. Without them it is not
	// asked whether they are a new customer, and nothing limits what they have open.
	Contacts []string
}

// PlaceOnce places one order per key: it reads what an order is decided from, lets decide make the order, and writes it. A
// key that has placed an order before gives that order, without asking decide; if it was for another request, that is
// refused.
func (s *Store) PlaceOnce(ctx context.Context, w Wanted, decide func(Checkout) (NewOrder, error)) (ordering.Order, error) {
	known, err := s.checkout(ctx, w)
	if err != nil {
		return ordering.Order{}, err
	}
	if known.Earlier != nil {
		return s.earlier(ctx, *known.Earlier, w.Hash)
	}
	n, err := decide(known)
	if err != nil {
		return s.placedMeanwhile(ctx, w, err)
	}
	n.Key, n.Hash = w.Key, w.Hash
	placed, err := s.placeFor(ctx, known, &n)
	if err != nil {
		return s.placedMeanwhile(ctx, w, err)
	}
	if placed.Order != n.Order.ID { // the same key was faster
		return s.earlier(ctx, *placed, w.Hash)
	}
	n.Order.Version = 1
	return n.Order, nil
}

// placedMeanwhile answers a request that was refused: what stands in its way may be the order that its own twin has placed
// since both were read, or while this one was: items that are read together need not be of one moment.
func (s *Store) placedMeanwhile(ctx context.Context, w Wanted, refusal error) (ordering.Order, error) {
	if fail.KindOf(refusal) == fail.Internal {
		return ordering.Order{}, refusal
	}
	r := read{Orders, placementKey(w.Key)}
	found, err := s.get(ctx, []read{r})
	if err != nil || found[r] == nil {
		return ordering.Order{}, refusal
	}
	p, err := placementFrom(found[r])
	if err != nil {
		return ordering.Order{}, err
	}
	return s.earlier(ctx, *p, w.Hash)
}

// earlier is the order that a repeated request placed, or the refusal of a key used for another one.
func (s *Store) earlier(ctx context.Context, p Placement, hash string) (ordering.Order, error) {
	if p.Hash != hash {
		return ordering.Order{}, fail.New(fail.Invalid, "idempotency_mismatch", "This key has already been used for another request. Send a new key.", nil)
	}
	return s.Order(ctx, p.Order)
}

// Order is an order by id, or NotFound.
func (s *Store) Order(ctx context.Context, id string) (ordering.Order, error) {
	found, err := s.get(ctx, []read{{Orders, orderKey(id)}})
	if err != nil {
		return ordering.Order{}, err
	}
	it, ok := found[read{Orders, orderKey(id)}]
	if !ok {
		return ordering.Order{}, OrderUnknown(id)
	}
	return OrderFrom(it)
}

// OrderUnknown is the answer for an order that does not exist, or not for this caller.
func OrderUnknown(id string) error {
	return fail.New(fail.NotFound, "order_unknown", "There is no order {order} here.", fail.Args{"order": id})
}

// UpdateOrder loads an order, lets change decide, and saves it with the stock that the change moves, in one
// transaction, repeated while others write the same order. A change that changes nothing writes nothing. extra are
// writes that belong into the same transaction. When a put-once effect record among them is refused, the order's change
// has been made before; a refused reply record is for the caller to answer (see RepliedMeanwhile).
func (s *Store) UpdateOrder(ctx context.Context, id string, change func(*ordering.Order) error, extra ...Write) (ordering.Order, error) {
	var after ordering.Order
	err := s.retryChanged(ctx, func() error {
		before, err := s.Order(ctx, id)
		if err != nil {
			return err
		}
		after = before.Clone()
		if err := change(&after); err != nil {
			return err
		}
		writes := extra
		if !after.Equal(before) {
			writes = append([]Write{orderWrite(after)}, extra...)
		}
		err = s.applyMoving(ctx, ordering.StockMoves(before, after), writes)
		switch {
		case err == nil && after.Equal(before):
			return nil
		case err == nil:
			after.Version++
			return nil
		case refusedBy(err, func(k Key) bool { return k.SK == "EFFECT" }):
			after, err = s.Order(ctx, id)
			return err
		case refusedBy(err, func(k Key) bool { return k == orderKey(id) }):
			return errOutdated
		case refusedBy(err, isSKU):
			return stockShort(err, after)
		default:
			return fmt.Errorf("update order %s: %w", id, err)
		}
	})
	return after, err
}

// UpdateSeenOrder is UpdateOrder for an order that was read a moment ago: it saves reading it again. If the order has
// changed meanwhile, or if change refuses or changes nothing, it is read as it is now and change decides again.
func (s *Store) UpdateSeenOrder(ctx context.Context, seen ordering.Order, change func(*ordering.Order) error, extra ...Write) (ordering.Order, error) {
	after := seen.Clone()
	if change(&after) != nil || after.Equal(seen) {
		return s.UpdateOrder(ctx, seen.ID, change, extra...)
	}
	err := s.applyMoving(ctx, ordering.StockMoves(seen, after), append([]Write{orderWrite(after)}, extra...))
	if _, refused := errors.AsType[*Refused](err); refused {
		return s.UpdateOrder(ctx, seen.ID, change, extra...)
	}
	if err != nil {
		return ordering.Order{}, fmt.Errorf("update order %s: %w", seen.ID, err)
	}
	after.Version++
	return after, nil
}

// EffectWrite records that something outside has had its effect, for ever. A second write of the same cause is
// refused, and with it everything in its transaction.
func EffectWrite(cause string, at time.Time) Write {
	return Write{Table: Orders, Key: effectKey(cause), Guards: once(), Put: Item{"at": text(sortable(at))}}
}

// MaxReturnNote bounds what a shopper can say about a return, in characters.
const MaxReturnNote = 500

// ReturnNoteWrite keeps a shopper's reason for a return beside the contact, where it can be erased; a later one
// replaces it.
func ReturnNoteWrite(o ordering.Order, note string, at time.Time) Write {
	return Write{Table: People, Key: returnNoteKey(o.Person, o.ID), Put: Item{"note": text(note), "at": text(sortable(at))}}
}

// ReturnNote is the shopper's reason for the latest return of an order; empty when there is none.
func (s *Store) ReturnNote(ctx context.Context, o ordering.Order) (string, error) {
	r := read{People, returnNoteKey(o.Person, o.ID)}
	found, err := s.get(ctx, []read{r})
	return str(found[r]["note"]), err
}

// Contact is who ordered and where it goes.
func (s *Store) Contact(ctx context.Context, o ordering.Order) (ordering.Contact, ordering.Address, error) {
	r := read{People, contactKey(o.Person, o.ID)}
	found, err := s.get(ctx, []read{r})
	if err != nil || found[r] == nil {
		return ordering.Contact{}, ordering.Address{}, err
	}
	var x contactItem
	err = decode(found[r], &x)
	return x.Contact.Value, x.Address.Value, err
}

// OrderFilter selects orders for a list, newest first. Status and KOC may be empty; From and To bound the placement.
type OrderFilter struct {
	Status   ordering.Status
	KOC      string
	From, To time.Time
}

// Bounds of one listing: index pages read at most, so that a filter that matches little answers in bounded time
// with a cursor, and months looked back at most.
const (
	listPages  = 20
	listMonths = 120
)

// ListOrders is a page of orders, newest first. after is the cursor of the page before. A page may hold fewer than
// limit orders although there is a next.
func (s *Store) ListOrders(ctx context.Context, f OrderFilter, after string, limit int) (orders []ordering.Order, next string, err error) {
	var ids []string
	walk := newOrderWalk(f, after)
	for range listPages {
		items, last, err := s.page(ctx, walk.query(limit-len(ids)))
		if err != nil {
			return nil, "", err
		}
		for _, it := range items {
			if f.Status == "" || str(it["status"]) == string(f.Status) {
				ids = append(ids, strings.TrimPrefix(str(it["pk"]), "ORDER#"))
			}
		}
		more := walk.advance(last)
		if !more || len(ids) == limit {
			break
		}
	}
	if orders, err = s.ordersByID(ctx, ids); err != nil {
		return nil, "", err
	}
	return orders, walk.cursor(), nil
}

// Orders are the orders with these ids that exist, in one round per hundred.
func (s *Store) Orders(ctx context.Context, ids []string) (map[string]ordering.Order, error) {
	orders, err := s.ordersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]ordering.Order, len(orders))
	for _, o := range orders {
		out[o.ID] = o
	}
	return out, nil
}

func (s *Store) ordersByID(ctx context.Context, ids []string) ([]ordering.Order, error) {
	reads := make([]read, len(ids))
	for i, id := range ids {
		reads[i] = read{Orders, orderKey(id)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	orders := make([]ordering.Order, 0, len(ids))
	for _, r := range reads {
		it, ok := found[r]
		if !ok {
			continue
		}
		o, err := OrderFrom(it)
		if err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
	return orders, nil
}

// orderWalk goes backwards through one KOC's orders, or through the months of all orders.
type orderWalk struct {
	filter OrderFilter
	month  time.Time
	months int
	last   Item
	done   bool
}

func newOrderWalk(f OrderFilter, after string) *orderWalk {
	w := &orderWalk{filter: f, month: f.To}
	if id, sk, ok := strings.Cut(after, "|"); ok {
		if at, err := time.Parse("2006-01-02T15:04:05.000Z", strings.SplitN(sk, "#", 2)[0]); err == nil {
			w.month = at
			k := orderKey(id).item()
			names := indexKeys[w.index()]
			k[names[0]], k[names[1]] = text(w.partition()), text(sk)
			w.last = k
		}
	}
	return w
}

func (w *orderWalk) index() string {
	if w.filter.KOC != "" {
		return "koc"
	}
	return "placed"
}

func (w *orderWalk) partition() string {
	if w.filter.KOC != "" {
		return "KOC#" + w.filter.KOC
	}
	return placedMonth(w.month)
}

func (w *orderWalk) query(limit int) query {
	return query{table: Orders, index: w.index(), pk: w.partition(), from: sortable(w.filter.From), to: sortable(w.filter.To) + "~",
		after: w.last, limit: limit, descending: true}
}

// advance moves on to the next page or month and reports whether there can be more.
func (w *orderWalk) advance(last Item) bool {
	w.last = last
	if last != nil {
		return true
	}
	if w.filter.KOC != "" {
		w.done = true
		return false
	}
	first := time.Date(w.month.UTC().Year(), w.month.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	w.month = first.Add(-time.Millisecond)
	w.months++
	w.done = w.month.Before(w.filter.From) || w.months >= listMonths
	return !w.done
}

func (w *orderWalk) cursor() string {
	switch {
	case w.done:
		return ""
	case w.last != nil:
		return strings.TrimPrefix(str(w.last["pk"]), "ORDER#") + "|" + str(w.last[indexKeys[w.index()][1]])
	default: // between two months: begin at the newest instant of the next one
		return "~|" + sortable(w.month) + "#~"
	}
}

// duePage is how many due orders are read at once.
const duePage = 500

// DueOrders are the ids of orders for which time has come by now, earliest first within each shard of the index, at
// most limit per shard.
func (s *Store) DueOrders(ctx context.Context, now time.Time, limit int) ([]string, error) {
	var ids []string
	for shard := range dueShards {
		q := query{table: Orders, index: "due", pk: duePartition(shard), from: "0", to: sortable(now) + "~", limit: min(limit, duePage)}
		for left := limit; left > 0; {
			items, next, err := s.page(ctx, q)
			if err != nil {
				return nil, err
			}
			for _, it := range items {
				ids = append(ids, strings.TrimPrefix(str(it["pk"]), "ORDER#"))
			}
			if left -= len(items); next == nil {
				break
			}
			q.after, q.limit = next, min(left, duePage)
		}
	}
	return ids, nil
}
