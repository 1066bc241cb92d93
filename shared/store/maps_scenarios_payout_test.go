package store_test

import (
	"fmt"
	"testing"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/letter"
	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/store"
	"yundian/shared/webhook"
)

// Scenarios of money on its way out, and of what is told about it; the list stands in maps_scenarios_test.go.

func publishPayoutTerms(t *testing.T, s *store.Store) {
	terms := must(s.PayoutTerms(t.Context()))(t)
	for i := range 4 {
		version := terms.Version + 1
		terms = taxed()
		terms.Version, terms.From, terms.Currencies[0].Minimum = version, later.AddDate(0, 0, i-10), int64(100+i)
		must(0, s.PublishPayoutTerms(t.Context(), terms))(t)
	}
	terms.From = later
	refuses(t, s.PublishPayoutTerms(t.Context(), terms, store.EffectWrite("terms", later)), "changed_meanwhile")
}

func readPayoutTerms(t *testing.T, s *store.Store) any {
	out := []any{must(s.PayoutTerms(t.Context()))(t)}
	for days := range 12 {
		out = append(out, must(s.PayoutTermsAt(t.Context(), later.AddDate(0, 0, -days)))(t))
	}
	return out
}

func changePayees(t *testing.T, s *store.Store) {
	save := func(version int64, sealed string) error {
		return s.SaveReplies(t.Context(), store.PayeeWrites("mei", payout.Method{Version: version, Rail: payout.Bank, Sealed: sealed, At: later}))
	}
	must(0, save(1, "one"))(t)
	must(s.VerifyPayee(t.Context(), "mei", 1, "op", later))(t)
	must(0, save(2, "two"))(t)
	if err := save(2, "three"); !store.PayeeTaken(err) {
		t.Errorf("one version was saved twice: %v", err)
	}
	_, err := s.VerifyPayee(t.Context(), "mei", 1, "op", later)
	refuses(t, err, "changed_meanwhile")
}

func readPayees(t *testing.T, s *store.Store) any {
	versions := []store.PayeeVersion{{KOC: "mei", Version: 1}, {KOC: "mei", Version: 2}, {KOC: "mei", Version: 3}}
	return []any{must(s.Payee(t.Context(), "mei"))(t), must(s.Payee(t.Context(), "lin"))(t), must(s.Payees(t.Context(), versions))(t)}
}

// payOut takes payouts to every end that they can have, with debt and tax, before and after a statement is closed.
func payOut(t *testing.T, s *store.Store) {
	grant(t, s, "grant1", 50_000, 3_000)
	send := func(p *payout.Payout) error { return p.Send(noon) }
	ends := [][]func(*payout.Payout) error{
		{approve(payout.Stripe), send, conclude(true), conclude(true)},
		{approve(payout.Stripe), send, conclude(false)},
		{func(p *payout.Payout) error { return p.Reject("op", "no", noon) }},
		{approve(payout.Stripe), send},
		{approve(payout.Stripe)},
	}
	for i, steps := range ends {
		id := fmt.Sprint("out", i)
		p := reserve(t, s, id, int64(4000+i), payout.Stripe)
		reserve(t, s, id, int64(4000+i), payout.Stripe) // asked for again
		for _, step := range steps {
			update(t, s, p.ID, step)
		}
		if i == 2 {
			must(s.CloseUntil(t.Context(), "mei", "CNY", noon.Add(time.Hour)))(t)
			must(s.CloseUntil(t.Context(), "mei", "CNY", noon))(t) // more is closed already
		}
	}
	_, err := s.ReservePayout(t.Context(), wish("too much", 10_000_000), taxed(), method(1, payout.Bank), noon)
	refuses(t, err, "payout_above_available")
	_, err = s.UpdatePayout(t.Context(), payout.ID("out0"), noon, conclude(false))
	refuses(t, err, "payout_contradicted")
	booked(t, s)
}

func readPayouts(t *testing.T, s *store.Store) any {
	var out []any
	for _, f := range []store.PayoutFilter{{}, {KOC: "mei"}, {Status: payout.Paid}, {KOC: "mei", Status: payout.Approved}} {
		for after, pages := "", 0; pages < 20; pages++ {
			payouts, next, err := s.ListPayouts(t.Context(), f, after, 2)
			out = append(out, must(payouts, err)(t))
			if after = next; next == "" {
				break
			}
		}
	}
	return append(out, must(s.DuePayouts(t.Context(), noon.AddDate(0, 1, 0), 10))(t), must(s.Books(t.Context(), "mei"))(t))
}

func putStatements(t *testing.T, s *store.Store) {
	for _, month := range []ledger.Period{"2026-01", "2026-02", "2026-03"} {
		for _, c := range []money.Currency{"CNY", "EUR"} {
			st := ledger.Close(ledger.Statement{}, ledger.Statement{KOC: "mei", Period: month, Currency: c, From: noon, To: noon, ClosedAt: noon}).End()
			must(s.PutStatement(t.Context(), st))(t)
			rival := st
			rival.ClosedAt, rival.Hash = noon.Add(time.Hour), "other"
			if kept := must(s.PutStatement(t.Context(), rival))(t); kept.Hash != st.Hash {
				t.Errorf("a statement was closed twice: %+v", kept)
			}
		}
	}
}

func readStatements(t *testing.T, s *store.Store) any {
	first, next, err := s.Statements(t.Context(), "mei", "", 4)
	rest, _, restErr := s.Statements(t.Context(), "mei", next, 4)
	last, _, lastErr := s.LastStatement(t.Context(), "mei", "EUR")
	return []any{must(first, err)(t), next, must(rest, restErr)(t), must(last, lastErr)(t)}
}

func fillBankFiles(t *testing.T, s *store.Store) {
	var ids []string
	for i := range 3 {
		p := reserve(t, s, fmt.Sprint("bank", i), 1000, payout.Bank)
		update(t, s, p.ID, approve(payout.Bank))
		ids = append(ids, p.ID)
	}
	file := payout.File{ID: "f1", Currency: "CNY", At: noon, By: "op", Payouts: ids}
	must(0, s.BeginFile(t.Context(), file))(t)
	refuses(t, s.BeginFile(t.Context(), payout.File{ID: "f2", Currency: "CNY", At: noon, By: "op"}), "changed_meanwhile")
	open, _, err := s.OpenFile(t.Context(), "CNY")
	must(open, err)(t)
	mark := func(id string) error {
		_, err := s.UpdatePayout(t.Context(), id, noon, func(p *payout.Payout) error { return p.ToFile(payout.Export{File: open.ID, At: noon, By: "op"}) }, store.OpenFileCheck(open))
		return err
	}
	for range 2 {
		must(0, mark(ids[0]))(t)
	}
	must(0, mark(ids[1]))(t)
	must(0, s.CloseFile(t.Context(), open))(t)
	refuses(t, s.CloseFile(t.Context(), open), "changed_meanwhile")
	if err := mark(ids[2]); !store.FileClosed(err) {
		t.Errorf("marked after the file was closed: %v", err)
	}
	update(t, s, ids[0], conclude(true))
	must(0, s.BeginFile(t.Context(), payout.File{ID: "f3", Currency: "CNY", At: noon.Add(time.Minute), By: "op", Payouts: ids[2:]}))(t)
}

func readBankFiles(t *testing.T, s *store.Store) any {
	files, next, err := s.ListBankFiles(t.Context(), "", 1)
	rest, _, restErr := s.ListBankFiles(t.Context(), next, 5)
	return []any{must(files, err)(t), must(rest, restErr)(t), must(s.BankPayouts(t.Context(), "CNY", noon, 10))(t)}
}

func drivePayRuns(t *testing.T, s *store.Store) {
	run := must(s.PayRun(t.Context(), "CNY", "2026-03-01"))(t)
	rival := run
	run.Advance("lin", 0)
	must(0, s.SavePayRun(t.Context(), run))(t)
	rival.Advance("mei", 1)
	refuses(t, s.SavePayRun(t.Context(), rival), "changed_meanwhile")
	run = must(s.PayRun(t.Context(), "CNY", "2026-03-01"))(t)
	run.Advance("", 2)
	must(0, s.SavePayRun(t.Context(), run))(t)
}

func readPayRuns(t *testing.T, s *store.Store) any {
	return []any{must(s.PayRun(t.Context(), "CNY", "2026-03-01"))(t), must(s.PayRun(t.Context(), "CNY", "2026-03-02"))(t)}
}

// laterEvent is an event of which DynamoDB Local deletes nothing while a test looks.
func laterEvent(n int) webhook.Event {
	e := event(n)
	e.At = later.Add(time.Duration(n) * time.Second)
	return e
}

func tellOwners(t *testing.T, s *store.Store) {
	for _, owner := range []webhook.Owner{"mei", webhook.Operators} {
		for i := range 2 {
			must(s.UpdateWebhooks(t.Context(), owner, func(e *webhook.Endpoints) (bool, error) { return true, e.Add(endpoint(fmt.Sprint(owner, i))) },
				func(e webhook.Endpoints) []store.Write {
					return []store.Write{store.ReplyWrite(fmt.Sprint("hooks#", owner, i), store.Reply{Hash: "h"}, later)}
				}))(t)
		}
	}
	must(s.UpdateWebhooks(t.Context(), "mei", func(*webhook.Endpoints) (bool, error) { return false, nil }, nil))(t)
	for n := range 5 {
		d := webhook.NewDelivery("mei", endpoint("mei0"), laterEvent(n), later)
		again := d
		must(s.SaveDelivery(t.Context(), &d))(t)
		if recorded := must(s.SaveDelivery(t.Context(), &again))(t); recorded {
			t.Error("a delivery was recorded twice")
		}
		if n%2 == 0 {
			d.Fail(500, "status", later.Add(time.Duration(n)*time.Minute)) // which of two due at once comes first is the engine's affair
		} else {
			d.Succeed(200, later)
		}
		must(s.SaveDelivery(t.Context(), &d))(t)
	}
}

func readHooks(t *testing.T, s *store.Store) any {
	out := []any{must(s.Webhooks(t.Context(), []webhook.Owner{"mei", webhook.Operators, "nobody"}))(t), must(s.DueDeliveries(t.Context(), later.AddDate(0, 0, 1), 2))(t)}
	for _, descending := range []bool{false, true} {
		deliveries, next, err := s.Deliveries(t.Context(), "mei0", "", 2, descending)
		rest, _, restErr := s.Deliveries(t.Context(), "mei0", next, 10, descending)
		out = append(out, must(deliveries, err)(t), must(rest, restErr)(t))
	}
	return out
}

func writeLetters(t *testing.T, s *store.Store) {
	for i := range 3 {
		l, _ := letter.ForOrder(ledger.Fact{Order: fmt.Sprint("l", i), V: 2, At: later, Counted: true})
		l.Progress = webhook.Begin(later)
		if i == 0 { // beside its cause
			must(0, s.SaveReplies(t.Context(), []store.Write{store.LetterWrite(l), store.EffectWrite("letter-cause", later)}))(t)
			continue
		}
		again := l
		must(s.SaveLetter(t.Context(), &l))(t)
		if recorded := must(s.SaveLetter(t.Context(), &again))(t); recorded {
			t.Error("a letter was recorded twice")
		}
		if i == 2 {
			l.Succeed(200, later)
			must(s.SaveLetter(t.Context(), &l))(t)
		}
	}
}

func readLetters(t *testing.T, s *store.Store) any {
	return []any{must(s.Outlets(t.Context(), nil, []string{"order_paid:l0", "order_paid:l1", "order_paid:l9"}))(t), must(s.DueLetters(t.Context(), later.AddDate(0, 0, 1), 10))(t)}
}
