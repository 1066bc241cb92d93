package main

import (
	"net/http"
	"slices"
	"strconv"

	"yundian/shared/koc"
	"yundian/shared/orderform"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/web"
)

// basket answers GET /k/{handle}/basket, and GET /basket for the brand's own pages, with the basket of the address and the
// order form, at the prices and stock of now. Nobody may keep this page: its form has a key that places one order.
func (s *storefront) basket(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept-Language, Accept")
	handle, ok := "", true
	if text := r.PathValue("handle"); text != "" {
		handle, ok = koc.ReadHandle(text)
	}
	if !ok {
		s.refuse(w, r, errNothing)
		return
	}
	query := r.URL.Query()
	asked, _, _ := readBasket(append(slices.Clone(query["b"]), query["line"]...))
	skus := make([]string, len(asked))
	for i, b := range asked {
		skus[i] = b.SKU
	}
	known, err := s.store.Checkout(r.Context(), skus, handle, "")
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	v := s.begin(r, visit{landing: store.Landing{Link: koc.OwnLink(handle), KOC: known.KOC, Settings: known.Settings}})
	fitted := orderform.Fit(v.trail.basket, known.Sold, known.Settings)
	payments := []string{}
	if fitted.Orderable() {
		payments = s.providers.Names(r.Context())
	}
	show(w, r, http.StatusOK, v.l.Language(), basketPage(v.basketView(fitted, payments)))
}

// basketView is what the basket page is rendered from.
type basketView struct {
	Layout   web.LayoutData
	Token    string
	Lines    []basketLine
	Notices  []string
	Form     orderform.Data
	Ready    bool // whether there is something to order
	Continue string
	Back     string // what leads there from an empty basket
}

// basketLine is one line with its links; an empty link cannot be followed.
type basketLine struct {
	Title, Variant, Image, URL string
	Unit, Sum, Notice          string
	Quantity                   string
	Less, More, Remove         string
	SoldOut                    bool
}

func (v visited) basketView(fitted orderform.Fitted, payments []string) basketView {
	asked := v.trail.basket
	v.trail.basket = fitted.Basket() // every link leads on from what can be had
	t := v.l.T
	out := basketView{Layout: v.layout(t("storefront.basket")), Token: v.token, Ready: fitted.Orderable(), Back: t("storefront.back", "name", v.name()),
		Continue: v.trail.to(shelfPath(v.KOC.Handle))}
	if v.own() {
		out.Back = t("storefront.back_brand", "brand", v.name())
	}
	d := &out.Layout
	d.Class, d.NoIndex = "basket-page", true
	d.Here = v.trail.toBasket(v.KOC.Handle, asked)
	d.Head = tokenHead(v.token)
	for _, line := range fitted.Lines {
		out.Lines = append(out.Lines, v.basketLine(line))
	}
	if fitted.Gone > 0 {
		out.Notices = append(out.Notices, t("storefront.gone", "count", fitted.Gone))
	}
	switch {
	case v.trail.long:
		out.Notices = append(out.Notices, t("storefront.left_out_long"))
	case v.trail.left > 0:
		out.Notices = append(out.Notices, t("storefront.left_out", "limit", ordering.MaxLines))
	}
	if fitted.Err != nil {
		out.Notices = append(out.Notices, t("storefront.too_much"))
	}
	out.Form = orderform.Data{Language: v.l.Language(), Asked: v.trail.lang, Quote: fitted.Quote, Key: orderform.FreshKey(), Tokens: v.trail.texts(),
		Handle: v.KOC.Handle, Payments: payments}
	return out
}

func (v visited) basketLine(line orderform.Line) basketLine {
	item, handle := line.Item, v.KOC.Handle
	out := basketLine{Title: plain(item.Title), Variant: plain(item.Variant), Image: item.Image, Unit: v.l.Money(item.Price),
		Quantity: strconv.FormatInt(line.Quantity, 10), URL: v.trail.to(productPath(handle, item.Product), "variant", item.SKU), SoldOut: line.Quantity == 0}
	switch {
	case out.SoldOut:
		out.Notice = v.l.T("storefront.line_sold_out")
		return out
	case line.Short() && item.Orderable() > line.Quantity:
		out.Notice = v.l.T("storefront.line_fewer", "count", line.Quantity)
	case line.Short():
		out.Notice = v.l.T("storefront.line_short", "left", line.Quantity)
	case item.Owing(line.Quantity) > 0:
		out.Notice = v.l.T("words.owed", "count", item.Owing(line.Quantity))
	}
	if sum, err := item.Price.Multiply(line.Quantity); err == nil {
		out.Sum = v.l.Money(sum)
	}
	step := func(pieces int64) string { return v.trail.toBasket(handle, v.trail.plus(item.SKU, pieces)) }
	out.Remove = step(-line.Quantity)
	if line.Quantity > 1 {
		out.Less = step(-1)
	}
	if line.Quantity < min(item.Orderable(), ordering.MaxQuantity) {
		out.More = step(1)
	}
	return out
}
