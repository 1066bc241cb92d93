package world

import (
	"github.com/go-json-experiment/json"

	"yundian/shared/ledger"
	"yundian/shared/payout"
	"yundian/shared/statement"
	"yundian/shared/store"
)

// paidOut is a payout as it was made and as it is.
type paidOut struct{ first, now payout.Payout }

// taxOf names a KOC's tax period.
type taxOf struct{ koc, period string }

type taxSum struct{ gross, tax int64 }

// document reads what an item says in one attribute.
func (x *watch) document(it store.Item, attr string, into any) {
	if err := json.Unmarshal([]byte(text(it[attr])), into); err != nil {
		x.w.violate(0, "%s %s cannot be read: %v", text(it["pk"]), text(it["sk"]), err)
	}
}

// steps are how a payout can go on in one write.
var steps = map[payout.Status][]payout.Status{
	payout.Reserved: {payout.Approved, payout.Waiting, payout.Rejected},
	payout.Waiting:  {payout.Reserved, payout.Approved, payout.Rejected},
	payout.Approved: {payout.Reserved, payout.Waiting, payout.Rejected, payout.Sending, payout.Paid, payout.Failed},
	payout.Sending:  {payout.Unknown, payout.Paid, payout.Failed},
	payout.Unknown:  {payout.Sending, payout.Paid, payout.Failed},
}

func (x *watch) changePayout(c store.Change) {
	var p payout.Payout
	x.document(c.New, "payout", &p)
	p.Version = number(c.New["v"])
	seen := x.payouts[p.ID]
	if seen == nil {
		x.payoutIDs = append(x.payoutIDs, p.ID)
		x.payouts[p.ID] = &paidOut{p, p}
		x.checkReserved(p)
		x.taxes[taxOf{p.KOC, p.TaxPeriod}] = x.taxes[taxOf{p.KOC, p.TaxPeriod}].plus(taxed(p))
		return
	}
	before := seen.now
	from, to := before.Status(), p.Status()
	known := from == to
	for _, s := range steps[from] {
		known = known || s == to
	}
	switch {
	case p.Version != before.Version+1:
		x.w.violate(5, "payout %s went from version %d to %d", p.ID, before.Version, p.Version)
	case !known:
		x.w.violate(5, "payout %s went from %s to %s", p.ID, from, to)
	case !kept(before.Rejected, p.Rejected), !kept(before.Outcome, p.Outcome), !kept(before.Export, p.Export):
		x.w.violate(5, "payout %s has lost what became of it", p.ID)
	case before.Transfer != nil && (p.Transfer == nil || len(p.Transfer.Sent) < len(before.Transfer.Sent) || p.Transfer.Asked < before.Transfer.Asked):
		x.w.violate(5, "payout %s has lost what was sent", p.ID)
	case before.Transfer != nil && len(p.Transfer.Sent) > len(before.Transfer.Sent) && !before.Transfer.Missing:
		x.w.violate(5, "payout %s is sent again although its rail has not said that it never came", p.ID)
	case fixed(p) != fixed(seen.first):
		x.w.violate(5, "payout %s is no longer what was reserved", p.ID)
	}
	for _, a := range p.Approvals {
		if a.By == p.By {
			x.w.violate(5, "payout %s was approved by its maker", p.ID)
		}
	}
	if returned(p) && !returned(before) {
		t := taxed(p)
		x.taxes[taxOf{p.KOC, p.TaxPeriod}] = x.taxes[taxOf{p.KOC, p.TaxPeriod}].plus(taxSum{-t.gross, -t.tax})
	}
	seen.now = p
}

// fixed is what never changes of a payout.
func fixed(p payout.Payout) [7]int64 {
	return [7]int64{p.Withdrawn, p.Credit, p.Netted, p.Gross, p.Tax, p.Fee, p.Net}
}

func returned(p payout.Payout) bool {
	return p.Rejected != nil || p.Outcome != nil && !p.Outcome.Paid
}

func taxed(p payout.Payout) taxSum {
	if p.TaxPeriod == "" {
		return taxSum{}
	}
	return taxSum{p.Gross, p.Tax}
}

func (s taxSum) plus(o taxSum) taxSum { return taxSum{s.gross + o.gross, s.tax + o.tax} }

// checkReserved holds a new payout against the balance that it was made from, which stands as it was before this write.
func (x *watch) checkReserved(p payout.Payout) {
	b := x.purse(p.KOC).stored
	credit := max(0, b[ledger.Debt])
	switch {
	case p.Withdrawn != p.Netted+p.Gross, p.Gross != p.Tax+p.Fee+p.Net, p.Net <= 0, min(p.Credit, p.Netted, p.Tax, p.Fee) < 0:
		x.w.violate(5, "payout %s does not add up: %v", p.ID, fixed(p))
	case p.Withdrawn-p.Credit > b[ledger.Available], p.Credit > credit:
		x.w.violate(5, "payout %s withdraws %d, %d of it credit, of %d available and %d owed", p.ID, p.Withdrawn, p.Credit, b[ledger.Available], credit)
	case p.Netted > max(0, -b[ledger.Debt]):
		x.w.violate(5, "payout %s repays %d of a debt of %d", p.ID, p.Netted, -b[ledger.Debt])
	}
	ctx, s := x.w.peek()
	terms, err := s.PayoutTermsVersion(ctx, p.Terms)
	x.w.must(err)
	c := terms.Of(p.Currency)
	if most := share(p.Withdrawn, int64(c.DebtCap), 10_000); p.Netted != min(max(0, -b[ledger.Debt]), most) {
		x.w.violate(5, "payout %s repays %d of a debt of %d, and may repay %d", p.ID, p.Netted, -b[ledger.Debt], most)
	}
	if fee := min(p.Gross, share(p.Gross, int64(c.Fee.Rate), 10_000)+c.Fee.Fixed); p.Fee != fee || p.Withdrawn < c.Minimum {
		x.w.violate(5, "payout %s of %d has a fee of %d, and should have %d, from %d on", p.ID, p.Gross, p.Fee, fee, c.Minimum)
	}
	if tax := x.due(p, c); p.Tax != tax {
		x.w.violate(5, "payout %s withholds %d, and should withhold %d", p.ID, p.Tax, tax)
	}
}

// due is the tax on a payout: that on everything in its period, less what is withheld already.
func (x *watch) due(p payout.Payout, c payout.CurrencyTerms) int64 {
	var table *payout.TaxTable
	for i := range c.Tax {
		if c.Tax[i].From <= p.Day {
			table = &c.Tax[i]
		}
	}
	if table == nil {
		return 0
	}
	sum := x.taxes[taxOf{p.KOC, p.TaxPeriod}]
	var most int64
	for _, b := range table.Brackets {
		if all := sum.gross + p.Gross; b.Over == 0 || all > b.Over {
			most = max(0, share(all, int64(b.Rate), 10_000)-b.Deduction)
		}
	}
	return min(max(0, most-sum.tax), p.Gross)
}

func (x *watch) changeAdjustment(c store.Change) {
	var a ledger.Adjustment
	x.document(c.New, "adjustment", &a)
	before, known := x.adjusted[a.ID]
	switch {
	case !known:
		x.adjustIDs = append(x.adjustIDs, a.ID)
	case before.Approved != nil || before.Rejected != nil:
		x.w.violate(1, "adjustment %s was decided twice", a.ID)
	}
	if y := a.Approved; y != nil {
		available := x.purse(a.KOC).stored[ledger.Available]
		switch {
		case y.By == a.By:
			x.w.violate(1, "adjustment %s was approved by its maker", a.ID)
		case y.Available+y.Debt != a.Amount.Minor, y.Debt > 0, y.Available < 0 && -y.Available > available, y.Debt < 0 && -y.Available != available:
			x.w.violate(4, "adjustment %s of %d moved %d available and %d debt, of %d available", a.ID, a.Amount.Minor, y.Available, y.Debt, available)
		}
	}
	x.adjusted[a.ID] = a
}

// others adds what moves balances beside commission: payouts and adjustments.
func (x *watch) others(add func(koc string, a ledger.Account, minor int64)) {
	for _, id := range x.payoutIDs {
		p := x.payouts[id].now
		add(p.KOC, ledger.Available, p.Credit-p.Netted-p.Gross)
		add(p.KOC, ledger.Debt, p.Netted-p.Credit)
		switch {
		case p.Outcome != nil && p.Outcome.Paid:
			add(p.KOC, ledger.Paid, p.Net)
			add(p.KOC, ledger.TaxWithheld, p.Tax)
			add(p.KOC, ledger.Fees, p.Fee)
		case returned(p):
			add(p.KOC, ledger.Available, p.Gross)
		default:
			add(p.KOC, ledger.InPayout, p.Gross)
		}
	}
	for _, id := range x.adjustIDs {
		if a := x.adjusted[id]; a.Approved != nil {
			add(a.KOC, ledger.Available, a.Approved.Available)
			add(a.KOC, ledger.Debt, a.Approved.Debt)
		}
	}
}

// checkTaxes compares the sums of tax periods with the payouts in them.
func (f *folded) checkTaxes() {
	want := map[string]taxSum{}
	for _, id := range f.w.watch.payoutIDs {
		if p := f.w.watch.payouts[id].now; !returned(p) && p.TaxPeriod != "" {
			want[p.KOC+" "+p.TaxPeriod] = want[p.KOC+" "+p.TaxPeriod].plus(taxed(p))
		}
	}
	got := map[string]taxSum{}
	for k, s := range f.taxes {
		got[k.koc+" "+k.period] = s
	}
	compare(f.w, 5, "what is paid and withheld", got, want, taxSum{})
}

func (x *watch) closeStatement(c store.Change) {
	var s ledger.Statement
	x.document(c.New, "statement", &s)
	earlier := x.ledgers[s.KOC]
	var prev ledger.Statement
	if n := len(earlier); n > 0 {
		prev = earlier[n-1]
	}
	opening := prev.Closing
	opening.Currency = s.Currency
	switch {
	case s.PrevHash != prev.Hash || s.Opening != opening || prev.Hash != "" && !s.From.Equal(prev.To):
		x.w.violate(1, "statement %s of %s does not follow the one before", s.Period, s.KOC)
	case s.To.UnixMilli() > x.purse(s.KOC).closed:
		x.w.violate(1, "statement %s of %s ends at %s, after what is closed", s.Period, s.KOC, s.To)
	}
	x.ledgers[s.KOC] = append(earlier, s)
}

// checkStatements adds every closed statement up once more from the postings of its time.
func (x *watch) checkStatements() {
	for _, handle := range x.w.shop.kocs {
		for _, s := range x.ledgers[handle] {
			sum := map[ledger.Account]int64{}
			for _, p := range x.purse(handle).postings {
				if !p.At.Before(s.To) {
					continue
				}
				for _, l := range p.Legs() {
					sum[l.Account] += l.Minor
				}
			}
			b := s.Closing
			for a, got := range map[ledger.Account]int64{ledger.Pending: b.Pending, ledger.Available: b.Available, ledger.Debt: b.Debt, ledger.InPayout: b.InPayout,
				ledger.Paid: b.Paid, ledger.TaxWithheld: b.TaxWithheld, ledger.Fees: b.Fees} {
				if got != sum[a] {
					x.w.violate(1, "statement %s of %s closes with %s of %d, its postings add up to %d", s.Period, handle, a, got, sum[a])
				}
			}
		}
	}
}

// closesStatements closes the months of a KOC that are over.
func (w *World) closesStatements() { w.closes(w.aKOC()) }

func (w *World) closes(handle string) {
	_, _ = w.run("statement: close "+handle, func() error {
		_, err := statement.Closer{Store: w.db(), Zone: w.shop.zone}.Close(w.ctx, handle, w.time())
		return err
	})
}
