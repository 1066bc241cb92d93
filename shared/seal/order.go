package seal

import "net/url"

// orderPurpose separates order secrets from all other signatures.
const orderPurpose = "order secret"

// OrderSecret opens an order for its shopper. It follows from the id, so that a repeated placement can be answered in full
// and an e-mail can lead to the order.
func (r Ring) OrderSecret(id string) string { return r.MAC(orderPurpose, id) }

// OpensOrder reports whether this is an order's secret.
func (r Ring) OpensOrder(secret, id string) bool { return r.Verify(orderPurpose, secret, id) }

// confirmPurpose separates what confirms an order from what opens it: the former stands in a letter only, so that whoever
// has it reads the e-mail of the order.
const confirmPurpose = "order confirmation"

// ConfirmPath is the page on which a shopper confirms an order, on the store's own site.
func (r Ring) ConfirmPath(id string) string {
	return "/orders/" + url.PathEscape(id) + "/confirm?secret=" + url.QueryEscape(r.MAC(confirmPurpose, id))
}

// ConfirmsOrder reports whether this is the secret of a letter that asks to confirm an order.
func (r Ring) ConfirmsOrder(secret, id string) bool { return r.Verify(confirmPurpose, secret, id) }

// OrderPath is the page of an order for its shopper, on the store's own site.
func (r Ring) OrderPath(id string) string {
	return "/orders/" + url.PathEscape(id) + "?secret=" + url.QueryEscape(r.OrderSecret(id))
}
