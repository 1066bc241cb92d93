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
		if got := commission.Less(c.before, c.after); got != c.less {
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
		c.before.Version, c.after.Version = 1, 2
		var got []string
		for _, x := range (commission.Plan{Books: []commission.Book{c.before}}).Cuts(commission.Plan{Books: []commission.Book{c.after}}, days(-1).Add(time.Hour), days(9)) {
			got = append(got, fmt.Sprintf("%s: %s, %s", x.Sale, x.Before, x.After))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}
