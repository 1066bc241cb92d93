package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/once"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/typed"
	"yundian/shared/web/api"
)

// Settings are the shop's settings as operators see them.
type Settings struct {
	Version          int64           `json:"version" doc:"Counts edits"`
	Brand            string          `json:"brand"`
	Tagline          string          `json:"tagline"`
	Hero             string          `json:"hero" doc:"Address of the picture at the top of the home page, or empty"`
	Currency         string          `json:"currency"`
	Languages        []string        `json:"languages" doc:"Offered to shoppers; the first is the default"`
	TimeZone         string          `json:"timeZone"`
	DefaultRate      int64           `json:"defaultRate" doc:"Commission in hundredths of a percent, for sales that no rule is about"`
	NextRate         *int64          `json:"nextRate,omitempty" doc:"The default rate that was announced"`
	NextFrom         *time.Time      `json:"nextRateFrom,omitempty" doc:"From when that counts: a lower rate has to be announced as long before as a shared link is worth something"`
	Tax              int64           `json:"tax" doc:"Added to goods, in hundredths of a percent; 0 when prices include it"`
	Shipping         ShippingFee     `json:"shipping"`
	Windows          SettingsWindows `json:"windows"`
	Limits           SettingsLimits  `json:"limits" doc:"How much of the stock can wait for somebody who has not paid"`
	Licence          shop.Licence    `json:"licence" doc:"The page footer"`
	AdvertisingLabel bool            `json:"advertisingLabel" doc:"Show 广告 where an experience stands beside a purchase link"`
	ReturnAddress    string          `json:"returnAddress" doc:"Where shoppers send goods that they return; they read it with their return"`
	DefaultShelf     []string        `json:"defaultShelf" doc:"Products on a storefront whose KOC has not chosen yet"`
}

// ShippingFee is a flat fee per order.
type ShippingFee struct {
	Fee      money.Amount `json:"fee"`
	FreeFrom money.Amount `json:"freeFrom" doc:"Value of goods from which there is no fee; 0 for never"`
}

// SettingsWindows says for how long things last.
type SettingsWindows struct {
	AttributionDays int `json:"attributionDays" doc:"How long a seen link counts"`
	ReturnDays      int `json:"returnDays" doc:"Delivery to release of the commission"`
	ReceiptDays     int `json:"receiptDays" doc:"Shipping to receipt by default"`
	HoldMinutes     int `json:"holdMinutes" doc:"How long an unpaid order keeps its stock"`
}

// SettingsLimits say how much of the stock can wait for somebody who has not paid.
type SettingsLimits struct {
	OpenOrders       int `json:"openOrders" doc:"Open orders of one phone or e-mail address: unpaid, or to be paid on delivery and not shipped"`
	OpenPieces       int `json:"openPieces" doc:"Pieces in the open orders of one phone or e-mail address"`
	OnDeliveryPieces int `json:"onDeliveryPieces" doc:"Pieces of one order that is paid on delivery"`

	ConfirmAbove money.Amount `json:"confirmAbove" doc:"Total above which an order that is paid on delivery has to be confirmed before it is shipped; 0 for never"`
	ConfirmHours int          `json:"confirmHours" doc:"How long it waits for that before it expires"`
}

func viewSettings(s shop.Settings, plan commission.Plan) Settings {
	w, l := s.Windows, s.Limits
	v := Settings{Version: s.Version, Brand: s.Brand, Tagline: s.Tagline, Hero: s.Hero, Currency: string(s.Currency), Languages: s.Languages,
		TimeZone: s.TimeZone, DefaultRate: int64(plan.InForce().Default), Tax: int64(s.Tax),
		Shipping: ShippingFee{Fee: money.Of(s.Shipping.Fee, s.Currency), FreeFrom: money.Of(s.Shipping.FreeFrom, s.Currency)},
		Windows:  SettingsWindows{AttributionDays: w.AttributionDays, ReturnDays: w.ReturnDays, ReceiptDays: w.ReceiptDays, HoldMinutes: w.HoldMinutes},
		Limits: SettingsLimits{OpenOrders: l.OpenOrders, OpenPieces: l.OpenPieces, OnDeliveryPieces: l.OnDeliveryPieces,
			ConfirmAbove: money.Of(l.ConfirmAbove, s.Currency), ConfirmHours: l.ConfirmHours},
		Licence: s.Licence, AdvertisingLabel: s.AdvertisingLabel, ReturnAddress: s.ReturnAddress, DefaultShelf: s.DefaultShelf}
	for _, b := range plan.Coming() {
		if next := int64(b.Default); next != v.DefaultRate {
			from := b.From.UTC()
			v.NextRate, v.NextFrom = &next, &from
			break
		}
	}
	return v
}

func (a *admin) getSettings(ctx context.Context, _ *struct{}) (*api.Reply[Settings], error) {
	settings, err := a.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := a.store.Plan(ctx, a.now())
	if err != nil {
		return nil, err
	}
	return &api.Reply[Settings]{Body: viewSettings(settings, plan)}, nil
}

// SettingsChange is some of the settings; what is absent stays.
type SettingsChange struct {
	Version     *int64   `json:"version,omitempty" doc:"The version that was edited; refused if another edit came first. Without it the change is made to whatever is there"`
	Brand       *string  `json:"brand,omitempty"`
	Tagline     *string  `json:"tagline,omitempty"`
	Hero        *string  `json:"hero,omitempty"`
	Currency    *string  `json:"currency,omitempty" doc:"Only while there are no products"`
	Languages   []string `json:"languages,omitempty" maxItems:"3"`
	TimeZone    *string  `json:"timeZone,omitempty"`
	DefaultRate *int64   `json:"defaultRate,omitempty" minimum:"0" maximum:"10000"`
	Tax         *int64   `json:"tax,omitempty" minimum:"0" maximum:"10000"`
	Shipping    *struct {
		Fee      *money.Amount `json:"fee,omitempty"`
		FreeFrom *money.Amount `json:"freeFrom,omitempty"`
	} `json:"shipping,omitempty"`
	Windows *struct {
		AttributionDays *int `json:"attributionDays,omitempty" minimum:"1" maximum:"365"`
		ReturnDays      *int `json:"returnDays,omitempty" minimum:"0" maximum:"365"`
		ReceiptDays     *int `json:"receiptDays,omitempty" minimum:"1" maximum:"365"`
		HoldMinutes     *int `json:"holdMinutes,omitempty" minimum:"1" maximum:"1440"`
	} `json:"windows,omitempty"`
	Limits *struct {
		OpenOrders       *int `json:"openOrders,omitempty" minimum:"1" maximum:"10"`
		OpenPieces       *int `json:"openPieces,omitempty" minimum:"1" maximum:"100000"`
		OnDeliveryPieces *int `json:"onDeliveryPieces,omitempty" minimum:"1" maximum:"100000"`

		ConfirmAbove *money.Amount `json:"confirmAbove,omitempty"`
		ConfirmHours *int          `json:"confirmHours,omitempty" minimum:"1" maximum:"168"`
	} `json:"limits,omitempty"`
	Licence *struct {
		Company *string `json:"company,omitempty"`
		Number  *string `json:"number,omitempty"`
		ICP     *string `json:"icp,omitempty"`
	} `json:"licence,omitempty"`
	AdvertisingLabel *bool    `json:"advertisingLabel,omitempty"`
	ReturnAddress    *string  `json:"returnAddress,omitempty" doc:"At most 500 characters, on several lines if you like"`
	DefaultShelf     []string `json:"defaultShelf,omitempty" maxItems:"200"`
}

// apply changes settings, or says everything that is wrong with the change.
func (c SettingsChange) apply(s shop.Settings) (shop.Settings, error) {
	for _, x := range []struct{ to, from *string }{{&s.Brand, c.Brand}, {&s.Tagline, c.Tagline}, {&s.Hero, c.Hero}, {(*string)(&s.Currency), c.Currency}, {&s.TimeZone, c.TimeZone}} {
		setText(x.to, x.from)
	}
	if c.ReturnAddress != nil {
		s.ReturnAddress = typed.TidyLines(*c.ReturnAddress)
	}
	set((*int64)(&s.Tax), c.Tax)
	set(&s.AdvertisingLabel, c.AdvertisingLabel)
	if c.Languages != nil {
		s.Languages = c.Languages
	}
	if c.DefaultShelf != nil {
		s.DefaultShelf = c.DefaultShelf
	}
	var f []fail.Field
	if c.Shipping != nil {
		f = append(f, setAmount(&s.Shipping.Fee, c.Shipping.Fee, s.Currency, "body.shipping.fee")...)
		f = append(f, setAmount(&s.Shipping.FreeFrom, c.Shipping.FreeFrom, s.Currency, "body.shipping.freeFrom")...)
	}
	if w := c.Windows; w != nil {
		set(&s.Windows.AttributionDays, w.AttributionDays)
		set(&s.Windows.ReturnDays, w.ReturnDays)
		set(&s.Windows.ReceiptDays, w.ReceiptDays)
		set(&s.Windows.HoldMinutes, w.HoldMinutes)
	}
	if l := c.Limits; l != nil {
		set(&s.Limits.OpenOrders, l.OpenOrders)
		set(&s.Limits.OpenPieces, l.OpenPieces)
		set(&s.Limits.OnDeliveryPieces, l.OnDeliveryPieces)
		set(&s.Limits.ConfirmHours, l.ConfirmHours)
		f = append(f, setAmount(&s.Limits.ConfirmAbove, l.ConfirmAbove, s.Currency, "body.limits.confirmAbove")...)
	}
	if l := c.Licence; l != nil {
		setText(&s.Licence.Company, l.Company)
		setText(&s.Licence.Number, l.Number)
		setText(&s.Licence.ICP, l.ICP)
	}
	if c.Hero != nil && s.Hero != "" && !catalogue.ValidImage(s.Hero) {
		f = append(f, fail.At("body.hero", "image_form", "A picture's https address of at most 1,000 bytes, with a description of at most 500 characters.", nil))
	}
	for i := range s.Languages {
		if slices.Contains(s.Languages[:i], s.Languages[i]) {
			f = append(f, fail.At("body.languages", "field_unique", "The entries must differ.", nil))
		}
	}
	for i, id := range s.DefaultShelf {
		if slices.Contains(s.DefaultShelf[:i], id) {
			f = append(f, fail.At(fmt.Sprintf("body.defaultShelf[%d]", i), "product_twice", "{product} stands twice on this shelf.", fail.Args{"product": clip(id)}))
		}
	}
	if err := fail.NewFields(f); err != nil {
		return s, err
	}
	return s, s.Validate()
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func setText(to, from *string) {
	if from != nil {
		*to = typed.TidyLine(*from)
	}
}

// setAmount takes an amount of the shop's currency.
func setAmount(to *int64, from *money.Amount, c money.Currency, where string) []fail.Field {
	if from == nil {
		return nil
	}
	if from.Currency != c {
		return []fail.Field{fail.At(where, "currency_other", "This shop sells in {currency}.", fail.Args{"currency": c})}
	}
	*to = from.Minor
	return nil
}

type settingsInput struct {
	api.Keyed
	Body SettingsChange
}

func (a *admin) changeSettings(ctx context.Context, in *settingsInput) (*api.Reply[Settings], error) {
	_, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		for try := 1; ; try++ {
			err := a.saveSettings(ctx, in.Body, reply)
			if in.Body.Version != nil || !fail.Is(err, "changed_meanwhile") || try == editTries {
				return done{}, err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return a.getSettings(ctx, nil)
}

// saveSettings makes the change to the settings as they are now. A new default rate is a new version of the rule book,
// published in the same transaction.
func (a *admin) saveSettings(ctx context.Context, c SettingsChange, extra []store.Write) error {
	before, err := a.store.Settings(ctx)
	if err != nil {
		return err
	}
	if c.Version != nil && *c.Version != before.Version {
		return changedMeanwhile()
	}
	after, err := c.apply(before)
	if err != nil {
		return err
	}
	if err := a.checkSettings(ctx, before, after); err != nil {
		return err
	}
	unchanged := reflect.DeepEqual(before, after)
	switch {
	case c.DefaultRate == nil && unchanged:
		return a.store.SaveReplies(ctx, extra)
	case c.DefaultRate == nil:
		return a.store.SaveSettings(ctx, after, extra...)
	}
	rate := money.BasisPoints(*c.DefaultRate)
	window := after
	window.Windows.AttributionDays = max(before.Windows.AttributionDays, after.Windows.AttributionDays)
	pub, err := a.setRates(ctx, commission.Edit{Default: &rate}, window)
	if err != nil {
		return err
	}
	if unchanged {
		return a.store.Publish(ctx, pub, extra...)
	}
	err = a.store.SaveSettings(ctx, after, append(slices.Clone(extra), store.PublicationWrites(pub)...)...)
	if store.BookTaken(err) {
		return changedMeanwhile()
	}
	return err
}

// checkSettings refuses what settings alone cannot see: a shelf of products that do not exist, and another currency
// for prices that have one.
func (a *admin) checkSettings(ctx context.Context, before, after shop.Settings) error {
	if before.Currency != after.Currency {
		products, _, err := a.store.ListProducts(ctx, "", 1)
		if err != nil {
			return err
		}
		plan, err := a.store.Plan(ctx, a.now())
		if err != nil {
			return err
		}
		if named := plan.Currency(); named != "" {
			return fail.New(fail.Conflict, "currency_in_rules", "The currency cannot change while rules name amounts in {currency}.", fail.Args{"currency": named})
		}
		if len(products) > 0 {
			return fail.New(fail.Conflict, "currency_in_use", "The currency cannot change any more, because products have prices in {currency}.", fail.Args{"currency": before.Currency})
		}
	}
	fresh := slices.DeleteFunc(slices.Clone(after.DefaultShelf), func(id string) bool { return slices.Contains(before.DefaultShelf, id) })
	if i := slices.IndexFunc(fresh, func(id string) bool { return !catalogue.ValidID(id) }); i >= 0 {
		return shelfUnknown(fresh[i])
	}
	found, err := a.store.Products(ctx, fresh)
	if err != nil {
		return err
	}
	for _, id := range fresh {
		if _, ok := found[id]; !ok {
			return shelfUnknown(id)
		}
	}
	return nil
}

func shelfUnknown(id string) error {
	return fail.NewFields([]fail.Field{fail.At("body.defaultShelf", "product_unknown", "There is no product {product} here.", fail.Args{"product": clip(id)})})
}

func changedMeanwhile() error {
	return fail.New(fail.Conflict, "changed_meanwhile", "Somebody else has changed this meanwhile. Please load it again and repeat your change.", nil)
}
