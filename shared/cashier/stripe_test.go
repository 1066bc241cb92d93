package cashier_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/payout"
	"yundian/shared/provider"
	"yundian/shared/provider/stripe"
	"yundian/shared/provider/stripe/stripetest"
	"yundian/shared/store"
)

// TestPayoutsThroughStripe loses, delays, refuses and repeats the first two requests of payouts in every combination: each
// payout is paid by one transfer in the end, or failed without one where there is no money left.
func TestPayoutsThroughStripe(t *testing.T) {
	x := openOffice(t)
	far := stripetest.Start(t, "acct_1Chen")
	all := len(stripetest.Faults) * len(stripetest.Faults)
	far.Fund("cny", 1000*int64(all-len(stripetest.Faults))) // none for those of the last first fault
	rails, err := provider.NewRails([]string{payout.Stripe}, "", stripe.NewAt(stripe.Shop{Key: stripetest.Key, Name: "tests"}, far.URL))
	if err != nil {
		t.Fatal(err)
	}
	x.Rails = rails
	join(t, x.Paymaster, "chen", 1_000_000)
	sealed, err := cashier.SealPayee(x.Box, "chen", payout.Destination{Account: "acct_1Chen", Name: "Chen"})
	if err != nil {
		t.Fatal(err)
	}
	method := payout.Method{Version: 2, Rail: payout.Stripe, Sealed: sealed, At: ten}
	method.Verify("op", ten)
	if err := x.Store.SaveReplies(t.Context(), store.PayeeWrites("chen", method)); err != nil {
		t.Fatal(err)
	}
	for i, first := range stripetest.Faults {
		for _, second := range stripetest.Faults {
			x.now = x.now.Add(time.Minute)
			a := payout.Ask{ID: payout.ID(string(first), string(second)), KOC: "chen", Currency: "CNY", Minor: 1000, Cause: payout.Withdrawal, By: "s-chen", Day: "2026-03-10"}
			p, err := x.Store.ReservePayout(t.Context(), a, payout.FirstTerms(), method, x.now)
			if err != nil {
				t.Fatal(err)
			}
			x.update(t, p.ID, func(p *payout.Payout) error { return p.Approve(payout.Checker{By: "op", Method: method}, x.now) })
			far.Plan(first, second)
			for n := 0; p.Status() != payout.Paid && p.Status() != payout.Failed; n++ {
				if n == 12 {
					t.Fatalf("%q, %q: still %s", first, second, p.Status())
				}
				if n == 2 {
					far.Arrive()
				}
				if n == 6 {
					far.Forget()
				}
				if p, err = x.Drive(t.Context(), p.ID, x.now); err != nil {
					t.Fatal(err)
				}
				x.now = x.now.Add(7 * time.Hour) // longer than any wait between questions
			}
			made := 0
			for _, transfer := range far.Transfers() {
				if transfer.TransferGroup == p.ID {
					made++
				}
			}
			want, transfers := payout.Paid, 1
			if i == len(stripetest.Faults)-1 {
				want, transfers = payout.Failed, 0
			}
			if p.Status() != want || made != transfers {
				t.Errorf("%q, %q: %s with %d transfers", first, second, p.Status(), made)
			}
		}
	}
	for _, r := range far.Requests() {
		if r.Method == http.MethodPost && !strings.HasPrefix(r.Header.Get("Idempotency-Key"), "p") {
			t.Errorf("sent under the key %q", r.Header.Get("Idempotency-Key"))
		}
	}
}
