package main

import (
	"strings"

	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/locale"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/payout"
)

// States of an entry's money.
const (
	statePending   = "pending"
	stateAvailable = "available"
	stateReversed  = "reversed" // taken back before it was available
	stateDebt      = "debt"
	stateInPayout  = "in_payout"
	statePaid      = "paid"
)

// state is where an entry's money is now. Commission of a line moves on with its order, and a payout's money with the
// payout; everything else is where it was posted.
func (r row) state(o ordering.Order, p payout.Payout) (string, error) {
	switch r.Kind {
	case ledger.Accrual:
		return r.accrued(o)
	case ledger.Refunded:
		return stateReversed, nil
	case ledger.Clawback:
		return stateDebt, nil
	case ledger.PayoutKind, ledger.Tax, ledger.Fee:
		return r.transferred(p), nil
	default:
		return r.posted(), nil
	}
}

func (r row) accrued(o ordering.Order) (string, error) {
	if r.Minor < 0 {
		return stateReversed, nil
	}
	lines, err := commission.Explain(o, r.posting.KOC)
	if err != nil || r.Line >= len(lines) {
		return "", err
	}
	switch e := lines[r.Line]; {
	case e.Pending() > 0:
		return statePending, nil
	case e.Released > 0:
		return stateAvailable, nil
	default:
		return stateReversed, nil
	}
}

func (r row) transferred(p payout.Payout) string {
	switch {
	case r.Reason == payout.ReasonDebt:
		return stateDebt // repaid
	case p.Status() == payout.Paid:
		return statePaid
	case p.Final():
		return stateAvailable // given back
	default:
		return stateInPayout
	}
}

func (r row) posted() string {
	of := map[ledger.Account]string{ledger.Pending: statePending, ledger.Available: stateAvailable, ledger.Debt: stateDebt}
	for _, account := range []ledger.Account{ledger.Available, ledger.Pending, ledger.Debt} {
		for _, l := range r.Legs {
			if l.Account == account {
				return of[account]
			}
		}
	}
	return ""
}

// monthReason begins the reason of what a rule about a month has posted.
const monthReason = "month:"

// text says in words why an entry was made.
func (r row) text(l *locale.Locale, o ordering.Order) string {
	amount := money.Of(max(r.Minor, -r.Minor), r.posting.Currency)
	month, ofMonth := strings.CutPrefix(r.Reason, monthReason)
	back := ""
	if r.Minor < 0 != (r.Kind == ledger.Refunded || r.Kind == ledger.Clawback) {
		back = "_back"
	}
	switch r.Kind {
	case ledger.Accrual:
		return r.earnedText(l, o, amount)
	case ledger.Refunded:
		return l.T("portal.entry_refund"+back, "amount", amount)
	case ledger.Clawback:
		return l.T("portal.entry_clawback"+back, "amount", amount)
	case ledger.Bonus:
		return l.T("portal.entry_bonus"+back, "amount", amount, "month", month)
	case ledger.Release:
		switch {
		case ofMonth:
			return l.T("portal.entry_release_month", "amount", amount, "month", month)
		case r.Reason == payout.ReasonCredit:
			return l.T("portal.entry_credit", "amount", amount)
		}
		return l.T("portal.entry_release", "amount", amount)
	case ledger.Adjusted:
		if ofMonth {
			if back == "" {
				return l.T("portal.entry_cap_less", "amount", amount, "month", month)
			}
			return l.T("portal.entry_cap", "amount", amount, "month", month)
		}
		return l.T("portal.entry_adjustment", "reason", r.Reason)
	case ledger.PayoutKind:
		return l.T("portal.entry_payout_"+r.Reason, "amount", amount)
	default:
		return l.T("portal.entry_"+string(r.Kind), "amount", amount)
	}
}

// earnedText is the sum behind a commission, as far as it is one.
func (r row) earnedText(l *locale.Locale, o ordering.Order, amount money.Amount) string {
	base := money.Of(r.Base, r.posting.Currency)
	byRate, err := base.Times(r.Rate.Ratio())
	switch {
	case r.Minor < 0:
		return l.T("portal.entry_accrual_back", "amount", amount)
	case r.Rule == commission.RuleInviter:
		return l.T("portal.entry_inviter", "rate", percent(r.Rate), "amount", amount)
	case r.PerUnit > 0 && r.Line < len(o.Lines):
		return l.T("portal.entry_per_unit", "unit", money.Of(r.PerUnit, r.posting.Currency), "pieces", o.Lines[r.Line].Quantity, "amount", amount)
	case r.PerUnit == 0 && err == nil && byRate == amount:
		return l.T("portal.entry_accrual", "base", base, "rate", percent(r.Rate), "amount", amount)
	default:
		return l.T("portal.entry_accrual_less", "base", base, "rate", percent(r.Rate), "amount", amount)
	}
}
