package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"yundian/shared/attribution"
	"yundian/shared/catalogue"
	"yundian/shared/customer"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/web"
)

// quote prices a basket. It takes the body of an order, of which only lines, code and coupon matter, and says what whoever
// orders has to know beside the prices.
func (c *checkout) quote(w http.ResponseWriter, r *http.Request) {
	if err := web.SameSite(r, c.publicURL); err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	q, _, _, err := readOrder(r)
	if err == nil {
		err = q.check()
	}
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	basket, err := ordering.MergeBasket(q.basket())
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	known, err := c.store.Checkout(r.Context(), skus(basket), q.coded(), "")
	if err == nil {
		err = checkCode(q.KOCCode, known.KOC)
	}
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	priced, err := ordering.Price(basket, known.Sold, known.Settings)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	notices, err := c.notices(r, q, known.Settings)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	web.WriteJSON(w, r, http.StatusOK, quoteAnswer{viewQuote(priced), notices})
}

// place answers POST /orders: JSON gets the order with 201, a form is sent on to the order page with 303.
func (c *checkout) place(w http.ResponseWriter, r *http.Request) {
	if err := web.SameSite(r, c.publicURL); err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	q, key, hash, err := readOrder(r)
	if err == nil {
		err = web.CheckKey(keyLocation(r), key)
	}
	if err != nil {
		c.refuseOrder(w, r, q, nil, err)
		return
	}
	o, quote, err := c.placeOnce(r.Context(), q, key, hash, string(web.Language(r)))
	if err != nil {
		c.refuseOrder(w, r, q, quote, err)
		return
	}
	if web.IsForm(r) {
		w.Header().Set("Location", c.keys.OrderPath(o.ID)+langOf(r))
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	v := c.viewOrder(r, o.AsPlaced(), "")
	v.Secret = c.keys.OrderSecret(o.ID)
	web.WriteJSON(w, r, http.StatusCreated, v)
}

func keyLocation(r *http.Request) string {
	if web.IsForm(r) {
		return "body.key"
	}
	return "header.Idempotency-Key"
}

// placeOnce places an order: one read round, one decision, one transaction. A key that has placed an order before
// gives that order, if it was asked for the same. The quote comes back with a refusal about prices.
func (c *checkout) placeOnce(ctx context.Context, q orderRequest, key, hash, language string) (ordering.Order, *ordering.Quote, error) {
	basket, basketErr := ordering.MergeBasket(q.basket())
	var quote *ordering.Quote
	wanted := store.Wanted{SKUs: skus(basket), Code: q.coded(), Key: key, Hash: hash, Contacts: c.contacts(q)}
	o, err := c.store.PlaceOnce(ctx, wanted, func(known store.Checkout) (store.NewOrder, error) {
		if err := c.checkOrder(ctx, &q, basketErr, known); err != nil {
			return store.NewOrder{}, err
		}
		priced, err := ordering.Price(basket, known.Sold, known.Settings)
		if err != nil {
			return store.NewOrder{}, err
		}
		quote = &priced
		now := c.now()
		o, err := ordering.Place(ordering.Request{
			ID: ulid.MustNew(ulid.Timestamp(now), rand.Reader).String(), Language: language, Payment: q.Payment,
			Person: wanted.Contacts[0], Identity: ordering.IdentityOf(c.identity, q.Contact, q.Address), Evidence: c.evidence(q, known.Settings.Windows.AttributionDays, now),
			Expect: expected(q),
		}, priced, known.Settings, now)
		return store.NewOrder{Order: o, Contact: q.Contact, Address: q.Address}, err
	})
	return o, quote, err
}

// contacts are the keyed hashes of phone and e-mail of who orders, that of the person first; none when nobody can be reached
// there, which is refused later.
func (c *checkout) contacts(q orderRequest) (hashes []string) {
	address, _ := customer.ReadAddress(q.Address)
	contact, err := customer.ReadContact(q.Contact, address.Country)
	if err != nil {
		return nil
	}
	for _, key := range contact.Keys() {
		hashes = append(hashes, c.identity.Person(key))
	}
	return hashes
}

func expected(q orderRequest) money.Amount {
	if q.Expect == nil {
		return money.Amount{}
	}
	return money.Of(*q.Expect.Amount, q.Expect.Currency)
}

// checkOrder refuses everything that is wrong with a request, in one answer where that is possible, and brings
// contact and address to their normal form.
func (c *checkout) checkOrder(ctx context.Context, q *orderRequest, basketErr error, known store.Checkout) error {
	var contactErr, addressErr, paymentErr error
	q.Address, addressErr = customer.ReadAddress(q.Address)
	q.Contact, contactErr = customer.ReadContact(q.Contact, q.Address.Country)
	if _, err := c.providers.Offered(ctx, q.Payment); err != nil {
		if fail.KindOf(err) == fail.Internal {
			return err
		}
		paymentErr = fail.NewFields([]fail.Field{fail.At("body.payment", "payment_unknown", "{payment} is not a payment that this shop offers.", fail.Args{"payment": clipName(q.Payment)})})
	}
	return fail.Join(q.check(), basketErr, contactErr, addressErr, paymentErr, checkCode(q.KOCCode, known.KOC))
}

// checkCode points out a typed code that names nobody: the shopper meant somebody. One of a KOC who may not share now is no
// reason to refuse a sale, as no link of theirs is; whether it earns anything is decided later.
func checkCode(code string, who koc.Profile) error {
	if strings.TrimSpace(code) == "" || who.Handle != "" && who.Status() != koc.Applied {
		return nil
	}
	return fail.NewFields([]fail.Field{fail.At("body.kocCode", codeUnknown, "Nobody shares with this code. Please check it or leave it out.", nil)})
}

// codeUnknown is the fault of a typed code that names nobody.
const codeUnknown = "koc_code_unknown"

// evidence is every trace of a KOC that came with the order: the tokens of its pages and a typed code.
func (c *checkout) evidence(q orderRequest, windowDays int, now time.Time) []ordering.Evidence {
	out := attribution.ReadTokens(c.keys, q.Tokens, now, time.Duration(windowDays)*24*time.Hour)
	if handle := q.coded(); handle != "" { // what was typed beside the handle names no link of ours
		out = append(out, ordering.Evidence{Kind: ordering.ByCode, Code: handle, At: now})
	}
	return out
}

// skus are the SKUs of a basket that can be looked up, at most MaxLines.
func skus(basket []ordering.BasketLine) []string {
	out := make([]string, 0, len(basket))
	for _, b := range basket {
		if catalogue.ValidSKU(b.SKU) {
			out = append(out, b.SKU)
		}
	}
	return out[:min(len(out), ordering.MaxLines)]
}
