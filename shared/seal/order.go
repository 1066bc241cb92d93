package seal

import "net/url"

// orderPurpose separates order secrets from all other signatures.
const orderPurpose = "order secret"

// OrderSecret opens an order for its shopper. It follows from the id, so that a repeated placement can be answered in full
// and an e-mail can lead to the order.
func (r Ring) OrderSecret(id string) string { return r.MAC(orderPurpose, id) }

// OpensOrder reports whether this is an order's secret.
func (r Ring) OpensOrder(secret, id string) bool { return r.Verify(orderPurpose, secret, id) }

// OrderPath is the page of an order for its shopper, on the store's own site.
func (r Ring) OrderPath(id string) string {
	return "/orders/" + url.PathEscape(id) + "?secret=" + url.QueryEscape(r.OrderSecret(id))
}
