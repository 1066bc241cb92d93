package sandbox

import (
	"testing"

	"yundian/shared/money"
	"yundian/shared/provider"
)

func TestAPaymentOfEarlierDaysCanBeRefunded(t *testing.T) {
	s := openShop(t)
	c := provider.SandboxCheckout{Key: "order:o1", OrderID: "o1", Amount: money.Of(1200, "CNY"), ReturnURL: "http://127.0.0.1/orders/o1"}
	id, err := s.sandbox.Enter(c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.sandbox.Enter(c); err != nil || again != id {
		t.Errorf("entered again: %s, %v; want %s", again, err, id)
	}
	other := c
	other.Amount.Minor++
	if got, err := s.sandbox.Enter(other); err == nil {
		t.Errorf("another amount under the same key was entered as %s", got)
	}
	if got, err := s.sandbox.Enter(provider.SandboxCheckout{Key: "k", OrderID: "o2", ReturnURL: c.ReturnURL}); err == nil {
		t.Errorf("a payment of nothing was entered as %s", got)
	}
	s.wantTold()
	if err := s.sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	s.start()
	result, err := s.client.Refund(t.Context(), provider.RefundRequest{ID: "o1-refund", PaymentID: id, Amount: c.Amount, Reason: "broken"})
	if err != nil || result.State != provider.RefundSucceeded {
		t.Errorf("refund: %+v, %v", result, err)
	}
}
