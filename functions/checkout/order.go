package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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

// openLink is open for the address of a request as a chat may have left it, with words and marks behind id and secret, or
// with the question mark between them escaped.
func (c *checkout) openLink(r *http.Request) (ordering.Order, error) {
	id := r.PathValue("id")
	return c.open(r.Context(), letters(id), secretIn(cmp.Or(r.URL.RawQuery, id)))
}

// secretIn is the secret in the raw query of an address, "" without one. A query is not taken apart as usual: of one that a
// chat has written into, that would leave nothing.
func secretIn(query string) string {
	for rest := query; ; {
		before, after, found := strings.Cut(rest, "secret=")
		if !found {
			return ""
		}
		if before == "" || strings.ContainsAny(before[len(before)-1:], "?&;") {
			return letters(after)
		}
		rest = after
	}
}

// letters is what a text begins with of the letters that ids and secrets are made of.
func letters(text string) string {
	const all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return text[:len(text)-len(strings.TrimLeft(text, all))]
}

// show answers GET /orders/{id}: the order as a page, or as JSON for who asks for it.
func (c *checkout) show(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	o, err := c.openLink(r)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	if web.WantsJSON(r) {
		c.writeOrder(w, r, o)
		return
	}
	c.orderPage(w, r, o)
}

// pay answers GET /orders/{id}/pay: on to the provider, or back to the order when nothing is to be paid any more.
func (c *checkout) pay(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	o, err := c.openLink(r)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	switch {
	case o.IsPaid():
		seeOther(w, c.keys.OrderPath(o.ID))
		return
	case r.Method == http.MethodHead: // a preview or a checker of links asks what is here, and opens nothing
		w.WriteHeader(http.StatusOK)
		return
	case web.Ahead(r): // nobody has tapped yet; the browser asks again when somebody does
		w.WriteHeader(http.StatusServiceUnavailable)
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
	Note   string        `json:"note"`  // returns only; the same as a reason
	Lines  []lineRequest `json:"lines"` // returns only; everything when absent
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
	lines, err := piecesOf(form)
	return action{Secret: form.Get("secret"), Reason: form.Get("reason"), Note: form.Get("note"), Lines: lines}, err
}

// piecesOf are the pieces chosen on the form of the order page, which names a SKU and a quantity for each line. What was
// left empty or at 0 stays with the shopper; when that is everything, nothing was chosen.
func piecesOf(form url.Values) ([]lineRequest, error) {
	skus, quantities := form["sku"], form["quantity"]
	var lines []lineRequest
	for i, sku := range skus[:min(len(skus), ordering.MaxLines+1)] { // one more than fits is refused with the order
		text := ""
		if i < len(quantities) {
			text = strings.TrimSpace(quantities[i])
		}
		if text == "" || text == "0" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fail.NewFields([]fail.Field{fail.At(fmt.Sprintf("body.lines[%d].quantity", i), "out_of_range", "Between {low} and {high}.",
				fail.Args{"low": 1, "high": ordering.MaxQuantity})})
		}
		lines = append(lines, lineRequest{SKU: sku, Quantity: n})
	}
	if len(skus) > 0 && len(lines) == 0 {
		return nil, fail.NewFields([]fail.Field{fail.At("body.lines", "return_nothing", "Choose how many pieces you want to return.", nil)})
	}
	return lines, nil
}

// opener finds the order of an id for whoever has a secret for it.
type opener func(ctx context.Context, id, secret string) (ordering.Order, error)

// act does something with the order of the path and answers with the order as it then is: JSON, or on to its page.
func (c *checkout) act(w http.ResponseWriter, r *http.Request, do func(context.Context, ordering.Order, action) (ordering.Order, error)) {
	c.actBy(c.open, w, r, do)
}

// actBy is act by another secret than that of the order.
func (c *checkout) actBy(open opener, w http.ResponseWriter, r *http.Request, do func(context.Context, ordering.Order, action) (ordering.Order, error)) {
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
	o, err := open(r.Context(), r.PathValue("id"), a.Secret)
	if err == nil {
		o, err = do(r.Context(), o, a)
	}
	switch {
	case err != nil:
		web.WriteProblem(w, r, err)
	case web.IsForm(r):
		seeOther(w, c.keys.OrderPath(o.ID)+langOf(r))
	default:
		c.writeOrder(w, r, o)
	}
}

// writeOrder answers with the order as JSON. The shop's address for returns is read only for an order that has any.
func (c *checkout) writeOrder(w http.ResponseWriter, r *http.Request, o ordering.Order) {
	address := ""
	if len(o.Returns) > 0 {
		settings, err := c.store.Settings(r.Context())
		if err != nil {
			web.WriteProblem(w, r, err)
			return
		}
		address = settings.ReturnAddress
	}
	web.WriteJSON(w, r, http.StatusOK, c.viewOrder(r, o, address))
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
		// The shopper's own words go where they can be erased, and nowhere else. A click again without any keeps those that are there.
		var extra []store.Write
		if note := typed.TidyLines(cmp.Or(a.Note, a.Reason)); note != "" || o.OpenReturn() == nil {
			extra = append(extra, store.ReturnNoteWrite(o, note, c.now()))
		}
		return c.store.UpdateOrder(ctx, o.ID, func(o *ordering.Order) error {
			_, err := o.RequestReturn(lines, c.now())
			return err
		}, extra...)
	})
}

// onlyReason refuses lines and a note where a whole order is meant.
func onlyReason(a action) error {
	unknown := func(where string) error {
		return fail.NewFields([]fail.Field{fail.At(where, "field_unknown", "There is no such field.", nil)})
	}
	switch {
	case len(a.Lines) > 0:
		return unknown("body.lines")
	case a.Note != "":
		return unknown("body.note")
	}
	return shortReason(a)
}

// shortReason refuses words too long to keep.
func shortReason(a action) error {
	var f []fail.Field
	for where, text := range map[string]string{"body.reason": a.Reason, "body.note": a.Note} {
		if utf8.RuneCountInString(text) > store.MaxReturnNote {
			f = append(f, fail.At(where, "too_long", "At most {limit} characters.", fail.Args{"limit": store.MaxReturnNote}))
		}
	}
	return fail.NewFields(f)
}
