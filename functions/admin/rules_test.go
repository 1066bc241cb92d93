package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"yundian/shared/web/webtest"
)

const rulesPath = "/v1/admin/rules"

// draft is a rule book that is to be published over the latest version.
func (b *bench) draft(t *testing.T, content body) body {
	t.Helper()
	d := body{"version": get[RuleBooks](t, b, rulesPath).Version, "defaultRate": 1000}
	for name, value := range content {
		d[name] = value
	}
	return d
}

// publish publishes a rule book over the latest version.
func (b *bench) publish(t *testing.T, content body) RuleBooks {
	t.Helper()
	return decode[RuleBooks](t, want(t, b.send(t, "POST", rulesPath, b.draft(t, content)), http.StatusCreated))
}

func TestRules(t *testing.T) {
	b := open(t)
	if first := get[RuleBooks](t, b, rulesPath); first.Version != 1 || first.InForce.DefaultRate != 1000 || first.InForce.From != nil || len(first.Coming) != 0 || first.NoticeDays != 0 {
		t.Fatalf("a new shop has %+v", first)
	}
	b.publish(t, body{"defaultRate": 0}) // so that nothing that follows is less
	b.approve(t, "mei")
	b.shelve(t, "tea", 5000, 10)
	full := body{
		"defaultRate": 0, "products": body{"tea": 1500}, "inviterRate": 500,
		"campaigns": []body{{"id": "spring", "from": "2026-03-05T00:00:00+08:00", "to": "2026-03-09T00:00:00+08:00"}},
		"rules": []body{{"id": "mei-tea", "match": body{"koc": "mei", "product": "tea"}, "rate": 2000, "lineCap": amount(9000)},
			{"id": "pots", "match": body{"tag": "pots", "tier": "gold", "campaign": "spring", "customer": "new"}, "rate": 10000, "orderCap": amount(5000)}},
		"monthRules": []body{{"id": "more", "match": body{"tier": "gold"}, "milestones": []body{{"sales": amount(100000), "bonus": amount(1000)}, {"sales": amount(200000), "bonus": amount(3000)}}}},
	}
	made := b.publish(t, full)
	if made.Version != 3 || made.InForce.Version != 3 || made.InForce.From == nil || made.NoticeDays != 14 || !made.EarliestCut.Equal(time.Date(2026, 3, 15, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("published %+v", made)
	}
	in := made.InForce
	if len(in.Rules) != 2 || *in.Rules[0].Rate != 2000 || in.Rules[0].LineCap.Minor != 9000 || in.Rules[1].Match.Customer != "new" || in.Campaigns[0].From.Hour() != 16 ||
		in.MonthRules[0].Milestones[1].Bonus.Minor != 3000 || in.InviterRate != 500 || in.Products["tea"] != 1500 {
		t.Errorf("in force %+v", in)
	}
	// What was read can be published as it is.
	again := b.send(t, "POST", rulesPath, body{"version": made.Version, "defaultRate": in.DefaultRate, "products": in.Products, "rules": in.Rules,
		"campaigns": in.Campaigns, "monthRules": in.MonthRules, "inviterRate": in.InviterRate})
	if got := decode[RuleBooks](t, want(t, again, http.StatusCreated)); got.Version != 4 || len(got.InForce.Rules) != 2 {
		t.Errorf("published again: %+v", got)
	}
	if got := get[RuleBooks](t, b, rulesPath+"?version=3"); got.Asked == nil || got.Asked.Version != 3 || len(got.Asked.Rules) != 2 {
		t.Errorf("asked for version 3: %+v", got)
	}
	want(t, b.send(t, "GET", rulesPath+"?version=9", nil), http.StatusNotFound)
	want(t, b.as(t, caller(auditor), "GET", rulesPath, nil), http.StatusOK)
}

func TestCutsOfRulesNeedNotice(t *testing.T) {
	b := open(t)
	b.approve(t, "mei")
	b.shelve(t, "tea", 5000, 10)
	b.publish(t, body{"rules": []body{{"id": "mei-tea", "match": body{"koc": "mei", "product": "tea"}, "rate": 2000}}})
	for name, cut := range map[string]struct {
		draft body
		where string
	}{
		"default":      {body{"defaultRate": 999, "rules": []body{{"id": "mei-tea", "match": body{"koc": "mei", "product": "tea"}, "rate": 2000}}}, "body.defaultRate"},
		"rate":         {body{"rules": []body{{"id": "mei-tea", "match": body{"koc": "mei", "product": "tea"}, "rate": 1900}}}, "body.rules[0]"},
		"cap":          {body{"rules": []body{{"id": "mei-tea", "match": body{"koc": "mei", "product": "tea"}, "rate": 2000, "lineCap": amount(1)}}}, "body.rules[0]"},
		"taken out":    {body{}, "body.defaultRate"},
		"more special": {body{"rules": []body{{"id": "mei-tea", "match": body{"koc": "mei", "product": "tea"}, "rate": 2000}, {"id": "mei-new", "match": body{"koc": "mei", "product": "tea", "customer": "new"}, "rate": 100}}}, "body.rules[1]"},
		"month":        {body{"rules": []body{{"id": "mei-tea", "match": body{"koc": "mei", "product": "tea"}, "rate": 2000}}, "monthRules": []body{{"id": "most", "cap": amount(100)}}}, "body.monthRules[0]"},
	} {
		for _, from := range []string{"", "2026-03-15T03:59:00Z"} {
			d := b.draft(t, cut.draft)
			if from != "" {
				d["from"] = from
			}
			a := b.send(t, "POST", rulesPath, d)
			wantField(t, a, cut.where)
			if got := get[RuleBooks](t, b, rulesPath); got.Version != 2 || len(got.Coming) != 0 {
				t.Fatalf("%s: refused and published: %+v", name, got)
			}
		}
	}
	d := b.draft(t, body{})
	d["from"] = "2026-03-16T00:00:00+08:00"
	made := decode[RuleBooks](t, want(t, b.send(t, "POST", rulesPath, d), http.StatusCreated))
	if made.Version != 3 || len(made.Coming) != 1 || len(made.Coming[0].Rules) != 0 || len(made.InForce.Rules) != 1 {
		t.Fatalf("announced %+v", made)
	}
	wantCode(t, b.send(t, "POST", rulesPath, d), 409, "changed_meanwhile")
	// A raise of something else leaves what is announced; the announced cut is withdrawn by saying so.
	made = b.publish(t, body{"rules": []body{{"id": "mei-tea", "match": body{"koc": "mei", "product": "tea"}, "rate": 2000}, {"id": "first", "match": body{"customer": "new"}, "rate": 1100}}})
	if made.Version != 5 || len(made.InForce.Rules) != 2 || len(made.Coming) != 1 || len(made.Coming[0].Rules) != 1 || made.Coming[0].Rules[0].ID != "first" {
		t.Errorf("raised %+v", made)
	}
	made = b.publish(t, body{"withdraw": true, "rules": made.InForce.Rules})
	if made.Version != 6 || len(made.Coming) != 0 || len(made.InForce.Rules) != 2 {
		t.Errorf("withdrawn %+v", made)
	}
	b.at = b.at.AddDate(0, 0, 30)
	if got := get[RuleBooks](t, b, rulesPath); got.InForce.Version != 6 || len(got.Coming) != 0 {
		t.Errorf("a month later %+v", got)
	}
}

// TestRaisesCountAtOnce: what products and KOCs there are decides whether something is a raise. A better rule about a tag or
// a tier keeps back those who fall under it, and nobody else.
func TestRaisesCountAtOnce(t *testing.T) {
	b := open(t)
	for handle, tier := range map[string]string{"mei": "", "ana": "gold"} {
		b.approve(t, handle)
		want(t, b.send(t, "PATCH", "/v1/admin/kocs/"+handle, body{"tier": tier}), 200)
	}
	for id, tag := range map[string]string{"plain": "a", "fancy": "x", "cheap": "c"} {
		want(t, b.send(t, "POST", "/v1/admin/products", body{"id": id, "title": id, "tags": []string{tag}, "variants": []body{{"sku": id, "price": amount(5000)}}}), 201)
	}
	rules := []body{{"id": "x", "match": body{"tag": "x"}, "rate": 2500}, {"id": "c", "match": body{"tag": "c"}, "perUnit": amount(500)}}
	b.publish(t, body{"rules": rules})
	set := func(id string, change body) (now, next int64) {
		t.Helper()
		p := decode[Product](t, want(t, b.send(t, "PATCH", "/v1/admin/products/"+id, change), 200))
		rate := func(n *int64) int64 {
			if n == nil {
				return -1
			}
			return *n
		}
		return rate(p.Rate), rate(p.NextRate)
	}
	for _, c := range []struct {
		id        string
		change    body
		now, next int64
	}{
		{"plain", body{"rate": 1600}, 1600, -1},
		{"fancy", body{"rate": 1600}, -1, 1600},
		{"fancy", body{"rate": nil}, -1, -1},
		{"fancy", body{"rate": 2500}, 2500, -1},
		{"cheap", body{"rate": 999}, -1, 999}, // of 50.00, less than 5.00
		{"cheap", body{"rate": 1000}, 1000, -1},
	} {
		if now, next := set(c.id, c.change); now != c.now || next != c.next {
			t.Errorf("%s with %v has %d, then %d, want %+v", c.id, c.change, now, next, c)
		}
	}
	made := decode[Product](t, want(t, b.send(t, "POST", "/v1/admin/products", body{"id": "other", "title": "Other", "tags": []string{"b"}, "rate": 1600, "variants": []body{{"sku": "other", "price": amount(100)}}}), 201))
	if made.Rate == nil || *made.Rate != 1600 || made.NextFrom != nil {
		t.Errorf("a new product has %+v", made)
	}
	own := func(handle string, rate int64) body {
		return body{"products": get[RuleBooks](t, b, rulesPath).InForce.Products, "rules": append(slices.Clone(rules), body{"id": handle, "match": body{"koc": handle}, "rate": rate})}
	}
	wantField(t, b.send(t, "POST", rulesPath, b.draft(t, own("mei", 1600))), "body.rules[2]") // fancy earns 25 %
	b.publish(t, own("mei", 2500))
	b.publish(t, body{"withdraw": true, "products": body{"plain": 1600, "other": 1600}, "rules": own("mei", 2500)["rules"]}) // what x and c give to fancy and cheap anyway
	rules = own("mei", 2500)["rules"].([]body)
	// Another tag counts at once, and with it there is nothing left that x is about.
	if now, next := set("fancy", body{"tags": []string{"a"}, "rate": 1600}); now != 1600 || next != -1 {
		t.Errorf("fancy without its tag has %d, then %d", now, next)
	}
	gold := body{"id": "gold", "match": body{"tier": "gold"}, "rate": 2000}
	rules = append(rules, gold)
	b.publish(t, body{"products": get[RuleBooks](t, b, rulesPath).InForce.Products, "rules": rules})
	wantField(t, b.send(t, "POST", rulesPath, b.draft(t, own("ana", 1900))), "body.rules[4]")
	want(t, b.send(t, "PATCH", "/v1/admin/kocs/ana", body{"tier": ""}), 200)
	b.publish(t, own("ana", 1900))
}

// TestSingleRatesGiveNotice: lower rates of products and lower default rates wait by themselves, and say until when.
func TestSingleRatesGiveNotice(t *testing.T) {
	b := open(t)
	b.approve(t, "mei")
	b.shelve(t, "tea", 5000, 10)
	begins := time.Date(2026, 3, 15, 16, 0, 0, 0, time.UTC)
	s := decode[Settings](t, want(t, b.send(t, "PATCH", "/v1/admin/settings", body{"defaultRate": 800, "brand": "x"}), 200))
	if s.DefaultRate != 1000 || s.NextRate == nil || *s.NextRate != 800 || !s.NextFrom.Equal(begins) || s.Brand != "x" {
		t.Errorf("settings %+v", s)
	}
	p := decode[Product](t, want(t, b.send(t, "PATCH", "/v1/admin/products/tea", body{"rate": 900}), 200))
	if p.Rate != nil || p.NextRate == nil || *p.NextRate != 900 || !p.NextFrom.Equal(begins) {
		t.Errorf("product %+v", p)
	}
	if p := decode[Product](t, want(t, b.send(t, "PATCH", "/v1/admin/products/tea", body{"rate": 1200}), 200)); p.Rate == nil || *p.Rate != 1200 || p.NextRate != nil || p.NextFrom != nil {
		t.Errorf("raised %+v", p)
	}
	if p := decode[Product](t, want(t, b.send(t, "PATCH", "/v1/admin/products/tea", `{"rate": null}`), 200)); p.Rate == nil || *p.Rate != 1200 || p.NextRate != nil || p.NextFrom == nil {
		t.Errorf("taken away %+v", p)
	}
	low := decode[Product](t, want(t, b.send(t, "POST", "/v1/admin/products", body{"id": "cup", "title": "Cup", "rate": 500, "variants": []body{{"sku": "cup", "price": amount(100)}}}), 201))
	if low.Rate != nil || *low.NextRate != 500 {
		t.Errorf("a new product %+v", low)
	}
	// A longer window asks for a longer notice, also in the very change that makes it shorter.
	want(t, b.send(t, "PATCH", "/v1/admin/settings", body{"windows": body{"attributionDays": 30}}), 200)
	s = decode[Settings](t, want(t, b.send(t, "PATCH", "/v1/admin/settings", body{"windows": body{"attributionDays": 1}, "defaultRate": 700}), 200))
	if want := time.Date(2026, 3, 31, 16, 0, 0, 0, time.UTC); s.NextRate == nil || *s.NextRate != 800 || len(get[RuleBooks](t, b, rulesPath).Coming) != 2 || !get[RuleBooks](t, b, rulesPath).Coming[1].From.Equal(want) {
		t.Errorf("settings %+v", s)
	}
	b.at = b.at.AddDate(0, 2, 0)
	if s := get[Settings](t, b, "/v1/admin/settings"); s.DefaultRate != 700 || s.NextRate != nil {
		t.Errorf("settings two months later %+v", s)
	}
	if p := get[Product](t, b, "/v1/admin/products/cup"); *p.Rate != 500 || p.NextFrom != nil {
		t.Errorf("product two months later %+v", p)
	}
	wantCode(t, b.send(t, "PATCH", "/v1/admin/settings", body{"currency": "USD"}), 409, "currency_in_use")
}

func TestWrongRulesChangeNothing(t *testing.T) {
	b := open(t)
	b.approve(t, "mei")
	b.shelve(t, "tea", 5000, 10)
	rule := func(with body) body {
		r := body{"id": "r", "match": body{"tag": "tea"}, "rate": 1500}
		for name, value := range with {
			r[name] = value
		}
		return body{"rules": []body{r}}
	}
	usd := body{"amount": 5, "currency": "USD"}
	for where, d := range map[string]body{
		"body.rules[0].match.koc":           rule(body{"match": body{"koc": "nobody"}}),
		"body.rules[0].match.product":       rule(body{"match": body{"product": "nothing"}}),
		"body.products.nothing":             {"products": body{"nothing": 1500}},
		"body.products.tea":                 {"products": body{"tea": 10001}},
		"body.rules[0].rate":                rule(body{"rate": 10001}),
		"body.defaultRate":                  {"defaultRate": -1},
		"body.rules[0].lineCap":             rule(body{"lineCap": usd}),
		"body.rules[0].orderCap":            rule(body{"orderCap": amount(-1)}),
		"body.rules[0].perUnit":             rule(body{"perUnit": amount(5)}),
		"body.rules[0]":                     {"rules": []body{{"id": "r", "match": body{"tag": "tea"}}}},
		"body.rules[1]":                     {"rules": []body{{"id": "r", "match": body{"tag": "tea"}, "rate": 1500}, {"id": "s", "match": body{"tag": "tea"}, "rate": 1600}}},
		"body.monthRules[0].match.koc":      {"monthRules": []body{{"id": "m", "match": body{"koc": "nobody"}, "milestones": []body{{"sales": amount(1), "bonus": amount(1)}}}}},
		"body.monthRules[0].match.customer": {"monthRules": []body{{"id": "m", "match": body{"customer": "new"}, "milestones": []body{{"sales": amount(1), "bonus": amount(1)}}}}},
		"body.from":                         {"from": "2026-02-01T00:00:00Z"},
		"body.colour":                       {"colour": "red"},
	} {
		wantField(t, b.send(t, "POST", rulesPath, b.draft(t, d)), where)
	}
	wantField(t, b.send(t, "POST", rulesPath, body{"version": 1}), "body.defaultRate")
	if got := get[RuleBooks](t, b, rulesPath); got.Version != 1 || len(got.Coming) != 0 {
		t.Errorf("something was published: %+v", got)
	}
	// What was refused can be published as soon as it is right.
	b.publish(t, rule(body{"match": body{"koc": "mei", "product": "tea"}}))
	b.publish(t, rule(body{"match": body{"koc": "mei", "product": "tea"}, "rate": 1600}))
	wantCode(t, b.send(t, "PATCH", "/v1/admin/products/tea", body{"rate": 10001}), 400, "invalid_fields")
}

// TestPublishedOnce publishes one draft many times at once, with one key: it is one version.
func TestPublishedOnce(t *testing.T) {
	b := open(t)
	var group sync.WaitGroup
	answers := make([]webtest.Answer, 6)
	for i := range answers {
		group.Go(func() {
			answers[i] = b.send(t, "POST", rulesPath, body{"version": 1, "defaultRate": 1500}, "Idempotency-Key", "rules-key-000001")
		})
	}
	group.Wait()
	for _, a := range answers {
		if got := decode[RuleBooks](t, want(t, a, http.StatusCreated)); got.Version != 2 || got.InForce.DefaultRate != 1500 {
			t.Errorf("answer %s", a)
		}
	}
	for i := range answers {
		group.Go(func() {
			answers[i] = b.send(t, "POST", rulesPath, body{"version": 2, "defaultRate": 1600 + i})
		})
	}
	group.Wait()
	won := 0
	for _, a := range answers {
		if a.Status == http.StatusCreated {
			won++
			continue
		}
		wantCode(t, a, 409, "changed_meanwhile")
	}
	if won != 1 {
		t.Errorf("%d drafts of one version were published", won)
	}
}

func TestTiersAndInviters(t *testing.T) {
	b := open(t)
	b.approve(t, "ana")
	patch := func(tier string) KOC {
		t.Helper()
		return decode[KOC](t, want(t, b.send(t, "PATCH", "/v1/admin/kocs/ana", body{"tier": tier}), 200))
	}
	patch("gold")
	patch("gold")
	if k := patch(""); k.Tier != "" || len(k.Tiers) != 2 || k.Tiers[0].Tier != "gold" || k.Tiers[1].Tier != "" {
		t.Errorf("tiers %+v", k)
	}
	patch("silver-2")
	if k := get[KOC](t, b, "/v1/admin/kocs/ana"); k.Tier != "silver-2" || len(k.Tiers) != 3 {
		t.Errorf("tiers %+v", k)
	}
	wantField(t, b.send(t, "PATCH", "/v1/admin/kocs/ana", body{"tier": "Gold!"}), "body.tier")
	want(t, b.send(t, "PATCH", "/v1/admin/kocs/nobody", body{"tier": "gold"}), 404)
	want(t, b.send(t, "GET", "/v1/admin/kocs/nobody", nil), 404)

	who := func(handle string, with body) body {
		with["handle"], with["name"], with["email"] = handle, handle, handle+"@example.com"
		return with
	}
	k := decode[KOC](t, want(t, b.send(t, "POST", "/v1/admin/kocs", who("mei", body{"inviter": "ana"})), 201))
	if k.Inviter != "ana" {
		t.Errorf("invited %+v", k)
	}
	wantField(t, b.send(t, "POST", "/v1/admin/kocs", who("bob", body{"inviter": "nobody"})), "body.inviter")
	wantField(t, b.send(t, "POST", "/v1/admin/kocs", who("bob", body{"inviter": "mei"})), "body.inviter") // not approved
	want(t, b.send(t, "POST", "/v1/admin/kocs/mei/approve", body{"inviter": "ana"}), 200)
	want(t, b.send(t, "POST", "/v1/admin/kocs", who("bob", body{})), 201)
	wantField(t, b.send(t, "POST", "/v1/admin/kocs/bob/approve", body{"inviter": "bob"}), "body.inviter")
	for range 2 {
		want(t, b.send(t, "POST", "/v1/admin/kocs/bob/approve", body{"inviter": "mei"}, "Idempotency-Key", "approve-key-0009"), 200)
	}
	if k := get[KOC](t, b, "/v1/admin/kocs/bob"); k.Inviter != "mei" || k.Status != "approved" {
		t.Errorf("invited %+v", k)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/kocs/bob/approve", body{"inviter": "ana"}), 409, "inviter_fixed")
}

// TestPublicationsStayWhole saves a product with so many variants that its writes do not fit one transaction, with a rate
// that replaces books which are coming: the rule book changes in one piece.
func TestPublicationsStayWhole(t *testing.T) {
	b := open(t)
	b.approve(t, "mei")
	var variants []body
	for i := range 100 {
		variants = append(variants, body{"sku": fmt.Sprint("many-", i), "options": []string{fmt.Sprint(i)}, "price": amount(100)})
	}
	many := body{"id": "many", "title": "Many", "options": []string{"Size"}, "variants": variants}
	want(t, b.send(t, "POST", "/v1/admin/products", many), 201)
	for i := range 8 {
		d := b.draft(t, body{"defaultRate": 1000 + i})
		d["from"] = b.at.AddDate(0, 0, 20+i).Format(time.RFC3339)
		want(t, b.send(t, "POST", rulesPath, d), http.StatusCreated)
	}
	for i := range variants {
		variants[i]["price"] = amount(200)
	}
	want(t, b.send(t, "PATCH", "/v1/admin/products/many", body{"variants": variants, "rate": 2000}), 200)
	p, err := b.store.Plan(t.Context(), b.now())
	if err != nil || len(p.Books) != 9 {
		t.Fatalf("plan %+v, %v", p, err)
	}
	for _, x := range p.Books {
		if x.Products["many"] != 2000 {
			t.Errorf("version %d has %v", x.Version, x.Products)
		}
	}
}
