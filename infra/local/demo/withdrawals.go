package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"yundian/shared/payout"
)

// withdrawals lets KOCs withdraw of what has become available: they say where to, the operator verifies whose account
// that is and approves what the plan says is paid, and the sandbox pays it.
func (s *seeding) withdrawals(ctx context.Context) error {
	for i, w := range Withdrawals {
		token, err := s.client.login(ctx, KOC{Handle: w.KOC}.user())
		if err != nil {
			return err
		}
		if err := s.payee(ctx, w.KOC, token); err != nil {
			return fmt.Errorf("where %s is paid: %w", w.KOC, err)
		}
		var made struct{ ID, Status string }
		err = s.client.do(ctx, call{method: http.MethodPost, path: "/v1/withdrawals", token: token, key: fmt.Sprintf("demo-shop-withdrawal-%d", i+1),
			body: object{"amount": w.Minor, "currency": currency}}, &made)
		if err != nil {
			return err
		}
		if !w.Paid || made.Status == string(payout.Paid) {
			continue
		}
		err = s.client.do(ctx, call{method: http.MethodPost, path: "/v1/admin/payouts/" + made.ID + "/approve", token: s.operator,
			key: "demo-shop-approval-of-" + made.ID}, nil)
		if err != nil && !isConflict(err) { // approved by a seeding that was interrupted
			return err
		}
		at := time.Now().Add(time.Second).UTC().Format(time.RFC3339) // whole seconds, and not before the approval
		if err := s.client.do(ctx, call{method: http.MethodPost, path: "/_local/run/payout?at=" + at}, nil); err != nil {
			return err
		}
	}
	return s.Quiet(ctx)
}

// payee says where a KOC's payouts go, and that the operator knows whose account that is. Saying either again changes
// nothing.
func (s *seeding) payee(ctx context.Context, handle, token string) error {
	var me struct{ Name string }
	if err := s.client.do(ctx, call{method: http.MethodGet, path: "/v1/me", token: token}, &me); err != nil {
		return err
	}
	method := object{"rail": payout.Sandbox, "account": handle + "-demo-account", "name": me.Name}
	if err := s.client.do(ctx, call{method: http.MethodPatch, path: "/v1/me", token: token, body: object{"payout": method}}, nil); err != nil {
		return err
	}
	path := "/v1/admin/kocs/" + handle + "/payee"
	var stored struct{ Version int64 }
	if err := s.client.do(ctx, call{method: http.MethodGet, path: path, token: s.operator}, &stored); err != nil {
		return err
	}
	return s.client.do(ctx, call{method: http.MethodPost, path: path + "/verify", token: s.operator, body: object{"version": stored.Version}}, nil)
}
