package cashier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/payout/bankfile"
	"yundian/shared/store"
)

// MaxBankAnswer bounds a bank's file of outcomes, in bytes.
const MaxBankAnswer = bankfile.MaxBytes

// MakeFile collects approved bank payouts of a currency into a file, at most payout.MaxFile, and closes it. A file that a
// crash has left open is completed first, and is the answer then: its payouts are marked already. extra are the writes
// that belong to the answer: they go into the transaction that closes the file, or are made by themselves when somebody else
// has closed it, because a wish that was answered has to be answered with the same file again. When no payout can go, that
// is a Conflict.
func (m Paymaster) MakeFile(ctx context.Context, f payout.File, extra func(payout.File) ([]store.Write, error)) (payout.File, error) {
	open, err := m.fileToFill(ctx, f)
	if err != nil {
		return f, err
	}
	more, err := extra(open)
	if err != nil {
		return f, err
	}
	err = errClosed
	if !open.Closed {
		if err = m.fill(ctx, open, f.At); err == nil {
			err = m.Store.CloseFile(ctx, open, more...)
		}
	}
	if errors.Is(err, errClosed) || fail.Is(err, "changed_meanwhile") {
		err = m.Store.SaveReplies(ctx, more)
	}
	if err != nil {
		return f, err
	}
	return m.Store.BankFile(ctx, open.ID)
}

// errClosed says that there is nothing left to close of a file.
var errClosed = errors.New("cashier: the bank file was closed before")

// fileToFill is the file that a wish for one is answered with: its own, if the same wish has begun one before, although
// another one may be open by now; or the open one of its currency; or a new one.
func (m Paymaster) fileToFill(ctx context.Context, f payout.File) (payout.File, error) {
	own, err := m.Store.BankFile(ctx, f.ID)
	if err == nil && own.Closed || err != nil && fail.KindOf(err) != fail.NotFound {
		return own, err
	}
	for try := 1; ; try++ {
		open, filling, err := m.Store.OpenFile(ctx, f.Currency)
		if err != nil || filling {
			return open, err
		}
		begun, err := m.beginFile(ctx, f)
		if !fail.Is(err, "changed_meanwhile") || try == fileTries {
			return begun, err
		}
	}
}

// fileTries bounds how often a file is looked for that somebody else has begun at the same moment: each time another one
// was begun and closed meanwhile, which takes people longer than a request.
const fileTries = 3

func (m Paymaster) beginFile(ctx context.Context, f payout.File) (payout.File, error) {
	waiting, err := m.Store.BankPayouts(ctx, f.Currency, f.At, payout.MaxFile)
	if err != nil {
		return f, err
	}
	ready := make([]bool, len(waiting))
	failed := m.sideBySide(len(waiting), func(i int) error {
		var err error
		ready[i], err = m.ready(ctx, waiting[i], f.At)
		return err
	})
	if len(failed) > 0 {
		return f, few(failed)
	}
	for i, p := range waiting {
		if ready[i] {
			f.Payouts = append(f.Payouts, p.ID)
		}
	}
	if len(f.Payouts) == 0 {
		return f, fail.New(fail.Conflict, "bank_file_empty", "No approved bank payout in {currency} is waiting.", fail.Args{"currency": f.Currency})
	}
	if err := m.Store.BeginFile(ctx, f); err != nil {
		return f, err
	}
	f.Version = 1
	return f, nil
}

// ready reports whether an approved payout may leave now. One whose money would go elsewhere than was approved has to be
// approved again.
func (m Paymaster) ready(ctx context.Context, p payout.Payout, now time.Time) (bool, error) {
	profile, err := m.Store.KOC(ctx, p.KOC)
	if err != nil {
		return false, err
	}
	if p, err = m.keepBack(ctx, p, profile, now); err != nil || p.Status() != payout.Approved {
		return false, settled(err)
	}
	method, err := m.payeeOf(ctx, profile)
	if err != nil {
		return false, err
	}
	outdated, err := p.Sendable(method, now)
	if err != nil || !outdated {
		return err == nil, nil
	}
	slog.WarnContext(ctx, "payout method changed after the approval", "payout", p.ID, "koc", p.KOC)
	_, err = m.Store.UpdatePayout(ctx, p.ID, now, func(p *payout.Payout) error { return p.Reopen(payout.ReasonMethod, now) })
	return false, settled(err)
}

// settled is nil for a refusal because of what a payout has become meanwhile.
func settled(err error) error {
	if fail.KindOf(err) == fail.Conflict {
		return nil
	}
	return err
}

// fill marks the payouts of an open file with it.
func (m Paymaster) fill(ctx context.Context, f payout.File, now time.Time) error {
	payouts, err := m.Store.Payouts(ctx, f.Payouts)
	if err != nil {
		return err
	}
	return few(m.sideBySide(len(payouts), func(i int) error {
		p := payouts[i]
		if ready, err := m.ready(ctx, p, now); err != nil || !ready {
			return err
		}
		_, err := m.Store.UpdatePayout(ctx, p.ID, now, func(p *payout.Payout) error {
			return p.ToFile(payout.Export{File: f.ID, At: now, By: f.By})
		}, store.OpenFileCheck(f))
		if store.FileClosed(err) {
			return nil
		}
		return settled(err)
	}))
}

// sideBySide does n things, a few at once, and returns what failed.
func (m Paymaster) sideBySide(n int, do func(i int) error) (failures []error) {
	if m.OneByOne {
		for i := range n {
			if err := do(i); err != nil {
				failures = append(failures, err)
			}
		}
		return failures
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	places := make(chan struct{}, decideAtOnce)
	for i := range n {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			if err := do(i); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
			}
		})
	}
	group.Wait()
	return failures
}

// few is one error of several: the first three tell enough.
func few(failures []error) error { return errors.Join(failures[:min(3, len(failures))]...) }

// InFile are the payouts that stand in a closed file, in its order.
func (m Paymaster) InFile(ctx context.Context, f payout.File) ([]payout.Payout, error) {
	if !f.Closed {
		return nil, fail.New(fail.Conflict, "bank_file_open", "This bank file is still being filled. Please make it again: it will be completed.", nil)
	}
	candidates, err := m.Store.Payouts(ctx, f.Payouts)
	if err != nil {
		return nil, err
	}
	var in []payout.Payout
	for _, p := range candidates {
		if f.Holds(p) {
			in = append(in, p)
		}
	}
	return in, nil
}

// WriteFile is a closed file as the bank takes it. It is the same whenever it is written.
func (m Paymaster) WriteFile(ctx context.Context, f payout.File) ([]byte, error) {
	payouts, err := m.InFile(ctx, f)
	if err != nil {
		return nil, err
	}
	versions := make([]store.PayeeVersion, len(payouts))
	for i, p := range payouts {
		versions[i] = store.PayeeVersion{KOC: p.KOC, Version: p.Target().Version}
	}
	methods, err := m.Store.Payees(ctx, versions)
	if err != nil {
		return nil, err
	}
	lines := make([]bankfile.Line, len(payouts))
	for i, p := range payouts {
		to, err := OpenPayee(m.Box, p.KOC, methods[versions[i]])
		if err != nil {
			return nil, fmt.Errorf("bank file %s: %w", f.ID, err)
		}
		lines[i] = bankfile.Line{Payout: p.ID, Name: to.Name, Account: to.Account, Amount: p.Amount(), Reference: "Commission " + p.Day}
	}
	return bankfile.Encode(lines)
}

// Reconciled is what a bank's answer to a file says.
type Reconciled struct {
	Paid, Failed int
	Open         []string // payouts of which it says nothing yet
}

// Reconcile records what a bank says became of the payouts of a file. The whole answer is read first: one line that cannot
// be right, or that contradicts what is on record, refuses it, with the numbers of the lines, and nothing is recorded. The
// same answer again changes nothing and is answered the same.
func (m Paymaster) Reconcile(ctx context.Context, f payout.File, answer []byte, by string, now time.Time) (Reconciled, error) {
	payouts, err := m.InFile(ctx, f)
	if err != nil {
		return Reconciled{}, err
	}
	byID := make(map[string]payout.Payout, len(payouts))
	lines, handles := make([]bankfile.Line, len(payouts)), make([]string, len(payouts))
	for i, p := range payouts {
		byID[p.ID], lines[i], handles[i] = p, bankfile.Line{Payout: p.ID, Amount: p.Amount()}, p.KOC
	}
	profiles, err := m.Store.KOCs(ctx, handles)
	if err != nil {
		return Reconciled{}, err
	}
	report, err := bankfile.Reconcile(answer, lines)
	if err != nil {
		return Reconciled{}, err
	}
	out := Reconciled{Open: report.Open}
	said := make([]payout.Said, len(report.Results))
	var faults []fail.Field
	for i, r := range report.Results {
		p := byID[r.Payout]
		said[i] = payout.Said{Outcome: payout.Outcome{Paid: r.Outcome == bankfile.Paid, At: now, By: by, Reference: r.Reference, Reason: r.Reason},
			Subject: profiles[p.KOC].Subject}
		if refusal, ok := errors.AsType[*fail.Error](p.Record(said[i])); ok {
			if refusal.Code == "payout_contradicted" {
				m.contradicted(ctx, p.ID, said[i].Outcome)
			}
			faults = append(faults, fail.Field{Location: fmt.Sprintf("line[%d]", r.Line), Code: refusal.Code, Text: refusal.Text, Args: refusal.Args})
		}
		if said[i].Paid {
			out.Paid++
		} else {
			out.Failed++
		}
	}
	if len(faults) > 0 {
		return Reconciled{}, fail.NewFields(faults)
	}
	return out, few(m.sideBySide(len(said), func(i int) error {
		_, err := m.Record(ctx, report.Results[i].Payout, said[i])
		return err
	}))
}

// FileID is the id of a bank file by its cause.
func FileID(cause ...string) string { return "f" + payout.ID(cause...)[1:] }

// ValidFileID reports whether a text can be a bank file's id.
func ValidFileID(id string) bool { return len(id) > 0 && id[0] == 'f' && payout.ValidID("p"+id[1:]) }

// Sum is what is transferred by payouts of one currency.
func Sum(payouts []payout.Payout, c money.Currency) (money.Amount, error) {
	sum := money.Of(0, c)
	var err error
	for _, p := range payouts {
		if sum, err = sum.Add(p.Amount()); err != nil {
			return sum, err
		}
	}
	return sum, nil
}
