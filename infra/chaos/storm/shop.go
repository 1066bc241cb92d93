package storm

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// shop is what the storm blows through: a few SKUs that many want, and KOCs with links of their own.
type shop struct {
	operator string // access token
	kocs     []*seller
	skus     []string // of each product, by its number, as it is called now
	links    []link

	naming sync.Mutex // held by whoever gives a SKU another name, or receives goods under one
}

type seller struct {
	handle, token string
	suspendedAt   time.Time // zero: never; written before the orders that see it
}

type link struct {
	koc, code string
	page      string // the signed token that the link's page carries
}

// Of how much there is. One KOC is suspended in the middle of the storm.
const (
	kocCount  = 5
	linksEach = 2
	skuCount  = 8
	moreCount = 52 // SKUs that only orders of many lines have
)

// open fills the shop before the storm. Prices are odd and the rates uneven, so that roundings happen; stock of half
// the SKUs lasts for a part of the orders only.
func (s *storm) open(ctx context.Context) error {
	var err error
	if s.shop.operator, err = s.login(ctx, "operator:ana"); err != nil {
		return err
	}
	fee := map[string]any{"fee": cny(700), "freeFrom": cny(60_000)}
	if err := s.operate(ctx, http.MethodPatch, "/v1/admin/settings", map[string]any{"defaultRate": 1_137, "shipping": fee, "tax": 600,
		"limits": map[string]any{"confirmAbove": cny(20_000)}}, nil, 200); err != nil {
		return err
	}
	for i := range skuCount + moreCount {
		sku := productOf(i)
		stock := s.o.Orders * 9 // more than all could buy
		if i < skuCount && i%2 == 1 {
			stock = max(3, s.o.Orders/2)
		}
		product := map[string]any{"id": sku, "title": "Tea " + sku, "status": "active",
			"variants": []any{map[string]any{"sku": sku, "price": cny(1_999 + 3_333*(i%skuCount)), "stock": stock}}}
		if err := s.operate(ctx, http.MethodPost, "/v1/admin/products", product, nil, 201); err != nil {
			return err
		}
		s.shop.skus = append(s.shop.skus, sku)
		s.stock[sku] = int64(stock) // by product: its first SKU is called like it
	}
	for i := range kocCount {
		if err := s.welcome(ctx, fmt.Sprintf("koc%d", i)); err != nil {
			return err
		}
	}
	if err := s.payOut(ctx); err != nil {
		return err
	}
	return s.runner.Quiet(ctx)
}

func cny(minor int) map[string]any { return map[string]any{"amount": minor, "currency": "CNY"} }

func (s *storm) login(ctx context.Context, user string) (string, error) {
	var out struct{ Token string }
	err := s.client.must(ctx, ask{method: http.MethodGet, path: "/_local/token?user=" + user}, &out, 200)
	return out.Token, err
}

// operate does something as the operator; a write has a key of its own, under which it is sent again.
func (s *storm) operate(ctx context.Context, method, path string, body, into any, statuses ...int) error {
	q := ask{method: method, path: path, token: s.shop.operator, json: body}
	if method == http.MethodPost {
		q.key = fmt.Sprintf("chaos-operator-%08d", s.operated.Add(1))
	}
	return s.client.must(ctx, q, into, statuses...)
}

// productOf is the id of the product with a number.
func productOf(k int) string { return fmt.Sprintf("tea-%d", k) }

// sku is what the variant of a product is called now.
func (s *storm) sku(k int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shop.skus[k]
}

// rename gives the variant of a product another SKU, also one that it had before, while orders hold pieces of it.
func (s *storm) rename(ctx context.Context, i, k int) error {
	s.shop.naming.Lock()
	defer s.shop.naming.Unlock()
	var p struct{ Variants []struct{ ID, SKU string } }
	path := "/v1/admin/products/" + productOf(k)
	if err := s.operate(ctx, http.MethodGet, path, nil, &p, 200); err != nil {
		return err
	}
	name := []string{"tea-%d", "TEA-%d", "tea-%d-new", "box of tea-%d"}[i%4]
	body := map[string]any{"variants": []any{map[string]any{"id": p.Variants[0].ID, "sku": fmt.Sprintf(name, k)}}}
	err := s.client.must(ctx, ask{method: http.MethodPatch, path: path, token: s.shop.operator, key: fmt.Sprintf("chaos-rename-%08d", i), json: body}, nil, 200, 409)
	if err != nil {
		return err
	}
	if err := s.operate(ctx, http.MethodGet, path, nil, &p, 200); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shop.skus[k] = p.Variants[0].SKU
	return nil
}

// restock receives goods under a key, and writes some off again.
func (s *storm) restock(ctx context.Context, i, k int) error {
	s.shop.naming.Lock()
	defer s.shop.naming.Unlock()
	sku := s.sku(k)
	for what, pieces := range map[string]int{"received": 3, "writtenOff": 1} {
		a, err := s.client.do(ctx, ask{method: http.MethodPost, path: "/v1/admin/stock", token: s.shop.operator, key: fmt.Sprintf("chaos-%s-%08d", what, i),
			json: map[string]any{"sku": sku, what: pieces, "reason": "counted"}})
		counts := s.stock
		switch {
		case err != nil:
			return err
		case what == "writtenOff" && a.status == http.StatusConflict: // none is left
			continue
		case a.status != http.StatusOK:
			return fmt.Errorf("%s of %s answered %d: %.300s", what, sku, a.status, a.body)
		case what == "writtenOff":
			counts = s.off
		}
		s.mu.Lock()
		counts[productOf(k)] += int64(pieces)
		s.mu.Unlock()
	}
	return nil
}

var metaToken = regexp.MustCompile(`<meta name="yundian-token" content="([^"]+)"`)

// welcome makes a KOC with links.
func (s *storm) welcome(ctx context.Context, handle string) error {
	k := &seller{handle: handle}
	if err := s.operate(ctx, http.MethodPost, "/v1/admin/kocs", map[string]any{"handle": handle, "name": handle, "email": handle + "@example.com"}, nil, 201); err != nil {
		return err
	}
	var approved struct{ Invite string }
	if err := s.operate(ctx, http.MethodPost, "/v1/admin/kocs/"+handle+"/approve", map[string]any{}, &approved, 200); err != nil {
		return err
	}
	var err error
	if k.token, err = s.login(ctx, "koc:"+handle); err != nil {
		return err
	}
	bind := ask{method: http.MethodPost, path: "/v1/me", token: k.token, json: map[string]any{"invite": approved.Invite}}
	if err := s.client.must(ctx, bind, nil, 200); err != nil {
		return err
	}
	for i := range linksEach {
		target := "storefront"
		if i > 0 {
			target = "product:" + s.shop.skus[i]
		}
		var made struct{ Code string }
		share := ask{method: http.MethodPost, path: "/v1/links", token: k.token, json: map[string]any{"target": target, "channel": "wechat"}}
		if err := s.client.must(ctx, share, &made, 201); err != nil {
			return err
		}
		page, err := s.client.do(ctx, ask{method: http.MethodGet, path: "/s/" + made.Code})
		if err != nil {
			return err
		}
		m := metaToken.FindSubmatch(page.body)
		if m == nil {
			return fmt.Errorf("the page of link %s carries no token", made.Code)
		}
		s.shop.links = append(s.shop.links, link{koc: handle, code: made.Code, page: string(m[1])})
	}
	s.shop.kocs = append(s.shop.kocs, k)
	return nil
}
