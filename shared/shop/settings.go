// Package shop holds what the brand decided for its whole store: name, currency, languages, and for how long things last.
package shop

import (
	"slices"
	"time"
	"unicode/utf8"

	"yundian/shared/fail"
	"yundian/shared/money"
)

// Settings is the brand's one set of choices. Version counts its edits from 1; an edit that did not see
// the version it replaces is refused.
type Settings struct {
	Version  int64
	Brand    string
	Tagline  string
	Hero     string // picture at the top of the home page, an https or site-relative address
	Currency money.Currency
	// Languages offered to shoppers, the first is the default: of zh-Hans, zh-Hant, en.
	Languages []string
	// TimeZone is an IANA name; days and months of the shop begin at its midnights.
	TimeZone string
	Licence  Licence
	// AdvertisingLabel shows 广告 on pages that share an experience together with a purchase link,
	// as the Measures for the Administration of Internet Advertising (SAMR Order 72, article 9) ask.
	AdvertisingLabel bool
	Shipping         Shipping
	// Tax is added on top of each line's net. 0 when prices include it, as in mainland China.
	Tax     money.BasisPoints
	Windows Windows
	Limits  Limits
	// ReturnAddress is where shoppers send goods that they return, several lines perhaps; empty when each answer names one.
	ReturnAddress string `json:",omitzero"`
	// DefaultShelf is what a KOC's storefront shows until the KOC chooses: product ids in order, at most ShelfLimit.
	DefaultShelf []string
}

// Licence is the footer the law asks of a shop.
type Licence struct {
	Company string `json:"company"`
	Number  string `json:"number"`
	ICP     string `json:"icp"`
}

// Shipping is a flat fee per order, waived from a goods value on. FreeFrom 0 never waives it.
type Shipping struct {
	Fee      int64 // minor units
	FreeFrom int64 // minor units
}

// Windows says for how long things last.
type Windows struct {
	AttributionDays int // how long a seen link counts; 1–365
	ReturnDays      int // delivery to release of the commission; 0–365
	ReceiptDays     int // shipping to receipt by default; 1–365
	HoldMinutes     int // how long an unpaid order keeps its stock; 1–1,440
}

// Limits say how much of the stock can wait for somebody who has not paid.
type Limits struct {
	OpenOrders       int // open orders of one phone or e-mail address: unpaid, or to be paid on delivery and not shipped; 1–MaxOpenOrders
	OpenPieces       int // pieces in them; 1–MaxPieces
	OnDeliveryPieces int // pieces of one order that is paid on delivery; 1–MaxPieces
	// ConfirmAbove is the total, in minor units, above which an order that is paid on delivery has to be confirmed before it
	// is shipped; 0 for never.
	ConfirmAbove int64
	ConfirmHours int // how long it waits for that before it expires; 1–MaxConfirmHours
}

// MaxOpenOrders bounds the open orders of one contact: they are listed in one small item, which every order of theirs reads
// and writes.
const MaxOpenOrders = 10

// MaxPieces bounds what limits on pieces can be set to: more than any order has.
const MaxPieces = 100_000

// MaxConfirmHours keeps unconfirmed orders from holding stock for longer than a week.
const MaxConfirmHours = 168

// DefaultLimits let everybody buy who means it. Ten orders are as many as can be listed, and nobody who pays has as many
// open. Fifty pieces are more than a household has sent to its door, and what a shop can afford to have sent back. Ten
// orders of fifty are five hundred pieces. Above 1,000 yuan a parcel that nobody accepts costs the shop more than a question
// costs a shopper, and within two days people read their letters and operators have worked, also around a Sunday.
func DefaultLimits() Limits {
	return Limits{OpenOrders: MaxOpenOrders, OpenPieces: 500, OnDeliveryPieces: 50, ConfirmAbove: 100_000, ConfirmHours: 48}
}

// ShelfLimit bounds a storefront's shelf, which is shown in pages. With a note of 300 characters for each product a KOC stays
// within two thirds of what one item of the store may have.
const ShelfLimit = 200

// Languages a shop can offer.
var Languages = []string{"zh-Hans", "zh-Hant", "en"}

// Default is an empty shop's settings.
func Default() Settings {
	return Settings{
		Brand:            "云店",
		Currency:         "CNY",
		Languages:        slices.Clone(Languages),
		TimeZone:         "Asia/Shanghai",
		AdvertisingLabel: true,
		Windows:          Windows{AttributionDays: 14, ReturnDays: 7, ReceiptDays: 15, HoldMinutes: 30},
		Limits:           DefaultLimits(),
	}
}

// Zone is the shop's time zone; an error if the stored name is unknown.
func (s Settings) Zone() (*time.Location, error) { return Zone(s.TimeZone) }

// Day is the shop's local date of a moment, 2006-01-02.
func (s Settings) Day(at time.Time) (string, error) {
	zone, err := s.Zone()
	if err != nil {
		return "", err
	}
	return at.In(zone).Format(time.DateOnly), nil
}

// Validate lists everything wrong with the settings, located as in the request body.
func (s Settings) Validate() error {
	var f []fail.Field
	text := func(where, value string, limit int) {
		if utf8.RuneCountInString(value) > limit {
			f = append(f, fail.At("body."+where, "too_long", "At most {limit} characters.", fail.Args{"limit": limit}))
		}
	}
	between := func(where string, value, low, high int64) {
		if value < low || value > high {
			f = append(f, fail.At("body."+where, "out_of_range", "Between {low} and {high}.", fail.Args{"low": low, "high": high}))
		}
	}
	if s.Brand == "" {
		f = append(f, fail.At("body.brand", "required", "This is required.", nil))
	}
	text("brand", s.Brand, 60)
	text("tagline", s.Tagline, 200)
	text("hero", s.Hero, 500)
	text("returnAddress", s.ReturnAddress, 500)
	text("licence.company", s.Licence.Company, 120)
	text("licence.number", s.Licence.Number, 60)
	text("licence.icp", s.Licence.ICP, 60)
	if _, err := money.ParseCurrency(string(s.Currency)); err != nil {
		f = append(f, fail.At("body.currency", "currency_unknown", "{currency} is not an ISO 4217 currency code.", fail.Args{"currency": s.Currency}))
	}
	if len(s.Languages) == 0 || slices.ContainsFunc(s.Languages, func(l string) bool { return !slices.Contains(Languages, l) }) {
		f = append(f, fail.At("body.languages", "language_unknown", "One or more of zh-Hans, zh-Hant, en.", nil))
	}
	if _, err := s.Zone(); err != nil {
		f = append(f, fail.At("body.timeZone", "time_zone_unknown", "An IANA time zone name such as Asia/Shanghai.", nil))
	}
	between("shipping.fee", s.Shipping.Fee, 0, money.MaxMinor)
	between("shipping.freeFrom", s.Shipping.FreeFrom, 0, money.MaxMinor)
	between("tax", int64(s.Tax), 0, int64(money.Whole))
	between("windows.attributionDays", int64(s.Windows.AttributionDays), 1, 365)
	between("windows.returnDays", int64(s.Windows.ReturnDays), 0, 365)
	between("windows.receiptDays", int64(s.Windows.ReceiptDays), 1, 365)
	between("windows.holdMinutes", int64(s.Windows.HoldMinutes), 1, 1440)
	between("limits.openOrders", int64(s.Limits.OpenOrders), 1, MaxOpenOrders)
	between("limits.openPieces", int64(s.Limits.OpenPieces), 1, MaxPieces)
	between("limits.onDeliveryPieces", int64(s.Limits.OnDeliveryPieces), 1, MaxPieces)
	between("limits.confirmAbove", s.Limits.ConfirmAbove, 0, money.MaxMinor)
	between("limits.confirmHours", int64(s.Limits.ConfirmHours), 1, MaxConfirmHours)
	if len(s.DefaultShelf) > ShelfLimit {
		f = append(f, fail.At("body.defaultShelf", "too_many", "At most {limit} entries.", fail.Args{"limit": ShelfLimit}))
	}
	return fail.NewFields(f)
}
