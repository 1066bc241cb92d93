package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"yundian/shared/fail"
	"yundian/shared/payout"
	"yundian/shared/store"
)

// filed holds what stands beside items for indexes, lists and guards against what follows from the items. An item is read
// whole, so no race is in it.
func (a *Auditor) filed(ctx context.Context, n store.Noun, ids []string, r *Report) error {
	wrong, err := a.Store.Misfiled(ctx, n, ids)
	for _, x := range wrong {
		r.differ(Difference{Filed, x.ID, x.Expected, x.Found})
	}
	return err
}

// files holds the bank files against their payouts, and the one that is being filled against the record that names it.
func (a *Auditor) files(ctx context.Context, at Place, r *Report) (Place, error) {
	page, next, err := a.Store.ListBankFiles(ctx, at.After, sliceFiles)
	if err != nil {
		return at, err
	}
	ids := make([]string, len(page))
	for i, f := range page {
		ids[i] = f.ID
	}
	if err := a.filed(ctx, store.FiledBankFile, ids, r); err != nil {
		return at, err
	}
	for _, id := range ids {
		r.Checked++
		if err := a.lookAtFile(ctx, id, r); err != nil {
			return at, err
		}
	}
	return at.then(next), nil
}

func (a *Auditor) lookAtFile(ctx context.Context, id string, r *Report) error {
	for look := 1; ; look++ {
		f, err := a.Store.BankFile(ctx, id)
		if err != nil {
			return err
		}
		found, err := a.fileDiffers(ctx, f)
		switch {
		case err != nil:
			return err
		case len(found) == 0:
			return nil
		case look == looks:
			r.differ(found...)
			return nil
		}
		if err := a.Wait(ctx, look); err != nil {
			return err
		}
	}
}

func (a *Auditor) fileDiffers(ctx context.Context, f payout.File) (found []Difference, err error) {
	payouts, err := a.Store.Payouts(ctx, f.Payouts)
	if err != nil {
		return nil, err
	}
	if len(payouts) != len(f.Payouts) {
		found = append(found, Difference{BankFile, f.ID, fmt.Sprintf("%d payouts that exist", len(f.Payouts)), fmt.Sprint(len(payouts))})
	}
	for _, p := range payouts {
		if p.Currency != f.Currency {
			found = append(found, Difference{BankFile, f.ID, "payouts in " + string(f.Currency), p.ID + " in " + string(p.Currency)})
		}
	}
	open, filling, err := a.Store.OpenFile(ctx, f.Currency)
	switch {
	case fail.KindOf(err) == fail.NotFound:
		found = append(found, Difference{BankFile, string(f.Currency), "a file that is being filled", "one that does not exist"})
	case err != nil:
		return nil, err
	case filling && open.Closed:
		found = append(found, Difference{BankFile, string(f.Currency), "a file that is being filled", open.ID + ", which is closed"})
	case !f.Closed && open.ID != f.ID:
		found = append(found, Difference{BankFile, f.ID, "a closed file, or the one that is being filled", "an open one that nobody fills"})
	}
	return found, nil
}

// exports holds the files that payouts say they stand in against the files.
func (a *Auditor) exports(ctx context.Context, payouts []payout.Payout) (found []Difference, err error) {
	named := map[string]bool{}
	for _, p := range payouts {
		if p.Export != nil {
			named[p.Export.File] = true
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	files, err := a.Store.BankFiles(ctx, slices.Sorted(maps.Keys(named)))
	if err != nil {
		return nil, err
	}
	for _, p := range payouts {
		if p.Export == nil {
			continue
		}
		if f, ok := files[p.Export.File]; !ok || !slices.Contains(f.Payouts, p.ID) {
			found = append(found, Difference{BankFile, p.Export.File, "a file with " + p.ID, map[bool]string{true: "one without it", false: nothing}[ok]})
		}
	}
	return found, nil
}
