package mail

import (
	"strconv"
	"strings"
	"time"

	"yundian/shared/letter"
	"yundian/shared/locale"
	"yundian/shared/ordering"
)

// Shop is what every letter knows of who writes it.
type Shop struct {
	Brand string
	Zone  *time.Location
}

// OrderPaid tells a shopper that the order is paid: its number, lines and total, and its page where address is one.
func OrderPaid(l *locale.Locale, s Shop, o ordering.Order, address string) Message {
	m := aboutOrder(l, s, o, l.T("mail.order_paid", "brand", s.Brand))
	m.subject = l.T("mail.order_paid_subject", "brand", s.Brand, "number", o.ID)
	if address != "" {
		m.link = [2]string{l.T("mail.order_page"), address}
	}
	return m.message()
}

// OrderConfirm asks a shopper to confirm an order on the page at address.
func OrderConfirm(l *locale.Locale, s Shop, o ordering.Order, address string) Message {
	m := aboutOrder(l, s, o, l.T("mail.order_confirm", "brand", s.Brand, "when", l.Moment(o.Terms.ConfirmUntil, s.Zone)))
	m.subject = l.T("mail.order_confirm_subject", "brand", s.Brand, "number", o.ID)
	m.link = [2]string{l.T("mail.order_confirm_page"), address}
	m.closing = []string{l.T("mail.order_not_yours")}
	return m.message()
}

// aboutOrder begins a letter about an order: its number, lines and total.
func aboutOrder(l *locale.Locale, s Shop, o ordering.Order, first string) sheet {
	m := sheet{language: string(l.Language()),
		opening: []string{first, l.T("mail.order_number", "number", o.ID), l.T("mail.order_placed", "when", l.Moment(o.PlacedAt, s.Zone))}}
	for _, line := range o.Lines {
		title := strings.TrimSuffix(line.Title+" · "+line.Variant, " · ")
		m.rows = append(m.rows, [2]string{title + " × " + strconv.FormatInt(line.Quantity, 10), l.Money(line.Net)})
	}
	if !o.Shipping.IsZero() {
		m.rows = append(m.rows, [2]string{l.T("mail.shipping"), l.Money(o.Shipping)})
	}
	if !o.Tax.IsZero() {
		m.rows = append(m.rows, [2]string{l.T("mail.tax"), l.Money(o.Tax)})
	}
	m.rows = append(m.rows, [2]string{l.T("mail.total"), l.Money(o.Total)})
	return m
}

// PayoutSent tells a KOC that money is on its way.
func PayoutSent(l *locale.Locale, s Shop, x letter.Letter) Message {
	return sheet{language: string(l.Language()), subject: l.T("mail.payout_sent_subject", "brand", s.Brand, "amount", x.Net),
		opening: []string{l.T("mail.payout_sent", "brand", s.Brand, "amount", x.Net), l.T("mail.payout_number", "number", x.Payout)},
		rows: [][2]string{{l.T("mail.gross"), l.Money(x.Gross())}, {l.T("mail.withheld"), l.Money(x.Tax)}, {l.T("mail.fee"), l.Money(x.Fee)},
			{l.T("mail.net"), l.Money(x.Net)}},
		closing: []string{l.T("mail.payout_wrong")}}.message()
}

// PayeeChanged tells a KOC that payouts go elsewhere from now on.
func PayeeChanged(l *locale.Locale, s Shop, x letter.Letter) Message {
	m := sheet{language: string(l.Language()), subject: l.T("mail.payee_changed_subject", "brand", s.Brand),
		opening: []string{l.T("mail.payee_changed", "brand", s.Brand, "when", l.Moment(x.At, s.Zone))}, closing: []string{l.T("mail.payee_not_you")}}
	if !x.Until.IsZero() {
		m.opening = append(m.opening, l.T("mail.payee_held", "when", l.Moment(x.Until, s.Zone)))
	}
	return m.message()
}

// WebhookDead tells a KOC that an endpoint was given up.
func WebhookDead(l *locale.Locale, s Shop, x letter.Letter) Message {
	return sheet{language: string(l.Language()), subject: l.T("mail.webhook_dead_subject", "brand", s.Brand),
		opening: []string{l.T("mail.webhook_dead", "url", x.Webhook, "when", l.Moment(x.At, s.Zone))},
		closing: []string{l.T("mail.webhook_again")}}.message()
}

// EmailConfirm asks the owner of an address whether letters to a KOC may go there; address is the page for that, until is how
// long it can be used.
func EmailConfirm(l *locale.Locale, s Shop, until time.Time, address string) Message {
	return sheet{language: string(l.Language()), subject: l.T("mail.email_confirm_subject", "brand", s.Brand),
		opening: []string{l.T("mail.email_confirm", "brand", s.Brand, "when", l.Moment(until, s.Zone))},
		link:    [2]string{l.T("mail.email_confirm_page"), address}, closing: []string{l.T("mail.email_not_asked")}}.message()
}

// EmailAsked tells a KOC that another address was entered for them.
func EmailAsked(l *locale.Locale, s Shop, x letter.Letter) Message {
	return sheet{language: string(l.Language()), subject: l.T("mail.email_asked_subject", "brand", s.Brand),
		opening: []string{l.T("mail.email_asked", "brand", s.Brand, "when", l.Moment(x.At, s.Zone))}, closing: []string{l.T("mail.payee_not_you")}}.message()
}

// EmailChanged tells whoever reads the former address of a KOC that letters go elsewhere from now on.
func EmailChanged(l *locale.Locale, s Shop, x letter.Letter) Message {
	return sheet{language: string(l.Language()), subject: l.T("mail.email_changed_subject", "brand", s.Brand),
		opening: []string{l.T("mail.email_changed", "brand", s.Brand, "when", l.Moment(x.At, s.Zone)), l.T("mail.payee_held", "when", l.Moment(x.Until, s.Zone))},
		closing: []string{l.T("mail.payee_not_you")}}.message()
}
