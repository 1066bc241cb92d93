package payout_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/payout"
)

var noon = time.Date(2026, 3, 11, 4, 0, 0, 0, time.UTC)

const today = "2026-03-11"

// verified is a method that payouts may go to.
func verified(version int64, rail string) payout.Method {
	return payout.Method{Version: version, Rail: rail, Verified: &payout.Verification{By: "op", At: noon}}
}

func standing(available, debt int64) payout.Standing {
	return payout.Standing{Terms: payout.FirstTerms(), Method: verified(1, payout.Bank), Balances: ledger.Balances{Currency: "CNY", Available: available, Debt: -debt}}
}

func ask(minor int64) payout.Ask {
	return payout.Ask{ID: payout.ID("x"), KOC: "mei", Currency: "CNY", Minor: minor, Cause: payout.Withdrawal, By: "s-mei", Day: today}
}

func reserved(t *testing.T, rail string) payout.Payout {
	t.Helper()
	s := standing(10_000, 0)
	s.Method.Rail = rail
	p, _, err := payout.Reserve(ask(5000), s, noon)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func approved(t *testing.T, rail string) payout.Payout {
	t.Helper()
	p := reserved(t, rail)
	if err := p.Approve(payout.Checker{By: "op", Method: verified(1, rail)}, noon); err != nil {
		t.Fatal(err)
	}
	return p
}

func sent(t *testing.T) payout.Payout {
	t.Helper()
	p := approved(t, payout.Stripe)
	if err := p.Send(noon); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReserveDivides(t *testing.T) {
	taxed := payout.CurrencyTerms{Currency: "CNY", Minimum: 100, DebtCap: 5000, Fee: payout.Fee{Fixed: 200, Rate: 100},
		Tax: []payout.TaxTable{{From: "2026-01-01", Period: payout.Year, Brackets: []payout.Bracket{{Rate: 300}, {Over: 10_000, Rate: 1000, Deduction: 700}}}}}
	for name, tt := range map[string]struct {
		available, debt, wanted              int64
		sum                                  payout.TaxSum
		terms                                []payout.CurrencyTerms
		credit, netted, gross, tax, fee, net int64
	}{
		"nothing kept back":          {available: 9000, wanted: 5000, gross: 5000, net: 5000},
		"everything there is":        {available: 9000, gross: 9000, net: 9000},
		"small debt":                 {available: 9000, debt: 700, wanted: 5000, netted: 700, gross: 4300, net: 4300},
		"debt up to the cap":         {available: 9000, debt: 8000, wanted: 5000, netted: 2500, gross: 2500, net: 2500},
		"half a unit of debt":        {available: 9000, debt: 8000, wanted: 5001, netted: 2501, gross: 2500, net: 2500},
		"credit":                     {available: 3000, debt: -2000, wanted: 4000, credit: 2000, gross: 4000, net: 4000},
		"less than the credit":       {available: 3000, debt: -2000, wanted: 1500, credit: 1500, gross: 1500, net: 1500},
		"tax in the first bracket":   {available: 9000, wanted: 5000, terms: []payout.CurrencyTerms{taxed}, gross: 5000, tax: 150, fee: 250, net: 4600},
		"tax across brackets":        {available: 9000, wanted: 5000, terms: []payout.CurrencyTerms{taxed}, sum: payout.TaxSum{V: 3, Gross: 8000, Tax: 240}, gross: 5000, tax: 360, fee: 250, net: 4390},
		"withheld too much before":   {available: 9000, wanted: 5000, terms: []payout.CurrencyTerms{taxed}, sum: payout.TaxSum{V: 3, Gross: 0, Tax: 240}, gross: 5000, fee: 250, net: 4750},
		"tax on what repays no debt": {available: 9000, debt: 2500, wanted: 5000, terms: []payout.CurrencyTerms{taxed}, netted: 2500, gross: 2500, tax: 75, fee: 225, net: 2200},
	} {
		t.Run(name, func(t *testing.T) {
			s := standing(tt.available, tt.debt)
			s.Tax, s.Terms.Currencies = tt.sum, tt.terms
			p, sum, err := payout.Reserve(ask(tt.wanted), s, noon)
			if err != nil {
				t.Fatal(err)
			}
			got := [6]int64{p.Credit, p.Netted, p.Gross, p.Tax, p.Fee, p.Net}
			if want := [6]int64{tt.credit, tt.netted, tt.gross, tt.tax, tt.fee, tt.net}; got != want {
				t.Errorf("credit, netted, gross, tax, fee, net = %v, want %v", got, want)
			}
			if tt.terms == nil && sum != tt.sum {
				t.Errorf("without a table the sum became %+v", sum)
			}
			if want := (payout.TaxSum{V: tt.sum.V + 1, Gross: tt.sum.Gross + tt.gross, Tax: tt.sum.Tax + tt.tax}); tt.terms != nil && sum != want {
				t.Errorf("sum %+v, want %+v", sum, want)
			}
		})
	}
}

func TestReserveRefuses(t *testing.T) {
	for code, change := range map[string]func(*payout.Ask, *payout.Standing){
		"payee_missing":          func(_ *payout.Ask, s *payout.Standing) { s.Method = payout.Method{} },
		"payee_unverified":       func(_ *payout.Ask, s *payout.Standing) { s.Method.Verified = nil },
		"payout_held":            func(_ *payout.Ask, s *payout.Standing) { s.Method.HeldUntil = noon.Add(time.Second) },
		"payout_below_minimum":   func(a *payout.Ask, _ *payout.Standing) { a.Minor = 999 },
		"payout_above_available": func(a *payout.Ask, _ *payout.Standing) { a.Minor = 10_001 },
		"payout_nothing_left": func(_ *payout.Ask, s *payout.Standing) {
			s.Terms.Currencies = []payout.CurrencyTerms{{Currency: "CNY", Minimum: 1, Fee: payout.Fee{Fixed: 5000}}}
		},
	} {
		t.Run(code, func(t *testing.T) {
			a, s := ask(5000), standing(10_000, 0)
			change(&a, &s)
			if _, _, err := payout.Reserve(a, s, noon); !fail.Is(err, code) || fail.KindOf(err) != fail.Conflict {
				t.Errorf("refused with %v", err)
			}
		})
	}
	s := standing(10_000, 0)
	s.Method.HeldUntil = noon
	if _, _, err := payout.Reserve(ask(5000), s, noon); err != nil {
		t.Errorf("when the hold ends: %v", err)
	}
	if _, _, err := payout.Reserve(ask(-5000), standing(10_000, 0), noon); !fail.Is(err, "payout_below_minimum") {
		t.Errorf("a negative amount: %v", err)
	}
	if _, _, err := payout.Reserve(ask(0), standing(999, 0), noon); !fail.Is(err, "payout_below_minimum") {
		t.Errorf("everything of less than the minimum: %v", err)
	}
}

func drawTable(t *rapid.T) payout.TaxTable {
	table := payout.TaxTable{From: "2026-01-01", Period: payout.Year, Brackets: []payout.Bracket{{Rate: money.BasisPoints(rapid.Int64Range(0, 3000).Draw(t, "rate"))}}}
	for range rapid.IntRange(0, 4).Draw(t, "more brackets") {
		last := table.Brackets[len(table.Brackets)-1]
		next := payout.Bracket{Over: last.Over + 10_000*rapid.Int64Range(1, 50).Draw(t, "width"), Rate: last.Rate + money.BasisPoints(rapid.Int64Range(0, 1500).Draw(t, "steeper"))}
		next.Deduction = last.Deduction + next.Over*int64(next.Rate-last.Rate)/10_000 // the quick deduction that makes them meet
		table.Brackets = append(table.Brackets, next)
	}
	return table
}

// TestTaxOfPartsIsTaxOfTheWhole makes payouts in an arbitrary order, some of which fail, and compares what stays
// withheld with the tax on what stays paid.
func TestTaxOfPartsIsTaxOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := drawTable(t)
		s := standing(0, 0)
		s.Terms.Currencies = []payout.CurrencyTerms{{Currency: "CNY", Minimum: 1, DebtCap: money.Whole / 2, Tax: []payout.TaxTable{table},
			Fee: payout.Fee{Fixed: rapid.Int64Range(0, 20).Draw(t, "fixed"), Rate: money.BasisPoints(rapid.Int64Range(0, 500).Draw(t, "fee"))}}}
		for range rapid.IntRange(1, 12).Draw(t, "payouts") {
			wanted := rapid.Int64Range(100, 400_000).Draw(t, "wanted")
			s.Balances = ledger.Balances{Currency: "CNY", Available: wanted, Debt: -rapid.Int64Range(0, wanted).Draw(t, "debt")}
			before := s.Tax
			p, after, err := payout.Reserve(ask(wanted), s, noon)
			if err != nil {
				continue
			}
			if p.Withdrawn != p.Netted+p.Tax+p.Fee+p.Net || p.Gross != p.Tax+p.Fee+p.Net || p.Withdrawn != wanted {
				t.Fatalf("the parts of %+v do not add up", p)
			}
			if p.Netted < 0 || p.Tax < 0 || p.Fee < 0 || p.Net <= 0 || p.Netted > -s.Balances.Debt || p.Netted > (wanted+1)/2 {
				t.Fatalf("%+v of %+v", p, s.Balances)
			}
			s.Tax = after
			if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
				failed := fail1(t, p)
				m, _, err := payout.Moves(p, failed, noon)
				if err != nil {
					t.Fatal(err)
				}
				s.Tax = payout.TaxSum{V: s.Tax.V + m.Tax.V, Gross: s.Tax.Gross - m.Tax.Gross, Tax: s.Tax.Tax - m.Tax.Tax}
				if s.Tax.Gross != before.Gross || s.Tax.Tax != before.Tax {
					t.Fatalf("a failure left %+v of %+v", s.Tax, before)
				}
			}
			due, err := table.On(money.Of(s.Tax.Gross, "CNY"))
			if err != nil || s.Tax.Tax != due {
				t.Fatalf("withheld %d of %d, the table says %d, %v", s.Tax.Tax, s.Tax.Gross, due, err)
			}
		}
	})
}

func fail1(t *rapid.T, p payout.Payout) payout.Payout {
	failed := p.Clone()
	if err := failed.Reject("op", "", noon); err != nil {
		t.Fatal(err)
	}
	failed.Version++
	return failed
}

// TestOverlappingFailures: when a payout fails after another one was made on top of it, the next one makes up for what was
// withheld at the wrong rate.
func TestOverlappingFailures(t *testing.T) {
	table := payout.TaxTable{From: "2026-01-01", Period: payout.Year, Brackets: []payout.Bracket{{}, {Over: 10_000, Rate: 1000, Deduction: 1000}}}
	s := standing(1_000_000, 0)
	s.Terms.Currencies = []payout.CurrencyTerms{{Currency: "CNY", Minimum: 1, Tax: []payout.TaxTable{table}}}
	take := func(minor int64) (p payout.Payout) {
		var err error
		if p, s.Tax, err = payout.Reserve(ask(minor), s, noon); err != nil {
			t.Fatal(err)
		}
		return p
	}
	first, second := take(10_000), take(10_000)
	s.Tax.Gross, s.Tax.Tax = s.Tax.Gross-first.Gross, s.Tax.Tax-first.Tax // the first one fails
	third := take(10_000)
	if first.Tax != 0 || second.Tax != 1000 || third.Tax != 0 {
		t.Errorf("withheld %d, %d, %d; want 0, 1000, 0", first.Tax, second.Tax, third.Tax)
	}
}

func TestTaxTablesByDate(t *testing.T) {
	flat := func(from string, p payout.Period, rate money.BasisPoints) payout.TaxTable {
		return payout.TaxTable{From: from, Period: p, Brackets: []payout.Bracket{{Rate: rate}}}
	}
	c := payout.CurrencyTerms{Currency: "CNY", Tax: []payout.TaxTable{flat("2026-03-15", payout.Month, 100), flat("2026-07-01", payout.Year, 200), flat("2028-01-01", payout.Year, 300)}}
	for day, want := range map[string]string{
		"2026-03-14": "", "2026-03-15": "2026-03-15", "2026-03-31": "2026-03-15", "2026-04-01": "2026-04", "2026-06-30": "2026-06",
		"2026-07-01": "2026-07-01", "2026-12-31": "2026-07-01", "2027-01-01": "2027", "2028-02-29": "2028-01-01",
	} {
		if got := c.TaxPeriod(day); got != want {
			t.Errorf("%s belongs to %q, want %q", day, got, want)
		}
	}
}

func TestTermsRefuse(t *testing.T) {
	good := func() payout.CurrencyTerms {
		return payout.CurrencyTerms{Currency: "CNY", Minimum: 1, Tax: []payout.TaxTable{{From: "2026-04-01", Period: payout.Year,
			Brackets: []payout.Bracket{{Rate: 300}, {Over: 3_600_000, Rate: 1000, Deduction: 252_000}}}}}
	}
	for location, change := range map[string]func(*payout.Terms, *payout.CurrencyTerms){
		"body.from":                    func(x *payout.Terms, _ *payout.CurrencyTerms) { x.From = noon.Add(-time.Second) },
		"body.holdHours":               func(x *payout.Terms, _ *payout.CurrencyTerms) { x.HoldHours = -1 },
		"body.currencies[1].currency":  func(x *payout.Terms, _ *payout.CurrencyTerms) { x.Currencies = []payout.CurrencyTerms{good()} },
		"body.currencies[0].currency":  func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Currency = "XXX" },
		"body.currencies[0].minimum":   func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Minimum = 0 },
		"body.currencies[0].fee.fixed": func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Fee.Fixed = -1 },
		"body.currencies[0].fee.rate":  func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Fee.Rate = 10_001 },
		"body.currencies[0].debtCap":   func(_ *payout.Terms, c *payout.CurrencyTerms) { c.DebtCap = 10_001 },
		"body.currencies[0].schedule.day": func(_ *payout.Terms, c *payout.CurrencyTerms) {
			c.Schedule = payout.Schedule{Every: payout.Monthly, Day: 29}
		},
		"body.currencies[0].schedule.every":               func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Schedule.Every = "daily" },
		"body.currencies[0].tax[0].from":                  func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax[0].From = "2026-02-30" },
		"body.currencies[0].tax[0].period":                func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax[0].Period = "week" },
		"body.currencies[0].tax[0].source":                func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax[0].Source = strings.Repeat("x", 501) },
		"body.currencies[0].tax[0].brackets":              func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax[0].Brackets = nil },
		"body.currencies[0].tax[0].brackets[0].over":      func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax[0].Brackets[0].Over = 1 },
		"body.currencies[0].tax[0].brackets[0].rate":      func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax[0].Brackets[0].Rate = -1 },
		"body.currencies[0].tax[0].brackets[0].deduction": func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax[0].Brackets[0].Deduction = -1 },
		"body.currencies[0].tax[0].brackets[1].over":      func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax[0].Brackets[1].Over = 0 },
		"body.currencies[0].tax[0].brackets[1].deduction": func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax[0].Brackets[1].Deduction = 251_998 },
		"body.currencies[0].tax[0].brackets[2].over": func(_ *payout.Terms, c *payout.CurrencyTerms) {
			c.Tax[0].Brackets = beyond(c.Tax[0].Brackets, money.MaxMinor+1)
		},
		"body.currencies[0].tax[0].brackets[2].deduction": func(_ *payout.Terms, c *payout.CurrencyTerms) {
			c.Tax[0].Brackets = beyond(c.Tax[0].Brackets, 5_000_000)
			c.Tax[0].Brackets[2].Deduction += 2
		},
		"body.currencies[0].tax":         func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax = yearly(payout.MaxTables + 1) },
		"body.currencies":                func(x *payout.Terms, _ *payout.CurrencyTerms) { x.Currencies = manyTerms(payout.MaxCurrencies) },
		"body.currencies[0].tax[1].from": func(_ *payout.Terms, c *payout.CurrencyTerms) { c.Tax = append(c.Tax, c.Tax[0]) },
	} {
		t.Run(location, func(t *testing.T) {
			c, x := good(), payout.Terms{HoldHours: 72}
			change(&x, &c)
			x.Currencies = append(x.Currencies, c)
			_, err := payout.FirstTerms().Next(x, noon, today)
			if err == nil || !strings.Contains(err.Error(), location+": ") {
				t.Errorf("refused with %v", err)
			}
		})
	}
	for text, ok := range map[string]bool{"2028-03-01T00:00:00Z": true, "2029-01-01T00:00:00Z": false, "9999-12-31T23:59:59Z": false, "9999-12-31T23:59:59-12:00": false} {
		from, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = payout.FirstTerms().Next(payout.Terms{From: from}, noon, today); (err == nil) != ok {
			t.Errorf("terms from %s: %v", text, err)
		}
	}
	for day, ok := range map[string]bool{"1999-12-31": false, "2026-03-12": true, "2999-12-31": true, "3000-01-01": false, "9999-12-31": false, "10000-01-01": false, "0000-01-01": false} {
		c := good()
		c.Tax[0].From = day
		if _, err := payout.FirstTerms().Next(payout.Terms{Currencies: []payout.CurrencyTerms{c}}, noon, today); (err == nil) != ok {
			t.Errorf("a tax table from %s: %v", day, err)
		}
	}
	most := manyTerms(payout.MaxCurrencies)
	most[0].Tax = yearly(payout.MaxTables)
	most[0].Tax[0].Brackets = beyond(good().Tax[0].Brackets, money.MaxMinor)
	if _, err := payout.FirstTerms().Next(payout.Terms{HoldHours: 72, Currencies: most}, noon, today); err != nil {
		t.Errorf("as many as there can be: %v", err)
	}
	x, err := payout.FirstTerms().Next(payout.Terms{HoldHours: 72, Currencies: []payout.CurrencyTerms{good()}}, noon, today)
	if err != nil || x.Version != 2 || !x.From.Equal(noon) {
		t.Errorf("good terms became %+v, %v", x, err)
	}
}

// beyond adds a bracket that meets the one before, at 10 % like that.
func beyond(brackets []payout.Bracket, over int64) []payout.Bracket {
	next := brackets[len(brackets)-1]
	next.Over = over
	return append(brackets, next)
}

// yearly are tax tables for as many years.
func yearly(n int) (tables []payout.TaxTable) {
	for i := range n {
		tables = append(tables, payout.TaxTable{From: fmt.Sprintf("%d-01-01", 2027+i), Period: payout.Year, Brackets: []payout.Bracket{{Rate: 300}}})
	}
	return tables
}

// manyTerms are terms for as many currencies.
func manyTerms(n int) (terms []payout.CurrencyTerms) {
	for _, c := range []money.Currency{"USD", "EUR", "GBP", "JPY", "KRW", "HKD", "SGD", "AUD", "NZD", "CAD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "THB", "INR", "BRL"}[:n] {
		terms = append(terms, payout.CurrencyTerms{Currency: c, Minimum: 1})
	}
	return terms
}

// TestTaxTablesThatApplyStay: what was withheld must stay explained by a table.
func TestTaxTablesThatApplyStay(t *testing.T) {
	table := func(from string, rate money.BasisPoints) payout.TaxTable {
		return payout.TaxTable{From: from, Period: payout.Year, Brackets: []payout.Bracket{{Rate: rate}}}
	}
	with := func(tables ...payout.TaxTable) payout.Terms {
		return payout.Terms{Currencies: []payout.CurrencyTerms{{Currency: "CNY", Minimum: 1, Tax: tables}}}
	}
	before := with(table("2026-01-01", 300), table(today, 400), table("2026-12-01", 500))
	for name, tt := range map[string]struct {
		after payout.Terms
		ok    bool
	}{
		"as it is":               {with(table("2026-01-01", 300), table(today, 400), table("2026-12-01", 500)), true},
		"another future":         {with(table("2026-01-01", 300), table(today, 400), table("2026-06-01", 100)), true},
		"no future":              {with(table("2026-01-01", 300), table(today, 400)), true},
		"edited past":            {with(table("2026-01-01", 301), table(today, 400)), false},
		"edited today":           {with(table("2026-01-01", 300), table(today, 401)), false},
		"today taken away":       {with(table("2026-01-01", 300)), false},
		"all taken away":         {with(), false},
		"currency taken away":    {payout.Terms{}, false},
		"invented past":          {with(table("2026-01-01", 300), table("2026-02-01", 1), table(today, 400)), false},
		"invented past of a new": {payout.Terms{Currencies: append(before.Currencies, payout.CurrencyTerms{Currency: "EUR", Minimum: 1, Tax: []payout.TaxTable{table("2026-01-01", 1)}})}, false},
	} {
		if _, err := before.Next(tt.after, noon, today); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchedule(t *testing.T) {
	for _, tt := range []struct {
		s                 payout.Schedule
		day, latest, next string
	}{
		{payout.Schedule{}, "2026-03-11", "", ""},
		{payout.Schedule{Every: payout.Monthly, Day: 10}, "2026-03-11", "2026-03-10", "2026-04-10"},
		{payout.Schedule{Every: payout.Monthly, Day: 11}, "2026-03-11", "2026-03-11", "2026-04-11"},
		{payout.Schedule{Every: payout.Monthly, Day: 28}, "2026-03-11", "2026-02-28", "2026-03-28"},
		{payout.Schedule{Every: payout.Monthly, Day: 1}, "2026-12-31", "2026-12-01", "2027-01-01"},
		{payout.Schedule{Every: payout.Weekly, Day: 1}, "2026-03-11", "2026-03-09", "2026-03-16"}, // a Wednesday
		{payout.Schedule{Every: payout.Weekly, Day: 3}, "2026-03-11", "2026-03-11", "2026-03-18"},
		{payout.Schedule{Every: payout.Weekly, Day: 7}, "2026-03-11", "2026-03-08", "2026-03-15"},
	} {
		if latest, next := tt.s.Latest(tt.day), tt.s.Next(tt.day); latest != tt.latest || next != tt.next {
			t.Errorf("%+v around %s: %q and %q, want %q and %q", tt.s, tt.day, latest, next, tt.latest, tt.next)
		}
	}
}

func TestApproval(t *testing.T) {
	for code, c := range map[string]payout.Checker{
		"payout_maker":     {By: "s-mei", Method: verified(1, payout.Bank)},
		"payout_own":       {By: "op", Subject: "op", Method: verified(1, payout.Bank)},
		"payee_suspended":  {By: "op", Suspended: noon, Method: verified(1, payout.Bank)},
		"payee_unverified": {By: "op", Method: payout.Method{Version: 1, Rail: payout.Bank}},
		"payee_missing":    {By: "op"},
	} {
		p := reserved(t, payout.Bank)
		if err := p.Approve(c, noon); !fail.Is(err, code) || p.Status() != payout.Reserved {
			t.Errorf("want %s: %v, %s", code, err, p.Status())
		}
	}
	p := approved(t, payout.Bank)
	if err := p.Approve(payout.Checker{By: "op2", Method: verified(1, payout.Bank)}, noon); !fail.Is(err, "payout_status") {
		t.Errorf("approved twice: %v", err)
	}
	if p.Status() != payout.Approved || !p.DueAt().Equal(noon) {
		t.Errorf("%s, due %s", p.Status(), p.DueAt())
	}
}

// TestWaitsOfASuspendedKOC: what has not left waits for an operator's word, which counts for one suspension only.
func TestWaitsOfASuspendedKOC(t *testing.T) {
	first, second := noon.Add(time.Hour), noon.Add(48*time.Hour)
	word := payout.Release{By: "op", At: first.Add(time.Hour), Reason: "it was earned"}
	for name, p := range map[string]payout.Payout{"reserved": reserved(t, payout.Bank), "approved": approved(t, payout.Stripe)} {
		before := p.Status()
		p.Wait(first, first)
		if p.Wait(first, second); p.Status() != payout.Waiting || len(p.Waits) != 1 || !p.DueAt().IsZero() {
			t.Fatalf("%s: %s, due %s, %+v", name, p.Status(), p.DueAt(), p.Waits)
		}
		checker := payout.Checker{By: "op", Method: verified(1, payout.Bank), Suspended: first}
		if err := p.Approve(checker, second); !fail.Is(err, "payee_suspended") {
			t.Errorf("%s: approved while it waits: %v", name, err)
		}
		if err := p.Send(second); !fail.Is(err, "payout_status") {
			t.Errorf("%s: sent while it waits: %v", name, err)
		}
		if err := p.ToFile(payout.Export{File: "f"}); !fail.Is(err, "payout_status") {
			t.Errorf("%s: into a file while it waits: %v", name, err)
		}
		if err := p.Release(payout.Release{By: p.By, At: second}, ""); !fail.Is(err, "payout_maker") {
			t.Errorf("%s: released by its maker: %v", name, err)
		}
		if err := p.Release(word, "op"); !fail.Is(err, "payout_own") {
			t.Errorf("%s: released by its KOC: %v", name, err)
		}
		rejected := p.Clone()
		if err := rejected.Reject("op", "", second); err != nil || rejected.Status() != payout.Rejected {
			t.Errorf("%s: refused: %v, %s", name, err, rejected.Status())
		}
		if err := p.Release(word, "sub"); err != nil || p.Status() != before {
			t.Errorf("%s: released: %v, %s", name, err, p.Status())
		}
		if err := p.Release(word, "sub"); !fail.Is(err, "payout_status") {
			t.Errorf("%s: released twice: %v", name, err)
		}
		if p.Wait(first, second); p.Status() != before {
			t.Errorf("%s: the same suspension makes it wait again", name)
		}
		if err := p.Approve(checker, second); before == payout.Reserved && err != nil {
			t.Errorf("released and not to be approved: %v", err)
		}
		if p.Wait(second, second); p.Status() != payout.Waiting {
			t.Errorf("%s: another suspension does not make it wait", name)
		}
	}
	sent := approved(t, payout.Stripe)
	if err := sent.Send(noon); err != nil {
		t.Fatal(err)
	}
	if sent.Wait(first, first); sent.Status() != payout.Sending {
		t.Errorf("what has left is %s", sent.Status())
	}
	a := ask(10_000)
	a.Suspended = first
	made, _, err := payout.Reserve(a, standing(1_000_000, 0), noon)
	if err != nil || made.Status() != payout.Reserved {
		t.Fatalf("made nevertheless: %s, %v", made.Status(), err)
	}
	if made.Wait(first, first); made.Status() != payout.Reserved || made.Waits[0].Released.By != made.By {
		t.Errorf("made nevertheless: %s, %+v", made.Status(), made.Waits)
	}
	for i := range 30 {
		made.Wait(second.Add(time.Duration(i)*time.Hour), second)
		if err := made.Release(word, ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(made.Waits) != 10 {
		t.Errorf("%d suspensions are kept", len(made.Waits))
	}
}

// A payout whose method changes again and again has to be rejected at some time.
func TestApprovalsHaveAnEnd(t *testing.T) {
	p := reserved(t, payout.Bank)
	for i := range 51 {
		if err := p.Approve(payout.Checker{By: "op", Method: verified(1, payout.Bank)}, noon); (err != nil) != (i == 50) || err != nil && !fail.Is(err, "payout_approvals") {
			t.Fatalf("approval %d: %v", i+1, err)
		}
		if i < 50 {
			if err := p.Reopen(payout.ReasonMethod, noon); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestOnlyWhatIsApprovedLeaves(t *testing.T) {
	for _, p := range []payout.Payout{reserved(t, payout.Bank), sent(t)} {
		if _, err := p.Sendable(verified(1, p.To.Rail), noon); !fail.Is(err, "payout_status") {
			t.Errorf("%s can leave: %v", p.Status(), err)
		}
	}
	filed := approved(t, payout.Bank)
	if err := filed.ToFile(payout.Export{File: "f1"}); err != nil {
		t.Fatal(err)
	}
	if err := filed.Answered(payout.Answer{Unclear: true}, noon); !fail.Is(err, "payout_status") {
		t.Errorf("a rail answered for a bank: %v", err)
	}
	asked := sent(t)
	if err := asked.Answered(payout.Answer{Unclear: true}, noon); err != nil {
		t.Error(err)
	}
}

func TestApprovalIsForOneMethod(t *testing.T) {
	p := approved(t, payout.Stripe)
	if outdated, err := p.Sendable(verified(1, payout.Stripe), noon); outdated || err != nil {
		t.Errorf("the same method: %v, %v", outdated, err)
	}
	if outdated, _ := p.Sendable(verified(2, payout.Stripe), noon); !outdated {
		t.Error("money may go elsewhere than was approved")
	}
	if outdated, _ := p.Sendable(payout.Method{Version: 1, Rail: payout.Stripe}, noon); !outdated {
		t.Error("money may go to a name that nobody has verified")
	}
	if err := p.Reopen(payout.ReasonMethod, noon); err != nil || p.Status() != payout.Reserved || !p.DueAt().IsZero() {
		t.Errorf("reopened: %v, %s", err, p.Status())
	}
	m := verified(2, payout.Bank)
	m.HeldUntil = noon.Add(72 * time.Hour)
	if err := p.Approve(payout.Checker{By: "op", Method: m}, noon); err != nil {
		t.Fatal(err)
	}
	if got := p.Target(); got != (payout.Target{Version: 2, Rail: payout.Bank}) || !p.DueAt().Equal(m.HeldUntil) {
		t.Errorf("goes to %+v, due %s", got, p.DueAt())
	}
	if _, err := p.Sendable(m, m.HeldUntil.Add(-time.Second)); !fail.Is(err, "payout_held") {
		t.Errorf("within the hold: %v", err)
	}
	if outdated, err := p.Sendable(m, m.HeldUntil); outdated || err != nil {
		t.Errorf("after the hold: %v, %v", outdated, err)
	}
}

func TestRejection(t *testing.T) {
	for _, p := range []payout.Payout{reserved(t, payout.Bank), approved(t, payout.Bank)} {
		if err := p.Reject("op", "no", noon); err != nil || p.Status() != payout.Rejected {
			t.Errorf("%v, %s", err, p.Status())
		}
		if err := p.Reject("op2", "again", noon); err != nil || p.Rejected.By != "op" {
			t.Errorf("again: %v, %+v", err, p.Rejected)
		}
		if err := p.Conclude(payout.Outcome{Paid: true}); !fail.Is(err, "payout_status") {
			t.Errorf("a rejected payout was paid: %v", err)
		}
	}
	p := sent(t)
	if err := p.Reject("op", "no", noon); !fail.Is(err, "payout_status") {
		t.Errorf("rejected under way: %v", err)
	}
}

// TestALostAnswerIsAskedFor: nothing is sent again until the rail says that it has never received it.
func TestALostAnswerIsAskedFor(t *testing.T) {
	p := sent(t)
	if p.Status() != payout.Sending || !p.DueAt().Equal(noon.Add(2*time.Minute)) {
		t.Fatalf("%s, due %s", p.Status(), p.DueAt())
	}
	if err := p.Send(noon); !fail.Is(err, "payout_status") {
		t.Errorf("sent twice: %v", err)
	}
	at := noon
	for _, wait := range []time.Duration{4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, 64 * time.Minute, 128 * time.Minute, 256 * time.Minute, 6 * time.Hour, 6 * time.Hour} {
		at = at.Add(time.Minute)
		if err := p.Answered(payout.Answer{Unclear: true}, at); err != nil || p.Status() != payout.Unknown {
			t.Fatalf("%v, %s", err, p.Status())
		}
		if got := p.DueAt().Sub(at); got != wait {
			t.Errorf("asked again after %s, want %s", got, wait)
		}
		if err := p.Send(at); !fail.Is(err, "payout_status") {
			t.Fatalf("sent again without having asked: %v", err)
		}
	}
	if err := p.Answered(payout.Answer{Missing: true, Sent: len(p.Transfer.Sent)}, at); err != nil || !p.DueAt().Equal(at) || p.Status() != payout.Unknown {
		t.Fatalf("never received: %v, %s, due %s", err, p.Status(), p.DueAt())
	}
	if err := p.Send(at); err != nil || p.Status() != payout.Sending || len(p.Transfer.Sent) != 2 {
		t.Fatalf("sent again: %v, %+v", err, p.Transfer)
	}
	if err := p.Answered(payout.Answer{ProviderID: "tr_1"}, at); err != nil || p.Status() != payout.Sending || p.Transfer.ProviderID != "tr_1" {
		t.Fatalf("pending: %v, %+v", err, p.Transfer)
	}
	if err := p.Conclude(payout.Outcome{Paid: true, By: payout.Stripe}); err != nil || p.Status() != payout.Paid || !p.DueAt().IsZero() {
		t.Fatalf("%v, %s", err, p.Status())
	}
	if err := p.Answered(payout.Answer{}, at); !fail.Is(err, "payout_status") {
		t.Errorf("an answer after the end: %v", err)
	}
}

func TestSendingHasAnEnd(t *testing.T) {
	p := sent(t)
	for range 200 {
		if err := p.Answered(payout.Answer{Missing: true, Sent: len(p.Transfer.Sent)}, noon); err != nil {
			t.Fatal(err)
		}
		if p.Send(noon) != nil {
			break
		}
	}
	if n := len(p.Transfer.Sent); n != 50 || p.DueAt().Sub(noon) != 6*time.Hour {
		t.Errorf("sent %d times, due %s", n, p.DueAt())
	}
}

func TestOutcomes(t *testing.T) {
	yes, no := payout.Outcome{Paid: true, By: "op", At: noon}, payout.Outcome{By: "op", At: noon}
	for _, first := range []payout.Outcome{yes, no} {
		p := sent(t)
		if err := p.Conclude(first); err != nil {
			t.Fatal(err)
		}
		after := p.Clone()
		if err := p.Conclude(payout.Outcome{Paid: first.Paid, By: "later"}); err != nil || !p.Equal(after) {
			t.Errorf("the same again: %v, %+v", err, p.Outcome)
		}
		if err := p.Conclude(payout.Outcome{Paid: !first.Paid}); !fail.Is(err, "payout_contradicted") || !p.Equal(after) {
			t.Errorf("the opposite: %v, %+v", err, p.Outcome)
		}
	}
	p := reserved(t, payout.Bank)
	if err := p.Conclude(yes); !fail.Is(err, "payout_status") {
		t.Errorf("paid without an approval: %v", err)
	}
}

func TestOperatorsWord(t *testing.T) {
	said := func(by string, at time.Time) payout.Said {
		return payout.Said{Outcome: payout.Outcome{Paid: true, By: by, At: at}, Method: verified(1, payout.Bank)}
	}
	filed := approved(t, payout.Bank)
	if err := filed.ToFile(payout.Export{File: "f1", At: noon, By: "op"}); err != nil || filed.Status() != payout.Sending || !filed.DueAt().IsZero() {
		t.Fatalf("%v, %s", err, filed.Status())
	}
	if err := filed.ToFile(payout.Export{File: "f2"}); !fail.Is(err, "payout_status") {
		t.Errorf("in two files: %v", err)
	}
	for name, p := range map[string]payout.Payout{"in a file": filed, "by hand": approved(t, payout.Bank)} {
		if err := p.Record(said("s-mei", noon)); !fail.Is(err, "payout_maker") {
			t.Errorf("%s, by its maker: %v", name, err)
		}
		if err := p.Record(said("op", noon)); err != nil || p.Status() != payout.Paid {
			t.Errorf("%s: %v, %s", name, err, p.Status())
		}
		if err := p.Record(said("op2", noon)); err != nil || p.Outcome.By != "op" {
			t.Errorf("%s, again: %v, %+v", name, err, p.Outcome)
		}
	}
	p := approved(t, payout.Bank)
	own := said("op", noon)
	own.Subject = "op"
	if err := p.Record(own); !fail.Is(err, "payout_own") {
		t.Errorf("of their own payout: %v", err)
	}
	changed := said("op", noon)
	changed.Method.Version = 2
	if err := p.Record(changed); !fail.Is(err, "payee_changed") {
		t.Errorf("by hand after a change of method: %v", err)
	}
	held := said("op", noon)
	held.Method.HeldUntil = noon.Add(time.Hour)
	if err := p.Record(held); !fail.Is(err, "payee_changed") {
		t.Errorf("by hand within a hold of after the approval: %v", err)
	}
	p.Approvals[0].NotBefore = held.Method.HeldUntil
	if err := p.Record(held); !fail.Is(err, "payout_held") {
		t.Errorf("by hand within the hold: %v", err)
	}
	p = reserved(t, payout.Bank)
	if err := p.Record(said("op", noon)); !fail.Is(err, "payout_status") {
		t.Errorf("without an approval: %v", err)
	}
	p = sent(t)
	if err := p.Record(said("op", noon.Add(48*time.Hour))); !fail.Is(err, "payout_rail_asked") {
		t.Errorf("while the rail is pending: %v", err)
	}
	if err := p.Answered(payout.Answer{Unclear: true}, noon); err != nil {
		t.Fatal(err)
	}
	if err := p.Record(said("op", noon.Add(23*time.Hour))); !fail.Is(err, "payout_rail_asked") {
		t.Errorf("unknown for less than a day: %v", err)
	}
	if err := p.Record(said("op", noon.Add(24*time.Hour))); err != nil {
		t.Errorf("unknown for a day: %v", err)
	}
	p = approved(t, payout.Stripe)
	if err := p.Record(said("op", noon)); !fail.Is(err, "payout_status") {
		t.Errorf("of a rail that has not got it: %v", err)
	}
	if err := p.ToFile(payout.Export{File: "f"}); !fail.Is(err, "payout_status") {
		t.Errorf("a rail's payout in a bank file: %v", err)
	}
	p = approved(t, payout.Bank)
	if err := p.Send(noon); !fail.Is(err, "payout_status") {
		t.Errorf("a bank payout over a rail: %v", err)
	}
}

// TestMovesPostEveryUnitOnce walks payouts through arbitrary facts and folds what follows.
func TestMovesPostEveryUnitOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := standing(rapid.Int64Range(1000, 9000).Draw(t, "available"), rapid.Int64Range(-3000, 9000).Draw(t, "debt"))
		s.Terms.Currencies = []payout.CurrencyTerms{{Currency: "CNY", Minimum: 1, DebtCap: 4000, Fee: payout.Fee{Fixed: 7}, Tax: []payout.TaxTable{
			{From: "2026-01-01", Period: payout.Year, Brackets: []payout.Bracket{{Rate: 1111}}}}}}
		s.Method.Rail = rapid.SampledFrom([]string{payout.Bank, payout.Stripe}).Draw(t, "rail")
		p, _, err := payout.Reserve(ask(0), s, noon)
		if err != nil {
			t.Fatal(err)
		}
		p.Version = 1
		balances := s.Balances
		post := func(before, after payout.Payout) {
			m, moves, err := payout.Moves(before, after, noon)
			if err != nil {
				t.Fatal(err)
			}
			if moves {
				balances = balances.Plus(ledger.Fold([]ledger.Posting{m.Posting})[0])
			}
		}
		post(payout.Payout{}, p)
		wantReserved := ledger.Balances{Currency: "CNY", Available: s.Balances.Available - p.Withdrawn + p.Credit, Debt: s.Balances.Debt + p.Netted - p.Credit, InPayout: p.Gross}
		if balances != wantReserved || balances.Available < 0 || balances.Debt > 0 {
			t.Fatalf("reserved: %+v, want %+v", balances, wantReserved)
		}
		steps := []func(*payout.Payout) error{
			func(p *payout.Payout) error { return p.Approve(payout.Checker{By: "op", Method: s.Method}, noon) },
			func(p *payout.Payout) error { return p.Reopen("", noon) },
			func(p *payout.Payout) error { return p.Reject("op", "", noon) },
			func(p *payout.Payout) error { return p.Send(noon) },
			func(p *payout.Payout) error { return p.ToFile(payout.Export{File: "f"}) },
			func(p *payout.Payout) error {
				return p.Answered(payout.Answer{Missing: rapid.Bool().Draw(t, "missing"), Sent: rapid.IntRange(1, 3).Draw(t, "sent"), Unclear: rapid.Bool().Draw(t, "lost")}, noon)
			},
			func(p *payout.Payout) error { return p.Conclude(payout.Outcome{Paid: rapid.Bool().Draw(t, "paid")}) },
		}
		for range rapid.IntRange(0, 15).Draw(t, "steps") {
			next := p.Clone()
			if steps[rapid.IntRange(0, len(steps)-1).Draw(t, "step")](&next) != nil || next.Equal(p) {
				continue
			}
			if p.Final() {
				t.Fatalf("%s went on to %s", p.Status(), next.Status())
			}
			next.Version++
			post(p, next)
			p = next
		}
		want := wantReserved
		switch p.Status() {
		case payout.Paid:
			want.InPayout, want.Paid, want.TaxWithheld, want.Fees = 0, p.Net, p.Tax, p.Fee
		case payout.Failed, payout.Rejected:
			want.InPayout, want.Available = 0, want.Available+p.Gross
		}
		if balances != want {
			t.Fatalf("%s: %+v, want %+v", p.Status(), balances, want)
		}
	})
}

func TestMovesRefuseTheImpossible(t *testing.T) {
	paid := sent(t)
	if err := paid.Conclude(payout.Outcome{Paid: true}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := payout.Moves(paid, reserved(t, payout.Bank), noon); err == nil {
		t.Error("money came back from paid to reserved")
	}
	if _, _, err := payout.Moves(payout.Payout{}, paid, noon); err == nil {
		t.Error("money was paid that had never been reserved")
	}
}

func TestDestinations(t *testing.T) {
	for _, tt := range []struct{ rail, account, name, location string }{
		{payout.Bank, "6222 0202-0001 2345678", "陈静", ""},
		{payout.Bank, "de89370400440532013000", "  Mei   Chen ", ""},
		{payout.Bank, "12345", "陈静", "body.payout.account"},
		{payout.Bank, "6222020200012345678=1", "陈静", "body.payout.account"},
		{payout.Bank, strings.Repeat("1", 35), "陈静", "body.payout.account"},
		{payout.Bank, "６２２２－０２０２", "陈静", ""},
		{payout.Stripe, "acct_1032D82eZvKYlo2C", "Mei", ""},
		{payout.Stripe, "6222020200012345678", "Mei", "body.payout.account"},
		{payout.Sandbox, "any-thing_1", "Mei", ""},
		{payout.Sandbox, "a b", "Mei", "body.payout.account"},
		{"cash", "1234567", "Mei", "body.payout.rail"},
		{"", "1234567", "Mei", "body.payout.rail"},
		{payout.Bank, "1234567", "", "body.payout.name"},
		{payout.Bank, "1234567", " \t ", "body.payout.name"},
		{payout.Bank, "1234567", strings.Repeat("静", 81), "body.payout.name"},
		{payout.Bank, "1234567", "Mei\x00", "body.payout.name"},
		{payout.Bank, "1234567", "Mei\xff", "body.payout.name"},
	} {
		d, err := payout.NewDestination(tt.rail, tt.account, tt.name)
		if tt.location == "" {
			if err != nil || strings.ContainsAny(d.Account, " ") || strings.Contains(d.Name, "  ") {
				t.Errorf("%s %q %q: %+v, %v", tt.rail, tt.account, tt.name, d, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.location+": ") {
			t.Errorf("%s %q %q: %v, want a fault at %s", tt.rail, tt.account, tt.name, err, tt.location)
		}
	}
	for name, kept := range map[string]string{"Mei\u202eneh": "Meineh", "Mei\u200b": "Mei", "Mei\u200dX": "MeiX", "Mei\u2066X": "MeiX",
		"Mei\ufeff": "Mei", "Mei\u00ad": "Mei", "Mei\u3164": "Mei", "Mei\ufe0f": "Mei", "Mei\nLevel=error": "Mei Level=error"} {
		if d, err := payout.NewDestination(payout.Bank, "1234567", name); err != nil || d.Name != kept {
			t.Errorf("%q is kept as %q (%v), want %q", name, d.Name, err, kept)
		}
	}
	for account, want := range map[string]string{"6222020200012345678": "••••5678", "123456": "••••56", "a": "••••"} {
		if got := (payout.Destination{Account: account}).Mask(); got != want {
			t.Errorf("mask of %s = %s, want %s", account, got, want)
		}
	}
}

func TestChangeOfMethod(t *testing.T) {
	hold := 72 * time.Hour
	change := func(before payout.Method, sameName bool, hold time.Duration, at time.Time) payout.Method {
		t.Helper()
		m, err := payout.Change(before, payout.Method{Rail: payout.Bank}, sameName, hold, at)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := change(payout.Method{}, false, hold, noon)
	if first.Version != 1 || !first.HeldUntil.IsZero() || first.Verified != nil || first.Held(noon) != nil {
		t.Errorf("the first: %+v", first)
	}
	first.Verify("op", noon)
	first.Verify("op2", noon)
	if first.Ready() != nil || first.Verified.By != "op" {
		t.Errorf("verified: %+v", first)
	}
	same := change(first, true, hold, noon)
	if same.Version != 2 || same.Ready() != nil || !fail.Is(same.Held(noon.Add(hold-1)), "payout_held") || same.Held(noon.Add(hold)) != nil {
		t.Errorf("the same name: %+v", same)
	}
	other := change(same, false, time.Hour, noon.Add(time.Hour))
	if !fail.Is(other.Ready(), "payee_unverified") || !other.HeldUntil.Equal(same.HeldUntil) {
		t.Errorf("another name, with a shorter hold than is running: %+v", other)
	}
	for m := first; ; m = change(m, true, hold, noon) {
		if m.Version < payout.MaxChanges {
			continue
		}
		if _, err := payout.Change(m, payout.Method{}, true, hold, noon); !fail.Is(err, "payee_changes") {
			t.Errorf("changed %d times: %v", m.Version+1, err)
		}
		return
	}
}

func TestIDs(t *testing.T) {
	a, b := payout.ScheduledID("mei", today, "CNY"), payout.ScheduledID("mei", today, "EUR")
	if a == b || a != payout.ScheduledID("mei", today, "CNY") || !payout.ValidID(a) || payout.ID("a", "bc") == payout.ID("ab", "c") {
		t.Errorf("%s %s", a, b)
	}
	for _, bad := range []string{"", "p", a + "a", "P" + a[1:], a[:24] + "1"} {
		if payout.ValidID(bad) {
			t.Errorf("%q is valid", bad)
		}
	}
}
