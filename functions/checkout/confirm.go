package main

import (
	"context"
	"net/http"

	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/web"
)

// An order that is paid on delivery may have to be confirmed before it is shipped. The secret for that stands in a letter to
// the order's e-mail address and nowhere else: the order's own secret shows only that somebody has placed it.

// openConfirmation is the order of the path for whoever has read the letter about it.
func (c *checkout) openConfirmation(ctx context.Context, id, secret string) (ordering.Order, error) {
	if len(id) > 40 || len(secret) > 100 || !c.keys.ConfirmsOrder(secret, id) {
		return ordering.Order{}, store.OrderUnknown(clipName(id))
	}
	return c.store.Order(ctx, id)
}

// askConfirmation answers GET /orders/{id}/confirm: a page with a button. It changes nothing, because programs that look for
// viruses open the links of letters.
func (c *checkout) askConfirmation(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	secret := r.URL.Query().Get("secret")
	o, err := c.openConfirmation(r.Context(), r.PathValue("id"), secret)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	if web.WantsJSON(r) {
		c.writeOrder(w, r, o)
		return
	}
	settings, err := c.store.Settings(r.Context())
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	zone, err := settings.Zone()
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	v := orderPageView{Layout: pageLayout(r, settings), Order: o, Secret: secret, Zone: zone, Asked: asked(r), Now: c.now()}
	v.Layout.Title = v.l().T("checkout.confirm_title")
	v.Layout.Here = c.keys.ConfirmPath(o.ID)
	v.Layout.Home = storefrontOf(o.Evidence)
	web.Page(w, r, http.StatusOK, confirmPage(v, c.keys.OrderPath(o.ID)+langOf(r)))
}

// confirm records that the order is meant.
func (c *checkout) confirm(w http.ResponseWriter, r *http.Request) {
	c.actBy(c.openConfirmation, w, r, func(ctx context.Context, o ordering.Order, a action) (ordering.Order, error) {
		if err := onlyReason(a); err != nil {
			return o, err
		}
		return c.store.UpdateOrder(ctx, o.ID, func(o *ordering.Order) error { return o.Confirm("shopper", c.now()) })
	})
}
