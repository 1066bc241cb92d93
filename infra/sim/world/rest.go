package world

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/shared/cashier"
	"yundian/shared/ordering"
	"yundian/shared/payout"
	"yundian/shared/provider"
	"yundian/shared/store"
)

// Bounds within which a world comes to rest when the faults have stopped.
const (
	restRounds = 60             // rounds of all consumers, each followed by
	restPause  = 18 * time.Hour // together longer than anything waits
	drain      = 500            // batches that a consumer may need for what has piled up
)

// rest stops the faults: within bounded time every order is settled and counted, every payment and refund is told, and
// doing everything again changes nothing.
func (w *World) rest() {
	w.calm = true
	for round := range restRounds {
		w.settleDown(round)
		w.pass(restPause)
	}
	w.checkRest()
	w.fold()
	w.verifies()
	before, seen := w.digest(), w.watch.seen
	for _, c := range w.consumers {
		for shard := range shards {
			c.next[shard] = 0
		}
	}
	w.drain()
	if w.digest() != before {
		w.violate(9, "playing all streams again has changed the store: %s", w.changedSince(seen))
	}
	for _, id := range w.watch.ids {
		w.reach(w.watch.orders[id].now)
	}
}

// changedSince names the first change of each table after these.
func (w *World) changedSince(seen [len(tableNames)]int) (text string) {
	for t := range seen {
		for _, c := range w.maps.Changes(store.Table(t), seen[t])[:min(1, len(w.maps.Changes(store.Table(t), seen[t])))] {
			text += fmt.Sprintf("%s %s %s from %v to %v; ", tableNames[t], c.Key.PK, c.Key.SK, describe(c.Old), describe(c.New))
		}
	}
	return text
}

func describe(it store.Item) (text string) {
	for _, attr := range slices.Sorted(maps.Keys(it)) {
		switch v := it[attr].(type) {
		case *types.AttributeValueMemberS:
			text += attr + "=" + v.Value + " "
		case *types.AttributeValueMemberN:
			text += attr + "=" + v.Value + " "
		}
	}
	return text
}

// settleDown lets everybody finish what they have begun.
func (w *World) settleDown(round int) {
	for _, x := range w.bank.refunds {
		if x.state == provider.RefundPending {
			w.bank.finish(x, true)
		}
	}
	for i, d := range w.bank.disputes {
		if d.outcome == "" {
			w.bank.decide(d, i%2 == 0)
		}
	}
	for i := len(w.bank.events); i > 0 && len(w.bank.events) > 0; i-- {
		w.tellNext()
	}
	w.drain()
	for range drain {
		if !w.matureAll() {
			break
		}
	}
	w.settlePayouts(round)
	w.drain()
	if round%10 == 9 {
		w.repair()
		for _, handle := range w.shop.kocs {
			w.closes(handle)
		}
	}
}

// settlePayouts ends every transfer, lets the shop ask about it, and brings the bank's word on every file.
func (w *World) settlePayouts(round int) {
	for _, id := range w.rail.ids {
		if x := w.rail.transfers[id]; x.state == provider.TransferPending {
			x.state = provider.TransferPaid
		}
	}
	_, _ = w.run("payout", func() error {
		ids, err := w.db().DuePayouts(w.ctx, w.time(), 1000)
		w.must(err)
		for _, id := range ids {
			if _, err := w.payer().Drive(w.ctx, id, w.time()); err != nil {
				w.violate(15, "payout %s cannot be driven although nothing disturbs it: %v", id, err)
			}
		}
		return nil
	})
	if round%20 != 5 {
		return
	}
	_, _ = w.run("admin: bank file", func() error {
		_, err := w.payer().MakeFile(w.ctx, payout.File{ID: cashier.FileID("rest", fmt.Sprint(round)), Currency: w.shop.currency, At: w.time(), By: operators[0]},
			func(payout.File) ([]store.Write, error) { return nil, nil })
		return err // perhaps there is nothing to put into one
	})
	for _, id := range w.watch.files {
		w.bankAnswersAll(id)
	}
}

// bankAnswersAll brings the whole truth about a file.
func (w *World) bankAnswersAll(id string) {
	_, _ = w.run("admin: answer of the bank to "+id, func() error {
		f, err := w.db().BankFile(w.ctx, id)
		w.must(err)
		payouts, err := w.payer().InFile(w.ctx, f)
		if err != nil {
			return err
		}
		lines := []string{"payout,amount,currency,outcome"}
		for _, p := range payouts {
			lines = append(lines, w.answer(p, 0))
		}
		if len(payouts) == 0 {
			return nil
		}
		_, err = w.payer().Reconcile(w.ctx, f, []byte(strings.Join(lines, "\n")), "the bank", w.time())
		if err != nil {
			w.violate(15, "the bank's answer about %s is refused: %v", id, err)
		}
		return nil
	})
}

// tellNext tells the oldest event; what is refused goes to the end, to be told again.
func (w *World) tellNext() {
	e := w.bank.events[0]
	w.bank.events = w.bank.events[1:]
	err, _ := w.run("payments: event "+e.event.ID, func() error { return w.till().Record(w.ctx, bankName, e.event, w.time()) })
	if err != nil {
		w.watch.contradicted(e.event, err)
		w.bank.events = append(w.bank.events, e)
	}
}

// drain gives every consumer all that waits for it.
func (w *World) drain() {
	for _, c := range w.consumers {
		for shard := range shards {
			for n := 0; c.next[shard] < len(w.watch.streams[c.table][shard]); n++ {
				if n == drain {
					w.violate(15, "%s does not come to the end of its stream", c.name)
				}
				w.consumeCalmly(c, shard)
			}
		}
	}
}

func (w *World) consumeCalmly(c *consumer, shard int) {
	records, upTo := w.batch(c, shard, c.next[shard], 50)
	c.next[shard] = upTo
	if len(records) == 0 {
		return
	}
	w.Counts.Events += len(records)
	err, _ := w.run(c.name+" "+w.describe(records), func() error {
		_, err := c.process(w.ctx, records)
		return err
	})
	if err != nil {
		w.violate(15, "%s fails although nothing disturbs it: %v", c.name, err)
	}
}

// matureAll does what is due now, and reports whether anything was.
func (w *World) matureAll() bool {
	due := 0
	_, _ = w.run("mature", func() error {
		ids, err := w.db().DueOrders(w.ctx, w.time(), 1000)
		w.must(err)
		due = len(ids)
		for _, id := range ids {
			if err := w.till().Mature(w.ctx, id, w.time()); err != nil {
				w.violate(15, "order %s cannot be matured although nothing disturbs it: %v", id, err)
			}
		}
		return nil
	})
	for _, id := range w.watch.ids {
		x := w.watch.orders[id]
		if due == 0 && waits(x.now) && w.now.After(x.now.Terms.ConfirmUntil) {
			w.violate(15, "order %s still waits for a confirmation", x.now.ID)
		}
	}
	return due > 0
}

// repair does what an operator does when records were dropped: an order that is not settled is sent through the streams
// again.
func (w *World) repair() {
	for _, id := range w.watch.ids {
		x := w.watch.orders[id]
		counted := x.tallied == x.facts || captured(x.now) < x.now.Total.Minor // an order that is not paid counts nothing
		if x.applied == x.now.Version && counted {
			continue
		}
		w.Counts.Reached["repaired"]++
		_, _ = w.run("admin: redrive "+id, func() error {
			_, err := w.db().UpdateOrder(w.ctx, id, func(o *ordering.Order) error { return o.Redrive(w.time()) })
			return err
		})
	}
}

// checkRest looks at what nobody disturbs any more.
func (w *World) checkRest() {
	for _, id := range w.watch.ids {
		x := w.watch.orders[id]
		switch {
		case x.applied != x.now.Version:
			w.violate(15, "order %s has version %d and is posted up to %d", id, x.now.Version, x.applied)
		case len(x.now.Awards) == 0:
			w.violate(15, "order %s is not decided", id)
		case x.facts != x.now.Version:
			w.violate(15, "order %s has version %d and a fact of %d", id, x.now.Version, x.facts)
		case captured(x.now) >= x.now.Total.Minor && x.tallied != x.facts:
			w.violate(15, "order %s has a fact of version %d and is counted up to %d", id, x.facts, x.tallied)
		}
		w.checkAtBank(x.now)
	}
	for _, id := range w.watch.payoutIDs {
		w.checkPaidOut(w.watch.payouts[id].now)
	}
}

// checkPaidOut compares a payout with what really became of its money.
func (w *World) checkPaidOut(p payout.Payout) {
	paid := w.atBank[p.ID] && (p.Export != nil || p.Outcome != nil) // or the bank has never heard of it
	if x := w.rail.transfers[p.ID]; x != nil {
		paid = x.state == provider.TransferPaid
	}
	switch s := p.Status(); {
	case s == payout.Unknown, s == payout.Sending:
		w.violate(15, "payout %s is still %s", p.ID, s)
	case paid != (s == payout.Paid):
		w.violate(5, "payout %s is %s, and it is %t that its money went out", p.ID, s, paid)
	}
	w.Counts.Reached["payout "+string(p.Status())]++
	for name, yes := range map[string]bool{"payout that repaid debt": p.Netted > 0, "payout of credit": p.Credit > 0, "payout with tax": p.Tax > 0, "payout sent again": p.Transfer != nil && len(p.Transfer.Sent) > 1,
		"payout approved again": len(p.Reopened) > 0, "payout by schedule": p.Cause == payout.Scheduled, "payout in a file": p.Export != nil} {
		if yes {
			w.Counts.Reached[name]++
		}
	}
}

// checkAtBank compares an order with what the provider has taken and given back.
func (w *World) checkAtBank(o ordering.Order) {
	if o.Payment != bankName || w.watch.contradictions[o.ID] {
		return
	}
	var taken, back, recorded int64
	for _, p := range w.bank.payments {
		if p.order == o.ID {
			taken, back = taken+p.amount.Minor, back+p.back
		}
	}
	for _, r := range o.Refunds {
		if r.Open() {
			w.violate(15, "refund %s of order %s is still open", r.ID, o.ID)
		}
		if r.Succeeded != nil {
			recorded += r.Amount.Minor
		}
	}
	w.checkSurplus(o)
	if taken != captured(o) || back != recorded {
		w.violate(14, "the bank took %d for order %s and gave %d back, on record are %d and %d", taken, o.ID, back, captured(o), recorded)
	}
}

// checkSurplus lets the shop keep no second payment, unless giving it back failed: then people have been told.
func (w *World) checkSurplus(o ordering.Order) {
	for _, c := range o.Captures[min(1, len(o.Captures)):] {
		back, failed := int64(0), false
		for _, r := range o.Refunds {
			if r.PaymentID == c.PaymentID && r.Failed == nil {
				back += r.Amount.Minor
			}
			failed = failed || r.PaymentID == c.PaymentID && r.Failed != nil
		}
		for _, d := range o.Disputes {
			if d.PaymentID == c.PaymentID && d.Lost != nil {
				back += d.Amount.Minor
			}
		}
		if back < c.Amount.Minor && !failed {
			w.violate(7, "order %s keeps %d of its second payment %s", o.ID, c.Amount.Minor-back, c.PaymentID)
		}
	}
}

// reach counts what orders went through, to show that chance came everywhere.
func (w *World) reach(o ordering.Order) {
	count := func(name string, yes bool) {
		if yes {
			w.Counts.Reached[name]++
		}
	}
	var debt, pending, available int64
	for _, s := range earned(o) {
		pending, available, debt = pending+s.accrued-s.reversed-s.released, available+s.released, debt+s.clawed
	}
	count("self-purchase", len(o.Awards) > 0 && o.Awards[0].Reason == "self_purchase")
	failed, adopted, surplus, again := false, false, false, false
	for _, r := range o.Refunds {
		failed, adopted = failed || r.Failed != nil, adopted || r.By == "provider"
		surplus, again = surplus || r.Surplus, again || r.Tries > 0
	}
	count("orders", true)
	count("many lines", len(o.Lines) > 50)
	count("status "+string(statusOf(o)), true)
	count("confirmed", o.Confirmation != nil)
	count("not confirmed", o.Expired != nil && !o.Terms.ConfirmUntil.IsZero() && o.Confirmation == nil)
	count("earned", pending+available > 0)
	count("clawed back", debt > 0)
	count("released", o.Released != nil)
	count("revived", o.Revived != nil)
	count("withdrawn", o.Withdrawn != nil)
	count("paid twice", len(o.Captures) > 1)
	count("paid after the end", len(o.Captures) > 0 && o.Cancelled != nil && o.Captures[0].V > o.Cancelled.V)
	count("refunded", len(o.Refunds) > 0)
	count("refund failed", failed)
	count("refund by the provider", adopted)
	count("refund of a surplus", surplus)
	count("refund sent again", again)
	lost, won := false, false
	for _, d := range o.Disputes {
		lost, won = lost || d.Lost != nil, won || d.Won != nil
	}
	count("dispute lost", lost)
	count("dispute won", won)
	count("returned", len(o.Returns) > 0)
	accepted, off := false, false
	for _, r := range o.Returns {
		accepted = accepted || r.Closed != nil && r.Closed.Refund != ""
	}
	for _, g := range o.Goods {
		off = off || g.To == ordering.WriteOff
	}
	count("return accepted", accepted)
	count("goods back", len(o.Goods) > 0)
	count("goods written off", off)
	count("held", len(o.Holds) > 0)
	count("decided again", len(o.Awards) > 1)
	count("decided again after the release", len(o.Awards) > 1 && o.Released != nil && o.Awards[len(o.Awards)-1].V > o.Released.V)
	count("news that contradict", w.watch.contradictions[o.ID])
}

// digest names the content of all tables.
func (w *World) digest() [32]byte {
	h := sha256.New()
	for t := range tableNames {
		for k, it := range w.maps.Items(store.Table(t)) {
			h.Write([]byte(tableNames[t] + k.PK + "\x00" + k.SK + "\x00"))
			digestItem(h, it)
		}
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}

func digestItem(h hash.Hash, it store.Item) {
	for _, attr := range slices.Sorted(maps.Keys(it)) {
		h.Write([]byte(attr + "\x00"))
		switch v := it[attr].(type) {
		case *types.AttributeValueMemberS:
			h.Write([]byte(unsealed(v.Value)))
		case *types.AttributeValueMemberN:
			h.Write([]byte(v.Value))
		case *types.AttributeValueMemberB:
			h.Write(v.Value)
		case *types.AttributeValueMemberBOOL:
			h.Write(strconv.AppendBool(nil, v.Value))
		case *types.AttributeValueMemberM:
			digestItem(h, v.Value)
		case *types.AttributeValueMemberL:
			for _, e := range v.Value {
				digestItem(h, store.Item{"": e})
			}
		}
		h.Write([]byte{0})
	}
}

// unsealed leaves out what is sealed, which is never the same twice.
func unsealed(text string) string {
	const begin = `"Sealed":"`
	before, rest, found := strings.Cut(text, begin)
	if !found {
		return text
	}
	_, after, _ := strings.Cut(rest, `"`)
	return before + begin + after
}
