package main

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"yundian/shared/shop"
	"yundian/shared/statement"
	"yundian/shared/web/webtest"
)

// months sells for mei from March to May; March and April are closed, May goes on.
func months(t *testing.T) *bench {
	t.Helper()
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	b.shelve(t, "tea", 5000)
	for i, at := range []time.Time{noon, noon.AddDate(0, 1, 0), noon.AddDate(0, 1, 1), noon.AddDate(0, 2, 0)} {
		b.at = at
		id := fmt.Sprint("o", i)
		b.order(t, id, []string{"tea"}, "mei")
		b.pay(t, id)
	}
	zone, err := shop.Default().Zone()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := (statement.Closer{Store: b.store, Zone: zone}).Close(t.Context(), "mei", b.at); err != nil || n != 2 {
		t.Fatalf("closed %d, %v", n, err)
	}
	return b
}

func TestStatements(t *testing.T) {
	b := months(t)
	page := get[statement.Months](t, b, "mei", "/v1/statements")
	var told []string
	for _, m := range page.Items {
		told = append(told, fmt.Sprintf("%s %s %t %d %d %s", m.Period, m.Currency, m.Closed, m.Opening.Pending, m.Closing.Pending, m.From.Format(time.RFC3339)))
	}
	want := "2026-05 CNY false 1500 2000 2026-04-30T16:00:00Z\n2026-04 CNY true 500 1500 2026-03-31T16:00:00Z\n2026-03 CNY true 0 500 2026-02-28T16:00:00Z"
	if strings.Join(told, "\n") != want || page.Next != "" {
		t.Errorf("statements are\n%s\nwant\n%s", strings.Join(told, "\n"), want)
	}
	may, april, march := page.Items[0], page.Items[1], page.Items[2]
	if may.To != nil || may.Hash != "" || may.ClosedAt != nil || april.To == nil || !april.To.Equal(may.From) || april.ClosedAt == nil ||
		april.PrevHash != march.Hash || len(march.Hash) != 64 || march.PrevHash != "" || len(april.Totals) != 1 || april.Totals[0] != (statement.MonthTotal{Kind: "accrual", Count: 2, Amount: 1000}) {
		t.Errorf("%+v", page.Items)
	}
	var periods []string
	for cursor := ""; ; {
		p := get[statement.Months](t, b, "mei", "/v1/statements?limit=1&cursor="+cursor)
		for _, m := range p.Items {
			periods = append(periods, m.Period)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if strings.Join(periods, " ") != "2026-05 2026-04 2026-03" {
		t.Errorf("paged through %v", periods)
	}
	if got := get[statement.Months](t, b, "lin", "/v1/statements"); len(got.Items) != 0 {
		t.Errorf("lin has %+v", got)
	}
}

func TestStatementOfAMonth(t *testing.T) {
	b := months(t)
	whole := get[statement.MonthEntries](t, b, "mei", "/v1/statements/2026-04?currency=CNY")
	if len(whole.Items) != 2 || whole.Next != "" || whole.Closing.Pending != 1500 || !whole.Closed {
		t.Fatalf("%+v", whole)
	}
	first := whole.Items[0]
	if first.OrderID != "o1" || first.Kind != "accrual" || first.Amount != 500 || first.Changes != (statement.Accounts{Pending: 500}) || first.Base != 5000 ||
		first.Rate != 1000 || first.RuleID != "default" || first.SKU != "tea" || first.Currency != "CNY" || !first.At.Equal(noon.AddDate(0, 1, 0)) {
		t.Errorf("%+v", first)
	}
	page := get[statement.MonthEntries](t, b, "mei", "/v1/statements/2026-04?limit=1")
	rest := get[statement.MonthEntries](t, b, "mei", "/v1/statements/2026-04?limit=1&cursor="+page.Next)
	if len(page.Items) != 1 || len(rest.Items) != 1 || rest.Next != "" || page.Items[0].ID != first.ID || rest.Items[0].ID != whole.Items[1].ID {
		t.Errorf("%+v, then %+v", page, rest)
	}
	if may := get[statement.MonthEntries](t, b, "mei", "/v1/statements/2026-05"); may.Closed || may.Opening.Pending != 1500 || may.Closing.Pending != 2000 || len(may.Items) != 1 {
		t.Errorf("%+v", may)
	}

	// A month that has ended and is not closed yet, and the one after it.
	b.at = noon.AddDate(0, 3, 0)
	may, june := get[statement.MonthEntries](t, b, "mei", "/v1/statements/2026-05"), get[statement.MonthEntries](t, b, "mei", "/v1/statements/2026-06")
	if may.Closed || may.To == nil || may.Hash != "" || len(may.Totals) != 1 || june.Opening != may.Closing || june.Closing != june.Opening || len(june.Items) != 0 {
		t.Errorf("%+v, then %+v", may, june)
	}
}

func TestStatementsAreOnesOwn(t *testing.T) {
	b := months(t)
	for path, status := range map[string]int{
		"/v1/statements/2026-02": 404, "/v1/statements/2026-06": 404, "/v1/statements/2027-01": 404, "/v1/statements/2026-04?currency=USD": 404,
		"/v1/statements/2026-13": 400, "/v1/statements/2026-4": 400, "/v1/statements/april": 400, "/v1/statements/2026-04-01": 400, "/v1/statements/%25": 400,
		"/v1/statements/2026-04?currency=XXX": 400, "/v1/statements/2026-04?currency=cny": 400, "/v1/statements/2026-04?cursor=x": 400,
		"/v1/statements?cursor=x": 400, "/v1/statements/2026-04?limit=0": 400, "/v1/statements?koc=lin": 403, "/v1/statements/2026-04?koc=lin": 403,
	} {
		for _, accept := range []string{"application/json", "text/csv"} {
			if strings.Contains(path, "limit") && accept == "text/csv" {
				continue // a file is as large as it may be
			}
			b.want(t, b.send(t, "mei", "GET", path, nil, "Accept", accept), status)
		}
	}
	// What is mei's is not there for lin: neither the month, nor a page of it.
	b.want(t, b.send(t, "lin", "GET", "/v1/statements/2026-04", nil), http.StatusNotFound)
	b.want(t, b.send(t, "lin", "GET", "/v1/statements/2026-04", nil, "Accept", "text/csv"), http.StatusNotFound)
	b.at = noon.AddDate(0, 1, 0)
	b.order(t, "l1", []string{"tea"}, "lin")
	b.pay(t, "l1")
	page := get[statement.MonthEntries](t, b, "mei", "/v1/statements/2026-04?limit=1")
	list := get[statement.Months](t, b, "mei", "/v1/statements?limit=1")
	b.want(t, b.send(t, "lin", "GET", "/v1/statements/2026-04?limit=1&cursor="+page.Next, nil), http.StatusBadRequest)
	b.want(t, b.send(t, "lin", "GET", "/v1/statements/2026-04?cursor="+page.Next, nil, "Accept", "text/csv"), http.StatusBadRequest)
	b.want(t, b.send(t, "lin", "GET", "/v1/statements?cursor="+list.Next, nil), http.StatusBadRequest)
	b.want(t, b.send(t, "mei", "GET", "/v1/statements/2026-03?cursor="+page.Next, nil), http.StatusBadRequest)
	b.want(t, b.send(t, "mei", "GET", "/v1/statements?cursor="+page.Next, nil), http.StatusBadRequest)
	b.want(t, b.send(t, "mei", "POST", "/v1/statements", "{}"), http.StatusMethodNotAllowed)
}

func TestStatementAsCSV(t *testing.T) {
	b := months(t)
	ask := func(path, accept string) webtest.Answer {
		t.Helper()
		return b.want(t, b.send(t, "mei", "GET", path, nil, "Accept", accept), http.StatusOK)
	}
	a := ask("/v1/statements/2026-04", "text/csv")
	if a.Header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" || a.Header.Get("Content-Disposition") != `attachment; filename="statement-mei-2026-04-CNY.csv"` ||
		a.Header.Get("Link") != "" || !strings.HasPrefix(a.Body, "\ufeff") {
		t.Errorf("%v: %.200s", a.Header, a.Body)
	}
	rows, err := csv.NewReader(strings.NewReader(a.Body[len("\ufeff"):])).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%v, %v", rows, err)
	}
	for i, want := range []string{
		"2026-04-01T00:00:00+08:00,,opening,,,,,,,,,,,,,CNY,5.00,0.00,0.00,0.00,0.00,0.00,0.00",
		"2026-04-01T12:00:00+08:00,settle:o1:3:mei:0,accrual,o1,,,tea,tea,50.00,1000,0.00,default,1,,5.00,CNY,5.00,0.00,0.00,0.00,0.00,0.00,0.00",
		"2026-04-02T12:00:00+08:00,settle:o2:3:mei:0,accrual,o2,,,tea,tea,50.00,1000,0.00,default,1,,5.00,CNY,5.00,0.00,0.00,0.00,0.00,0.00,0.00",
		"2026-05-01T00:00:00+08:00,,closing,,,,,,,,,,,,,CNY,15.00,0.00,0.00,0.00,0.00,0.00,0.00",
	} {
		if got := strings.Join(rows[i+1], ","); got != want {
			t.Errorf("row %d is\n%s\nwant\n%s", i+1, got, want)
		}
	}
	page := get[statement.MonthEntries](t, b, "mei", "/v1/statements/2026-04?limit=1") // its cursors are good for files too
	if a := ask("/v1/statements/2026-04?cursor="+url.QueryEscape(page.Next), "text/csv, application/json;q=0.5"); strings.Count(a.Body, "\r\n") != 3 {
		t.Errorf("%s", a.Body)
	}
	for _, accept := range []string{"*/*", "application/json", "text/csv;q=0.5, application/json", "text/csv;q=0"} {
		if a := ask("/v1/statements/2026-04", accept); !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%s is answered with %s", accept, a.Header.Get("Content-Type"))
		}
	}
}
