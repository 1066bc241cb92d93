package main

import (
	"strings"
	"testing"

	"yundian/shared/shop"
	"yundian/shared/statement"
)

func TestStatementsOfAKOC(t *testing.T) {
	b := open(t)
	b.sold(t, 3)
	b.approve(t, "lin")
	b.at = b.at.AddDate(0, 1, 0)
	zone, err := shop.Default().Zone()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := (statement.Closer{Store: b.store, Zone: zone}).Close(t.Context(), "mei", b.at); err != nil || n != 1 {
		t.Fatalf("closed %d, %v", n, err)
	}
	months := get[statement.Months](t, b, "/v1/admin/kocs/mei/statements")
	if len(months.Items) != 2 || months.Items[1].Period != "2026-03" || !months.Items[1].Closed || months.Items[1].Closing.Pending != 300 || months.Items[0].Opening.Pending != 300 {
		t.Errorf("%+v", months)
	}
	march := get[statement.MonthEntries](t, b, "/v1/admin/kocs/mei/statements/2026-03?limit=2")
	if len(march.Items) != 2 || march.Next == "" || march.Hash != months.Items[1].Hash {
		t.Errorf("%+v", march)
	}
	if got := get[statement.Months](t, b, "/v1/admin/kocs/lin/statements"); len(got.Items) != 0 {
		t.Errorf("%+v", got)
	}
	file := want(t, b.send(t, "GET", "/v1/admin/kocs/mei/statements/2026-03", nil, "Accept", "text/csv"), 200)
	if !strings.HasPrefix(file.Header.Get("Content-Type"), "text/csv") || strings.Count(file.Body, "\r\n") != 1+1+3+1 {
		t.Errorf("%s", file.Body)
	}
	want(t, b.as(t, caller(auditor), "GET", "/v1/admin/kocs/mei/statements", nil), 200)
	wantCode(t, b.as(t, caller(auditor), "GET", "/v1/admin/kocs/mei/statements/2026-03?cursor="+march.Next, nil), 400, "cursor_invalid")
	wantCode(t, b.send(t, "GET", "/v1/admin/kocs/lin/statements/2026-03?cursor="+march.Next, nil), 404, "statement_unknown")
	wantCode(t, b.send(t, "GET", "/v1/admin/kocs/nobody/statements", nil), 404, "koc_unknown")
	endless := "/v1/admin/kocs/" + strings.Repeat("x", 3000) + "/statements"
	wantCode(t, b.send(t, "GET", endless, nil), 404, "koc_unknown")
	for _, accept := range []string{"application/json", "text/csv"} {
		wantCode(t, b.send(t, "GET", endless+"/2026-03", nil, "Accept", accept), 404, "koc_unknown")
		wantCode(t, b.send(t, "GET", "/v1/admin/kocs/nobody/statements/2026-03", nil, "Accept", accept), 404, "koc_unknown")
		wantCode(t, b.send(t, "GET", "/v1/admin/kocs/mei/statements/2026-05", nil, "Accept", accept), 404, "statement_unknown")
		wantCode(t, b.send(t, "GET", "/v1/admin/kocs/mei/statements/may", nil, "Accept", accept), 400, "period_malformed")
		wantCode(t, b.send(t, "GET", "/v1/admin/kocs/mei/statements/2026-03?currency=EURO", nil, "Accept", accept), 400, "currency_unknown")
	}
}
