package main

import (
	"net/http"
	"net/url"

	"yundian/shared/attribution"
	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/locale"
	"yundian/shared/orderform"
	"yundian/shared/ordering"
	"yundian/shared/shop"
	"yundian/shared/web"
)

// orderPage answers with the page of an order: receipt, where it stands, and what can be done now.
func (c *checkout) orderPage(w http.ResponseWriter, r *http.Request, o ordering.Order) {
	settings, err := c.store.Settings(r.Context())
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	contact, address, err := c.store.Contact(r.Context(), o)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	zone, err := settings.Zone()
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	v := orderPageView{
		Layout: pageLayout(r, settings), Order: o, Secret: c.keys.OrderSecret(o.ID), Contact: contact, Address: address,
		Zone: zone, Asked: asked(r), Now: c.now(), ShopAddress: settings.ReturnAddress, Writes: c.writes,
	}
	v.Layout.Title = v.l().T("checkout.order_title")
	v.Layout.Here = c.keys.OrderPath(o.ID)
	v.Layout.Home = storefrontOf(o.Evidence)
	web.Page(w, r, http.StatusOK, orderPage(v))
}

// refuseOrder answers an order that cannot be taken: JSON gets a problem, with the new quote where prices are the
// reason; a browser gets the form again, as it was filled in, with what has to be corrected.
func (c *checkout) refuseOrder(w http.ResponseWriter, r *http.Request, q orderRequest, quote *ordering.Quote, err error) {
	if !web.IsForm(r) {
		var extra map[string]any
		if quote != nil && fail.KindOf(err) == fail.Conflict {
			extra = map[string]any{"quote": viewQuote(*quote)}
		}
		web.WriteProblemWith(w, r, err, extra)
		return
	}
	if fail.KindOf(err) == fail.Internal || len(q.Lines) == 0 {
		web.WriteProblem(w, r, err)
		return
	}
	v, failed := c.refusedForm(r, q, err)
	if failed != nil {
		web.WriteProblem(w, r, failed)
		return
	}
	web.Page(w, r, web.ProblemFor(r, err).Status, refusedPage(v))
}

// refusedForm is the order form again, at the prices and stock of now, with a fresh key.
func (c *checkout) refusedForm(r *http.Request, q orderRequest, err error) (refusedView, error) {
	basket, _ := ordering.MergeBasket(sensible(q.basket()))
	handle := c.handleOf(q.Tokens)
	known, failed := c.store.Checkout(r.Context(), skus(basket), handle, "")
	if failed != nil {
		return refusedView{}, failed
	}
	notices, failed := c.notices(r, q, known.Settings)
	if failed != nil {
		return refusedView{}, failed
	}
	fitted := orderform.Fit(basket, known.Sold, known.Settings)
	v := refusedView{Layout: pageLayout(r, known.Settings), Quote: fitted.Quote, Basket: basketPath(handle, orderform.Carry(fitted.Basket()), q.Tokens, asked(r)),
		Orderable: fitted.Orderable(), Notices: notices}
	v.Layout.Title = v.Layout.L().T("checkout.form_title")
	if handle != "" {
		v.Layout.Home = "/k/" + handle + trail(nil, q.Tokens, asked(r))
	}
	v.Form = orderform.Data{
		Language: v.Layout.Language, Asked: asked(r), Quote: fitted.Quote, Key: orderform.FreshKey(), Tokens: q.Tokens[:min(len(q.Tokens), ordering.MaxTokens)], Handle: handle,
		Payments: c.providers.Names(r.Context()), Problems: orderform.ProblemsOf(r, err),
		Values: orderform.Values{Contact: q.Contact, Address: q.Address, KOCCode: q.KOCCode, Payment: q.Payment},
	}
	return v, nil
}

// sensible leaves out of a basket what no basket of ours would say.
func sensible(lines []ordering.BasketLine) []ordering.BasketLine {
	var out []ordering.BasketLine
	for _, l := range lines {
		if catalogue.ValidSKU(l.SKU) && l.Quantity >= 1 && l.Quantity <= ordering.MaxQuantity && len(out) < ordering.MaxLines {
			out = append(out, l)
		}
	}
	return out
}

// pageLayout is the frame of a page that is about one shopper, which nobody else should find.
func pageLayout(r *http.Request, s shop.Settings) web.LayoutData {
	d := web.ShopLayout(s, web.ShopLanguage(r, s))
	d.NoIndex = true
	d.Class = "checkout"
	return d
}

// asked is the language of ?lang=, which goes along to the next page because there may be no cookie; "" without one.
func asked(r *http.Request) locale.Language {
	l, _ := locale.Parse(r.URL.Query().Get("lang"))
	return l
}

// handleOf is the KOC whose page the form's last token was made for, "" when none is genuine. It only leads back to the
// page: whether a token counts is decided elsewhere.
func (c *checkout) handleOf(tokens []string) string {
	for i := len(tokens) - 1; i >= max(0, len(tokens)-ordering.MaxTokens); i-- {
		if code, _, genuine := attribution.TokenCode(c.keys, tokens[i], c.now()); genuine {
			handle, _ := koc.HandleOf(code)
			return handle
		}
	}
	return ""
}

// storefrontOf is where an order's shopper came from: the KOC's page, or the brand's.
func storefrontOf(evidence []ordering.Evidence) string {
	for i := len(evidence) - 1; i >= 0; i-- {
		if handle, ok := koc.HandleOf(evidence[i].Code); ok && evidence[i].Problem == "" {
			return "/k/" + handle
		}
	}
	return "/"
}

// basketPath leads back to the basket with everything that it carried.
func basketPath(handle string, basket []ordering.BasketLine, tokens []string, lang locale.Language) string {
	if handle == "" {
		return "/basket" + trail(basket, tokens, lang)
	}
	return "/k/" + handle + "/basket" + trail(basket, tokens, lang)
}

// carriedTokens is how many link tokens the storefront's addresses carry.
const carriedTokens = 5

// trail is the query with which the storefront's pages carry on what a shopper brought along.
func trail(basket []ordering.BasketLine, tokens []string, lang locale.Language) string {
	query := url.Values{}
	for _, b := range basket {
		query.Add("line", orderform.BasketValue(b))
	}
	for _, token := range tokens[max(0, len(tokens)-carriedTokens):] {
		query.Add("t", token)
	}
	if lang != "" {
		query.Set("lang", string(lang))
	}
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}
