package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/catalogue"
	"yundian/shared/catalogue/intake"
	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/typed"
	"yundian/shared/web"
)

// ProductDraft is a new product.
type ProductDraft struct {
	ID       string         `json:"id,omitempty" doc:"Part of its address; from the title when absent"`
	Title    string         `json:"title"`
	Status   string         `json:"status,omitempty" enum:"active,draft,archived" doc:"active when absent"`
	Variants []VariantDraft `json:"variants" minItems:"1" maxItems:"250"`
	Images   []Picture      `json:"images,omitempty" maxItems:"50"`
	Tags     []string       `json:"tags,omitempty" maxItems:"50"`
	Options  []string       `json:"options,omitempty" maxItems:"3" doc:"What variants differ in"`
	Vendor   string         `json:"vendor,omitempty"`
	Type     string         `json:"type,omitempty"`
	Body     string         `json:"body,omitempty" doc:"HTML; what cannot stand on a page is taken out"`
	Scene    string         `json:"scene,omitempty" doc:"How it is used in life, plain text"`
	Rate     *int64         `json:"rate,omitempty" minimum:"0" maximum:"10000" doc:"Its own commission in hundredths of a percent"`
}

// VariantDraft is a new SKU.
type VariantDraft struct {
	SKU       string        `json:"sku,omitempty" doc:"From the product's id and the options when absent"`
	Title     string        `json:"title,omitempty" doc:"From the options when absent"`
	Options   []string      `json:"options,omitempty" maxItems:"3"`
	Price     money.Amount  `json:"price"`
	CompareAt *money.Amount `json:"compareAt,omitempty"`
	Image     string        `json:"image,omitempty"`
	Grams     int64         `json:"grams,omitempty" minimum:"0" maximum:"10000000"`
	Stock     int64         `json:"stock,omitempty" minimum:"0" maximum:"1000000000" doc:"The first receipt"`
	Policy    string        `json:"stockPolicy,omitempty" enum:"tracked,continue,untracked" doc:"tracked when absent"`
}

// ProductChange is some of a product; what is absent stays. Lists are replaced, except for variants.
type ProductChange struct {
	ID       *string         `json:"id,omitempty" doc:"As in the address: ids never change"`
	Title    *string         `json:"title,omitempty"`
	Status   *string         `json:"status,omitempty" enum:"active,draft,archived"`
	Variants []VariantChange `json:"variants,omitempty" maxItems:"250" doc:"Changed, added or removed by id or SKU; variants that are not named stay"`
	Images   []Picture       `json:"images,omitempty" maxItems:"50"`
	Tags     []string        `json:"tags,omitempty" maxItems:"50"`
	Options  []string        `json:"options,omitempty" maxItems:"3"`
	Vendor   *string         `json:"vendor,omitempty"`
	Type     *string         `json:"type,omitempty"`
	Body     *string         `json:"body,omitempty"`
	Scene    *string         `json:"scene,omitempty"`
	Rate     RateChange      `json:"rate,omitzero" doc:"Its own commission in hundredths of a percent; null takes it away"`
}

// VariantChange is some of a variant, or a new one.
type VariantChange struct {
	ID        string        `json:"id,omitempty" doc:"Names the variant, so that its SKU can be changed; its stock stays with it"`
	SKU       string        `json:"sku,omitempty" doc:"Names the variant when no id does: by this SKU, or by its option values if the product has no such SKU"`
	Title     *string       `json:"title,omitempty"`
	Options   []string      `json:"options,omitempty" maxItems:"3"`
	Price     *money.Amount `json:"price,omitempty"`
	CompareAt *money.Amount `json:"compareAt,omitempty" doc:"An amount of 0 takes it away"`
	Image     *string       `json:"image,omitempty"`
	Grams     *int64        `json:"grams,omitempty" minimum:"0" maximum:"10000000"`
	Stock     *int64        `json:"stock,omitempty" minimum:"0" maximum:"1000000000" doc:"The first receipt of a new SKU; afterwards stock moves by /v1/admin/stock, and only the count as it is now is accepted here"`
	Policy    *string       `json:"stockPolicy,omitempty" enum:"tracked,continue,untracked"`
	Remove    bool          `json:"remove,omitempty"`
}

// Picture is an image as sent: an object, or its address alone.
type Picture catalogue.Image

// UnmarshalJSON implements json.Unmarshaler.
func (p *Picture) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &p.Src)
	}
	return web.UnmarshalJSON(text, (*catalogue.Image)(p))
}

// Schema implements huma.SchemaProvider.
func (Picture) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: "string"}, r.Schema(reflect.TypeFor[catalogue.Image](), true, "Image")}}
}

// RateChange is a rate that may be absent, null or a number.
type RateChange struct {
	Set  bool
	Rate *int64
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *RateChange) UnmarshalJSON(text []byte) error {
	r.Set = true
	return json.Unmarshal(text, &r.Rate)
}

// MarshalJSON implements json.Marshaler; requests are hashed by what they say.
func (r RateChange) MarshalJSON() ([]byte, error) { return json.Marshal(r.Rate) }

// Schema implements huma.SchemaProvider.
func (RateChange) Schema(huma.Registry) *huma.Schema {
	low, high := 0.0, float64(money.Whole)
	return &huma.Schema{Type: "integer", Nullable: true, Minimum: &low, Maximum: &high}
}

// edit is a product before and after a change, and what goes with it.
type edit struct {
	before, after catalogue.Product
	received      map[string]int64
	rate          RateChange
}

// product is the draft as a product, without what only the shop knows.
func (d ProductDraft) product(now time.Time) (catalogue.Product, map[string]int64) {
	p := catalogue.Product{ID: d.ID, Title: typed.TidyLine(d.Title), Status: catalogue.Status(cmp.Or(d.Status, string(catalogue.Active))),
		Images: pictures(d.Images), Tags: lines(d.Tags), Options: lines(d.Options), Vendor: typed.TidyLine(d.Vendor), Type: typed.TidyLine(d.Type),
		Body: intake.Clean(d.Body), Scene: typed.TidyLines(d.Scene), UpdatedAt: now}
	if p.ID == "" {
		p.ID = intake.Slug(p.Title)
	}
	received := map[string]int64{}
	for _, v := range d.Variants {
		variant := catalogue.Variant{SKU: v.SKU, Title: typed.TidyLine(v.Title), Options: lines(v.Options), Price: v.Price, Image: v.Image, Grams: v.Grams, StockPolicy: policyNamed(v.Policy)}
		variant.CompareAt = earlier(v.CompareAt)
		if variant.SKU == "" {
			variant.SKU = intake.SKU(p.ID, variant.Options)
		}
		if variant.Title == "" {
			variant.Title = strings.Join(variant.Options, " / ")
		}
		p.Variants = append(p.Variants, variant)
		received[variant.SKU] = v.Stock
	}
	return p, received
}

// earlier is an earlier price as it is kept: none and nothing are the same.
func earlier(price *money.Amount) money.Amount {
	if price == nil || price.IsZero() {
		return money.Amount{}
	}
	return *price
}

func pictures(in []Picture) []catalogue.Image {
	if in == nil {
		return nil
	}
	out := make([]catalogue.Image, len(in))
	for i, p := range in {
		out[i] = catalogue.Image{Src: strings.TrimSpace(p.Src), Alt: typed.TidyLine(p.Alt)}
	}
	return out
}

func lines(in []string) []string {
	if in == nil {
		return nil
	}
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = typed.TidyLine(s)
	}
	return out
}

// apply changes a product.
func (c ProductChange) apply(before catalogue.Product, now time.Time) (edit, error) {
	p := before
	p.Variants, p.UpdatedAt = slices.Clone(before.Variants), now
	for _, x := range []struct {
		to    *string
		from  *string
		clean func(string) string
	}{{&p.Title, c.Title, typed.TidyLine}, {&p.Vendor, c.Vendor, typed.TidyLine}, {&p.Type, c.Type, typed.TidyLine}, {&p.Body, c.Body, intake.Clean}, {&p.Scene, c.Scene, typed.TidyLines}} {
		if x.from != nil {
			*x.to = x.clean(*x.from)
		}
	}
	if c.Status != nil {
		p.Status = catalogue.Status(*c.Status)
	}
	if c.Images != nil {
		p.Images = pictures(c.Images)
	}
	if c.Tags != nil {
		p.Tags = lines(c.Tags)
	}
	if c.Options != nil {
		p.Options = lines(c.Options)
	}
	e := edit{before: before, after: p, received: map[string]int64{}, rate: c.Rate}
	var f []fail.Field
	if c.ID != nil && *c.ID != before.ID {
		f = append(f, fail.At("body.id", "id_fixed", "The id of a product never changes.", nil))
	}
	for i, v := range c.Variants {
		if problem := e.variant(v, fmt.Sprintf("body.variants[%d]", i)); problem != nil {
			f = append(f, *problem)
		}
	}
	return e, fail.NewFields(f)
}

// names finds the variant that a change is about, among those that a product has or had: by its id, else by its SKU, else by
// its option values. So a new SKU beside known option values renames a variant, and does not add one beside it.
func (c VariantChange) names(p catalogue.Product) (catalogue.Variant, bool) {
	if c.ID != "" {
		return p.WithID(c.ID)
	}
	if v, ok := p.Variant(c.SKU); ok {
		return v, true
	}
	known, _ := p.Recognise(catalogue.Product{Options: p.Options, Variants: []catalogue.Variant{{SKU: c.SKU, Options: lines(c.Options)}}}, false)
	if len(c.Options) == 0 && !slices.ContainsFunc(p.Removed, func(v catalogue.Variant) bool { return v.ID == known[0].ID }) {
		return catalogue.Variant{}, false // without options nothing but the SKU names a variant
	}
	return p.WithID(known[0].ID)
}

// variant changes, adds or removes one variant.
func (e *edit) variant(c VariantChange, where string) *fail.Field {
	bad := func(name, code, text string) *fail.Field {
		f := fail.At(where+name, code, text, nil)
		return &f
	}
	old, existed := c.names(e.before)
	i := slices.IndexFunc(e.after.Variants, func(v catalogue.Variant) bool {
		if existed {
			return v.ID == old.ID
		}
		return v.ID == "" && catalogue.SameSKU(v.SKU, c.SKU)
	})
	switch {
	case c.ID != "" && !existed:
		return bad(".id", "variant_not_here", "This product has no such variant.")
	case c.ID == "" && c.SKU == "":
		return bad(".sku", "field_required", "This is required.")
	case c.Remove && i < 0:
		return bad(".sku", "sku_not_here", "This product has no such SKU.")
	case c.Remove:
		e.after.Variants = slices.Delete(e.after.Variants, i, i+1)
		return nil
	case i < 0 && c.Price == nil:
		return bad(".price", "field_required", "This is required.")
	case existed && c.Stock != nil:
		return bad(".stock", "stock_moves", "The stock of a SKU that exists changes by receipts and write-offs: POST /v1/admin/stock.")
	case i < 0:
		e.after.Variants = append(e.after.Variants, catalogue.Variant{ID: old.ID, SKU: cmp.Or(c.SKU, old.SKU)})
		i = len(e.after.Variants) - 1
	}
	v := &e.after.Variants[i]
	if c.SKU != "" {
		v.SKU = c.SKU
	}
	if c.Options != nil {
		v.Options = lines(c.Options)
		v.Title = strings.Join(v.Options, " / ")
	}
	if c.Title != nil {
		v.Title = typed.TidyLine(*c.Title)
	}
	if c.Price != nil {
		v.Price = *c.Price
	}
	if c.CompareAt != nil {
		v.CompareAt = earlier(c.CompareAt)
	}
	if c.Image != nil {
		v.Image = *c.Image
	}
	if c.Grams != nil {
		v.Grams = *c.Grams
	}
	if c.Policy != nil {
		v.StockPolicy = policyNamed(*c.Policy)
	}
	if c.Stock != nil {
		e.received[c.SKU] = *c.Stock
	}
	return nil
}

// setRate gives a product its own rate, at once or after the notice.
func (a *admin) setRate(ctx context.Context, e edit) ([]store.Write, error) {
	rate := money.BasisPoints(-1)
	if e.rate.Rate != nil {
		rate = money.BasisPoints(*e.rate.Rate)
	}
	settings, err := a.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	pub, err := a.setRates(ctx, commission.Edit{Products: map[string]money.BasisPoints{e.after.ID: rate}}, settings, e.after)
	return store.PublicationWrites(pub), err
}

// setRates is what an edit of single rates adds to the rule book. Products that are saved with it count as they will be:
// their tags change at once, whatever the book says.
func (a *admin) setRates(ctx context.Context, e commission.Edit, settings shop.Settings, saved ...catalogue.Product) (commission.Publication, error) {
	now := a.now()
	plan, err := a.store.Plan(ctx, now)
	if err != nil {
		return commission.Publication{}, err
	}
	notice, err := a.notice(ctx, settings)
	if err != nil {
		return commission.Publication{}, err
	}
	market, err := a.market(ctx, notice)
	if err != nil {
		return commission.Publication{}, err
	}
	return plan.Set(e, notice, market.With(saved...), now)
}

// save writes a product, and a new version of the rule book if its rate changes, in one transaction.
func (a *admin) save(ctx context.Context, e edit, reply []store.Write) error {
	for try := 1; ; try++ {
		extra := slices.Clone(reply)
		if e.rate.Set {
			rates, err := a.setRate(ctx, e)
			if err != nil {
				return err
			}
			extra = append(extra, rates...)
		}
		err := a.store.SaveProduct(ctx, e.before, e.after, e.received, extra...)
		if !store.BookTaken(err) {
			return err
		}
		if try == editTries {
			return changedMeanwhile()
		}
	}
}
