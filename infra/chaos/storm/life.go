package storm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// purchase is one shopper's wish to buy: at most one order.
type purchase struct {
	key     string
	body    map[string]any
	koc     string // whose link or code came with it
	own     bool   // that KOC orders
	lines   []line
	payment string

	id, secret, payURL string // empty when it was refused
	began              time.Time
}

type line struct {
	sku      string
	quantity int
}

// live is an order from the first look to the last wish, in a random way.
func (s *storm) live(ctx context.Context, i int, r *rand.Rand) error {
	if i == s.o.Orders/2 {
		if err := s.suspend(ctx); err != nil {
			return err
		}
	}
	if i == s.o.Orders/3 { // a raise in the middle: orders keep the rate of their placement
		if err := s.operate(ctx, http.MethodPatch, "/v1/admin/settings", map[string]any{"defaultRate": 1_771}, nil, 200); err != nil {
			return err
		}
	}
	if i%10 == 0 {
		if err := s.restock(ctx, i, 1+2*r.IntN(skuCount/2)); err != nil {
			return err
		}
	}
	if i%6 == 3 {
		if err := s.rename(ctx, i, r.IntN(skuCount)); err != nil {
			return err
		}
	}
	p := s.choose(i, r)
	s.mu.Lock()
	s.placed[i] = p
	s.mu.Unlock()
	if err := s.place(ctx, p, r); err != nil || p.id == "" {
		return err
	}
	if r.IntN(100) < 4 {
		return s.shopperDoes(ctx, p, "cancel", nil)
	}
	if p.payment == "sandbox" {
		if left, err := s.pay(ctx, p, r); err != nil || left {
			return err
		}
	}
	switch n := r.IntN(100); {
	case n < 12:
		return s.shopperDoes(ctx, p, "cancel", nil)
	case n < 30:
		return s.crowd(ctx, i, p, r)
	}
	return s.fulfil(ctx, i, p, r)
}

// suspend puts one KOC out in the middle of the storm.
func (s *storm) suspend(ctx context.Context) error {
	k := s.shop.kocs[kocCount-1]
	err := s.operate(ctx, http.MethodPost, "/v1/admin/kocs/"+k.handle+"/suspend", map[string]any{"reason": "bought through own link"}, nil, 200)
	s.mu.Lock()
	k.suspendedAt = time.Now()
	s.mu.Unlock()
	return err
}

// choose fills a basket. Most shoppers come through a link, some type a code, some come by themselves.
func (s *storm) choose(i int, r *rand.Rand) *purchase {
	p := &purchase{key: fmt.Sprintf("chaos-key-of-shopper-%d", i), payment: "sandbox"}
	if r.IntN(100) < 25 {
		p.payment = "on_delivery"
	}
	var lines []any
	chosen := r.Perm(skuCount)[:1+r.IntN(3)]
	if r.IntN(20) == 0 {
		chosen = r.Perm(skuCount + moreCount)[:20+r.IntN(41)]
	}
	for _, k := range chosen {
		l := line{s.sku(k), 1 + r.IntN(3)}
		p.lines = append(p.lines, l)
		lines = append(lines, map[string]any{"sku": l.sku, "quantity": l.quantity})
	}
	p.body = map[string]any{"lines": lines, "payment": p.payment,
		"contact": map[string]any{"name": "陈静", "phone": fmt.Sprintf("+86138%08d", i), "email": ""},
		"address": map[string]any{"country": "CN", "region": "浙江省", "city": "杭州市", "district": "西湖区", "division": "330106", "line1": "文三路 1 号", "postcode": "310000"}}
	switch n := r.IntN(10); {
	case n < 8:
		l := s.shop.links[r.IntN(len(s.shop.links))]
		p.koc = l.koc
		p.body["tokens"] = []string{l.page}
	case n < 9:
		p.koc = s.shop.kocs[r.IntN(kocCount-1)].handle // the last one's code is refused after the suspension
		p.body["kocCode"] = p.koc
	}
	if p.koc != "" && r.IntN(12) == 0 { // some KOCs order through their own link, each time in another spelling
		p.own = true
		p.body["contact"].(map[string]any)["email"] = fmt.Sprintf("%s+%d@Example.com", p.koc, i)
	}
	return p
}

// place looks at the link and orders; now and then the same request is sent twice at once.
func (s *storm) place(ctx context.Context, p *purchase, r *rand.Rand) error {
	if tokens, ok := p.body["tokens"].([]string); ok && r.IntN(2) == 0 {
		see := ask{method: http.MethodPost, path: "/touch", json: map[string]any{"token": tokens[0]}, agent: "Mozilla/5.0 (iPhone; " + p.key + ")"}
		if err := s.client.must(ctx, see, nil, 204); err != nil {
			return err
		}
	}
	times := 1 + r.IntN(4)/3
	answers, errs := make([]answer, times), make([]error, times)
	p.began = time.Now()
	var group sync.WaitGroup
	for n := range times {
		group.Go(func() {
			answers[n], errs[n] = s.client.do(ctx, ask{method: http.MethodPost, path: "/orders", key: p.key, json: p.body})
		})
	}
	group.Wait()
	for n, a := range answers {
		switch {
		case errs[n] != nil:
			return errs[n]
		case a.status == http.StatusCreated:
			if err := s.note(p, a); err != nil {
				return err
			}
		case a.status == http.StatusBadRequest && bytes.Contains(a.body, []byte(".sku")): // renamed since it was looked at
		case a.status != http.StatusConflict: // sold out
			return fmt.Errorf("order answered %d: %.300s", a.status, a.body)
		}
	}
	return nil
}

// note keeps what an order answered. A key whose two answers name two orders is found by the checks.
func (s *storm) note(p *purchase, a answer) error {
	var o struct{ ID, Secret, PayURL string }
	if err := json.Unmarshal(a.body, &o); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.id != "" && p.id != o.ID {
		s.differ("key %s answered with two orders: %s and %s", p.key, p.id, o.ID)
	}
	p.id, p.secret, p.payURL = o.ID, o.Secret, o.PayURL
	return nil
}

// outcomes of payments with their weights; "" is a shopper who leaves.
var outcomes = []struct {
	name   string
	weight int
}{{"pay", 40}, {"pay-twice", 10}, {"pay-double", 7}, {"pay-late", 10}, {"decline", 9}, {"refund-first", 7}, {"dispute", 4}, {"dispute-won", 3}, {"dispute-lost", 3}, {"", 7}}

// pay goes to the provider's page and presses a button. It reports that the shopper left without waiting.
func (s *storm) pay(ctx context.Context, p *purchase, r *rand.Rand) (left bool, err error) {
	n, outcome := r.IntN(100), ""
	for _, o := range outcomes {
		if n -= o.weight; n < 0 {
			outcome = o.name
			break
		}
	}
	if outcome == "" {
		return true, nil
	}
	opened, err := s.client.do(ctx, ask{method: http.MethodGet, path: p.payURL})
	if err != nil {
		return false, err
	}
	if opened.status != http.StatusSeeOther || !strings.Contains(opened.location, "/_local/sandbox/pay/") {
		return true, nil // expired meanwhile
	}
	buttons := []string{outcome}
	if outcome == "decline" {
		buttons = append(buttons, "pay")
	}
	for _, b := range buttons {
		pressed, err := s.client.do(ctx, ask{method: http.MethodPost, path: opened.location, form: url.Values{"outcome": {b}}})
		if err != nil {
			return false, err
		}
		if pressed.status != http.StatusSeeOther { // closed meanwhile
			return true, nil
		}
	}
	if outcome == "pay-late" && r.IntN(2) == 0 { // cancelled before the news arrives
		return true, s.shopperDoes(ctx, p, "cancel", nil)
	}
	return outcome == "pay-late", nil
}

// shopperDoes sends one of the order page's forms. The order may have moved on meanwhile: a refusal is an answer.
func (s *storm) shopperDoes(ctx context.Context, p *purchase, what string, extra map[string]any) error {
	body := map[string]any{"secret": p.secret}
	for k, v := range extra {
		body[k] = v
	}
	return s.client.must(ctx, ask{method: http.MethodPost, path: "/orders/" + p.id + "/" + what, json: body}, nil, 200, 201, 409)
}

// operatorDoes acts on an order under a key of its own.
func (s *storm) operatorDoes(ctx context.Context, p *purchase, what, key string, body any) error {
	return s.client.must(ctx, ask{method: http.MethodPost, path: "/v1/admin/orders/" + p.id + "/" + what, token: s.shop.operator,
		key: "chaos-" + key + "-" + p.id, json: body}, nil, 200, 201, 400, 404, 409)
}

// crowd has everybody act on one order at the same moment.
func (s *storm) crowd(ctx context.Context, i int, p *purchase, r *rand.Rand) error {
	refunds := []*rand.Rand{rand.New(rand.NewPCG(s.o.Seed+2, uint64(i))), rand.New(rand.NewPCG(s.o.Seed+3, uint64(i)))}
	acts := []func() error{
		func() error {
			return s.operatorDoes(ctx, p, "ship", "ship", map[string]any{"carrier": "SF", "tracking": "SF1"})
		},
		func() error {
			return s.operatorDoes(ctx, p, "ship", "ship2", map[string]any{"carrier": "SF", "tracking": "SF2"})
		},
		func() error { return s.operatorDoes(ctx, p, "confirm", "confirm", nil) },
		func() error { return s.operatorDoes(ctx, p, "hold", "hold", map[string]any{"reason": "looks odd"}) },
		func() error {
			return s.operatorDoes(ctx, p, "release", "lift", map[string]any{"reason": "it was fine"})
		},
		func() error { return s.refund(ctx, p, refunds[0], "crowd-1") },
		func() error { return s.refund(ctx, p, refunds[1], "crowd-2") },
		func() error { return s.shopperDoes(ctx, p, "received", nil) },
		func() error {
			return s.operatorDoes(ctx, p, "release", "lift2", map[string]any{"reason": "it was fine"})
		},
	}
	if r.IntN(3) == 0 {
		acts = append(acts, func() error { return s.shopperDoes(ctx, p, "cancel", nil) }, func() error { return s.shopperDoes(ctx, p, "cancel", nil) })
	}
	if p.payment == "sandbox" {
		acts = append(acts, func() error { return s.repeatEvents(ctx, p) })
	}
	errs := make([]error, len(acts))
	var group sync.WaitGroup
	for n, act := range acts {
		group.Go(func() { errs[n] = act() })
	}
	group.Wait()
	return errors.Join(errs...)
}

// repeatEvents has the provider tell everything about an order again.
func (s *storm) repeatEvents(ctx context.Context, p *purchase) error {
	var b books
	if err := s.client.must(ctx, ask{method: http.MethodGet, path: "/_local/sandbox/orders/" + p.id}, &b, 200); err != nil {
		return err
	}
	for _, ses := range b.Sessions {
		for _, e := range ses.Events {
			if err := s.sandbox(ctx, "/events/"+e.ID+"/deliver?times=2", nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// fulfil ships and delivers, with refunds, holds and returns at every point of the way.
func (s *storm) fulfil(ctx context.Context, i int, p *purchase, r *rand.Rand) error {
	step := func(percent int, do func() error) func() error {
		wanted := r.IntN(100) < percent
		return func() error {
			if !wanted {
				return nil
			}
			return do()
		}
	}
	for _, do := range []func() error{
		step(25, func() error { return s.refund(ctx, p, r, "first") }),
		step(85, func() error { return s.operatorDoes(ctx, p, "confirm", "confirm", nil) }), // who need not is answered, too
		step(90, func() error {
			return s.operatorDoes(ctx, p, "ship", "ship", map[string]any{"carrier": "SF", "tracking": fmt.Sprint("SF", i)})
		}),
		step(15, func() error { return s.operatorDoes(ctx, p, "hold", "hold", map[string]any{"reason": "looks odd"}) }),
		step(20, func() error { return s.refund(ctx, p, r, "second") }),
		step(45, func() error { return s.shopperDoes(ctx, p, "received", nil) }),
		step(45, func() error { return s.operatorDoes(ctx, p, "deliver", "deliver", map[string]any{}) }),
		step(20, func() error { return s.returns(ctx, p, r) }),
		step(80, func() error {
			return s.operatorDoes(ctx, p, "release", "lift", map[string]any{"reason": "it was fine"})
		}),
		step(25, func() error { return s.refund(ctx, p, r, "third") }),
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// returns asks for a return; the operator closes most of them, with their money.
func (s *storm) returns(ctx context.Context, p *purchase, r *rand.Rand) error {
	l := p.lines[r.IntN(len(p.lines))]
	wish := map[string]any{"lines": []any{map[string]any{"sku": l.sku, "quantity": 1}}, "note": "too bitter"}
	if err := s.shopperDoes(ctx, p, "returns", wish); err != nil || r.IntN(100) < 15 {
		return err
	}
	answer := map[string]any{"outcome": "accepted", "note": "we are sorry"}
	switch r.IntN(4) {
	case 0: // what was asked for, back on sale
	case 1:
		answer["goods"], answer["shipping"] = "writeOff", cny(1+r.IntN(300))
	case 2:
		answer["goods"], answer["amount"] = "keep", cny(r.IntN(2_000))
	default:
		answer["outcome"] = "declined"
	}
	return s.operatorDoes(ctx, p, "returns/r1", "close", answer)
}

// mishaps are what the provider does with the next refund.
var mishaps = []string{"fail", "refuse", "lost", "pending", "unreceived", "nameless", "succeed"}

// refund gives something back: pieces, a price reduction, an amount or shipping.
func (s *storm) refund(ctx context.Context, p *purchase, r *rand.Rand, name string) error {
	if r.IntN(100) < 50 {
		if err := s.sandbox(ctx, "/next", map[string]any{"refund": mishaps[r.IntN(len(mishaps))]}); err != nil {
			return err
		}
	}
	l := p.lines[r.IntN(len(p.lines))]
	body := map[string]any{"reason": "dented"}
	switch r.IntN(5) {
	case 0:
		body["amount"] = cny(1 + r.IntN(9_000))
	case 1:
		body["lines"] = []any{map[string]any{"sku": l.sku, "quantity": 0, "amount": cny(1 + r.IntN(3_000))}}
	case 2:
		body["shipping"] = cny(1 + r.IntN(700))
		body["lines"] = []any{map[string]any{"sku": l.sku, "quantity": 1}}
	default:
		body["lines"] = []any{map[string]any{"sku": l.sku, "quantity": 1 + r.IntN(l.quantity)}}
		if goods := []string{"", "restock", "writeOff"}[r.IntN(3)]; goods != "" {
			body["goods"] = goods
		}
	}
	return s.operatorDoes(ctx, p, "refunds", name, body)
}

// regret is the second wave: KOCs withdraw, and orders are refunded whose commission has been released.
func (s *storm) regret(ctx context.Context, i int, r *rand.Rand) error {
	p := s.placed[i]
	r = rand.New(rand.NewPCG(s.o.Seed+1, uint64(i)))
	if r.IntN(100) < 30 {
		if err := s.withdraw(ctx, i, r); err != nil {
			return err
		}
	}
	if p == nil || p.id == "" || r.IntN(100) >= 45 {
		return nil
	}
	if err := s.refund(ctx, p, r, "late"); err != nil || r.IntN(100) >= 40 {
		return err
	}
	return s.refund(ctx, p, r, "later")
}
