package statement_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"yundian/shared/ordering"
	"yundian/shared/seal"
	"yundian/shared/statement"
	"yundian/shared/store"
)

// hostile are texts that a spreadsheet would run, or that would break its rows.
var hostile = []string{"=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠x", `=HYPERLINK("http://evil.example","x")`,
	"=cmd|' /C calc'!A0", `a"b`, "a,b", "a;=b", "a\r\nb,c", "'=1", " =1", "\u00a0=1", "\u200b=1", "\ufeff=1", "\"=1", "王明"}

func desk(t *testing.T, s *store.Store, now time.Time) statement.Desk {
	t.Helper()
	keys, err := seal.Parse(`{"1": "0123456789abcdef0123456789abcdef"}`)
	if err != nil {
		t.Fatal(err)
	}
	return statement.Desk{Store: s, Keys: keys, Now: func() time.Time { return now }}
}

// file asks for a CSV file and gives its rows and the cursor of the next one.
func file(t *testing.T, d statement.Desk, period, cursor string) (rows [][]string, next string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/v1/statements/"+period+"?currency=CNY", nil)
	d.CSV(w, r, statement.Asked{Owner: "mei", KOC: "mei", Period: period, Currency: "CNY", Cursor: cursor})
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv; charset=utf-8") {
		t.Fatalf("%d %s: %.300s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	body, marked := strings.CutPrefix(w.Body.String(), "\ufeff")
	if !marked || !strings.HasSuffix(body, "\r\n") || strings.Count(body, "\n") != strings.Count(body, "\r\n") || len(body) > 5<<20 {
		t.Errorf("the file is not as RFC 4180 and spreadsheets want it: %.100q", body)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if link := w.Header().Get("Link"); link != "" {
		address, relation, _ := strings.Cut(link, ">; ")
		u, err := url.Parse(strings.TrimPrefix(address, "<"))
		if err != nil || relation != `rel="next"` || u.Path != "/v1/statements/"+period || u.Query().Get("currency") != "CNY" {
			t.Fatalf("Link: %s", link)
		}
		next = u.Query().Get("cursor")
	}
	return rows, next
}

var (
	formula = regexp.MustCompile(`^[\s\p{Cf}"]*[=+\-@＝＋－＠]`)
	decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]{2})?$`)
)

// check holds every cell against what a spreadsheet must not find, and gives the sum of each account over all rows but the
// last, which must be the last.
func check(t *testing.T, rows [][]string) {
	t.Helper()
	columns := map[string]int{}
	for i, name := range rows[0] {
		columns[name] = i
	}
	for _, row := range rows[1:] {
		for i, cell := range row {
			if formula.MatchString(cell) && !decimal.MatchString(cell) || strings.ContainsAny(cell, "\t\r\n") {
				t.Errorf("%s holds %q", rows[0][i], cell)
			}
		}
		for _, name := range []string{"base", "per_unit", "amount", "pending", "available", "debt", "in_payout", "paid", "tax_withheld", "fees"} {
			if cell := row[columns[name]]; !decimal.MatchString(cell) && !(cell == "" && row[columns["entry"]] == "") {
				t.Errorf("%s is %q", name, cell)
			}
		}
	}
	last := rows[len(rows)-1]
	for _, name := range []string{"pending", "available", "debt"} {
		var sum int64
		for _, row := range rows[1 : len(rows)-1] {
			sum += minor(t, row[columns[name]])
		}
		if want := minor(t, last[columns[name]]); sum != want {
			t.Errorf("%s sums to %d, the last row says %d", name, sum, want)
		}
	}
	if rows[1][columns["kind"]] != "opening" || last[columns["kind"]] != "closing" {
		t.Errorf("from %v to %v", rows[1], last)
	}
}

func minor(t *testing.T, cell string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.Replace(cell, ".", "", 1), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFilesHoldNoFormulas(t *testing.T) {
	s := store.OpenMaps(store.NewMaps())
	settle(t, s, local("2026-02-10 00:00:00"), paid("before", "CNY"))
	for i, text := range hostile {
		o := paid(fmt.Sprint("o", i), "CNY")
		o.Lines[0].SKU, o.Lines[0].Product = text, text
		o.Awards[0].Rates[0].Rule = text
		settle(t, s, local("2026-03-10 00:00:00").Add(time.Duration(i)*time.Minute), o)
		o.Version, o.Refunds = 3, []ordering.Refund{{ID: "r", V: 3, Amount: o.Total, Lines: []ordering.LineRefund{{Line: 0, Net: o.Total}}}}
		if i%2 == 0 {
			settle(t, s, local("2026-03-11 00:00:00").Add(time.Duration(i)*time.Minute), o)
		}
	}
	closeAt(t, statement.Closer{Store: s, Zone: shanghai}, local("2026-04-02 00:00:00"))
	settle(t, s, local("2026-04-10 00:00:00"), paid("after", "CNY"))
	for period, want := range map[string]int{"2026-02": 3 + 1, "2026-03": 3 + len(hostile)*3/2, "2026-04": 3 + 1} {
		rows, next := file(t, desk(t, s, local("2026-04-20 00:00:00")), period, "")
		if len(rows) != want || next != "" {
			t.Errorf("%s has %d rows, want %d", period, len(rows), want)
		}
		check(t, rows)
	}
}

// TestALargeMonthIsSeveralFiles: together they are the month, each within an answer.
func TestALargeMonthIsSeveralFiles(t *testing.T) {
	s := store.OpenMaps(store.NewMaps())
	text := strings.Repeat("很长的名字", 40) // 600 bytes
	for i := range 300 {
		o := paid(fmt.Sprintf("o%03d", i), "CNY")
		l := o.Lines[0]
		l.SKU, l.Product = text, text
		o.Lines, o.Awards[0].Rates = nil, nil
		for range 20 {
			o.Lines = append(o.Lines, l)
			o.Awards[0].Rates = append(o.Awards[0].Rates, ordering.LineRate{Rule: text, RuleVersion: 1, Rate: 1000})
		}
		settle(t, s, local("2026-03-10 00:00:00").Add(time.Duration(i)*time.Minute), o)
	}
	closeAt(t, statement.Closer{Store: s, Zone: shanghai}, local("2026-04-02 00:00:00"))
	var all [][]string
	files := 0
	for next := ""; ; files++ {
		rows, more := file(t, desk(t, s, local("2026-04-20 00:00:00")), "2026-03", next)
		if files > 0 {
			rows = rows[1:]
		}
		if all, next = append(all, rows...), more; next == "" {
			break
		}
		if files > 20 {
			t.Fatal("the files do not end")
		}
	}
	if len(all) != 3+300*20 || files < 2 {
		t.Errorf("%d rows in %d files", len(all), files+1)
	}
	seen := map[string]bool{}
	for _, row := range all[1:] {
		if seen[row[1]] && row[1] != "" {
			t.Fatalf("%s stands twice", row[1])
		}
		seen[row[1]] = true
	}
	check(t, all)
}
