package main

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"yundian/shared/locale"
	"yundian/shared/orderform"
	"yundian/shared/ordering"
	"yundian/shared/web"
)

// orderPageView is what the page of an order is rendered from.
type orderPageView struct {
	Layout      web.LayoutData
	Order       ordering.Order
	Secret      string
	Contact     ordering.Contact
	Address     ordering.Address
	Zone        *time.Location // of the shop
	Asked       locale.Language
	Now         time.Time
	ShopAddress string // where goods are returned to
	Writes      bool   // whether shoppers get letters
}

// refusedView is what the order form is rendered from when an order could not be taken.
type refusedView struct {
	Layout    web.LayoutData
	Form      orderform.Data
	Quote     ordering.Quote
	Basket    string // path back to the basket
	Orderable bool   // false when nothing of the basket can be had any more
	Notices   []notice
}

func (v orderPageView) l() *locale.Locale { return v.Layout.L() }

func (v orderPageView) moment(t time.Time) string { return v.l().Moment(t, v.Zone) }

func (v orderPageView) status() ordering.Status { return v.Order.Status() }

// heading is the status in a few words.
func (v orderPageView) heading() string {
	if v.Order.Unconfirmed() {
		return v.l().T("checkout.status_unconfirmed")
	}
	return v.l().T("checkout.status_" + string(v.status()))
}

// statusText says where the order stands and what comes next.
func (v orderPageView) statusText() string {
	until := v.moment(v.Order.Terms.ConfirmUntil)
	switch {
	case v.status() == ordering.Held:
		return v.l().T("checkout.status_held_text", "time", v.moment(v.Order.Terms.HoldUntil))
	case v.Order.Unconfirmed() && v.Writes && v.Contact.Email != "":
		return v.l().T("checkout.status_unconfirmed_letter", "time", until, "email", maskedEmail(v.Contact.Email))
	case v.Order.Unconfirmed():
		return v.l().T("checkout.status_unconfirmed_shop", "time", until)
	case v.status() == ordering.Expired && v.Order.Payment == ordering.OnDelivery:
		return v.l().T("checkout.status_lapsed_text")
	}
	return v.l().T("checkout.status_" + string(v.status()) + "_text")
}

// path is where one of the order's forms or links goes.
func (v orderPageView) path(action string) string {
	query := url.Values{}
	if action == "pay" {
		query.Set("secret", v.Secret)
	}
	if v.Asked != "" {
		query.Set("lang", string(v.Asked))
	}
	path := "/orders/" + url.PathEscape(v.Order.ID) + "/" + action
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// receipt is the order's money as the form's totals show it.
func (v orderPageView) receipt() ordering.Quote {
	o := v.Order
	return ordering.Quote{Lines: o.Lines, Discount: o.Discount, Shipping: o.Shipping, Tax: o.Tax, Total: o.Total}
}

func (v orderPageView) canPay() bool { return v.status() == ordering.Held }

func (v orderPageView) canCancel() bool {
	return slices.Contains([]ordering.Status{ordering.Held, ordering.Confirmed, ordering.Paid}, v.status())
}

func (v orderPageView) canConfirm() bool { return v.status() == ordering.Shipped }

func (v orderPageView) canReturn() bool {
	o := v.Order
	return v.status() == ordering.Delivered && o.Released == nil && o.OpenReturn() == nil && !v.Now.After(v.returnUntil()) && len(v.returnable()) > 0
}

// piece is a line of the order with how many of its pieces are meant.
type piece struct {
	ordering.Line
	Pieces int64
}

// returnable are the lines of which something can still be returned.
func (v orderPageView) returnable() []piece {
	if v.Order.RefundedTotal().Minor >= v.Order.Total.Minor && v.Order.Total.Minor > 0 {
		return nil
	}
	return v.pieces(v.Order.CanReturn())
}

func (v orderPageView) pieces(lines []ordering.BasketLine) []piece {
	var out []piece
	for _, l := range lines {
		if i := slices.IndexFunc(v.Order.Lines, func(x ordering.Line) bool { return x.SKU == l.SKU }); i >= 0 {
			out = append(out, piece{v.Order.Lines[i], l.Quantity})
		}
	}
	return out
}

// proposed is what the form for returns begins with: the only line's pieces, else nothing, so that everybody chooses.
func (v orderPageView) proposed(l piece) string {
	if len(v.returnable()) == 1 {
		return strconv.FormatInt(l.Pieces, 10)
	}
	return "0"
}

// returnText says how far a return is.
func (v orderPageView) returnText(x ordering.Return) string {
	if x.Closed == nil {
		return v.l().T("checkout.return_open")
	}
	return v.l().T("checkout.return_" + string(x.Closed.Outcome))
}

func (v orderPageView) returnTo(x ordering.Return) string { return returnAddress(x, v.ShopAddress) }

func (v orderPageView) returnUntil() time.Time {
	return v.Order.Delivered.At.AddDate(0, 0, v.Order.Terms.ReturnDays)
}

// step is one station of an order on its way.
type step struct {
	Name string // message checkout.step_<name>
	At   time.Time
	Done bool
}

// steps are the stations of an order, those that have been reached with their time. An order that has ended early shows
// how.
func (v orderPageView) steps() []step {
	o := v.Order
	steps := []step{{Name: "placed", At: o.PlacedAt, Done: true}}
	if o.Payment != ordering.OnDelivery { // else it is paid with the delivery
		steps = append(steps, step{Name: "paid", At: paidAt(o), Done: o.IsPaid()})
	}
	switch o.Status() {
	case ordering.Cancelled:
		return append(reached(steps), step{Name: "cancelled", At: o.Cancelled.At, Done: true})
	case ordering.Expired:
		return append(reached(steps), step{Name: "expired", At: o.Expired.At, Done: true})
	}
	shipped, delivered := step{Name: "shipped"}, step{Name: "delivered"}
	if len(o.Shipments) > 0 {
		shipped = step{Name: "shipped", At: o.Shipments[0].At, Done: true}
	}
	if o.Delivered != nil {
		delivered = step{Name: "delivered", At: o.Delivered.At, Done: true}
	}
	return append(steps, shipped, delivered)
}

func reached(steps []step) []step {
	return slices.DeleteFunc(steps, func(s step) bool { return !s.Done })
}

// paidAt is when the payment came that paid the order; for an order of nothing, when it was placed.
func paidAt(o ordering.Order) time.Time {
	if len(o.Captures) > 0 {
		return o.Captures[0].At
	}
	if o.IsPaid() {
		return o.PlacedAt
	}
	return time.Time{}
}

func (v orderPageView) paymentName() string {
	if id := "checkout.payment_" + v.Order.Payment; v.l().Has(id) {
		return v.l().T(id)
	}
	return v.Order.Payment
}

// recipient is the address as it is written where it goes: the largest part first in Chinese.
func (v orderPageView) recipient() string {
	a := v.Address
	parts := []string{a.Region, a.City, a.District, a.Line1}
	separator := " "
	if v.Layout.Language == locale.English {
		parts = []string{a.Line1, a.District, a.City, a.Region}
		separator = ", "
	}
	parts = slices.DeleteFunc(append(parts, a.Postcode), func(s string) bool { return s == "" })
	return strings.Join(slices.Compact(parts), separator)
}

// maskedPhone hides the middle of a number: the page opens for whoever has its address.
func maskedPhone(phone string) string {
	if len(phone) < 8 {
		return phone
	}
	return phone[:len(phone)-8] + "····" + phone[len(phone)-4:]
}

// maskedEmail hides all but the beginning of a mailbox.
func maskedEmail(email string) string {
	box, host, found := strings.Cut(email, "@")
	if !found {
		return ""
	}
	first, _ := utf8.DecodeRuneInString(box)
	return string(first) + "···@" + host
}

// refunds are those that the shopper waits for or has: one that the bank made superfluous is neither.
func (v orderPageView) refunds() []ordering.Refund {
	return slices.DeleteFunc(slices.Clone(v.Order.Refunds), func(r ordering.Refund) bool {
		return r.Failed != nil && r.Failed.Reason == ordering.RefundTaken
	})
}

// number is the order's id as people read it out: the last characters, which differ between orders.
func number(id string) string { return id[max(0, len(id)-8):] }
