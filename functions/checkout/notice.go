package main

import (
	"net/http"

	"yundian/shared/attribution"
	"yundian/shared/locale"
	"yundian/shared/ordering"
	"yundian/shared/shop"
	"yundian/shared/typed"
	"yundian/shared/web"
)

// quoteAnswer is a priced basket with what whoever orders has to know beside the prices.
type quoteAnswer struct {
	quoteView
	Notices []notice `json:"notices,omitempty"`
}

// notice is a sentence about an order that does not stand in its way.
type notice struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// notices are what a request's contact and evidence say together: that the KOC of the link or code is the one who orders,
// and earns nothing by it. To whom that is told is decided by attribution.TellsSelf.
func (c *checkout) notices(r *http.Request, q orderRequest, s shop.Settings) ([]notice, error) {
	email, ok := typed.Email(q.Contact.Email)
	now := c.now()
	evidence := c.evidence(q, s.Windows.AttributionDays, now)
	if !ok || len(evidence) == 0 {
		return nil, nil
	}
	known, err := c.store.KOCs(r.Context(), attribution.Handles(ordering.Order{Evidence: evidence}))
	if err != nil || !attribution.TellsSelf(evidence, c.identity.Email(email), known, now) {
		return nil, err
	}
	return []notice{{attribution.SelfPurchase, locale.For(web.Language(r)).T("checkout.notice_" + attribution.SelfPurchase)}}, nil
}
