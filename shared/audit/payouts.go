package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"yundian/shared/ledger"
	"yundian/shared/payout"
	"yundian/shared/store"
)

// payouts holds every payout against itself, and against the list of its KOC, through which the KOC's postings are found.
func (a *Auditor) payouts(ctx context.Context, at Place, r *Report) (Place, error) {
	page, next, err := a.Store.ListPayouts(ctx, store.PayoutFilter{}, at.After, slicePayouts)
	if err != nil {
		return at, err
	}
	unplaced, err := a.Store.Unplaced(ctx, page)
	if err != nil {
		return at, err
	}
	if err := a.filed(ctx, store.FiledPayout, idsOf(page), r); err != nil {
		return at, err
	}
	inFiles, err := a.exports(ctx, page)
	if err != nil {
		return at, err
	}
	r.differ(inFiles...)
	for _, p := range page {
		r.Checked++
		if p.Withdrawn != p.Netted+p.Gross || p.Gross != p.Tax+p.Fee+p.Net || min(p.Credit, p.Netted, p.Tax, p.Fee) < 0 || p.Net <= 0 {
			r.differ(Difference{Payout, p.ID, "withdrawn = netted + tax + fee + net, with something left", fmt.Sprintf("withdrawn %d, netted %d, gross %d, tax %d, fee %d, net %d",
				p.Withdrawn, p.Netted, p.Gross, p.Tax, p.Fee, p.Net)})
		}
		if slices.Contains(unplaced, p.ID) {
			r.differ(Difference{Payout, p.ID, "a place in the list of " + p.KOC, nothing})
		}
	}
	return at.then(next), nil
}

func idsOf(payouts []payout.Payout) []string {
	ids := make([]string, len(payouts))
	for i, p := range payouts {
		ids[i] = p.ID
	}
	return ids
}

// moves are the postings that follow from where a payout stands, and what their entries say.
func moves(p payout.Payout) (postings int, entries []string, err error) {
	open := p.Clone()
	open.Outcome, open.Rejected = nil, nil
	for _, step := range [][2]payout.Payout{{{}, open}, {open, p}} {
		m, moved, err := payout.Moves(step[0], step[1], p.At)
		if err != nil {
			return 0, nil, err
		}
		if moved {
			postings++
			entries = append(entries, entryTexts(m.Posting)...)
		}
	}
	return postings, entries, nil
}

func entryTexts(p ledger.Posting) []string {
	var out []string
	for _, e := range p.Entries {
		text := fmt.Sprintf("%s %d %s", e.Kind, e.Minor, e.Reason)
		for _, l := range e.Legs {
			text += fmt.Sprintf(" %s %d", l.Account, l.Minor)
		}
		out = append(out, text)
	}
	return out
}

// payouts holds the KOC's payouts against their postings, against what is in payout, and against the tax sums.
func (w *walk) payouts(total fold) []Difference {
	var found []Difference
	inPayout := map[string]int64{}
	taxes := map[store.TaxPeriod]payout.TaxSum{}
	known := map[string]bool{}
	for _, p := range w.paid {
		if p.KOC != w.at.KOC {
			found = append(found, Difference{Payout, p.ID, "a place in the list of " + p.KOC, "one in the list of " + w.at.KOC})
			continue
		}
		known[p.ID] = true
		postings, entries, err := moves(p)
		if err != nil {
			found = append(found, Difference{Payout, p.ID, "a payout that can be posted", err.Error()})
			continue
		}
		have := total.sources[p.ID]
		if want, have := sourceText(postings, entries), sourceText(have.postings, have.entries); want != have {
			found = append(found, Difference{Payout, p.ID, want, have})
		}
		if !p.Final() {
			inPayout[string(p.Currency)] += p.Gross
		}
		if p.TaxPeriod != "" {
			k := store.TaxPeriod{Currency: p.Currency, Period: p.TaxPeriod}
			if s := p.Status(); s == payout.Failed || s == payout.Rejected { // its sum has gone up and down again
				taxes[k] = payout.TaxSum{V: taxes[k].V + 2, Gross: taxes[k].Gross, Tax: taxes[k].Tax}
			} else {
				taxes[k] = payout.TaxSum{V: taxes[k].V + 1, Gross: taxes[k].Gross + p.Gross, Tax: taxes[k].Tax + p.Tax}
			}
		}
	}
	for _, id := range w.stored.Payouts {
		if !known[id] {
			found = append(found, Difference{Payout, id, "a payout for its place in the list of " + w.at.KOC, nothing})
		}
	}
	for _, id := range keysOf(total.sources, nil) {
		if s := total.sources[id]; s.payout && !known[id] {
			found = append(found, Difference{Payout, id, nothing, sourceText(s.postings, s.entries)})
		}
	}
	for _, b := range w.stored.Books {
		if want := inPayout[string(b.Currency)]; want != b.InPayout {
			found = append(found, Difference{Payout, w.at.KOC, fmt.Sprintf("%s %d in payout", b.Currency, want), fmt.Sprintf("%s %d in payout", b.Currency, b.InPayout)})
		}
	}
	for _, k := range keysOf(taxes, w.stored.Taxes) {
		want, have := taxes[k], w.stored.Taxes[k]
		if want != have {
			found = append(found, Difference{Tax, w.at.KOC, fmt.Sprintf("%s %s: tax %d of %d after %d changes", k.Currency, k.Period, want.Tax, want.Gross, want.V),
				fmt.Sprintf("%s %s: tax %d of %d after %d changes", k.Currency, k.Period, have.Tax, have.Gross, have.V)})
		}
	}
	return found
}

func sourceText(postings int, entries []string) string {
	sorted := slices.Sorted(slices.Values(entries))
	if postings == 0 {
		return nothing
	}
	return fmt.Sprintf("%d postings: %s", postings, strings.Join(sorted, "; "))
}
