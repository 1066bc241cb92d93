package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/once"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// linkDays is how far back the list of links counts what they brought.
const linkDays = 90

// NewLink is a share link as it was made, with what its product earns as of now. What a storefront earns is that of
// products that no rule is about.
type NewLink struct {
	Code    string `json:"code"`
	URL     string `json:"url"`
	Target  string `json:"target" doc:"storefront, or product:<id>"`
	Channel string `json:"channel"`
	Earning
}

// Link is a share link and what it brought in the last 90 days.
type Link struct {
	NewLink
	CreatedAt  time.Time    `json:"createdAt"`
	Touches    int64        `json:"touches"`
	Orders     int64        `json:"orders"`
	Sales      money.Amount `json:"sales" doc:"Net of refunds"`
	Commission money.Amount `json:"commission" doc:"Net of refunds"`
}

// LinkPage is a page of links by code.
type LinkPage struct {
	Items []Link `json:"items"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

func linkURL(base, code string) string { return base + "/s/" + code }

func viewLink(l koc.Link, earns Earning, base string) NewLink {
	return NewLink{Code: l.Code, URL: linkURL(base, l.Code), Target: l.Target(), Channel: l.Channel, Earning: earns}
}

// linked are the products that links lead to, if what they earn depends on more than their ids.
func (p *portal) linked(ctx context.Context, links []koc.Link, earns tariff) (map[string]catalogue.Product, error) {
	var ids []string
	for _, l := range links {
		if l.Product != "" && earns.NamesTags() {
			ids = append(ids, l.Product)
		}
	}
	return p.store.Products(ctx, ids)
}

func (p *portal) listLinks(ctx context.Context, in *struct{ api.Paging }) (*api.Reply[LinkPage], error) {
	v := visitOf(ctx)
	bound := seal.Binding{Owner: v.koc.Handle, Query: "links"}
	after, err := p.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	links, next, err := p.store.Links(ctx, v.koc.Handle, after, in.Limit.Size())
	if err != nil {
		return nil, err
	}
	settings, err := p.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	earns, err := p.tariff(ctx)
	if err != nil {
		return nil, err
	}
	products, err := p.linked(ctx, links, earns)
	if err != nil {
		return nil, err
	}
	brought, err := p.brought(ctx, v.koc.Handle, settings)
	if err != nil {
		return nil, err
	}
	page := LinkPage{Items: make([]Link, 0, len(links)), Next: p.keys.Cursor(bound, next)}
	for _, l := range links {
		sum := brought[l.Code].orNothing(settings.Currency)
		page.Items = append(page.Items, Link{NewLink: viewLink(l, earns.earning(l.Product, products[l.Product].Tags), v.base), CreatedAt: l.CreatedAt,
			Touches: sum.Touches, Orders: sum.Orders, Sales: sum.Sales, Commission: sum.Commission})
	}
	return &api.Reply[LinkPage]{Body: page}, nil
}

// brought is what each link brought in the last linkDays days.
func (p *portal) brought(ctx context.Context, handle string, s shop.Settings) (map[string]Count, error) {
	zone, err := s.Zone()
	if err != nil {
		return nil, err
	}
	today := p.now().In(zone)
	stats, err := p.store.Stats(ctx, handle, "LINK", today.AddDate(0, 0, 1-linkDays).Format(time.DateOnly), today.Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	return sumBy(stats, func(s store.Stat) string { return s.Key }), nil
}

type makeLinkInput struct {
	api.Keyed
	Body struct {
		Target  string `json:"target" maxLength:"200" doc:"storefront, or product:<id>"`
		Channel string `json:"channel" maxLength:"30" doc:"Where it will be shared, such as wechat, xiaohongshu, qr: lower-case letters, digits and hyphens"`
	}
}

func (p *portal) makeLink(ctx context.Context, in *makeLinkInput) (*api.Reply[NewLink], error) {
	link, err := once.Do(ctx, p.store, wish(ctx, "POST /v1/links", in.Key, in.Body), p.now(), func(record once.Record[NewLink]) (NewLink, error) {
		unique, err := p.unique(visitOf(ctx).subject, in)
		if err != nil {
			return NewLink{}, err
		}
		return p.makeLinkOf(ctx, in, unique, record)
	})
	return &api.Reply[NewLink]{Body: link}, err
}

func (p *portal) makeLinkOf(ctx context.Context, in *makeLinkInput, unique string, record once.Record[NewLink]) (NewLink, error) {
	v := visitOf(ctx)
	l, err := koc.NewLink(v.koc.Handle, in.Body.Target, in.Body.Channel, unique, p.now())
	if err != nil {
		return NewLink{}, err
	}
	product, err := p.mayShare(ctx, l.Product)
	if err != nil {
		return NewLink{}, err
	}
	// One query of at most a thousand small items: links are made by hand, and a counter would be one more thing to
	// keep right.
	links, _, err := p.store.Links(ctx, v.koc.Handle, "", koc.MaxLinks)
	if err != nil {
		return NewLink{}, err
	}
	if len(links) >= koc.MaxLinks {
		return NewLink{}, fail.New(fail.TooMany, "links_too_many", "You have {limit} links, which is as many as there can be.", fail.Args{"limit": koc.MaxLinks})
	}
	earns, err := p.tariff(ctx)
	if err != nil {
		return NewLink{}, err
	}
	answer := viewLink(l, earns.earning(l.Product, product.Tags), v.base)
	reply, err := record(answer)
	if err != nil {
		return NewLink{}, err
	}
	return answer, p.store.CreateLink(ctx, l, reply...)
}

// mayShare is a product to share; products that shoppers cannot see are refused. The storefront, "", can always be shared.
func (p *portal) mayShare(ctx context.Context, product string) (catalogue.Product, error) {
	if product == "" {
		return catalogue.Product{}, nil
	}
	unknown := fail.NewFields([]fail.Field{fail.At("body.target", "product_not_shared", "There is no product {product} to share.", fail.Args{"product": product})})
	if !catalogue.ValidID(product) {
		return catalogue.Product{}, unknown
	}
	found, err := p.store.Products(ctx, []string{product})
	if err != nil {
		return catalogue.Product{}, err
	}
	if found[product].Status != catalogue.Active {
		return catalogue.Product{}, unknown
	}
	return found[product], nil
}

// Codes are read out, typed from posters and cut off by apps: their own part has lower-case letters and digits that
// nobody mistakes for each other.
const (
	codeLetters = "23456789abcdefghjkmnpqrstuvwxyz"
	codeLength  = koc.OwnPart // 31^7 is 27 thousand million per KOC
)

// unique is the code's own part: random, or derived from the idempotency key and the wish, so that sending it again
// makes the same link even after the recorded answer has expired.
func (p *portal) unique(subject string, in *makeLinkInput) (string, error) {
	seed := p.random()
	if in.Key != "" {
		text, err := json.Marshal([]any{subject, in.Key, in.Body.Target, in.Body.Channel})
		if err != nil {
			return "", err
		}
		seed = string(text)
	}
	h := sha256.Sum256([]byte("link code\x00" + seed))
	var b strings.Builder
	for _, c := range h[:codeLength] {
		b.WriteByte(codeLetters[int(c)%len(codeLetters)])
	}
	return b.String(), nil
}
