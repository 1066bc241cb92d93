package commission_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/money"
)

var shanghai = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return zone
}()

// market is that of a shop with nothing yet.
var market commission.Market

var fortnight = commission.Notice{Days: 14, Zone: shanghai}

// announced is the plan as somebody reads it at a moment, after publications: what the store keeps of them.
type announced struct {
	versions map[int64]commission.Book
	line     map[time.Time]int64
}

func announce() announced {
	first := commission.FirstBook()
	return announced{map[int64]commission.Book{1: first}, map[time.Time]int64{first.From: 1}}
}

func (a announced) add(p commission.Publication) {
	for _, b := range p.New {
		a.versions[b.Version] = b
	}
	for _, s := range p.Line {
		a.line[s.From] = s.Version
	}
}

func (a announced) at(now time.Time) commission.Plan {
	var p commission.Plan
	var moments []time.Time
	for at := range a.line {
		moments = append(moments, at)
	}
	slices.SortFunc(moments, time.Time.Compare)
	for _, at := range moments {
		b := a.versions[a.line[at]]
		p.Latest = max(p.Latest, b.Version)
		if at.After(now) {
			p.Later = append(p.Later, at)
		} else {
			p.Books = nil
		}
		if n := len(p.Books); n == 0 || p.Books[n-1].Version != b.Version {
			p.Books = append(p.Books, b)
		}
	}
	return p
}

func (a announced) publish(t testing.TB, d commission.Draft, now time.Time) commission.Plan {
	t.Helper()
	p := a.at(now)
	d.Seen = p.Latest
	pub, err := p.Publish(d, "CNY", fortnight, market, now)
	if err != nil {
		t.Fatal(err)
	}
	a.add(pub)
	return a.at(now)
}

func (a announced) set(t testing.TB, e commission.Edit, now time.Time) commission.Plan {
	t.Helper()
	pub, err := a.at(now).Set(e, fortnight, market, now)
	if err != nil {
		t.Fatal(err)
	}
	a.add(pub)
	return a.at(now)
}

func rateOf(p commission.Plan, product string, at time.Time) money.BasisPoints {
	return p.At(at).Rate(commission.Sale{Product: product, At: at}).Rate
}

func def(rate money.BasisPoints) commission.Edit { return commission.Edit{Default: &rate} }

func own(id string, rate money.BasisPoints) commission.Edit {
	return commission.Edit{Products: map[string]money.BasisPoints{id: rate}}
}

func TestRaisesCountAtOnceAndCutsAfterTheNotice(t *testing.T) {
	a := announce()
	p := a.set(t, own("tea", 1500), noon)
	if rateOf(p, "tea", noon) != 1500 || rateOf(p, "cup", noon) != 1000 || p.Latest != 2 || len(p.Coming()) != 0 {
		t.Fatalf("a raise: %+v", p)
	}
	p = a.set(t, def(800), noon)
	begins := time.Date(2026, 3, 16, 0, 0, 0, 0, shanghai) // noon of the 15th is 14 days later
	if len(p.Coming()) != 1 || !p.Coming()[0].From.Equal(begins) || rateOf(p, "cup", begins.Add(-1)) != 1000 || rateOf(p, "cup", begins) != 800 || rateOf(p, "tea", begins) != 1500 {
		t.Fatalf("a cut: %+v", p)
	}
	// A raise of something else while the cut waits leaves the cut, and the cut leaves the raise.
	p = a.set(t, own("pot", 2000), noon.Add(time.Hour))
	if rateOf(p, "pot", noon.Add(time.Hour)) != 2000 || rateOf(p, "pot", begins) != 2000 || rateOf(p, "cup", begins) != 800 || len(p.Coming()) != 1 {
		t.Fatalf("a raise while a cut waits: %+v", p)
	}
	// The same rate set again as it is takes the cut back.
	p = a.set(t, def(1000), noon.Add(2*time.Hour))
	if rateOf(p, "cup", begins) != 1000 || rateOf(p, "pot", begins) != 2000 {
		t.Fatalf("a cut taken back: %+v", p)
	}
	if again := a.set(t, def(1000), noon.Add(3*time.Hour)); again.Latest != p.Latest {
		t.Errorf("what is so already was published again: %+v", again)
	}
	// A lower rate of its own, and the loss of a higher one, are cuts too.
	p = a.set(t, own("cup", 900), noon.Add(4*time.Hour))
	p = a.set(t, own("tea", -1), noon.Add(4*time.Hour))
	if rateOf(p, "cup", days(2)) != 1000 || rateOf(p, "cup", begins) != 900 || rateOf(p, "tea", days(2)) != 1500 || rateOf(p, "tea", begins) != 1000 {
		t.Fatalf("cuts of products: %+v", p)
	}
	if p = a.at(days(20)); len(p.Coming()) != 0 || rateOf(p, "cup", days(20)) != 900 {
		t.Errorf("weeks later: %+v", p)
	}
}

func TestADraftWithACutNeedsItsNotice(t *testing.T) {
	a := announce()
	now := noon
	draft := commission.Draft{Book: book(rule("tea", commission.Match{Tag: "tea"}, 900)), Seen: 1}
	refused := func(from time.Time) {
		t.Helper()
		draft.From = from
		_, err := a.at(now).Publish(draft, "CNY", fortnight, market, now)
		e, ok := err.(*fail.Error)
		if !ok || len(e.Fields) != 1 || e.Fields[0].Location != "body.rules[0]" || e.Fields[0].Code != "cut_needs_notice" {
			t.Fatalf("from %s: %v", from, err)
		}
		if args := e.Fields[0].Args; args["earliest"] != "2026-03-15T16:00:00Z" || args["sales"] != "tag:tea" || args["before"] != "10% (default)" || args["after"] != "9% (tea)" {
			t.Errorf("the refusal says %v", args)
		}
	}
	refused(time.Time{})
	refused(days(14).Add(-time.Millisecond))
	draft.From = days(14)
	p := a.publish(t, draft, now)
	if p.Coming()[0].From != days(14) {
		t.Fatalf("plan %+v", p)
	}
	// Whoever did not see that version is refused, and so is a beginning in the past.
	if _, err := p.Publish(draft, "CNY", fortnight, market, now); !fail.Is(err, "changed_meanwhile") {
		t.Error(err)
	}
	draft.Seen, draft.From = p.Latest, now.Add(-time.Second)
	if _, err := p.Publish(draft, "CNY", fortnight, market, now); !faulty(err, "body.from", "from_past") {
		t.Error(err)
	}
	draft.From = now.AddDate(3, 0, 0)
	if _, err := p.Publish(draft, "CNY", fortnight, market, now); !faulty(err, "body.from", "from_far") {
		t.Error(err)
	}
	// The announced cut is withdrawn by the book as it is.
	p = a.publish(t, commission.Draft{Book: p.InForce(), Withdraw: true}, now.Add(time.Hour))
	if len(p.Coming()) != 0 || p.At(days(15)).Version != p.Latest || len(p.At(days(15)).Rules) != 0 {
		t.Fatalf("withdrawn: %+v", p)
	}
	// It could be announced again, with a notice of its own.
	p = a.publish(t, commission.Draft{Book: draft.Book, From: days(20)}, now.Add(time.Hour))
	if len(p.Coming()) != 1 || rateTag(p, days(19)) != 1000 || rateTag(p, days(20)) != 900 {
		t.Fatalf("again: %+v", p)
	}
}

func rateTag(p commission.Plan, at time.Time) money.BasisPoints {
	return p.At(at).Rate(commission.Sale{Tags: []string{"tea"}, At: at}).Rate
}

// TestAnAnnouncedRaiseIsAPromise: taking a raise back that is to come within the notice is a cut.
func TestAnAnnouncedRaiseIsAPromise(t *testing.T) {
	a := announce()
	a.publish(t, commission.Draft{Book: book(rule("tea", commission.Match{Tag: "tea"}, 2000)), From: days(5)}, noon)
	p := a.at(noon)
	if _, err := p.Publish(commission.Draft{Book: p.InForce(), Seen: p.Latest, Withdraw: true}, "CNY", fortnight, market, noon); !faulty(err, "body.defaultRate", "cut_needs_notice") {
		t.Errorf("withdrawn at once: %v", err)
	}
	if _, err := p.Publish(commission.Draft{Book: p.InForce(), Seen: p.Latest, From: days(14)}, "CNY", fortnight, market, noon); err != nil {
		t.Errorf("ended after the notice: %v", err)
	}
}

// TestACampaignIsAnnouncedWithItsEnd: that a campaign ends is no cut, that it ends earlier or pays less is.
func TestACampaignIsAnnouncedWithItsEnd(t *testing.T) {
	a := announce()
	b := book(rule("spring-tea", commission.Match{Tag: "tea", Campaign: "spring"}, 2500))
	b.Campaigns = []commission.Campaign{{ID: "spring", From: days(2), To: days(6)}}
	p := a.publish(t, commission.Draft{Book: b}, noon)
	if rateTag(p, days(1)) != 1000 || rateTag(p, days(2)) != 2500 || rateTag(p, days(6)) != 1000 {
		t.Fatalf("plan %+v", p)
	}
	shorter := b
	shorter.Campaigns = []commission.Campaign{{ID: "spring", From: days(2), To: days(5)}}
	if _, err := p.Publish(commission.Draft{Book: shorter, Seen: p.Latest}, "CNY", fortnight, market, noon); !faulty(err, "body.defaultRate", "cut_needs_notice") {
		t.Errorf("a shorter campaign: %v", err)
	}
	longer := b
	longer.Campaigns = []commission.Campaign{{ID: "spring", From: days(1), To: days(9)}}
	p = a.publish(t, commission.Draft{Book: longer}, noon.Add(time.Hour))
	if rateTag(p, days(8)) != 2500 {
		t.Errorf("a longer campaign: %+v", p)
	}
	// When it is over, taking it out is no cut.
	p = a.publish(t, commission.Draft{Book: book()}, days(9))
	if len(p.InForce().Rules) != 0 {
		t.Errorf("plan %+v", p)
	}
}

func TestADraftChangesWhatItChanges(t *testing.T) {
	a := announce()
	now := book(rule("x", commission.Match{Tag: "x"}, 1500), rule("y", commission.Match{Tag: "y"}, 1500), rule("z", commission.Match{Tag: "z"}, 1500))
	now.Products["tea"], now.Products["pot"] = 2000, 2000
	a.publish(t, commission.Draft{Book: now}, noon)
	later := now
	later.Rules = []commission.Rule{now.Rules[0], rule("y", commission.Match{Tag: "y"}, 1000), rule("own", commission.Match{Tag: "own"}, 1100)}
	later.Products = map[string]money.BasisPoints{"tea": 1000, "pot": 2000}
	later.Default = 900
	a.publish(t, commission.Draft{Book: later, From: days(20)}, noon)
	draft := now
	draft.Rules = []commission.Rule{rule("new", commission.Match{Tag: "new"}, 1600), rule("z", commission.Match{Tag: "z"}, 1700), now.Rules[1], now.Rules[0]}
	draft.Products = map[string]money.BasisPoints{"tea": 2000, "pot": 2500, "cup": 1700}
	draft.InviterRate = 500
	p := a.publish(t, commission.Draft{Book: draft}, days(1))
	got := p.At(days(20))
	var ids []string
	for _, r := range got.Rules {
		ids = append(ids, fmt.Sprint(r.ID, r.Rate))
	}
	// z was to go and is wanted again, at a place after new; x and y change places; own stays.
	if want := []string{"new1600", "z1700", "y1000", "x1500", "own1100"}; !slices.Equal(ids, want) {
		t.Errorf("rules %v, want %v", ids, want)
	}
	if got.Default != 900 || got.InviterRate != 500 || fmt.Sprint(got.Products) != "map[cup:1700 pot:2500 tea:1000]" {
		t.Errorf("coming %+v", got)
	}
	if p.InForce().Rate(commission.Sale{Tags: []string{"z"}}).Rate != 1700 || p.InForce().Default != 1000 {
		t.Errorf("in force %+v", p.InForce())
	}
	// What does not go with a book that is coming is refused: there, tag own has a rule already.
	clash := p.InForce()
	clash.Rules = append(slices.Clone(clash.Rules), rule("other", commission.Match{Tag: "own"}, 1200))
	if _, err := p.Publish(commission.Draft{Book: clash, Seen: p.Latest}, "CNY", fortnight, market, days(1)); !fail.Is(err, "books_clash") {
		t.Errorf("a tie in the book that is coming: %v", err)
	}
	if _, err := p.Set(own("own", 10_001), fortnight, market, days(1)); !faulty(err, "body.rate", "out_of_range") {
		t.Error(err)
	}
}

func TestFewBooksCanBeComing(t *testing.T) {
	a := announce()
	for i := range commission.MaxComing {
		a.publish(t, commission.Draft{Book: book(), From: days(i + 1)}, noon)
	}
	p := a.at(noon)
	if _, err := p.Publish(commission.Draft{Book: book(), Seen: p.Latest, From: days(100)}, "CNY", fortnight, market, noon); !fail.Is(err, "books_coming") {
		t.Error(err)
	}
	rate := money.BasisPoints(500)
	if _, err := p.Set(commission.Edit{Default: &rate}, fortnight, market, noon); !fail.Is(err, "books_coming") {
		t.Error(err)
	}
	a.publish(t, commission.Draft{Book: book(), Withdraw: true}, noon)
	a.publish(t, commission.Draft{Book: book(), From: days(100)}, noon)
}

// What was withdrawn leaves its moment behind, so moments have a limit of their own.
func TestFewMomentsCanBeComing(t *testing.T) {
	a := announce()
	now := noon
	for i := range 20 {
		a.publish(t, commission.Draft{Book: book(), From: days(i + 1)}, now)
		now = now.Add(time.Second)
		a.publish(t, commission.Draft{Book: book(), Withdraw: true}, now)
	}
	now = now.Add(time.Second)
	p := a.at(now)
	if _, err := p.Publish(commission.Draft{Book: book(), Seen: p.Latest, From: days(21)}, "CNY", fortnight, market, now); !fail.Is(err, "books_coming") {
		t.Error(err)
	}
}

func TestRefusedRatesOfProducts(t *testing.T) {
	full := book(rule("pots", commission.Match{Product: "pot"}, 1500))
	for i := range commission.MaxProductRates {
		full.Products[fmt.Sprint("p", i)] = 1000
	}
	a := announce()
	a.publish(t, commission.Draft{Book: book(rule("pots", commission.Match{Product: "pot"}, 1500))}, noon)
	few := a.at(noon)
	a.publish(t, commission.Draft{Book: full}, noon)
	many := a.at(noon)
	for name, c := range map[string]struct {
		plan  commission.Plan
		edit  commission.Edit
		where string
		code  string
	}{
		"nothing":              {few, own("tea", 0), "", ""},
		"less than nothing":    {few, own("tea", -2), "body.rate", "out_of_range"},
		"everything":           {few, own("tea", money.Whole), "", ""},
		"more than everything": {few, own("tea", money.Whole+1), "body.rate", "out_of_range"},
		"one of many":          {many, own("p0", 2000), "", ""},
		"one more":             {many, own("tea", 2000), "body.rate", "too_many"},
		"beside a rule":        {few, own("pot", 2000), "body.rate", "rules_tie"},
	} {
		_, err := c.plan.Set(c.edit, fortnight, market, noon)
		if c.code == "" && err != nil || c.code != "" && !faulty(err, c.where, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheEarliestDayIsALocalMidnight(t *testing.T) {
	for _, c := range []struct {
		zone, now, want string
		days            int
	}{
		{"Asia/Shanghai", "2026-03-01T04:00:00Z", "2026-03-15T16:00:00Z", 14},
		{"Asia/Shanghai", "2026-03-01T16:00:00Z", "2026-03-15T16:00:00Z", 14}, // midnight itself
		{"Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T22:00:00Z", 1},  // the day has 23 hours
		{"Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T23:00:00Z", 1},  // the day has 25 hours
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		now, _ := time.Parse(time.RFC3339, c.now)
		if got := (commission.Notice{Days: c.days, Zone: zone}).Earliest(now).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s: %s, want %s", c.now, c.zone, got, c.want)
		}
	}
}

// TestPlansKeepTheirWord publishes at random and checks after each step: the past stays; nothing that is to count within
// the notice becomes less than it was; the version that counts at a moment began by then; an edit ends as it was made.
func TestPlansKeepTheirWord(t *testing.T) {
	published, cuts := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		a, now, m := announce(), noon, randomMarket(t)
		past := map[time.Time]int64{}
		for range rapid.IntRange(2, 8).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 9).Draw(t, "days"))*24*time.Hour + time.Duration(rapid.Int64Range(0, 2).Draw(t, "hours"))*time.Hour)
			before := a.at(now)
			past[now.Add(-time.Millisecond)] = a.at(now.Add(-time.Millisecond)).InForce().Version
			edit, pub, err := publication(t, before, m, now)
			if err != nil {
				if faulty(err, "", "") {
					continue
				}
				cuts++
				continue
			}
			published++
			a.add(pub)
			after := a.at(now)
			for _, n := range rapid.SliceOfN(rapid.Int64Range(0, 13), 2, 3).Draw(t, "looks") {
				at := now.AddDate(0, 0, int(n))
				if b := after.At(at); b.From.After(at) && b.Version != after.InForce().Version {
					t.Fatalf("version %d counts on %s, before its time", b.Version, at)
				}
				for s, prices := range there(m) {
					if s.At = at; commission.Less(before.At(at).Rate(s), after.At(at).Rate(s), prices) {
						t.Fatalf("on %s %+v earns %+v, but %+v was announced", at, s, after.At(at).Rate(s), before.At(at).Rate(s))
					}
				}
			}
			if edit != nil {
				if got := after.At(fortnight.Earliest(now)); got.Default != *edit {
					t.Fatalf("the default was set to %d and became %+v", *edit, got)
				}
			}
			for at, version := range past {
				if got := a.at(at).InForce().Version; got != version {
					t.Fatalf("version %d counted on %s; now it is said to be %d", version, at, got)
				}
			}
		}
	})
	if published < 50 || cuts < 10 {
		t.Errorf("%d publications, %d refused: too few to show anything", published, cuts)
	}
}

func publication(t *rapid.T, p commission.Plan, m commission.Market, now time.Time) (*money.BasisPoints, commission.Publication, error) {
	if rapid.Bool().Draw(t, "edit") {
		rate := money.BasisPoints(rapid.SampledFrom([]int64{500, 1000, 1500}).Draw(t, "default"))
		pub, err := p.Set(commission.Edit{Default: &rate}, fortnight, m, now)
		return &rate, pub, err
	}
	d := commission.Draft{Seen: p.Latest, Withdraw: rapid.Bool().Draw(t, "withdraw"), Book: randomBook(t)}
	if n := rapid.IntRange(0, 20).Draw(t, "in"); n > 0 {
		d.From = now.AddDate(0, 0, n)
	}
	if rapid.Bool().Draw(t, "alike") {
		at := d.From
		if at.IsZero() {
			at = now
		}
		d.Book = p.At(at)
		d.Book.Rules = slices.Clone(d.Book.Rules)
		change(t, &d.Book)
	}
	pub, err := p.Publish(d, "CNY", fortnight, m, now)
	return nil, pub, err
}
