package audit

import (
	"context"
	"fmt"

	"yundian/shared/ledger"
	"yundian/shared/store"
)

// adjustments holds every approved adjustment against its one posting. That no other posting names it is checked KOC by
// KOC.
func (a *Auditor) adjustments(ctx context.Context, at Place, r *Report) (Place, error) {
	page, next, err := a.Store.ListAdjustments(ctx, store.AdjustmentFilter{}, at.After, sliceAdjustments)
	if err != nil {
		return at, err
	}
	ids := make([]string, len(page))
	for i, x := range page {
		ids[i] = x.ID
	}
	if err := a.filed(ctx, store.FiledAdjustment, ids, r); err != nil {
		return at, err
	}
	for _, x := range page {
		r.Checked++
		if x.State() != ledger.Approved {
			continue
		}
		if err := a.lookAtAdjustment(ctx, x, r); err != nil {
			return at, err
		}
	}
	return at.then(next), nil
}

func (a *Auditor) lookAtAdjustment(ctx context.Context, x ledger.Adjustment, r *Report) error {
	want := adjustmentTexts(x)
	for look := 1; ; look++ {
		have := nothing
		p, found, err := a.postingOf(ctx, x)
		if err != nil {
			return err
		}
		if found {
			have = sourceText(1, entryTexts(p))
		}
		if have == want {
			return nil
		}
		if look == looks {
			r.differ(Difference{Adjustment, x.ID, want, have})
			return nil
		}
		if err := a.Wait(ctx, look); err != nil {
			return err
		}
	}
}

// adjustmentTexts is what an approved adjustment posts.
func adjustmentTexts(x ledger.Adjustment) string {
	text := fmt.Sprintf("%s %d %s", ledger.Adjusted, x.Amount.Minor, x.Reason)
	for _, l := range []ledger.Leg{{Account: ledger.Available, Minor: x.Approved.Available}, {Account: ledger.Debt, Minor: x.Approved.Debt},
		{Account: ledger.Adjustments, Minor: -x.Amount.Minor}} {
		if l.Minor != 0 {
			text += fmt.Sprintf(" %s %d", l.Account, l.Minor)
		}
	}
	return sourceText(1, []string{text})
}

// postingOf finds the posting of an approved adjustment: at the time of the approval, or at the end of a closed month if that
// is later.
func (a *Auditor) postingOf(ctx context.Context, x ledger.Adjustment) (ledger.Posting, bool, error) {
	moments := []store.Moment{{KOC: x.KOC, Source: x.ID, V: x.Version, At: x.Approved.At}}
	for after, more := "", true; more; more = after != "" {
		page, next, err := a.Store.Statements(ctx, x.KOC, after, postingPage)
		if err != nil {
			return ledger.Posting{}, false, err
		}
		for _, st := range page {
			if st.To.After(x.Approved.At) {
				moments = append(moments, store.Moment{KOC: x.KOC, Source: x.ID, V: x.Version, At: st.To})
			}
		}
		after = next
	}
	found, err := a.Store.PostingsAt(ctx, moments)
	if err != nil || len(found) == 0 {
		return ledger.Posting{}, false, err
	}
	return found[0], true, nil
}

// adjustments holds the postings that name adjustments against them.
func (w *walk) adjustments(total fold) []Difference {
	want := map[string]string{}
	for _, x := range w.by {
		if x.State() == ledger.Approved && x.KOC == w.at.KOC {
			want[x.ID] = adjustmentTexts(x)
		}
	}
	var found []Difference
	for _, id := range keysOf(total.sources, nil) {
		if s := total.sources[id]; !s.payout {
			if have := sourceText(s.postings, s.entries); have != orNothing(want[id]) {
				found = append(found, Difference{Adjustment, id, orNothing(want[id]), have})
			}
		}
	}
	return found
}
