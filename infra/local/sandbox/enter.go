package sandbox

import (
	"errors"
	"fmt"

	"yundian/shared/provider"
)

// Enter writes a payment of earlier days into the books, such as those of the demo shop, so that it can be refunded
// like any other, and gives its id. Nobody is told of it. The same checkout again gives the same payment.
func (s *Sandbox) Enter(c provider.SandboxCheckout) (string, error) {
	if reason := wrongCheckout(c); reason != "" {
		return "", errors.New("sandbox: enter a payment: " + reason)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.books.ByKey[c.Key]; ok {
		if old := s.books.Sessions[id]; same(old.Checkout, c) && len(old.Payments) > 0 {
			return old.Payments[0].ID, nil
		}
		return "", fmt.Errorf("sandbox: enter a payment: the key %s is another payment's", c.Key)
	}
	ses := &session{ID: "cs_" + c.OrderID, Checkout: c, State: paid}
	p := payment{ID: ses.newID("pay", 0), Amount: c.Amount}
	ses.Payments = []payment{p}
	e := entry{Session: ses}
	s.books.apply(e)
	return p.ID, s.journal.append(e)
}
