package payout

import (
	"fmt"
	"time"

	"yundian/shared/ledger"
)

// Reasons of entries, as codes.
const (
	ReasonReserved = "reserved"    // left available for a payout
	ReasonDebt     = "debt_repaid" // left available to repay debt
	ReasonCredit   = "credit"      // the brand owed it, because more had been taken back than was right
	ReasonPaid     = "paid"
	ReasonReturned = "returned" // rejected or failed: available again
)

// Move is what a change of a payout does to the ledger.
type Move struct {
	Posting ledger.Posting
	Tax     TaxSum // what its period's sum loses, with V 1; zero when it loses nothing
}

// money states of a payout: nothing, reserved, paid, returned.
type state int

const (
	none state = iota
	reserved
	paid
	returned
)

func (p Payout) state() state {
	switch p.Status() {
	case Paid:
		return paid
	case Failed, Rejected:
		return returned
	default:
		if p.ID == "" {
			return none
		}
		return reserved
	}
}

// Moves is what follows in the ledger from a payout having changed; false when nothing does. It is the only source of
// postings of payouts, so no path can forget one or post it twice. after.Version is the one being written.
func Moves(before, after Payout, now time.Time) (Move, bool, error) {
	m := Move{Posting: ledger.Posting{ID: fmt.Sprintf("payout:%s:%d", after.ID, after.Version), KOC: after.KOC, Payout: after.ID,
		V: after.Version, At: now, Currency: after.Currency}}
	add := func(kind ledger.Kind, shown int64, reason string, from, to ledger.Account, minor int64) {
		if minor != 0 {
			m.Posting.Entries = append(m.Posting.Entries, ledger.Entry{Kind: kind, Minor: shown, Reason: reason,
				Legs: []ledger.Leg{{Account: to, Minor: minor}, {Account: from, Minor: -minor}}})
		}
	}
	switch from, to := before.state(), after.state(); {
	case from == to:
		return Move{}, false, nil
	case from == none && to == reserved:
		add(ledger.Release, after.Credit, ReasonCredit, ledger.Debt, ledger.Available, after.Credit)
		add(ledger.PayoutKind, -after.Netted, ReasonDebt, ledger.Available, ledger.Debt, after.Netted)
		add(ledger.PayoutKind, -after.Gross, ReasonReserved, ledger.Available, ledger.InPayout, after.Gross)
	case from == reserved && to == paid:
		add(ledger.PayoutKind, after.Net, ReasonPaid, ledger.InPayout, ledger.Paid, after.Net)
		add(ledger.Tax, -after.Tax, "", ledger.InPayout, ledger.TaxWithheld, after.Tax)
		add(ledger.Fee, -after.Fee, "", ledger.InPayout, ledger.Fees, after.Fee)
	case from == reserved && to == returned:
		add(ledger.PayoutKind, after.Gross, ReasonReturned, ledger.InPayout, ledger.Available, after.Gross)
		if after.TaxPeriod != "" {
			m.Tax = TaxSum{V: 1, Gross: after.Gross, Tax: after.Tax}
		}
	default:
		return Move{}, false, fmt.Errorf("payout %s: money cannot go from %s to %s", after.ID, before.Status(), after.Status())
	}
	return m, true, m.Posting.Check()
}
