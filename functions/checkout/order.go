package main

import (
	"context"
	"net/http"
	"net/url"
	"unicode/utf8"

	"yundian/shared/fail"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/typed"
	"yundian/shared/web"
)

// open is the order of the path for whoever holds its secret. Without the right one it is NotFound, as if there were
// no such order.
func (c *checkout) open(ctx context.Context, id, secret string) (ordering.Order, error) {
	if len(id) > 40 || len(secret) > 100 || !c.keys.OpensOrder(secret, id) {
		return ordering.Order{}, store.OrderUnknown(clipName(id))
	}
	return c.store.Order(ctx, id)
}

// show answers GET /orders/{id}: the order as a page, or as JSON for who asks for it.
func (c *checkout) show(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	o, err := c.open(r.Context(), r.PathValue("id"), r.URL.Query().Get("secret"))
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(w, r, http.StatusOK, c.viewOrder(r, o))
		return
	}
	c.orderPage(w, r, o)
}

// pay answers GET /orders/{id}/pay: on to the provider, or back to the order when nothing is to be paid any more.
func (c *checkout) pay(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	o, err := c.open(r.Context(), r.PathValue("id"), r.URL.Query().Get("secret"))
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	if o.IsPaid() {
		seeOther(w, c.keys.OrderPath(o.ID))
		return
	}
	address, err := c.cashier.Open(r.Context(), o, web.BaseURL(r, c.publicURL)+c.keys.OrderPath(o.ID))
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	seeOther(w, address)
}

func seeOther(w http.ResponseWriter, address string) {
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusSeeOther)
}

// action is the body of what a shopper does with an order: JSON, or the form of the order page.
type action struct {
	Secret string        `json:"secret"`
	Reason string        `json:"reason"`
	Lines  []lineRequest `json:"lines"`
}

func readAction(r *http.Request) (action, error) {
	var a action
	if !web.IsForm(r) {
		return a, web.Decode(r, &a, web.MaxJSON)
	}
	form, err := web.Form(r)
	if err != nil {
		return a, err
	}
	return action{Secret: form.Get("secret"), Reason: form.Get("reason")}, nil
}

// act does something with the order of the path and answers with the order as it then is: JSON, or on to its page.
func (c *checkout) act(w http.ResponseWriter, r *http.Request, do func(context.Context, ordering.Order, action) (ordering.Order, error)) {
	w.Header().Set("Cache-Control", "no-store")
	if err := web.SameSite(r, c.publicURL); err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	a, err := readAction(r)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	o, err := c.open(r.Context(), r.PathValue("id"), a.Secret)
	if err == nil {
		o, err = do(r.Context(), o, a)
	}
	switch {
	case err != nil:
		web.WriteProblem(w, r, err)
	case web.IsForm(r):
		seeOther(w, c.keys.OrderPath(o.ID)+langOf(r))
	default:
		web.WriteJSON(w, r, http.StatusOK, c.viewOrder(r, o))
	}
}

func langOf(r *http.Request) string {
	if lang := r.URL.Query().Get("lang"); lang != "" {
		return "&lang=" + url.QueryEscape(lang)
	}
	return ""
}

// cancel ends an order that has not been shipped. An open payment is closed first; if it turns out to be paid, the
// money goes back.
func (c *checkout) cancel(w http.ResponseWriter, r *http.Request) {
	c.act(w, r, func(ctx context.Context, o ordering.Order, a action) (ordering.Order, error) {
		if err := onlyReason(a); err != nil {
			return o, err
		}
		o, err := c.cashier.End(ctx, o.ID, c.now(), func(o *ordering.Order) error { return o.Cancel(byShopper, c.now()) })
		if err != nil {
			return o, err
		}
		return c.cashier.SendRefunds(ctx, o, c.now())
	})
}

// byShopper is the reason of a cancellation. What a shopper writes is personal, and orders are kept for ever.
const byShopper = "cancelled by the shopper"

// received confirms the receipt.
func (c *checkout) received(w http.ResponseWriter, r *http.Request) {
	c.act(w, r, func(ctx context.Context, o ordering.Order, a action) (ordering.Order, error) {
		if err := onlyReason(a); err != nil {
			return o, err
		}
		return c.store.UpdateOrder(ctx, o.ID, func(o *ordering.Order) error { return o.Deliver("shopper", c.now()) })
	})
}

// returns asks to give goods back.
func (c *checkout) returns(w http.ResponseWriter, r *http.Request) {
	c.act(w, r, func(ctx context.Context, o ordering.Order, a action) (ordering.Order, error) {
		if err := shortReason(a); err != nil {
			return o, err
		}
		lines := make([]ordering.BasketLine, len(a.Lines))
		for i, l := range a.Lines {
			lines[i] = ordering.BasketLine{SKU: l.SKU, Quantity: l.Quantity}
		}
		// The shopper's own words go where they can be erased, and nowhere else.
		return c.store.UpdateOrder(ctx, o.ID, func(o *ordering.Order) error {
			_, err := o.RequestReturn(lines, c.now())
			return err
		}, store.ReturnNoteWrite(o, typed.TidyLines(a.Reason), c.now()))
	})
}

// onlyReason refuses lines where a whole order is meant.
func onlyReason(a action) error {
	if len(a.Lines) > 0 {
		return fail.NewFields([]fail.Field{fail.At("body.lines", "field_unknown", "There is no such field.", nil)})
	}
	return shortReason(a)
}

// shortReason refuses a reason too long to keep.
func shortReason(a action) error {
	if utf8.RuneCountInString(a.Reason) > store.MaxReturnNote {
		return fail.NewFields([]fail.Field{fail.At("body.reason", "too_long", "At most {limit} characters.", fail.Args{"limit": store.MaxReturnNote})})
	}
	return nil
}
