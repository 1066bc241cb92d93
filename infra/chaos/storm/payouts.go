package storm

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"yundian/shared/ordering"
	"yundian/shared/payout"
	defaults "yundian/shared/shop"
	"yundian/shared/store"
)

// payOut lets the KOCs be paid in the sandbox: a fee, a tax with brackets, and only half of a withdrawal for debt.
func (s *storm) payOut(ctx context.Context) error {
	today, err := defaults.Default().Day(time.Now())
	if err != nil {
		return err
	}
	terms := map[string]any{"holdHours": 72, "currencies": []any{map[string]any{"currency": "CNY", "minimum": 100, "debtCap": 5_000,
		"fee": map[string]any{"fixed": 13, "rate": 37}, "schedule": map[string]any{"every": "weekly", "day": 3},
		"tax": []any{map[string]any{"from": today, "period": "month", "brackets": []any{
			map[string]any{"over": 0, "rate": 0}, map[string]any{"over": 5_000, "rate": 1_000, "deduction": 500}, map[string]any{"over": 50_000, "rate": 2_000, "deduction": 5_500}}}}}}}
	var before struct{ Version int64 }
	if err := s.operate(ctx, http.MethodGet, "/v1/admin/payout-terms", nil, &before, 200); err != nil {
		return err
	}
	terms["version"] = before.Version
	if err := s.operate(ctx, http.MethodPost, "/v1/admin/payout-terms", terms, nil, 201); err != nil {
		return err
	}
	for _, k := range s.shop.kocs {
		method := map[string]any{"payout": map[string]any{"rail": "sandbox", "account": "account-of-" + k.handle, "name": k.handle}}
		if err := s.client.must(ctx, ask{method: http.MethodPatch, path: "/v1/me", token: k.token, json: method}, nil, 200); err != nil {
			return err
		}
		if err := s.operate(ctx, http.MethodPost, "/v1/admin/kocs/"+k.handle+"/payee/verify", map[string]any{"version": 1}, nil, 200); err != nil {
			return err
		}
	}
	return nil
}

// transferMishaps are what the rail does with the next transfer.
var transferMishaps = []string{"pending", "fail", "refuse", "lost", "unreceived", "succeed"}

// withdraw has two KOCs at once ask for money, sometimes more than there is, and an operator answer.
func (s *storm) withdraw(ctx context.Context, i int, r *rand.Rand) error {
	k := s.shop.kocs[r.IntN(kocCount-1)]
	body := map[string]any{"amount": 100 + r.IntN(20_000), "currency": "CNY"}
	a, err := s.client.do(ctx, ask{method: http.MethodPost, path: "/v1/withdrawals", token: k.token, key: fmt.Sprintf("chaos-withdrawal-%08d", i), json: body})
	if err != nil {
		return err
	}
	switch a.status {
	case http.StatusCreated:
	case http.StatusBadRequest, http.StatusConflict: // more than is available
		return nil
	default:
		return fmt.Errorf("withdrawal answered %d: %.300s", a.status, a.body)
	}
	var made struct{ ID string }
	if err := json.Unmarshal(a.body, &made); err != nil {
		return err
	}
	if r.IntN(2) == 0 {
		if err := s.sandbox(ctx, "/next", map[string]any{"transfer": transferMishaps[r.IntN(len(transferMishaps))]}); err != nil {
			return err
		}
	}
	switch n := r.IntN(100); {
	case n < 70:
		return s.operate(ctx, http.MethodPost, "/v1/admin/payouts/"+made.ID+"/approve", map[string]any{}, nil, 200, 409)
	case n < 85:
		return s.operate(ctx, http.MethodPost, "/v1/admin/payouts/"+made.ID+"/reject", map[string]any{"reason": "looks odd"}, nil, 200, 409)
	}
	return nil // left for the quiet
}

// payouts are all payouts, as facts.
func (s *storm) payouts(ctx context.Context) (all []payout.Payout, err error) {
	for after := ""; ; {
		page, next, err := s.store.ListPayouts(ctx, store.PayoutFilter{}, after, 100)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if after = next; after == "" {
			return all, nil
		}
	}
}

// endPayouts approves what still waits for somebody, settles what the rail keeps waiting, and lets the payer ask until
// every payout has ended. What has not is a difference.
func (s *storm) endPayouts(ctx context.Context) error {
	var open []string
	for round := range quietRounds {
		all, err := s.payouts(ctx)
		if err != nil {
			return err
		}
		open = open[:0]
		for _, p := range all {
			if p.Final() {
				continue
			}
			open = append(open, fmt.Sprintf("payout %s is still %s", p.ID, p.Status()))
			// One that was made while its KOC was being suspended has to be released before it can be approved.
			for _, word := range map[payout.Status][]string{payout.Reserved: {"/release", "/approve"}, payout.Waiting: {"/release"}}[p.Status()] {
				if err := s.operate(ctx, http.MethodPost, "/v1/admin/payouts/"+p.ID+word, map[string]any{}, nil, 200, 409); err != nil {
					return err
				}
			}
		}
		if len(open) == 0 {
			return nil
		}
		if err := s.sandbox(ctx, "/settle", map[string]any{"state": "paid"}); err != nil {
			return err
		}
		// Each round goes past the longest pause before a rail is asked again. Schedules of those days may make payouts.
		if _, err := s.runner.RunSchedule(ctx, "payout", time.Now().AddDate(0, 0, 1+round)); err != nil {
			s.differ("payout failed after the faults had stopped: %v", err)
		}
	}
	s.found = append(s.found, open...)
	return nil
}

// paidOut is what payouts do to a KOC's accounts, from their facts.
func paidOut(all []payout.Payout, koc string) (sum sums) {
	for _, p := range all {
		if p.KOC != koc {
			continue
		}
		sum.available -= p.Withdrawn - p.Credit
		sum.debt += p.Credit - p.Netted
		switch {
		case p.Outcome != nil && p.Outcome.Paid:
			sum.paid, sum.tax, sum.fees = sum.paid+p.Net, sum.tax+p.Tax, sum.fees+p.Fee
		case p.Outcome != nil, p.Rejected != nil:
			sum.available += p.Gross
		default:
			sum.inPayout += p.Gross
		}
	}
	return sum
}

// checkPaidOut holds every payout to itself and to the rail's books: what was paid left once, what failed never.
func (s *storm) checkPaidOut(ctx context.Context, _ map[string]ordering.Order) error {
	all, err := s.payouts(ctx)
	if err != nil {
		return err
	}
	var books struct {
		Transfers []struct {
			Request struct {
				ID     string
				Amount struct{ Amount int64 }
			}
			State string
		}
	}
	if err := s.client.must(ctx, ask{method: http.MethodGet, path: "/_local/sandbox/transfers"}, &books, 200); err != nil {
		return err
	}
	moved := map[string]int64{}
	for _, t := range books.Transfers {
		if _, twice := moved[t.Request.ID]; twice {
			s.differ("the rail has two transfers of payout %s", t.Request.ID)
		}
		if moved[t.Request.ID] = t.Request.Amount.Amount; t.State != "paid" {
			moved[t.Request.ID] = 0
		}
	}
	for _, p := range all {
		s.reached["payout "+string(p.Status())]++
		if p.Netted > 0 {
			s.reached["payoutNetted"]++
		}
		if p.Transfer != nil && len(p.Transfer.Sent) > 1 {
			s.reached["payoutSentAgain"]++
		}
		if p.Withdrawn != p.Netted+p.Gross || p.Gross != p.Tax+p.Fee+p.Net || min(p.Netted, p.Tax, p.Fee) < 0 || p.Net <= 0 {
			s.differ("payout %s does not add up: %+v", p.ID, p)
		}
		var want int64
		if p.Outcome != nil && p.Outcome.Paid {
			want = p.Net
		}
		if moved[p.ID] != want {
			s.differ("payout %s is %s with %d, the rail moved %d", p.ID, p.Status(), p.Net, moved[p.ID])
		}
		delete(moved, p.ID)
	}
	for id, minor := range moved {
		if minor != 0 {
			s.differ("the rail moved %d for payout %s, which does not exist", minor, id)
		}
	}
	return nil
}
