package commission_test

import (
	"fmt"
	"testing"
	"time"

	"yundian/shared/commission"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

func TestLess(t *testing.T) {
	at := func(rate money.BasisPoints) ordering.LineRate { return ordering.LineRate{Rule: "r", Rate: rate} }
	each := func(minor int64) ordering.LineRate { return ordering.LineRate{Rule: "r", PerUnit: minor} }
	with := func(r ordering.LineRate, line, order int64) ordering.LineRate {
		r.LineCap, r.OrderCap = line, order
		return r
	}
	other := func(r ordering.LineRate) ordering.LineRate { r.Rule = "other"; return r }
	for _, c := range []struct {
		before, after ordering.LineRate
		less          bool
	}{
		{at(500), at(499), true},
		{at(500), at(500), false},
		{at(500), other(at(500)), false},
		{each(500), each(499), true},
		{each(500), each(500), false},
		{at(500), each(5000), true}, // of a dear thing
		{each(1), at(9999), true},   // of a cheap one
		{each(1), at(10_000), false},
		{at(0), each(1), false},
		{with(at(0), 5, 5), with(at(0), 1, 1), false},
		{at(500), with(at(900), 1000, 0), true},
		{with(at(500), 1000, 0), with(at(900), 999, 0), true},
		{with(at(500), 1000, 0), with(at(500), 1000, 0), false},
		{with(at(500), 1000, 0), at(500), false},
		{at(500), with(at(10_000), 0, 1000), true},
		{with(at(500), 0, 1000), with(at(500), 0, 999), true},
		{with(at(500), 0, 1000), with(at(500), 0, 1000), false},
		{with(at(500), 0, 1000), other(with(at(500), 0, 1000)), true}, // shared with others
	} {
		if got := commission.Less(c.before, c.after, commission.Prices{}); got != c.less {
			t.Errorf("%+v, then %+v: less %v", c.before, c.after, got)
		}
	}
}

func TestCampaignsThatMeetTie(t *testing.T) {
	for meets, second := range map[bool]commission.Campaign{
		true:  {ID: "b", From: days(4), To: days(9)},
		false: {ID: "b", From: days(5), To: days(9)}, // when the first one has ended
	} {
		b := book(rule("one", commission.Match{Tag: "tea", Campaign: "a"}, 1500), rule("two", commission.Match{Tag: "tea", Campaign: "b"}, 1600),
			rule("three", commission.Match{Tag: "cup", Campaign: "b"}, 1600))
		b.Campaigns = []commission.Campaign{{ID: "a", From: days(0), To: days(5)}, second}
		if err := b.Check("CNY"); faulty(err, "body.rules[1]", "rules_tie") != meets || !meets && err != nil {
			t.Errorf("%+v: %v", second, err)
		}
	}
}

// TestLessAtAPrice: a rate and an amount for each piece are compared at the prices of the goods.
func TestLessAtAPrice(t *testing.T) {
	at := func(rate money.BasisPoints) ordering.LineRate { return ordering.LineRate{Rule: "r", Rate: rate} }
	each := func(minor int64) ordering.LineRate { return ordering.LineRate{Rule: "r", PerUnit: minor} }
	for _, c := range []struct {
		before, after ordering.LineRate
		low, high     int64
		less          bool
	}{
		{each(500), at(1000), 5000, 9000, false},
		{each(500), at(1000), 4999, 9000, true}, // 10 % of the cheapest is less than 5.00
		{each(500), at(0), 1, 1, true},
		{each(500), at(10_000), 1, 9000, false},
		{at(1000), each(500), 1, 5000, false},
		{at(1000), each(500), 1, 5001, true}, // 10 % of the dearest was more than 5.00
		{at(10_000), each(500), 1, 500, false},
		{at(10_000), each(500), 1, 501, true},
		{each(500), at(1000), 0, 9000, true}, // something may cost 1.00
		{each(500), at(1000), 0, 0, false},
		{at(1000), at(999), 0, 0, true}, // prices decide nothing else: the next one may be another
		{each(500), each(499), 1, 1, true},
		{at(10_000), each(money.MaxMinor), 1, money.MaxMinor, false},
	} {
		if got := commission.Less(c.before, c.after, commission.Prices{Known: true, Low: c.low, High: c.high}); got != c.less {
			t.Errorf("%+v, then %+v at %d to %d: less %v", c.before, c.after, c.low, c.high, got)
		}
	}
}

// shop has products with and without tags, and KOCs in tiers and in none.
var shop = commission.Market{
	Products: map[string]commission.Offer{"plain": offer(5000, 5000, "a"), "fancy": offer(8000, 9000, "x"), "both": offer(5000, 5000, "y", "x")},
	Tiers:    map[string]string{"mei": "", "ana": "gold", "bob": "silver"},
}

func offer(low, high int64, tags ...string) commission.Offer {
	return commission.Offer{Tags: tags, Prices: commission.Prices{Known: true, Low: low, High: high}}
}

// cutsOf are the cuts that one book in the place of another would be, in words.
func cutsOf(before, after commission.Book, m commission.Market) string {
	before.Version, after.Version = 1, 2
	var got []string
	for _, x := range (commission.Plan{Books: []commission.Book{before}}).Cuts(commission.Plan{Books: []commission.Book{after}}, m, days(-1).Add(time.Hour), days(9)) {
		got = append(got, fmt.Sprintf("%s: %s, %s", x.Sale, x.Before, x.After))
	}
	return fmt.Sprint(got)
}

// TestARaiseIsARaise: only sales that can exist decide.
func TestARaiseIsARaise(t *testing.T) {
	type products = map[string]money.BasisPoints
	type match = commission.Match
	with := func(p products, rules ...commission.Rule) commission.Book {
		b := book(rules...)
		b.Products = p
		return b
	}
	fixed := func(id string, m match, minor int64) commission.Rule {
		return commission.Rule{ID: id, Match: m, PerUnit: yuan(minor)}
	}
	bonus := func(m match) commission.Book {
		b := book()
		b.MonthRules = []commission.MonthRule{{ID: "bonus", Match: m, Milestones: []commission.Milestone{{Sales: yuan(100), Bonus: yuan(10)}}}}
		return b
	}
	capped := func(m match, rest ...commission.MonthRule) commission.Book {
		b := book()
		b.MonthRules = append(rest, commission.MonthRule{ID: "most", Match: m, Cap: yuan(5000)})
		return b
	}
	few := commission.Market{Products: map[string]commission.Offer{"plain": offer(5000, 5000, "a")}, Tiers: map[string]string{"mei": ""}}
	two := commission.Market{Products: map[string]commission.Offer{"big": offer(9000, 9000, "x"), "small": offer(5000, 5000, "x"), "vast": offer(9500, 9500, "x")}, Tiers: map[string]string{"mei": ""}}
	sticker := commission.Market{Products: map[string]commission.Offer{"plain": offer(5000, 5000), "sticker": offer(1, 1)}, Tiers: map[string]string{"ana": "gold"}}
	x, mei, gold := rule("x", match{Tag: "x"}, 2500), match{KOC: "mei"}, rule("gold", match{Tier: "gold"}, 2000)
	for name, c := range map[string]struct {
		market        commission.Market
		before, after commission.Book
		want          string
	}{
		"of a product without the better tag":      {shop, with(nil, x), with(products{"plain": 1600}, x), "[]"},
		"of a product that had a rate":             {shop, with(products{"plain": 1000}, x), with(products{"plain": 1600}, x), "[]"},
		"of a product with the better tag":         {shop, with(nil, x), with(products{"fancy": 1600}, x), "[product:fancy tag:x: 25% (x), 16% (product:fancy)]"},
		"by a rule of its own":                     {shop, with(nil, x), with(nil, x, rule("own", match{Product: "plain"}, 1600)), "[]"},
		"of a product that comes":                  {shop, with(nil, x), with(products{"new": 1600}, x), "[]"},
		"of a product that had an amount":          {shop, with(nil, fixed("x", match{Tag: "x"}, 800)), with(products{"fancy": 1000}, fixed("x", match{Tag: "x"}, 800)), "[]"},
		"of a product that had a higher amount":    {shop, with(nil, fixed("x", match{Tag: "x"}, 801)), with(products{"fancy": 1000}, fixed("x", match{Tag: "x"}, 801)), "[product:fancy tag:x: 801 × 1 (x), 10% (product:fancy)]"},
		"of a KOC, nothing has the better tag":     {few, with(nil, x), with(nil, x, rule("mei", mei, 1600)), "[]"},
		"of a KOC, something has it":               {shop, with(nil, x), with(nil, x, rule("mei", mei, 1600)), "[koc:mei tag:x: 25% (x), 16% (mei)]"},
		"of a KOC to above the better tag":         {shop, with(nil, x), with(nil, x, rule("mei", mei, 2500)), "[]"},
		"of a KOC, nothing has the amount":         {few, with(nil, fixed("x", match{Tag: "x"}, 1)), with(nil, fixed("x", match{Tag: "x"}, 1), rule("mei", mei, 1600)), "[]"},
		"of a KOC to above the amount":             {shop, with(nil, fixed("x", match{Tag: "x"}, 800)), with(nil, fixed("x", match{Tag: "x"}, 800), rule("mei", mei, 1600)), "[]"},
		"of a KOC to below the amount":             {shop, with(nil, fixed("x", match{Tag: "x"}, 801)), with(nil, fixed("x", match{Tag: "x"}, 801), rule("mei", mei, 1600)), "[koc:mei tag:x: 801 × 1 (x), 16% (mei)]"},
		"of a KOC who is not in the better tier":   {shop, with(nil, gold), with(nil, gold, rule("mei", mei, 1600)), "[]"},
		"of a KOC who is in the better tier":       {shop, with(nil, gold), with(nil, gold, rule("ana", match{KOC: "ana"}, 1600)), "[koc:ana tier:gold: 20% (gold), 16% (ana)]"},
		"nobody is in the better tier":             {few, with(nil, gold), with(products{"plain": 1600}, gold), "[]"},
		"somebody is in the better tier":           {shop, with(nil, gold), with(products{"plain": 1600}, gold), "[product:plain tier:gold: 20% (gold), 16% (product:plain)]"},
		"all in the better tier have rates":        {shop, with(nil, gold, rule("ana", match{KOC: "ana"}, 2000)), with(products{"plain": 1600}, gold, rule("ana", match{KOC: "ana"}, 2000)), "[]"},
		"the one in the better tier has a rule":    {shop, with(nil, gold, rule("ana", match{KOC: "ana", Tag: "x"}, 3000)), with(products{"plain": 1600}, gold, rule("ana", match{KOC: "ana", Tag: "x"}, 3000)), "[product:plain tier:gold: 20% (gold), 16% (product:plain)]"},
		"at the price of one of several":           {two, with(nil, fixed("x", match{Tag: "x"}, 801)), with(nil, fixed("x", match{Tag: "x"}, 801), rule("mei", mei, 1600)), "[koc:mei tag:x: 801 × 1 (x), 16% (mei)]"},
		"of a rule at the price of one of several": {two, with(products{"big": 1, "small": 1, "vast": 1}, x), with(products{"big": 1, "small": 1, "vast": 1}, fixed("x", match{Tag: "x"}, 2250)), "[tag:x: 25% (x), 2250 × 1 (x)]"},
		"of one product and cuts of two":           {two, with(products{"b": 900, "c": 900, "d": 900}), with(products{"b": 800, "c": 800, "d": 1000}), "[product:b: 9% (product:b), 8% (product:b) product:c: 9% (product:c), 8% (product:c)]"},
		"at the price of what has no own rate":     {sticker, with(products{"sticker": 1000}, fixed("gold", match{Tier: "gold"}, 800)), with(products{"sticker": 1000}, fixed("gold", match{Tier: "gold"}, 800), rule("ana", match{KOC: "ana"}, 1600)), "[]"},
		"of a tier, nothing has the better tag":    {few, with(nil, rule("t", match{Tag: "x", Tier: "gold"}, 2500), gold), with(nil, rule("t", match{Tag: "x", Tier: "gold"}, 2500), gold, rule("y", match{Tag: "y"}, 1600)), "[]"},
		"tags change places on one product":        {shop, with(nil, x, rule("y", match{Tag: "y"}, 1100)), with(nil, rule("y", match{Tag: "y"}, 1100), x), "[tag:x+y: 25% (x), 11% (y)]"},
		"tags change places and nothing has both":  {few, with(nil, x, rule("y", match{Tag: "y"}, 1100)), with(nil, rule("y", match{Tag: "y"}, 1100), x), "[]"},
		"a rule about what nothing has falls":      {few, with(nil, x), with(nil, rule("x", match{Tag: "x"}, 2499)), "[tag:x: 25% (x), 24.99% (x)]"},
		"an amount for what nothing has":           {few, with(nil, x), with(nil, fixed("x", match{Tag: "x"}, 9999)), "[tag:x: 25% (x), 9999 × 1 (x)]"},
		"an amount for what is there":              {shop, with(nil, x), with(nil, fixed("x", match{Tag: "x"}, 2250)), "[]"},
		"too small an amount for what is there":    {shop, with(nil, x), with(nil, fixed("x", match{Tag: "x"}, 2249)), "[tag:x: 25% (x), 2249 × 1 (x)]"},
		"a rule about a tag that the product lost": {shop, with(nil, rule("p", match{Product: "plain", Tag: "x"}, 2500)), with(products{"plain": 1600}), "[]"},
		"a rule about a tier that the KOC is not":  {shop, with(nil, rule("m", match{KOC: "mei", Tier: "gold"}, 2500)), with(nil, rule("m", mei, 1600)), "[]"},
		"a bonus moves to a tag that it had":       {shop, bonus(match{Product: "fancy"}), bonus(match{Tag: "x"}), "[]"},
		"a bonus moves to a tag that it had not":   {shop, bonus(match{Product: "plain"}), bonus(match{Tag: "x"}), "[product:plain: 100 → 10 (bonus), 100 → 10 (bonus)]"},
		"a bonus for what cannot be":               {shop, bonus(match{Product: "plain", Tag: "x"}), book(), "[]"},
		"a cap on what cannot be":                  {shop, book(), capped(match{Product: "plain", Tag: "x"}), "[]"},
		"a cap on what is there":                   {shop, book(), capped(match{Product: "fancy", Tag: "x"}), "[product:fancy tag:x: -, ≤ 5000 / month (most)]"},
	} {
		for _, b := range []commission.Book{c.before, c.after} {
			if err := b.Check("CNY"); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got := cutsOf(c.before, c.after, c.market); got != c.want {
			t.Errorf("a raise %s: %s, want %s", name, got, c.want)
		}
	}
}

func TestWhatIsACut(t *testing.T) {
	type products = map[string]money.BasisPoints
	with := func(standard money.BasisPoints, p products, rules ...commission.Rule) commission.Book {
		b := book(rules...)
		b.Default, b.Products = standard, p
		return b
	}
	mei := rule("mei", commission.Match{KOC: "mei"}, 500)
	month := func(m commission.Match, sales, bonus int64) commission.Book {
		b := book()
		b.MonthRules = []commission.MonthRule{{ID: "bonus", Match: m, Milestones: []commission.Milestone{{Sales: yuan(sales), Bonus: yuan(bonus)}}}}
		return b
	}
	capped := func(id string, m commission.Match, most int64) commission.Book {
		b := book()
		b.MonthRules = []commission.MonthRule{{ID: id, Match: m, Cap: yuan(most)}}
		return b
	}
	campaign := func(from, to int) commission.Book {
		b := book(rule("spring", commission.Match{Campaign: "spring"}, 1500))
		b.Campaigns = []commission.Campaign{{ID: "spring", From: days(from), To: days(to)}}
		return b
	}
	inviter := book()
	inviter.InviterRate = 500
	for name, c := range map[string]struct {
		before, after commission.Book
		want          string
	}{
		"nothing":                     {book(), book(), "[]"},
		"a raise":                     {book(), with(1100, nil, rule("mei", commission.Match{KOC: "mei"}, 2000)), "[]"},
		"a KOC's rule goes":           {with(1000, products{"a": 100, "b": 900}, mei), with(1000, products{"a": 100, "b": 900}), "[koc:mei product:a: 5% (mei), 1% (product:a)]"},
		"a KOC's rule comes":          {with(300, products{"a": 100, "b": 900}), with(300, products{"a": 100, "b": 900}, mei), "[koc:mei product:b: 9% (product:b), 5% (mei)]"},
		"a product gets less":         {with(500, products{"a": 100}), with(500, products{"a": 100, "b": 400, "c": 600}), "[product:b: 5% (default), 4% (product:b)]"},
		"a product loses its rate":    {with(500, products{"a": 900, "b": 600, "c": 400}), with(500, products{"a": 900}), "[product:b: 6% (product:b), 5% (default)]"},
		"a product's rate falls":      {with(500, products{"a": 100, "b": 500, "c": 900}), with(500, products{"a": 100, "b": 400, "c": 900}), "[product:b: 5% (product:b), 4% (product:b)]"},
		"only new customers":          {book(rule("first", commission.Match{Customer: "new"}, 1500)), book(), "[customer:new: 15% (first), 10% (default)]"},
		"nobody is left to get less":  {with(900, nil, rule("n", commission.Match{Customer: "new"}, 1500), rule("r", commission.Match{Customer: "returning"}, 1500)), with(0, nil, rule("n", commission.Match{Customer: "new"}, 1500), rule("r", commission.Match{Customer: "returning"}, 1500)), "[]"},
		"tags change places":          {book(rule("x", commission.Match{Tag: "x"}, 1500), rule("y", commission.Match{Tag: "y"}, 1100)), book(rule("y", commission.Match{Tag: "y"}, 1100), rule("x", commission.Match{Tag: "x"}, 1500)), "[tag:x+y: 15% (x), 11% (y)]"},
		"a campaign begins later":     {campaign(0, 5), campaign(1, 5), "[*: 15% (spring), 10% (default)]"},
		"a campaign that is over":     {campaign(-3, -1), book(), "[]"},
		"an inviter gets less":        {inviter, book(), "[*: 5% (inviter), 0% (inviter)]"},
		"a bonus goes":                {month(commission.Match{}, 100, 10), book(), "[*: 100 → 10 (bonus), -]"},
		"a bonus shrinks":             {month(commission.Match{}, 100, 10), month(commission.Match{}, 100, 9), "[*: 100 → 10 (bonus), 100 → 9 (bonus)]"},
		"a bonus comes later":         {month(commission.Match{}, 100, 10), month(commission.Match{}, 101, 20), "[*: 100 → 10 (bonus), 101 → 20 (bonus)]"},
		"a bonus is about less":       {month(commission.Match{}, 100, 10), month(commission.Match{Tag: "tea"}, 100, 10), "[*: 100 → 10 (bonus), 100 → 10 (bonus)]"},
		"a bonus is about more":       {month(commission.Match{Tag: "tea"}, 100, 10), month(commission.Match{}, 90, 11), "[]"},
		"a cap comes":                 {book(), capped("most", commission.Match{Tier: "gold"}, 5000), "[tier:gold: -, ≤ 5000 / month (most)]"},
		"a cap falls":                 {capped("most", commission.Match{}, 5000), capped("most", commission.Match{}, 4999), "[*: ≤ 5000 / month (most), ≤ 4999 / month (most)]"},
		"a cap rises":                 {capped("most", commission.Match{}, 5000), capped("most", commission.Match{}, 5001), "[]"},
		"a cap shared with others":    {capped("most", commission.Match{}, 5000), capped("other", commission.Match{}, 5000), "[*: ≤ 5000 / month (most), ≤ 5000 / month (other)]"},
		"a cap about fewer sales":     {capped("most", commission.Match{}, 5000), capped("most", commission.Match{Tag: "tea"}, 5000), "[]"},
		"the default under a product": {with(1000, products{"a": 500}), with(900, products{"a": 500}), "[*: 10% (default), 9% (default)]"},
	} {
		for _, b := range []commission.Book{c.before, c.after} {
			if err := b.Check("CNY"); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got := cutsOf(c.before, c.after, shop); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
