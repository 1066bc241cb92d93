package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
	"yundian/shared/store"
)

// scenario is something that the store is used for. It runs on maps, one call after the other; what it wrote is made on
// the engine under test too and has to end in the same items. Then both are looked at and have to show the same. A new
// method that writes belongs into one of them. Scenarios share one store and come in this order: ids are their own.
type scenario struct {
	name string
	run  func(t *testing.T, s *store.Store)
	look func(t *testing.T, s *store.Store) any // may be nil
}

var scenarios = []scenario{
	{"settings", editSettings, readSettings},
	{"rule books", publishBooks, readBooks},
	{"catalogue", editCatalogue, readCatalogue},
	{"stock", moveStock, nil},
	{"renamed variants", renameVariants, readRenamed},
	{"KOCs", keepKOCs, readKOCs},
	{"links", makeLinks, readLinks},
	{"touches", countTouches, readStats},
	{"placements", placeOrders, listOrders},
	{"changes of orders", changeOrders, listOrders},
	{"attribution to statistics", earn, readEarnings},
	{"settlements in batches", settleBatches, readEarnings},
	{"monthly terms", settleMonths, readEarnings},
	{"adjustments", adjust, readAdjustments},
	{"replies", keepReplies, nil},
	{"payout terms", publishPayoutTerms, readPayoutTerms},
	{"payout methods", changePayees, readPayees},
	{"payouts", payOut, readPayouts},
	{"statements", putStatements, readStatements},
	{"bank files", fillBankFiles, readBankFiles},
	{"pay runs", drivePayRuns, readPayRuns},
	{"webhooks", tellOwners, readHooks},
	{"letters", writeLetters, readLetters},
}

// later is when scenarios happen: DynamoDB Local deletes what expired before today while a test looks.
var later = noon.AddDate(70, 0, 0)

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func refuses(t *testing.T, err error, code string) {
	t.Helper()
	if !fail.Is(err, code) {
		t.Errorf("answered %v, want %s", err, code)
	}
}

func editSettings(t *testing.T, s *store.Store) {
	n := must(s.Settings(t.Context()))(t)
	n.Brand = "茶店"
	reply := store.ReplyWrite("admin#settings#1", store.Reply{Hash: "h", Body: []byte(`{"a":1}`)}, later)
	must(0, s.SaveSettings(t.Context(), n, reply))(t)
	must(0, s.SaveSettings(t.Context(), n))(t) // what stands there already is no conflict: the answer may have been lost
	n.Brand = "茶"
	refuses(t, s.SaveSettings(t.Context(), n), "changed_meanwhile")
	n = must(s.Settings(t.Context()))(t)
	n.Brand = "Tea"
	must(0, s.SaveSettings(t.Context(), n))(t)
	if err := s.SaveSettings(t.Context(), must(s.Settings(t.Context()))(t), reply); !store.RepliedMeanwhile(err) {
		t.Errorf("a reply was recorded twice: %v", err)
	}
}

func readSettings(t *testing.T, s *store.Store) any {
	reply, found, err := s.Reply(t.Context(), "admin#settings#1")
	return []any{must(s.Settings(t.Context()))(t), must(reply, err)(t), found}
}

func publishBooks(t *testing.T, s *store.Store) {
	notice := commission.Notice{Days: 3, Zone: time.UTC}
	var pub commission.Publication
	for i := range 7 {
		now := later.AddDate(0, 0, i-20)
		p := must(s.Plan(t.Context(), now))(t)
		rate := money.BasisPoints(1000 + 100*(i%3)) // raises, and cuts that wait
		pub = must(p.Set(commission.Edit{Default: &rate, Products: map[string]money.BasisPoints{"tea": rate}}, notice, must(s.Market(t.Context()))(t), now))(t)
		must(0, s.Publish(t.Context(), pub))(t)
	}
	pub.New[0].Default++
	refuses(t, s.Publish(t.Context(), pub, store.EffectWrite("book", later)), "changed_meanwhile")
	refuses(t, s.SaveSettings(t.Context(), shop.Default(), store.PublicationWrites(pub)...), "changed_meanwhile") // beside another write
}

func readBooks(t *testing.T, s *store.Store) any {
	out := []any{must(s.Plan(t.Context(), later.AddDate(0, 0, -15)))(t), must(s.BookVersion(t.Context(), 2))(t)}
	for days := range 25 {
		out = append(out, must(s.BookAt(t.Context(), later.AddDate(0, 0, -days)))(t))
	}
	return out
}

func wide(variants int) catalogue.Product {
	p := catalogue.Product{ID: "wide", Title: "Wide", Status: catalogue.Active}
	for i := range variants {
		p.Variants = append(p.Variants, catalogue.Variant{SKU: fmt.Sprintf("w%03d", i), Price: yuan(int64(100 + i))})
	}
	return p
}

func editCatalogue(t *testing.T, s *store.Store) {
	shelve(t, s, "tea", 50)
	must(0, s.SaveProduct(t.Context(), catalogue.Product{}, wide(100), map[string]int64{"w001": 3}))(t)
	before := must(s.Product(t.Context(), "wide"))(t)
	after := wide(40)
	after.Version, after.Title = before.Version, "Less wide"
	must(0, s.SaveProduct(t.Context(), before, after, nil))(t)
	after.Title = "Another edit" // the same one again would be answered by the first one's success
	refuses(t, s.SaveProduct(t.Context(), before, after, nil), "changed_meanwhile")
	other := catalogue.Product{ID: "other", Title: "Other", Status: catalogue.Active, Variants: []catalogue.Variant{{SKU: "tea", Price: yuan(1)}}}
	refuses(t, s.SaveProduct(t.Context(), catalogue.Product{}, other, nil), "sku_taken")
}

func readCatalogue(t *testing.T, s *store.Store) any {
	var out []any
	for after, more := "", true; more; more = after != "" {
		products, next, err := s.ListProducts(t.Context(), after, 1)
		out = append(out, must(products, err)(t))
		after = next
	}
	return append(out, must(s.Sellables(t.Context(), []string{"tea", "w000", "w001", "w099", "none"}))(t))
}

func moveStock(t *testing.T, s *store.Store) {
	shelve(t, s, "counted", 5)
	receipt := store.StockCause{ID: "receipt-1", By: "op", Reason: "delivery", At: later}
	for range 2 {
		must(0, s.MoveStock(t.Context(), catalogue.StockMove{SKU: "counted", Available: 3, Received: 3}, receipt))(t)
	}
	off := func(n int64) error {
		return s.MoveStock(t.Context(), catalogue.StockMove{SKU: "counted", Available: -n, WrittenOff: n}, store.StockCause{ID: fmt.Sprint("off-", n), By: "op", Reason: "broken", At: later})
	}
	must(0, off(8))(t)
	refuses(t, off(1), "stock_short_write_off")
}

// renameVariants gives variants other SKUs in every way, while an order holds one of them.
func renameVariants(t *testing.T, s *store.Store) {
	saveTee(t, s, map[string]int64{"a": 10, "b": 20}, "a", "b")
	place(t, s, placement(t, s, "renamed-1", "renamed-key-1", 3, "a"))
	for _, skus := range [][]string{{"c", "b"}, {"b", "c"}, {"d", "c", "b"}, {"", "c", "b"}, {"d", "b"}} {
		rename(t, s, skus...)
	}
	refuses(t, tryRename(s, "tea", "b"), "sku_taken")
	must(s.UpdateOrder(t.Context(), "renamed-1", func(o *ordering.Order) error { return o.Cancel("no", later) }))(t)
	must(0, s.MoveStock(t.Context(), catalogue.StockMove{SKU: "B", Available: 2, Received: 2}, store.StockCause{ID: "receipt", At: later}))(t)

	before := must(s.Product(t.Context(), "tee"))(t)
	after := before
	after.Variants = append([]catalogue.Variant(nil), before.Variants...)
	after.Variants[0].StockPolicy, after.Variants[1].StockPolicy = catalogue.Continue, catalogue.Untracked
	must(0, s.SaveProduct(t.Context(), before, after, nil))(t)
	for i, sku := range []string{"d", "b"} { // below what is there, and without looking
		place(t, s, placement(t, s, fmt.Sprint("policy-", i), fmt.Sprint("policy-key-", i), 30, sku))
	}
	must(s.UpdateOrder(t.Context(), "policy-1", func(o *ordering.Order) error { return o.Cancel("no", later) }))(t)
}

func readRenamed(t *testing.T, s *store.Store) any {
	return []any{must(s.Product(t.Context(), "tee"))(t), must(s.Sellables(t.Context(), []string{"a", "b", "C", "d", "e"}))(t)}
}

func profile(handle string) koc.Profile {
	return koc.Profile{Handle: handle, Name: "梅", Email: handle + "@example.org", CreatedAt: later.AddDate(0, -2, 0),
		Standings: []koc.Standing{{Status: koc.Applied, From: later.AddDate(0, -2, 0)}}}
}

func keepKOCs(t *testing.T, s *store.Store) {
	for i := range 4 {
		err := s.Apply(t.Context(), store.Application{KOC: profile(fmt.Sprint("applicant", i)), Source: "home", Day: "2026-03-01", At: later}, 3)
		if i < 3 {
			must(0, err)(t)
		} else {
			refuses(t, err, "applications_too_many")
		}
	}
	refuses(t, s.CreateKOC(t.Context(), profile("applicant0")), "handle_taken")
	refuses(t, s.Apply(t.Context(), store.Application{KOC: profile("app-licant0"), Source: "work", Day: "2026-03-01", At: later}, 3), "handle_similar")
	must(0, s.CreateKOC(t.Context(), profile("app-licant0")))(t) // an operator may
	other := profile("applicant0")
	other.Name = "other"
	refuses(t, s.CreateKOC(t.Context(), other), "handle_taken")
	for _, handle := range []string{"mei", "lin", "zoe"} {
		must(0, s.CreateKOC(t.Context(), profile(handle)))(t)
		must(s.UpdateKOC(t.Context(), handle, func(p *koc.Profile) error { return p.Approve("hash-"+handle, later.AddDate(0, -1, 0)) },
			func(p koc.Profile) []store.Write { return []store.Write{store.InviteWrite(p.Invite, handle)} }))(t)
	}
	must(s.UpdateKOC(t.Context(), "zoe", func(p *koc.Profile) error { return p.SetTier("gold", later) }, nil))(t)
	address := func(do func(*koc.Profile) error) {
		must(s.UpdateKOC(t.Context(), "zoe", do, func(p koc.Profile) []store.Write { return store.EmailWrites(p, later) }))(t)
	}
	address(func(p *koc.Profile) error { return p.AskEmail("new@example.com", later) })
	address(func(p *koc.Profile) error { return p.ConfirmEmail(1, time.Hour, later) })
	bind := func(handle string) error {
		_, err := s.UpdateKOC(t.Context(), handle, func(p *koc.Profile) error { return p.Bind("subject", "hash-"+handle, later.AddDate(0, -1, 1)) },
			func(koc.Profile) []store.Write { return []store.Write{store.LoginWrite("subject", handle)} })
		return err
	}
	must(0, bind("mei"))(t)
	if err := bind("lin"); !store.LoginTaken(err) {
		t.Errorf("a login was bound twice: %v", err)
	}
}

func readKOCs(t *testing.T, s *store.Store) any {
	out := []any{must(s.KOCByLogin(t.Context(), "subject"))(t), must(s.InvitedKOC(t.Context(), "hash-lin"))(t)}
	for after, more := "", true; more; more = after != "" {
		profiles, next, err := s.ListKOCs(t.Context(), after, 2)
		out = append(out, must(profiles, err)(t))
		after = next
	}
	return append(out, readMarket(t, s))
}

// readMarket holds what the list keeps for rules against the products and KOCs themselves.
func readMarket(t *testing.T, s *store.Store) commission.Market {
	t.Helper()
	m := must(s.Market(t.Context()))(t)
	products, _, err := s.ListProducts(t.Context(), "", 100)
	kocs, _, failed := s.ListKOCs(t.Context(), "", 100)
	if err != nil || failed != nil || len(products) == 0 || len(m.Products) != len(products) || len(kocs) == 0 || len(m.Tiers) != len(kocs) {
		t.Fatalf("%d products, %d KOCs, %v, %v; the market has %+v", len(products), len(kocs), err, failed, m)
	}
	for _, p := range products {
		if want := commission.OfferOf(p); !reflect.DeepEqual(m.Products[p.ID], want) {
			t.Errorf("the market has %s as %+v, want %+v", p.ID, m.Products[p.ID], want)
		}
	}
	for _, p := range kocs {
		if m.Tiers[p.Handle] != p.Tier() {
			t.Errorf("the market has %s in %q, want %q", p.Handle, m.Tiers[p.Handle], p.Tier())
		}
	}
	return m
}

func makeLinks(t *testing.T, s *store.Store) {
	for i := range 7 {
		l := koc.Link{Code: fmt.Sprint("mei_code", i%6), KOC: "mei", Product: "tea", Channel: "qr", CreatedAt: later}
		must(0, s.CreateLink(t.Context(), l, store.ReplyWrite(fmt.Sprint("portal#links#", i), store.Reply{Hash: "h"}, later)))(t)
	}
}

func readLinks(t *testing.T, s *store.Store) any {
	var out []any
	for after, more := "", true; more; more = after != "" {
		links, next, err := s.Links(t.Context(), "mei", after, 4)
		out = append(out, must(links, err)(t))
		after = next
	}
	return append(out, must(s.Land(t.Context(), "mei_code3", "tea"))(t))
}

func countTouches(t *testing.T, s *store.Store) {
	for i := range 9 {
		touch := store.Touch{Code: "mei_code1", KOC: "mei", Day: fmt.Sprintf("2026-03-%02d", 1+i%3), Visitor: fmt.Sprint("v", i%5), At: later, Network: []string{"", "a carrier's"}[i%2]}
		for range 2 {
			must(0, s.SaveTouch(t.Context(), touch))(t)
			must(0, s.CountTouch(t.Context(), touch))(t)
		}
	}
}

func readStats(t *testing.T, s *store.Store) any {
	var out []any
	for _, heading := range []string{"DAY", "LINK", "PRODUCT"} {
		out = append(out, must(s.Stats(t.Context(), "mei", heading, "2026-02-27", "2096-03-02"))(t))
	}
	return out
}

// ordered places an order of the typed code's KOC, if any, through the steps of checkout.
func ordered(t *testing.T, s *store.Store, id, code string, pieces int64, skus ...string) (ordering.Order, error) {
	t.Helper()
	return s.PlaceOnce(t.Context(), store.Wanted{SKUs: skus, Code: code, Key: "key-" + id, Hash: "hash-" + id, Contacts: []string{"person-" + id, "mail"}}, func(c store.Checkout) (store.NewOrder, error) {
		var basket []ordering.BasketLine
		for _, sku := range skus {
			basket = append(basket, ordering.BasketLine{SKU: sku, Quantity: pieces})
			it := c.Sold[sku]
			it.Stock.Available += 100 // what is left is the store's to decide
			c.Sold[sku] = it
		}
		r := ordering.Request{ID: id, Person: "person-" + id, Payment: "sandbox"}
		if code != "" {
			r.Evidence = []ordering.Evidence{{Kind: ordering.ByCode, Code: code, At: later}}
		}
		q, err := ordering.Price(basket, c.Sold, shop.Default())
		if err != nil {
			return store.NewOrder{}, err
		}
		o, err := ordering.Place(r, q, shop.Default(), later)
		return store.NewOrder{Order: o, Contact: ordering.Contact{Name: "陈静", Phone: "+8613800000000"}}, err
	})
}

func placeOrders(t *testing.T, s *store.Store) {
	shelve(t, s, "few", 7)
	shelve(t, s, "many", 500)
	for i := range 5 {
		must(ordered(t, s, fmt.Sprint("p", i), "", 1, "few", "many"))(t)
		must(ordered(t, s, fmt.Sprint("p", i), "", 1, "few", "many"))(t)
	}
	_, err := ordered(t, s, "p9", "", 3, "few", "many")
	refuses(t, err, "sold_out")
	n := placement(t, s, "p10", "key-p1", 1, "many") // the key of another order, unseen
	if placed := must(s.PlaceOrder(t.Context(), n))(t); placed.Order != "p1" {
		t.Errorf("one key placed %s", placed.Order)
	}
}

func change(t *testing.T, s *store.Store, id string, f func(o *ordering.Order) error, extra ...store.Write) ordering.Order {
	t.Helper()
	return must(s.UpdateOrder(t.Context(), id, f, extra...))(t)
}

func changeOrders(t *testing.T, s *store.Store) {
	seen := must(s.Order(t.Context(), "p0"))(t)
	for range 2 {
		must(s.UpdateSeenOrder(t.Context(), seen, func(o *ordering.Order) error { return o.OpenSession("cs_1") }))(t)
	}
	for range 2 {
		change(t, s, "p0", func(o *ordering.Order) error { return o.Capture("pay-0", o.Total, later) }, store.EffectWrite("sandbox:event-0", later))
	}
	change(t, s, "p0", func(o *ordering.Order) error { return o.Cancel("changed_my_mind", later) })
	change(t, s, "p1", func(o *ordering.Order) error { return o.Mature(o.Terms.HoldUntil) })
	change(t, s, "p2", func(o *ordering.Order) error { return o.Capture("pay-2", o.Total, later) })
	for i := range 3 {
		change(t, s, "p2", func(o *ordering.Order) error {
			amount := yuan(100)
			_, err := o.RequestRefund(ordering.RefundRequest{ID: fmt.Sprint("r", i), Reason: "dented", Amount: &amount}, later)
			return err
		})
	}
	no := errors.New("no")
	if _, err := s.UpdateOrder(t.Context(), "p3", func(*ordering.Order) error { return no }); !errors.Is(err, no) {
		t.Errorf("refused with %v", err)
	}
	o := must(s.Order(t.Context(), "p2"))(t)
	change(t, s, "p2", func(o *ordering.Order) error { return o.Hold("looks odd", "op", later) }, store.ReturnNoteWrite(o, "zu klein", later))
	must(0, s.SaveReplies(t.Context(), []store.Write{store.ReturnNoteWrite(o, "too small", later)}))(t)
	if _, err := ordered(t, s, "p11", "", 4, "few"); err != nil { // what came back is for sale again
		t.Error(err)
	}
	_, err := s.UpdateOrder(t.Context(), "p1", func(o *ordering.Order) error { return o.CaptureLate("late", o.Total, true, later) })
	refuses(t, err, "sold_out")
}

func listOrders(t *testing.T, s *store.Store) any {
	var out []any
	for _, f := range []store.OrderFilter{{}, {Status: ordering.Paid}, {KOC: "mei"}} {
		f.From, f.To = later.AddDate(0, -2, 0), later.AddDate(0, 0, 1)
		for after, pages := "", 0; pages < 30; pages++ {
			orders, next, err := s.ListOrders(t.Context(), f, after, 3)
			out = append(out, must(orders, err)(t), next)
			if after = next; next == "" {
				break
			}
		}
	}
	all := must(s.Orders(t.Context(), []string{"p0", "p1", "p2", "p3", "none"}))(t)
	contacts := must(s.Contacts(t.Context(), []ordering.Order{all["p0"], all["p1"]}))(t)
	return append(out, all, contacts, must(s.ReturnNote(t.Context(), all["p2"]))(t), must(s.DueOrders(t.Context(), later.AddDate(0, 0, 1), 4))(t))
}

// earn takes orders of two KOCs and of nobody through decision, payment, refunds and release, and settles and counts them
// after each step, twice and late.
func earn(t *testing.T, s *store.Store) {
	ctx, now := t.Context(), func() time.Time { return later.Add(time.Minute) }
	ids := []string{"e0", "e1", "e2", "e3"}
	for i, code := range []string{"mei", "lin", "", "nobody"} {
		must(ordered(t, s, ids[i], code, int64(1+i), "tea", "many"))(t)
	}
	settle := func(orders ...ordering.Order) {
		for range 2 {
			must(s.SettleOrders(ctx, orders, now))(t)
		}
	}
	for range 2 {
		must(0, s.AttributeOrders(ctx, ids, now))(t)
	}
	var old []ordering.Order
	for _, id := range ids {
		change(t, s, id, func(o *ordering.Order) error { return o.Capture("pay-"+id, o.Total, later) })
		old = append(old, must(s.Order(ctx, id))(t))
	}
	settle(old...)
	for i, id := range ids[:2] {
		change(t, s, id, func(o *ordering.Order) error {
			_, err := o.RequestRefund(ordering.RefundRequest{ID: "back", Reason: "dented", Lines: []ordering.RefundLine{{SKU: "tea", Quantity: 1}}}, later)
			return err
		})
		o := change(t, s, id, func(o *ordering.Order) error {
			return o.SettleRefund(ordering.Outcome{ID: "back", ProviderID: fmt.Sprint("re_", i), Amount: o.Refunds[0].Amount, Succeeded: true}, later)
		})
		settle(o)
	}
	settle(old...) // late copies
	for _, id := range []string{"e0", "e1"} {
		for range 2 {
			must(0, s.CountFacts(ctx, factsOf(t, s, id)))(t)
		}
	}
}

// factsOf works an order's latest fact out as settle does.
func factsOf(t *testing.T, s *store.Store, id string) []ledger.Fact {
	t.Helper()
	st, _, err := ledger.Settle(must(s.Order(t.Context(), id))(t), ledger.Applied{}, ledger.Months{}, later)
	return []ledger.Fact{must(st, err)(t).Fact}
}

func readEarnings(t *testing.T, s *store.Store) any {
	out := []any{readStats(t, s)}
	for _, handle := range []string{"mei", "lin", "zoe"} {
		out = append(out, must(s.Balances(t.Context(), handle))(t), must(s.Expected(t.Context(), handle, "2026-03-01"))(t))
		for after, pages := "", 0; pages < 50; pages++ {
			postings, next, err := s.Postings(t.Context(), handle, after, 5, handle == "mei")
			out = append(out, must(postings, err)(t))
			if after = next; next == "" {
				break
			}
		}
	}
	return append(out, must(s.Applied(t.Context(), []string{"e0", "e1", "e2", "b00", "b59"}))(t))
}

func adjust(t *testing.T, s *store.Store) {
	ctx, who := t.Context(), ledger.Approver{By: "op2", Subject: "s-mei"}
	for i, minor := range []int64{700, -200, -900, 5} {
		a := ledger.Adjustment{ID: fmt.Sprint("adj", i), KOC: "mei", Amount: money.Of(minor, "CNY"), Order: "e0", Reason: "late parcel", By: "op1", At: noon.Add(time.Duration(i) * time.Second)}
		must(0, s.RequestAdjustment(ctx, a))(t)
	}
	for i := range 3 {
		must(s.ApproveAdjustment(ctx, fmt.Sprint("adj", i), who, noon.Add(2*time.Hour)))(t)
		_, err := s.ApproveAdjustment(ctx, fmt.Sprint("adj", i), who, noon.Add(2*time.Hour))
		refuses(t, err, "adjustment_status")
	}
	must(s.RejectAdjustment(ctx, "adj3", "op1", "typed wrongly", noon))(t)
}

func readAdjustments(t *testing.T, s *store.Store) any {
	list, next, err := s.ListAdjustments(t.Context(), store.AdjustmentFilter{}, "", 3)
	rest, _, restErr := s.ListAdjustments(t.Context(), store.AdjustmentFilter{}, next, 3)
	return []any{must(list, err)(t), must(rest, restErr)(t), readEarnings(t, s)}
}

func settleBatches(t *testing.T, s *store.Store) {
	var all []ledger.Settlement
	for i := range 60 {
		st, _, err := ledger.Settle(settledOrder(fmt.Sprintf("b%02d", i)), ledger.Applied{}, ledger.Months{}, later)
		all = append(all, must(st, err)(t))
	}
	earlier, _, err := ledger.Settle(settledOrder("b30"), ledger.Applied{}, ledger.Months{}, later.Add(-time.Second))
	must(s.Settle(t.Context(), []ledger.Settlement{must(earlier, err)(t)}))(t)
	if outdated := must(s.Settle(t.Context(), all))(t); len(outdated) != 1 || outdated[0] != "b30" {
		t.Errorf("outdated %v", outdated)
	}
	for i := range 2 {
		all[0].Fact.At = later.Add(time.Duration(i)) // another reader's copy
		if counted := must(s.Tally(t.Context(), ledger.Fact{}, all[0].Fact))(t); counted != (i == 0) {
			t.Errorf("tally %d: %v", i, counted)
		}
	}
}

func settleMonths(t *testing.T, s *store.Store) {
	now := func() time.Time { return later }
	for i := range 6 {
		o := settledOrder(fmt.Sprintf("m%02d", i))
		o.Awards[0].Winners[0].KOC = "zoe"
		o.Awards[0].Months = []ordering.MonthTerm{{KOC: "zoe", Rule: "cap", RuleVersion: 2, Lines: []int{0}, Cap: 3_500}}
		must(s.SettleOrders(t.Context(), []ordering.Order{o}, now))(t)
		if i%2 == 0 {
			o.Version, o.Released = 3, &ordering.Mark{V: 3, At: later}
			must(s.SettleOrders(t.Context(), []ordering.Order{o}, now))(t)
		}
	}
}

func keepReplies(t *testing.T, s *store.Store) {
	reply := store.ReplyWrite("owner#route#key", store.Reply{Hash: "h", Body: []byte("{}")}, later)
	must(0, s.SaveReplies(t.Context(), []store.Write{reply}))(t)
	if err := s.SaveReplies(t.Context(), []store.Write{reply}); !store.RepliedMeanwhile(err) {
		t.Errorf("a reply was recorded twice: %v", err)
	}
	must(0, s.SaveReplies(t.Context(), nil))(t)
}
