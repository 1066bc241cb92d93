package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/money"
)

// since is how many days before the seeding the shop's rules and its KOCs began: before the first order.
const since = 45

const currency money.Currency = "CNY"

// openShop adds the products, dates the rule book back and sets up the shop.
func (s *seeding) openShop(ctx context.Context) error {
	if err := sideBySide(Products, func(p Product) error { return s.product(ctx, p) }); err != nil {
		return err
	}
	if err := s.rules(ctx); err != nil {
		return err
	}
	return s.client.do(ctx, call{method: http.MethodPatch, path: "/v1/admin/settings", token: s.operator, body: House.settings()}, nil)
}

// object is a JSON object.
type object map[string]any

func (h Shop) settings() object {
	return object{
		"brand": h.Brand, "tagline": h.Tagline, "returnAddress": returnAddress, "hero": h.Hero,
		"licence":      object{"company": h.Company, "number": h.Number, "icp": h.ICP},
		"shipping":     object{"fee": money.Of(h.ShippingFee, currency), "freeFrom": money.Of(h.FreeFrom, currency)},
		"defaultShelf": h.DefaultShelf,
		"windows": object{"attributionDays": h.AttributionDays, "returnDays": h.ReturnDays, "receiptDays": h.ReceiptDays,
			"holdMinutes": h.HoldMinutes},
	}
}

func (s *seeding) product(ctx context.Context, p Product) error {
	var variants []object
	for _, v := range p.Variants {
		x := object{"sku": v.SKU, "price": money.Of(v.Price, currency), "grams": v.Grams, "stock": v.Stock}
		if v.Option != "" {
			x["options"] = []string{v.Option}
		}
		if v.CompareAt != 0 {
			x["compareAt"] = money.Of(v.CompareAt, currency)
		}
		variants = append(variants, x)
	}
	body := object{"id": p.ID, "title": p.Title, "body": p.Body, "scene": p.Scene, "vendor": House.Brand, "type": p.Type, "tags": p.Tags,
		"images": []object{{"src": p.Image(), "alt": p.Alt}}, "variants": variants}
	if len(p.Options) > 0 {
		body["options"] = p.Options
	}
	err := s.client.do(ctx, call{method: http.MethodPost, path: "/v1/admin/products", token: s.operator, key: "demo-shop-product-" + p.ID, body: body}, nil)
	if isConflict(err) { // added by a seeding so long ago that its answer is forgotten
		return nil
	}
	return err
}

// rules publishes the products' own rates as of a day before the first order: over HTTP they would begin today, and
// the orders of the past would not know them. A book that was published already stays, with what its operator made of it.
func (s *seeding) rules(ctx context.Context) error {
	begin := s.Now.AddDate(0, 0, -since)
	plan, err := s.Store.Plan(ctx, begin)
	if err != nil {
		return fmt.Errorf("read the rule book: %w", err)
	}
	if plan.Latest > 1 {
		return nil
	}
	rates := map[string]money.BasisPoints{}
	for _, p := range Products {
		if p.Rate != 0 {
			rates[p.ID] = money.BasisPoints(p.Rate)
		}
	}
	standard := money.BasisPoints(House.DefaultRate)
	// Nobody has shared anything yet, so there is nobody to give notice to.
	first, err := plan.Set(commission.Edit{Default: &standard, Products: rates}, commission.Notice{Zone: time.UTC}, commission.Market{}, begin)
	if err != nil {
		return fmt.Errorf("write the rule book: %w", err)
	}
	return s.Store.Publish(ctx, first)
}

// welcomeKOCs brings every KOC from an application to a storefront with links.
func (s *seeding) welcomeKOCs(ctx context.Context) error {
	return sideBySide(KOCs, func(k KOC) error {
		token, err := s.client.login(ctx, k.user())
		if err != nil {
			return err
		}
		if err := s.join(ctx, k, token); err != nil {
			return err
		}
		if err := s.furnish(ctx, k, token); err != nil {
			return err
		}
		return s.share(ctx, k, token)
	})
}

// join approves a KOC and binds their login with the invitation.
func (s *seeding) join(ctx context.Context, k KOC, token string) error {
	profile, err := s.Store.KOC(ctx, k.Handle)
	if err != nil && fail.KindOf(err) != fail.NotFound {
		return err
	}
	if profile.Subject != "" {
		return nil
	}
	person := object{"handle": k.Handle, "name": k.Name, "email": k.Email}
	err = s.client.do(ctx, call{method: http.MethodPost, path: "/v1/admin/kocs", token: s.operator, key: "demo-shop-person-" + k.Handle, body: person}, nil)
	if err != nil && !isConflict(err) { // as with products
		return err
	}
	var approval struct{ Invite string }
	err = s.client.do(ctx, call{method: http.MethodPost, path: "/v1/admin/kocs/" + k.Handle + "/approve", token: s.operator,
		key: "demo-shop-approve-" + k.Handle}, &approval)
	if err != nil {
		return err
	}
	return s.client.do(ctx, call{method: http.MethodPost, path: "/v1/me", token: token, body: object{"invite": approval.Invite}}, nil)
}

// furnish fills the storefront. Portrait and standing are written directly: portraits that KOCs give are photographs,
// the demo's are drawings, and whoever earned four weeks ago had joined before.
func (s *seeding) furnish(ctx context.Context, k KOC, token string) error {
	if err := s.client.do(ctx, call{method: http.MethodPatch, path: "/v1/me", token: token, body: object{"story": k.Story}}, nil); err != nil {
		return err
	}
	var shelf []object
	for _, n := range k.Shelf {
		shelf = append(shelf, object{"product": n.Product, "note": n.Text})
	}
	if err := s.client.do(ctx, call{method: http.MethodPut, path: "/v1/shelf", token: token, body: object{"items": shelf}}, nil); err != nil {
		return err
	}
	joined := s.Now.AddDate(0, 0, -since)
	_, err := s.Store.UpdateKOC(ctx, k.Handle, func(p *koc.Profile) error {
		p.Portrait, p.CreatedAt = k.Portrait(), joined
		p.Standings = []koc.Standing{{Status: koc.Applied, From: joined}, {Status: koc.Approved, From: joined.AddDate(0, 0, 2)}}
		return nil
	}, nil)
	return err
}

// share makes the KOC's links. The same keys give the same links, however often.
func (s *seeding) share(ctx context.Context, k KOC, token string) error {
	for i, l := range k.Links {
		target := koc.Link{Product: l.Product}.Target()
		var made struct{ Code string }
		err := s.client.do(ctx, call{method: http.MethodPost, path: "/v1/links", token: token, key: fmt.Sprintf("demo-shop-link-%s-%d", k.Handle, i+1),
			body: object{"target": target, "channel": l.Channel}}, &made)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.links[l.Name] = koc.Link{Code: made.Code, KOC: k.Handle, Product: l.Product, Channel: l.Channel}
		s.mu.Unlock()
	}
	return nil
}

func (s *seeding) applicants(ctx context.Context) error {
	for _, a := range Applicants {
		body := object{"handle": a.Handle, "name": a.Name, "email": a.Email, "story": a.Story}
		err := s.client.do(ctx, call{method: http.MethodPost, path: "/apply", body: body}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// isConflict reports whether something cannot be done because of what has happened meanwhile.
func isConflict(err error) bool {
	if r, ok := errors.AsType[*refused](err); ok {
		return r.status == http.StatusConflict
	}
	return err != nil && fail.KindOf(err) == fail.Conflict
}

// returnAddress is where the demo shop takes goods back.
const returnAddress = "云店退货组\n浙江省杭州市西湖区文三路 1 号 2 号库\n310000"
