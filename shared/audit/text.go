package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"yundian/shared/commission"
	"yundian/shared/ledger"
)

// Figures that have to agree are compared as the texts that the report shows: what a reader cannot tell apart is equal.

// nothing stands for what is missing or zero.
const nothing = "nothing"

func list(parts []string) string {
	if len(parts) == 0 {
		return nothing
	}
	return strings.Join(parts, "; ")
}

func positionsText(positions []commission.Position) string {
	var parts []string
	for _, p := range slices.SortedFunc(slices.Values(positions), func(a, b commission.Position) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.KOC, b.KOC), strings.Compare(fmt.Sprint(a.Inviter), fmt.Sprint(b.Inviter)))
	}) {
		as := ""
		if p.Inviter {
			as = " as inviter"
		}
		parts = append(parts, fmt.Sprintf("%s line %d%s: accrued %d, reversed %d, released %d, clawed back %d", p.KOC, p.Line, as, p.Accrued, p.Reversed, p.Released, p.Clawed))
	}
	return list(parts)
}

func partsText(months []commission.MonthPart) string {
	var parts []string
	for _, p := range months {
		if p.Sums != (commission.MonthSums{}) {
			parts = append(parts, monthText(p.Key)+": "+sumsText(p.Sums))
		}
	}
	slices.Sort(parts)
	return list(parts)
}

func monthText(k commission.MonthKey) string {
	return fmt.Sprintf("%s %s %s rule %s", k.KOC, k.Month, k.Currency, k.Rule)
}

func sumsText(s commission.MonthSums) string {
	return fmt.Sprintf("pending %d, released %d, clawed back %d, sales %d, sales released %d, sales returned %d",
		s.Pending, s.Released, s.Clawed, s.Sales, s.SalesReleased, s.SalesReturned)
}

func adjustmentText(a commission.Adjustment) string {
	return fmt.Sprintf("pending %d, available %d, debt %d", a.Pending, a.Available, a.Debt)
}

func dayText(day string) string { return cmp.Or(day, "on no day yet") }

func factText(f ledger.Fact) string {
	text := fmt.Sprintf("%s, %s by %q through %q, counted %t", f.Day, f.Currency, f.KOC, f.Code, f.Counted)
	for _, l := range f.Lines {
		text += fmt.Sprintf("; %s: sales %d, commission %d", l.Product, l.Sales, l.Commission)
	}
	return text
}

// accountsText are the accounts that hold something.
func accountsText(b ledger.Balances) string {
	var parts []string
	for _, a := range []struct {
		name  string
		minor int64
	}{{"pending", b.Pending}, {"available", b.Available}, {"debt", b.Debt}, {"in payout", b.InPayout}, {"paid", b.Paid}, {"tax withheld", b.TaxWithheld}, {"fees", b.Fees}} {
		if a.minor != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", a.name, a.minor))
		}
	}
	if len(parts) == 0 {
		return nothing
	}
	return strings.Join(parts, ", ")
}

// keysOf are the keys of two maps in a fixed order.
func keysOf[K comparable, V any](a, b map[K]V) []K {
	texts := make(map[K]string, len(a))
	for _, m := range []map[K]V{a, b} {
		for k := range m {
			texts[k] = fmt.Sprint(k)
		}
	}
	return slices.SortedFunc(maps.Keys(texts), func(x, y K) int { return strings.Compare(texts[x], texts[y]) })
}
