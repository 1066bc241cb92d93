package commission_test

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

func days(n int) time.Time { return noon.AddDate(0, 0, n) }

func book(rules ...commission.Rule) commission.Book {
	b := commission.FirstBook()
	b.Rules = rules
	return b
}

func rule(id string, m commission.Match, rate money.BasisPoints) commission.Rule {
	return commission.Rule{ID: id, Match: m, Rate: rate}
}

func TestTheMostSpecificRuleCounts(t *testing.T) {
	b := book(rule("customer", commission.Match{Customer: "new"}, 1), rule("campaign", commission.Match{Campaign: "spring"}, 2),
		rule("tier", commission.Match{Tier: "gold"}, 3), rule("tag-tea", commission.Match{Tag: "tea"}, 4), rule("tag-cup", commission.Match{Tag: "cup"}, 5),
		rule("product-new", commission.Match{Product: "pot", Customer: "new"}, 6), rule("koc", commission.Match{KOC: "mei"}, 7),
		rule("koc-tag", commission.Match{KOC: "mei", Tag: "tea"}, 8))
	b.Products["pot"] = 9
	b.Campaigns = []commission.Campaign{{ID: "spring", From: days(0), To: days(5)}}
	if err := b.Check("CNY"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sale commission.Sale
		want string
	}{
		{commission.Sale{}, "default"},
		{commission.Sale{Customer: "returning", At: days(5)}, "default"}, // a campaign ends just before its end
		{commission.Sale{Customer: "new", At: days(-1)}, "customer"},
		{commission.Sale{Customer: "new", At: days(0)}, "campaign"},
		{commission.Sale{Customer: "new", Tier: "gold", At: days(0)}, "tier"},
		{commission.Sale{Tier: "gold", Tags: []string{"cup", "tea"}}, "tag-tea"}, // tags by their place in the book
		{commission.Sale{Tags: []string{"x", "cup"}}, "tag-cup"},
		{commission.Sale{Product: "pot", Tags: []string{"tea"}, Tier: "gold"}, "product:pot"},
		{commission.Sale{Product: "pot", Customer: "new"}, "product-new"},
		{commission.Sale{KOC: "mei", Product: "pot", Customer: "new"}, "koc"},
		{commission.Sale{KOC: "mei", Product: "pot", Tags: []string{"tea"}}, "koc-tag"},
		{commission.Sale{KOC: "bo", Product: "cup"}, "default"},
	} {
		if got := b.Rate(c.sale); got.Rule != c.want {
			t.Errorf("%+v: %+v, want %s", c.sale, got, c.want)
		}
	}
}

func TestCheckFindsEveryFault(t *testing.T) {
	yuan := func(n int64) money.Amount { return money.Of(n, "CNY") }
	spring := commission.Campaign{ID: "spring", From: days(0), To: days(5)}
	for name, c := range map[string]struct {
		change func(*commission.Book)
		where  string
		code   string
	}{
		"default above 100 %": {func(b *commission.Book) { b.Default = 10_001 }, "body.defaultRate", "out_of_range"},
		"inviter below 0":     {func(b *commission.Book) { b.InviterRate = -1 }, "body.inviterRate", "out_of_range"},
		"product above 100 %": {func(b *commission.Book) { b.Products["tea"] = 10_001 }, "body.products.tea", "out_of_range"},
		"rule above 100 %":    {func(b *commission.Book) { b.Rules[0].Rate = 10_001 }, "body.rules[0].rate", "out_of_range"},
		"id":                  {func(b *commission.Book) { b.Rules[0].ID = "A" }, "body.rules[0].id", "rule_id_form"},
		"id that is reserved": {func(b *commission.Book) { b.Rules[0].ID = "default" }, "body.rules[0].id", "rule_id_twice"},
		"id twice":            {func(b *commission.Book) { b.MonthRules[0].ID = b.Rules[0].ID }, "body.monthRules[0].id", "rule_id_twice"},
		"about nothing":       {func(b *commission.Book) { b.Rules[0].Match = commission.Match{} }, "body.rules[0].match", "rule_about_nothing"},
		"both":                {func(b *commission.Book) { b.Rules[0].PerUnit = yuan(5) }, "body.rules[0].perUnit", "rule_earns_twice"},
		"negative amount":     {func(b *commission.Book) { b.Rules[1].PerUnit = yuan(-5) }, "body.rules[1].perUnit", "out_of_range"},
		"amount beyond all":   {func(b *commission.Book) { b.Rules[1].PerUnit = yuan(money.MaxMinor + 1) }, "body.rules[1].perUnit", "out_of_range"},
		"long id":             {func(b *commission.Book) { b.Rules[0].ID = strings.Repeat("a", 41) }, "body.rules[0].id", "rule_id_form"},
		"long campaign":       {func(b *commission.Book) { b.Campaigns[0].ID = strings.Repeat("a", 41) }, "body.campaigns[0].id", "rule_id_form"},
		"id of a campaign":    {func(b *commission.Book) { b.Campaigns[0].ID = "Spring" }, "body.campaigns[0].id", "rule_id_form"},
		"sales without bonus": {func(b *commission.Book) { b.MonthRules[1].Milestones[0].Bonus = money.Amount{} }, "body.monthRules[1].milestones[0]", "required"},
		"sales that stay":     {func(b *commission.Book) { b.MonthRules[1].Milestones[1].Sales = yuan(100) }, "body.monthRules[1].milestones[1]", "milestones_fall"},
		"cap of nothing":      {func(b *commission.Book) { b.Rules[0].LineCap = yuan(0) }, "body.rules[0].lineCap", "out_of_range"},
		"other currency":      {func(b *commission.Book) { b.Rules[0].OrderCap = money.Of(5, "USD") }, "body.rules[0].orderCap", "currency_other"},
		"unknown campaign":    {func(b *commission.Book) { b.Rules[0].Match.Campaign = "winter" }, "body.rules[0].match.campaign", "campaign_unknown"},
		"customer":            {func(b *commission.Book) { b.Rules[0].Match.Customer = "old" }, "body.rules[0].match.customer", "customer_kind"},
		"tier":                {func(b *commission.Book) { b.Rules[0].Match.Tier = "G" }, "body.rules[0].match.tier", "tier_form"},
		"handle":              {func(b *commission.Book) { b.Rules[0].Match.KOC = "M" }, "body.rules[0].match.koc", "koc_unknown"},
		"product":             {func(b *commission.Book) { b.Rules[0].Match.Product = "/" }, "body.rules[0].match.product", "product_unknown"},
		"long tag":            {func(b *commission.Book) { b.Rules[0].Match.Tag = strings.Repeat("x", 49) }, "body.rules[0].match.tag", "tag_long"},
		"campaign reversed":   {func(b *commission.Book) { b.Campaigns[0].To = days(0) }, "body.campaigns[0].to", "campaign_ends_first"},
		"campaign from ever":  {func(b *commission.Book) { b.Campaigns[0].From = time.Time{} }, "body.campaigns[0].from", "field_date_time"},
		"campaign for ever": {func(b *commission.Book) {
			b.Campaigns[0].To = time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600))
		},
			"body.campaigns[0].to", "field_date_time"},
		"campaign twice":      {func(b *commission.Book) { b.Campaigns = append(b.Campaigns, spring) }, "body.campaigns[1].id", "campaign_twice"},
		"month without terms": {func(b *commission.Book) { b.MonthRules[0].Cap = money.Amount{} }, "body.monthRules[0]", "month_rule_terms"},
		"month with both":     {func(b *commission.Book) { b.MonthRules[1].Cap = yuan(5) }, "body.monthRules[1]", "month_rule_terms"},
		"month of customers":  {func(b *commission.Book) { b.MonthRules[0].Match.Customer = "new" }, "body.monthRules[0].match.customer", "month_rule_customer"},
		"bonus falls":         {func(b *commission.Book) { b.MonthRules[1].Milestones[1].Bonus = yuan(1) }, "body.monthRules[1].milestones[1]", "milestones_fall"},
		"bonus without sales": {func(b *commission.Book) { b.MonthRules[1].Milestones[0].Sales = money.Amount{} }, "body.monthRules[1].milestones[0]", "required"},
		"tie":                 {func(b *commission.Book) { b.Rules[1].Match = b.Rules[0].Match }, "body.rules[1]", "rules_tie"},
		"tie with a product":  {func(b *commission.Book) { b.Products["pot"] = 5; b.Rules[0].Match = commission.Match{Product: "pot"} }, "body.rules[0]", "rules_tie"},
		"two caps tie": {func(b *commission.Book) {
			b.MonthRules = append(b.MonthRules, commission.MonthRule{ID: "again", Cap: yuan(9)})
		}, "body.monthRules[2]", "rules_tie"},
		"too many for one order": {func(b *commission.Book) {
			for i := range 8 {
				b.MonthRules = append(b.MonthRules, commission.MonthRule{ID: fmt.Sprint("b", i), Match: commission.Match{Tag: fmt.Sprint(i)}, Milestones: b.MonthRules[1].Milestones})
			}
		}, "body.monthRules", "month_rules_meet"},
		"too large": {func(b *commission.Book) {
			for i := range 498 {
				r := rule(fmt.Sprint(strings.Repeat("r", 30), i), commission.Match{KOC: strings.Repeat("k", 30), Tag: strings.Repeat("\u0001", 40) + fmt.Sprint(i), Tier: strings.Repeat("t", 30)}, 1)
				r.LineCap, r.OrderCap = yuan(money.MaxMinor), yuan(money.MaxMinor)
				b.Rules = append(b.Rules, r)
				b.Products[fmt.Sprint(strings.Repeat("p", 90), i)] = 1
			}
		}, "body", "book_too_large"},
		"too many products": {func(b *commission.Book) {
			for i := range commission.MaxProductRates + 1 {
				b.Products[fmt.Sprint("p", i)] = 1000
			}
		}, "body.products", "too_many"},
		"too many campaigns":   {func(b *commission.Book) { b.Campaigns = make([]commission.Campaign, commission.MaxCampaigns+1) }, "body.campaigns", "too_many"},
		"too many month rules": {func(b *commission.Book) { b.MonthRules = make([]commission.MonthRule, commission.MaxMonthRules+1) }, "body.monthRules", "too_many"},
		"too many milestones": {func(b *commission.Book) {
			b.MonthRules[1].Milestones = make([]commission.Milestone, commission.MaxMilestones+1)
		}, "body.monthRules[1].milestones", "too_many"},
		"month of a handle": {func(b *commission.Book) { b.MonthRules[0].Match.KOC = "M" }, "body.monthRules[0].match.koc", "koc_unknown"},
		"month cap":         {func(b *commission.Book) { b.MonthRules[0].Cap = yuan(-5) }, "body.monthRules[0].cap", "out_of_range"},
		"sales below 0":     {func(b *commission.Book) { b.MonthRules[1].Milestones[0].Sales = yuan(-5) }, "body.monthRules[1].milestones[0].sales", "out_of_range"},
		"bonus below 0":     {func(b *commission.Book) { b.MonthRules[1].Milestones[0].Bonus = yuan(-5) }, "body.monthRules[1].milestones[0].bonus", "out_of_range"},
		"too many rules":    {func(b *commission.Book) { b.Rules = make([]commission.Rule, 501) }, "body.rules", "too_many"},
	} {
		b := book(rule("first", commission.Match{KOC: "mei"}, 1500), commission.Rule{ID: "second", Match: commission.Match{Tag: "tea", Campaign: "spring"}, PerUnit: yuan(500)})
		b.Campaigns = []commission.Campaign{spring}
		b.MonthRules = []commission.MonthRule{{ID: "most", Cap: yuan(100_000)},
			{ID: "more", Milestones: []commission.Milestone{{Sales: yuan(100), Bonus: yuan(10)}, {Sales: yuan(200), Bonus: yuan(30)}}}}
		if err := b.Check("CNY"); err != nil {
			t.Fatal(err)
		}
		c.change(&b)
		err := b.Check("CNY")
		if !faulty(err, c.where, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever sends a book that is far too large is told so, and nothing else is looked at.
func TestALargeBookIsNotReadThrough(t *testing.T) {
	for n, fields := range map[int]int{commission.MaxRules: 50, commission.MaxRules + 1: 1} {
		b := book(make([]commission.Rule, n)...)
		if e, ok := b.Check("CNY").(*fail.Error); !ok || len(e.Fields) != fields {
			t.Errorf("%d rules that are wrong: %v", n, e)
		}
	}
}

// The longest ids pass.
func TestLongIDs(t *testing.T) {
	b := book(rule(strings.Repeat("a", commission.MaxRuleID), commission.Match{Campaign: strings.Repeat("c", commission.MaxRuleID)}, 1))
	b.Rules[0].LineCap = money.Of(money.MaxMinor, "CNY")
	b.Campaigns = []commission.Campaign{{ID: strings.Repeat("c", commission.MaxRuleID), From: days(0), To: days(5)}}
	if err := b.Check("CNY"); err != nil {
		t.Error(err)
	}
}

func faulty(err error, where, code string) bool {
	e, ok := err.(*fail.Error)
	return ok && slices.ContainsFunc(e.Fields, func(f fail.Field) bool { return f.Location == where && f.Code == code })
}

// A small world: everything that a random book names, and one of each that none names.
var (
	worldKOCs     = []string{"", "ann", "bob"}
	worldProducts = []string{"", "p", "q", "r"}
	worldTags     = [][]string{nil, {"x"}, {"y"}, {"y", "x"}}
	worldTiers    = []string{"", "gold"}
	worldTimes    = []time.Time{days(-1), days(0), days(1), days(2), days(3), days(4)}
)

// sales are all classes of sales of the small world.
func sales(yield func(commission.Sale) bool) {
	for _, k := range worldKOCs {
		for _, p := range worldProducts {
			for _, tags := range worldTags {
				for _, tier := range worldTiers {
					for _, c := range []ordering.Customer{ordering.NewCustomer, ordering.Returning} {
						if !yield(commission.Sale{KOC: k, Product: p, Tags: tags, Tier: tier, Customer: c}) {
							return
						}
					}
				}
			}
		}
	}
}

// randomMarket has everything that random books name, and some products and KOCs beside.
func randomMarket(t *rapid.T) commission.Market {
	m := commission.Market{Products: map[string]commission.Offer{}, Tiers: map[string]string{}}
	for _, id := range append(worldProducts[1:], "s", "t")[:rapid.IntRange(3, 5).Draw(t, "products")] {
		price := rapid.SampledFrom([]int64{250, 3500, 5000, 9000})
		one, other := price.Draw(t, "price"), price.Draw(t, "price")
		m.Products[id] = commission.Offer{Tags: rapid.SampledFrom(worldTags).Draw(t, "tags"),
			Prices: commission.Prices{Known: true, Low: min(one, other), High: max(one, other)}}
	}
	for _, handle := range append(worldKOCs[1:], "cai", "dan")[:rapid.IntRange(2, 4).Draw(t, "kocs")] {
		m.Tiers[handle] = rapid.SampledFrom(worldTiers).Draw(t, "tier")
	}
	return m
}

// there are the sales that a shop can make as it is, by everybody and by a KOC who comes, each at the prices of its goods;
// and those of a product that comes, at the prices of all, because nothing is known of its own.
func there(m commission.Market) iter.Seq2[commission.Sale, commission.Prices] {
	return func(yield func(commission.Sale, commission.Prices) bool) {
		kocs := maps.Clone(m.Tiers)
		kocs[""] = ""
		for handle, tier := range kocs {
			for _, c := range []ordering.Customer{ordering.NewCustomer, ordering.Returning} {
				for id, o := range m.Products {
					if !yield(commission.Sale{KOC: handle, Tier: tier, Product: id, Tags: o.Tags, Customer: c}, o.Prices) {
						return
					}
				}
			}
		}
	}
}

// tocome are the sales that a shop could make with one product more, of which nothing is known, and those that some rules of
// books name: a rule about what nobody has yet is a promise as well.
func tocome(m commission.Market, rules []commission.Match, books ...commission.Book) iter.Seq2[commission.Sale, commission.Prices] {
	return func(yield func(commission.Sale, commission.Prices) bool) {
		matches := append([]commission.Match{{}}, rules...)
		for handle, tier := range m.Tiers {
			matches = append(matches, commission.Match{KOC: handle}, commission.Match{Tier: tier})
		}
		for _, x := range matches {
			s := commission.Sale{KOC: x.KOC, Tier: x.Tier, Product: x.Product}
			if x.KOC != "" {
				s.Tier = m.Tiers[x.KOC]
			}
			if x.Tag != "" {
				s.Tags = []string{x.Tag}
			}
			if o, known := m.Products[x.Product]; known {
				s.Tags = o.Tags
			}
			if x.Tier != "" && s.Tier != x.Tier || x.Tag != "" && !slices.Contains(s.Tags, x.Tag) {
				continue // the KOC or the product is not like that
			}
			for _, c := range []ordering.Customer{ordering.NewCustomer, ordering.Returning} {
				if s.Customer = c; x.Customer != "" && x.Customer != c {
					continue
				}
				if !yield(s, pricesLike(m, s, books)) {
					return
				}
			}
		}
	}
}

// running are what the rules of books name whose campaigns run: rules about rates, about caps of months, about bonuses.
func running(at time.Time, books ...commission.Book) (rates, caps, bonuses []commission.Match) {
	for _, b := range books {
		runs := func(m commission.Match) bool {
			return about(b, commission.Match{Campaign: m.Campaign}, commission.Sale{At: at})
		}
		for _, r := range b.Rules {
			if runs(r.Match) {
				rates = append(rates, r.Match)
			}
		}
		for _, r := range b.MonthRules {
			switch {
			case !runs(r.Match):
			case r.Cap.Minor > 0:
				caps = append(caps, r.Match)
			default:
				bonuses = append(bonuses, r.Match)
			}
		}
	}
	return rates, caps, bonuses
}

// pricesLike are the prices of the products that a sale is about: of a product that comes those of the products with its
// tag, or of those that no rule is about; of all when there is none of these.
func pricesLike(m commission.Market, s commission.Sale, books []commission.Book) commission.Prices {
	var like, all commission.Prices
	widen := func(p *commission.Prices, o commission.Prices) {
		if !p.Known {
			*p = o
		}
		p.Low, p.High = min(p.Low, o.Low), max(p.High, o.High)
	}
	if o, known := m.Products[s.Product]; known {
		return o.Prices
	}
	for id, o := range m.Products {
		alike := len(s.Tags) > 0 && slices.Contains(o.Tags, s.Tags[0])
		if len(s.Tags) == 0 {
			alike = !slices.ContainsFunc(books, func(b commission.Book) bool {
				_, own := b.Products[id]
				names := func(x commission.Match) bool {
					return x.Product == id || x.Tag != "" && slices.Contains(o.Tags, x.Tag)
				}
				return own || slices.ContainsFunc(b.Rules, func(r commission.Rule) bool { return names(r.Match) }) ||
					slices.ContainsFunc(b.MonthRules, func(r commission.MonthRule) bool { return names(r.Match) })
			})
		}
		if alike {
			widen(&like, o.Prices)
		}
		widen(&all, o.Prices)
	}
	if like.Known || len(s.Tags) > 0 {
		return like
	}
	return all
}

func randomMatch(t *rapid.T, b commission.Book, customers bool) commission.Match {
	pick := func(name string, from ...string) string { return rapid.SampledFrom(append(from, "", "")).Draw(t, name) }
	m := commission.Match{KOC: pick("koc", "ann", "bob"), Product: pick("product", "p", "q"), Tag: pick("tag", "x", "y"), Tier: pick("tier", "gold")}
	if customers {
		m.Customer = ordering.Customer(pick("customer", "new", "returning"))
	}
	if len(b.Campaigns) > 0 {
		m.Campaign = pick("campaign", b.Campaigns[0].ID, b.Campaigns[len(b.Campaigns)-1].ID)
	}
	return m
}

func randomRule(t *rapid.T, id string, m commission.Match) commission.Rule {
	r := commission.Rule{ID: id, Match: m, Rate: money.BasisPoints(rapid.SampledFrom([]int64{0, 500, 1000, 10_000}).Draw(t, "rate"))}
	some := func(name string) bool { return rapid.IntRange(0, 3).Draw(t, name) == 0 }
	if some("fixed") {
		r.Rate, r.PerUnit = 0, yuan(rapid.SampledFrom([]int64{300, 400}).Draw(t, "perUnit"))
	}
	if some("lineCap") {
		r.LineCap = yuan(rapid.SampledFrom([]int64{250, 350}).Draw(t, "lineCap"))
	}
	if some("orderCap") {
		r.OrderCap = yuan(rapid.SampledFrom([]int64{550, 650}).Draw(t, "orderCap"))
	}
	return r
}

// randomBook may be one that Check refuses.
func randomBook(t *rapid.T) commission.Book {
	b := commission.Book{Version: rapid.Int64Range(1, 3).Draw(t, "version"), Default: money.BasisPoints(rapid.SampledFrom([]int64{0, 500, 1000}).Draw(t, "default")), Products: map[string]money.BasisPoints{}}
	for i := range rapid.IntRange(0, 2).Draw(t, "campaigns") {
		from := rapid.IntRange(0, 2).Draw(t, "from")
		b.Campaigns = append(b.Campaigns, commission.Campaign{ID: fmt.Sprint("c", i), From: days(from), To: days(from + rapid.IntRange(1, 2).Draw(t, "days"))})
	}
	for _, p := range worldProducts[1:] {
		if rapid.Bool().Draw(t, "own") {
			b.Products[p] = money.BasisPoints(rapid.SampledFrom([]int64{200, 500, 700}).Draw(t, "ownRate"))
		}
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "rules") {
		if m := randomMatch(t, b, true); m != (commission.Match{}) {
			b.Rules = append(b.Rules, randomRule(t, fmt.Sprint("r", i), m))
		}
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "monthRules") {
		r := commission.MonthRule{ID: fmt.Sprint("m", i), Match: randomMatch(t, b, false)}
		if rapid.Bool().Draw(t, "cap") {
			r.Cap = yuan(rapid.SampledFrom([]int64{5000, 6000}).Draw(t, "monthCap"))
		} else {
			r.Milestones = []commission.Milestone{{Sales: yuan(rapid.SampledFrom([]int64{100, 200}).Draw(t, "sales")), Bonus: yuan(rapid.SampledFrom([]int64{10, 20}).Draw(t, "bonus"))}}
		}
		b.MonthRules = append(b.MonthRules, r)
	}
	b.InviterRate = money.BasisPoints(rapid.SampledFrom([]int64{0, 0, 0, 500}).Draw(t, "inviter"))
	return b
}

// ranked says by the words of the specification which of two rules about one sale is more specific: the first kind of
// thing that only one of them names decides. 0 when they name the same kinds.
func ranked(a, b commission.Match) int {
	names := func(m commission.Match) []bool {
		return []bool{m.KOC != "", m.Product != "", m.Tag != "", m.Tier != "", m.Campaign != "", m.Customer != ""}
	}
	x, y := names(a), names(b)
	for i := range x {
		switch {
		case x[i] && !y[i]:
			return 1
		case y[i] && !x[i]:
			return -1
		}
	}
	return 0
}

func about(b commission.Book, m commission.Match, s commission.Sale) bool {
	if m.Campaign != "" {
		c := b.Campaigns[slices.IndexFunc(b.Campaigns, func(c commission.Campaign) bool { return c.ID == m.Campaign })]
		if s.At.Before(c.From) || !s.At.Before(c.To) {
			return false
		}
	}
	return (m.KOC == "" || m.KOC == s.KOC) && (m.Product == "" || m.Product == s.Product) && (m.Tag == "" || slices.Contains(s.Tags, m.Tag)) &&
		(m.Tier == "" || m.Tier == s.Tier) && (m.Customer == "" || m.Customer == s.Customer)
}

// tie reports whether two rules about a sale name the same kinds of things and have the same tag.
func tie(b commission.Book, s commission.Sale) bool {
	for i, one := range b.Rules {
		if !about(b, one.Match, s) {
			continue
		}
		if _, own := b.Products[s.Product]; own && ranked(one.Match, commission.Match{Product: s.Product}) == 0 {
			return true
		}
		for _, other := range b.Rules[:i] {
			if about(b, other.Match, s) && ranked(one.Match, other.Match) == 0 && one.Match.Tag == other.Match.Tag {
				return true
			}
		}
	}
	return false
}

// best are the rules about a sale that no other one goes before; those that differ only in their tag are one, the first.
func best(b commission.Book, s commission.Sale) []commission.Rule {
	all := slices.Clone(b.Rules)
	if rate, ok := b.Products[s.Product]; ok {
		all = append(all, rule("product:"+s.Product, commission.Match{Product: s.Product}, rate))
	}
	var out []commission.Rule
	for _, r := range all {
		if !about(b, r.Match, s) {
			continue
		}
		for len(out) > 0 && ranked(r.Match, out[0].Match) > 0 {
			out = out[1:]
		}
		untagged := r.Match
		untagged.Tag = ""
		otherTag := slices.ContainsFunc(out, func(o commission.Rule) bool {
			m := o.Match
			m.Tag = ""
			m.Campaign = untagged.Campaign
			return m == untagged && o.Match.Tag != r.Match.Tag
		})
		if (len(out) == 0 || ranked(r.Match, out[0].Match) == 0) && !otherTag {
			out = append(out, r)
		}
	}
	return out
}

// TestExactlyOneRuleCounts: of a book that Check accepts, one rule is the most specific about every sale at every moment;
// of one that it refuses, some sale has two that are equally specific.
func TestExactlyOneRuleCounts(t *testing.T) {
	accepted, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		b := randomBook(t)
		b.MonthRules = nil
		if n := len(b.Rules); n > 0 && rapid.Bool().Draw(t, "alike") { // chance alone makes few ties
			m := b.Rules[n-1].Match
			switch rapid.IntRange(0, 2).Draw(t, "but for") {
			case 0:
				m.Tag = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "tag")
			case 1:
				if len(b.Campaigns) > 0 {
					m.Campaign = b.Campaigns[0].ID
				}
			}
			if m != (commission.Match{}) {
				b.Rules = append(b.Rules, rule("alike", m, 1))
			}
		}
		err := b.Check("CNY")
		tied := false
		for _, at := range worldTimes {
			for s := range sales {
				s.At = at
				tied = tied || tie(b, s)
				if err != nil {
					continue
				}
				found := best(b, s)
				want := "default"
				if len(found) > 0 {
					want = found[0].ID
				}
				if got := b.Rate(s); len(found) > 1 || got.Rule != want || got.RuleVersion != b.Version {
					t.Fatalf("%+v: %+v counts, want %+v", s, got, found)
				}
			}
		}
		if (err != nil) != tied {
			t.Fatalf("tied %v, but refused: %v", tied, err)
		}
		if err == nil {
			accepted++
		} else {
			refused++
		}
	})
	if accepted < 10 || refused < 10 {
		t.Errorf("%d books were accepted and %d refused: too few to show anything", accepted, refused)
	}
}

// capOf is the cap of a month that a sale falls under, by the words of the specification.
func capOf(b commission.Book, s commission.Sale) ordering.LineRate {
	var found *commission.MonthRule
	for i, r := range b.MonthRules {
		if r.Cap.Minor > 0 && about(b, r.Match, s) && (found == nil || ranked(r.Match, found.Match) > 0) {
			found = &b.MonthRules[i]
		}
	}
	if found == nil {
		return ordering.LineRate{Rate: money.Whole}
	}
	return ordering.LineRate{Rate: money.Whole, Rule: found.ID, OrderCap: found.Cap.Minor}
}

// lessBonus reports whether a sale can lose a bonus.
func lessBonus(before, after commission.Book, s commission.Sale) bool {
	for _, b := range before.MonthRules {
		if len(b.Milestones) == 0 || !about(before, b.Match, s) {
			continue
		}
		kept := slices.ContainsFunc(after.MonthRules, func(a commission.MonthRule) bool {
			return a.ID == b.ID && len(a.Milestones) > 0 && about(after, a.Match, s) &&
				a.Milestones[0].Sales.Minor <= b.Milestones[0].Sales.Minor && a.Milestones[0].Bonus.Minor >= b.Milestones[0].Bonus.Minor
		})
		if !kept {
			return true
		}
	}
	return false
}

// TestCutsAreFound compares what Cuts finds with looking at every sale that a small shop can make: at all of them, and at
// no others.
func TestCutsAreFound(t *testing.T) {
	cut, uncut := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		before, after, m := randomBook(t), randomBook(t), randomMarket(t)
		if rapid.Bool().Draw(t, "alike") { // else nearly every pair is a cut
			after = before
			after.Rules, after.MonthRules = slices.Clone(before.Rules), slices.Clone(before.MonthRules)
			change(t, &after)
		}
		if before.Check("CNY") != nil || after.Check("CNY") != nil {
			return
		}
		before.Version, after.Version = 1, 2
		at := rapid.SampledFrom(worldTimes).Draw(t, "at")
		found := commission.Plan{Books: []commission.Book{before}}.Cuts(commission.Plan{Books: []commission.Book{after}}, m, at, at.Add(time.Second))
		want := after.InviterRate < before.InviterRate
		less := map[string]bool{}
		rates, caps, bonuses := running(at, before, after)
		for _, x := range []struct {
			rules []commission.Match
			less  func(s commission.Sale, prices commission.Prices) bool
		}{
			{rates, func(s commission.Sale, prices commission.Prices) bool {
				b, a := before.Rate(s), after.Rate(s)
				less[b.Rule+"|"+a.Rule] = less[b.Rule+"|"+a.Rule] || commission.Less(b, a, prices)
				return commission.Less(b, a, prices)
			}},
			{caps, func(s commission.Sale, prices commission.Prices) bool {
				return commission.Less(capOf(before, s), capOf(after, s), prices)
			}},
			{bonuses, func(s commission.Sale, _ commission.Prices) bool { return lessBonus(before, after, s) }},
		} {
			for _, all := range []iter.Seq2[commission.Sale, commission.Prices]{there(m), tocome(m, x.rules, before, after)} {
				for s, prices := range all {
					s.At = at
					want = x.less(s, prices) || want
				}
			}
		}
		if want != (len(found) > 0) {
			t.Fatalf("found %+v, want any: %v\n%+v\n%+v\n%+v", found, want, before, after, m)
		}
		for _, c := range found { // each is one
			rate := c.Before.Rule != "inviter" && c.Before.MonthCap == 0 && c.After.MonthCap == 0 && len(c.Before.Milestones) == 0
			if rate && !less[c.Before.Rule+"|"+c.After.Rule] {
				t.Fatalf("%+v is no cut", c)
			}
		}
		if want {
			cut++
		} else {
			uncut++
		}
	})
	if cut < 10 || uncut < 10 {
		t.Errorf("%d cuts and %d others: too few to show anything", cut, uncut)
	}
}

// change changes a book in one place.
func change(t *rapid.T, b *commission.Book) {
	switch rapid.IntRange(0, 5).Draw(t, "change") {
	case 0:
		b.Default = money.BasisPoints(rapid.SampledFrom([]int64{0, 1000, 2000}).Draw(t, "to"))
	case 1:
		b.Products = map[string]money.BasisPoints{"p": 600}
	case 2:
		if len(b.Rules) > 0 {
			b.Rules[0] = randomRule(t, b.Rules[0].ID, b.Rules[0].Match)
		}
	case 3:
		if len(b.Rules) > 0 {
			b.Rules = b.Rules[1:]
		}
	case 4:
		if len(b.MonthRules) > 0 {
			b.MonthRules[0].Match = commission.Match{}
		}
	case 5:
		if len(b.Rules) > 1 {
			b.Rules[0], b.Rules[1] = b.Rules[1], b.Rules[0]
		}
	}
}

// TestThousandsOfProducts: own rates are looked at by the few that have the most to lose, and none escapes.
func TestThousandsOfProducts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := commission.FirstBook(), commission.FirstBook()
		rate := rapid.Map(rapid.Int64Range(0, 10), func(n int64) money.BasisPoints { return money.BasisPoints(100 * n) })
		for i := range 30 {
			id := fmt.Sprint("p", i)
			if rapid.Bool().Draw(t, "had") {
				before.Products[id] = rate.Draw(t, "was")
			}
			if was, had := before.Products[id]; rapid.Bool().Draw(t, "has") {
				after.Products[id] = max(was, rate.Draw(t, "is"))
				if had && rapid.IntRange(0, 40).Draw(t, "lower") == 0 {
					after.Products[id] = 0
				}
			}
		}
		before.Default, after.Default = rate.Draw(t, "default"), rate.Draw(t, "default")
		for _, b := range []*commission.Book{&before, &after} {
			if rapid.Bool().Draw(t, "rule") {
				b.Rules = []commission.Rule{rule("mei", commission.Match{KOC: "mei"}, rate.Draw(t, "mei"))}
			}
		}
		want := false
		for i := range 31 {
			for _, k := range []string{"", "mei"} {
				s := commission.Sale{KOC: k, Product: fmt.Sprint("p", i)}
				want = want || before.Rate(s).Rate > after.Rate(s).Rate
			}
		}
		found := commission.Plan{Books: []commission.Book{before}}.Cuts(commission.Plan{Books: []commission.Book{after}}, market, noon, days(1))
		if want != (len(found) > 0) {
			t.Fatalf("found %+v, want any: %v", found, want)
		}
	})
}

// TestNotLessIsNeverLess: if no line's terms are less, no order earns less, whatever its prices.
func TestNotLessIsNeverLess(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		o := paidOrder(t)
		rules := func(label string) []ordering.LineRate {
			var out []ordering.LineRate
			for _, id := range []string{"a", "b"} {
				b := book(randomRule(t, id, commission.Match{KOC: "mei"}))
				out = append(out, b.Rate(commission.Sale{KOC: "mei"}))
			}
			return out
		}
		before, after := rules("before"), rules("after")
		was, is := o.Clone(), o.Clone()
		was.Awards[0].Rates, is.Awards[0].Rates = nil, nil
		less := false
		for i := range o.Lines {
			x, y := rapid.SampledFrom(before).Draw(t, "was"), rapid.SampledFrom(after).Draw(t, "is")
			price := commission.Prices{} // of each piece; the net amount may be any, and then it is not known
			if l := &was.Lines[i]; rapid.Bool().Draw(t, "price known") {
				l.Net.Minor -= l.Net.Minor % l.Quantity
				is.Lines[i].Net = l.Net
				each := l.Net.Minor / l.Quantity
				price = commission.Prices{Known: true, Low: rapid.Int64Range(0, each).Draw(t, "low"), High: each + rapid.Int64Range(0, 5000).Draw(t, "more")}
			}
			less = less || commission.Less(x, y, price)
			was.Awards[0].Rates, is.Awards[0].Rates = append(was.Awards[0].Rates, x), append(is.Awards[0].Rates, y)
		}
		if less {
			return
		}
		compared++
		if a, b := earned(t, was), earned(t, is); b < a {
			t.Fatalf("earned %d before and %d after\n%+v\n%+v\n%+v", a, b, o.Lines, was.Awards[0].Rates, is.Awards[0].Rates)
		}
	})
	if compared < 10 {
		t.Errorf("only %d orders were compared", compared)
	}
}

func earned(t *rapid.T, o ordering.Order) int64 {
	target, err := commission.Target(o)
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, p := range target.Positions {
		sum += p.Accrued
	}
	return sum
}
