package bankfile

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/sheet"
)

func yuan(fen int64) money.Amount { return money.Of(fen, "CNY") }

func TestEncode(t *testing.T) {
	file, err := Encode([]Line{
		{Payout: "P1", Name: "王明", Account: "6222 0212", Amount: yuan(123456), Reference: "云店 2026-03"},
		{Payout: "P2", Name: "=HYPERLINK(\"//evil\")", Account: "+86", Amount: yuan(5), Reference: "a\r\nP9,x"},
		{Payout: "P3", Name: "O'Hara, Ann", Account: "@x", Amount: money.Of(1200, "JPY"), Reference: "＝1"},
		{Payout: "P4", Name: "-1+1", Account: "x;=1", Amount: money.Of(1, "KWD"), Reference: "\t=1"},
	})
	want := strings.Join([]string{"\ufeffpayout,name,account,amount,currency,reference",
		"P1,王明,6222 0212,1234.56,CNY,云店 2026-03",
		`P2,"'=HYPERLINK(""//evil"")",'+86,0.05,CNY,"a  P9,x"`,
		`P3,"O'Hara, Ann",'@x,1200,JPY,'＝1`,
		`P4,'-1+1,"x;'=1",0.001,KWD,'=1`, ""}, "\r\n")
	if err != nil || string(file) != want {
		t.Errorf("%v\n%q\nwant\n%q", err, file, want)
	}
}

func TestLinesThatCannotBeToldApartAreRefused(t *testing.T) {
	fine := Line{Payout: "P1", Amount: yuan(1)}
	tests := map[string][]Line{
		"no id":              {{Amount: yuan(1)}},
		"a space":            {{Payout: "P 1", Amount: yuan(1)}},
		"not ASCII":          {{Payout: "P１", Amount: yuan(1)}},
		"a long id":          {{Payout: strings.Repeat("P", 101), Amount: yuan(1)}},
		"twice":              {fine, fine},
		"nothing":            {{Payout: "P1", Amount: yuan(0)}},
		"less":               {{Payout: "P1", Amount: yuan(-1)}},
		"too much":           {{Payout: "P1", Amount: yuan(money.MaxMinor + 1)}},
		"no currency":        {{Payout: "P1", Amount: money.Of(1, "")}},
		"a currency of ours": {{Payout: "P1", Amount: money.Of(1, "YUN")}},
	}
	many := make([]Line, MaxLines+1)
	for i := range many {
		many[i] = Line{Payout: fmt.Sprint("P", i), Amount: yuan(1)}
	}
	tests["too many"] = many
	for name, lines := range tests {
		if file, err := Encode(lines); err == nil || file != nil {
			t.Errorf("%s: encoded", name)
		}
		if report, err := Reconcile([]byte("payout,amount,currency,outcome\n"), lines); err == nil || fail.KindOf(err) != fail.Internal {
			t.Errorf("%s: %+v %v", name, report, err)
		}
	}
	if file, err := Encode(many[:MaxLines]); err != nil || bytes.Count(file, []byte("\n")) != MaxLines+1 || len(file) > MaxBytes {
		t.Errorf("the longest file: %v", err)
	}
}

var waiting = []Line{{Payout: "P1", Amount: yuan(1230)}, {Payout: "P2", Amount: money.Of(500, "JPY")}, {Payout: "-P3", Amount: money.Of(1234, "KWD")}}

func TestReconcile(t *testing.T) {
	all := []Result{{Payout: "P1", Outcome: Paid, Reference: "B1"}, {Payout: "P2", Outcome: Failed, Reason: "no such account"}, {Payout: "-P3", Outcome: Paid}}
	tests := []struct {
		name, file string
		results    []Result
		open       []string
	}{
		{"as it went out, with two columns more", "\ufeffpayout,name,account,amount,currency,reference,outcome,reason\r\n" +
			"P1,王,1,12.30,CNY,B1,paid,\r\nP2,\"x, y\",2,500,JPY,,failed,no such account\r\n'-P3,z,3,1.234,KWD,,paid,\r\n", all, nil},
		{"semicolons, other names and cases, another order", "Reason;OUTCOME; Currency ;Amount;Payout;Reference;Branch\n" +
			";Paid;cny;12,30;P1;B1;7\nno such account;FAILED;JPY;500;P2;;\n;PAID;KWD;1,234;-P3\n\n", all, nil},
		{"as spreadsheets shorten amounts", "payout,amount,currency,outcome\nP1,12.3,CNY,paid\nP2,500.00,JPY,paid", []Result{{Payout: "P1", Outcome: Paid}, {Payout: "P2", Outcome: Paid}}, []string{"-P3"}},
		{"no word yet", "payout,amount,currency,outcome\nP2,500,JPY,failed\nP1,12.30,CNY,\n,,,\n", []Result{{Payout: "P2", Outcome: Failed}}, []string{"P1", "-P3"}},
		{"nothing but a first line", "payout,amount,currency,outcome", nil, []string{"P1", "P2", "-P3"}},
		{"cells of formulas", "payout,amount,currency,outcome,reference,reason\nP1,12.30,CNY,paid,'=1+1,\"'@x;'=y\nz\"\n", []Result{{Payout: "P1", Outcome: Paid, Reference: "=1+1", Reason: "@x;=y z"}}, []string{"P2", "-P3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report, err := Reconcile([]byte(tt.file), waiting)
			for i := range report.Results {
				if line := report.Results[i].Line; line < 2 || !strings.Contains(strings.Split(tt.file, "\n")[line-1], report.Results[i].Payout) {
					t.Errorf("line %d of %q", line, report.Results[i].Payout)
				}
				report.Results[i].Line = 0
			}
			if err != nil || !reflect.DeepEqual(report, Report{Results: tt.results, Open: tt.open}) {
				t.Errorf("%+v %v", report, err)
			}
		})
	}
}

func TestReconcileRefuses(t *testing.T) {
	const first = "payout,amount,currency,outcome,reference,reason\n"
	tests := []struct {
		name, file string
		want       []string // code, or location and code
	}{
		{"nothing", "", []string{"bank_columns_missing"}},
		{"empty lines", "\n\r\n", []string{"bank_columns_missing"}},
		{"columns missing", "payout,amount\nP1,12.30\n", []string{"bank_columns_missing"}},
		{"tabs", "payout\tamount\tcurrency\toutcome\n", []string{"bank_columns_missing"}},
		{"a column twice", "payout,amount,currency,outcome,Amount\n", []string{"csv_column_twice"}},
		{"many columns", strings.Repeat("x,", 100) + first, []string{"csv_columns_many"}},
		{"too large", first + strings.Repeat("\n", MaxBytes), []string{"body_too_large"}},
		{"UTF-16", "\xff\xfep\x00a\x00", []string{"line[1] csv_encoding"}},
		{"a NUL", first + "P1,12.30,CNY,paid,\x00,\n", []string{"line[2] csv_encoding"}},
		{"GBK", first + "P1,12.30,CNY,paid,,\xd5\xca\xba\xc5\n", []string{"line[2] csv_encoding"}},
		{"a quotation mark missing", first + "P1,12.30,CNY,paid,,\nP2,500,JPY,paid,\"x,\nP3\n", []string{"line[3] csv_quote"}},
		{"a quotation mark too many", first + "P1,12.30,CNY,paid,a\"b,\nP9,1,CNY,paid,,\n", []string{"line[2] csv_quote"}},
		{"a quotation mark missing in the first line", "payout,\"amount\nP1,12.30\n", []string{"line[1] csv_quote"}},
		{"more cells", first + "P1,12.30,CNY,paid,,,x\n", []string{"line[2] csv_cells"}},
		{"an unknown payout", first + "P9,12.30,CNY,paid,,\n", []string{"line[2].payout bank_payout_unknown"}},
		{"no payout", first + ",12.30,CNY,paid,,\n", []string{"line[2].payout bank_payout_unknown"}},
		{"another case", first + "p1,12.30,CNY,paid,,\n", []string{"line[2].payout bank_payout_unknown"}},
		{"twice", first + "P1,12.30,CNY,paid,,\n\nP1,12.30,CNY,paid,,\n", []string{"line[4].payout bank_payout_twice"}},
		{"twice, first without a word", first + "P1,12.30,CNY,,,\nP1,12.30,CNY,paid,,\n", []string{"line[3].payout bank_payout_twice"}},
		{"another amount", first + "P1,12.31,CNY,paid,,\n", []string{"line[2].amount bank_amount_other"}},
		{"another amount without a word", first + "P1,12.31,CNY,,,\n", []string{"line[2].amount bank_amount_other"}},
		{"another currency", first + "P1,12.30,USD,paid,,\n", []string{"line[2].amount bank_amount_other"}},
		{"no currency", first + "P1,12.30,,paid,,\n", []string{"line[2].amount bank_amount_other"}},
		{"no amount", first + "P1,,CNY,paid,,\n", []string{"line[2].amount bank_amount_other"}},
		{"a negative amount", first + "P1,-12.30,CNY,paid,,\n", []string{"line[2].amount bank_amount_other"}},
		{"a float", first + "P1,1.23e1,CNY,paid,,\n", []string{"line[2].amount bank_amount_other"}},
		{"more digits than there are", first + "P1,12.301,CNY,paid,,\n", []string{"line[2].amount bank_amount_other"}},
		{"a decimal comma between commas", first + "P1,\"12,30\",CNY,paid,,\n", []string{"line[2].amount bank_amount_other"}},
		{"grouping between semicolons", strings.ReplaceAll(first, ",", ";") + "P1;0.012,30;CNY;paid;;\n", []string{"line[2].amount bank_amount_other"}},
		{"another word", first + "P1,12.30,CNY,done,,\n", []string{"line[2].outcome bank_outcome_unknown"}},
		{"a long reference", first + "P1,12.30,CNY,paid," + strings.Repeat("账", 201) + ",\n", []string{"line[2].reference text_length"}},
		{"a long reason", first + "P1,12.30,CNY,failed,," + strings.Repeat("账", 501) + "\n", []string{"line[2].reason text_length"}},
		{"all at once", first + "P1,12.30,CNY,paid,,\nP9,1,CNY,paid,,\nP2,500,JPY,yes,,\n", []string{"line[3].payout bank_payout_unknown", "line[4].outcome bank_outcome_unknown"}},
		{"too much wrong to tell", first + strings.Repeat("P9,1,CNY,paid,,\n", 200), slices.Repeat([]string{"bank_payout_unknown"}, 100)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report, err := Reconcile([]byte(tt.file), waiting)
			refused, ok := err.(*fail.Error)
			if !ok || refused.Kind != fail.Invalid || len(report.Results)+len(report.Open) > 0 {
				t.Fatalf("%+v %v", report, err)
			}
			got := []string{refused.Code}
			if len(refused.Fields) > 0 {
				got = nil
				for _, f := range refused.Fields {
					got = append(got, f.Location+" "+f.Code)
				}
			}
			if len(got) != len(tt.want) {
				t.Fatalf("%d problems, want %d: %v", len(got), len(tt.want), err)
			}
			for i := range got {
				if !strings.HasSuffix(got[i], tt.want[i]) {
					t.Errorf("%s, want %s", got[i], tt.want[i])
				}
			}
		})
	}
}

var texts = rapid.StringOfN(rapid.OneOf(rapid.SampledFrom([]rune("=+-@＝＋－＠'\"\t\r\n ;,.012a王")), rapid.Rune()), -1, 12, -1)

// Whatever names and references payouts have, the file that went out comes back, with the bank's words added, as what
// the bank said about exactly these payouts.
func TestWhatGoesOutComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Line {
			return Line{Payout: rapid.StringMatching(`[!-~]{1,12}`).Draw(t, "payout"), Name: texts.Draw(t, "name"), Account: texts.Draw(t, "account"), Reference: texts.Draw(t, "reference"),
				Amount: money.Of(rapid.Int64Range(1, money.MaxMinor).Draw(t, "minor"), rapid.SampledFrom([]money.Currency{"CNY", "JPY", "KWD", "USD", "CLF"}).Draw(t, "currency"))}
		}), 0, 8, func(l Line) string { return l.Payout }).Draw(t, "lines")
		file, err := Encode(lines)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte(sheet.Mark)))).ReadAll()
		if err != nil || len(rows) != len(lines)+1 {
			t.Fatalf("%q: %v", file, err)
		}
		var back bytes.Buffer
		w := csv.NewWriter(&back)
		if rapid.Bool().Draw(t, "semicolons") {
			w.Comma = ';'
		}
		var want Report
		for i, row := range rows {
			if i == 0 {
				_ = w.Write(append(row, "outcome", "reason"))
				continue
			}
			l := lines[i-1]
			r := Result{Payout: l.Payout, Outcome: rapid.SampledFrom([]Outcome{Paid, Failed, ""}).Draw(t, "outcome"), Reference: sheet.Text(sheet.Cell(l.Reference)), Line: i + 1}
			reason := texts.Draw(t, "reason")
			r.Reason = sheet.Text(sheet.Cell(reason))
			if r.Outcome == "" {
				want.Open = append(want.Open, l.Payout)
			} else {
				want.Results = append(want.Results, r)
			}
			_ = w.Write(append(row, string(r.Outcome), sheet.Cell(reason)))
		}
		w.Flush()
		got, err := Reconcile(back.Bytes(), lines)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %+v %v, want %+v", back.Bytes(), got, err, want)
		}
	})
}

// FuzzReconcile feeds whatever somebody uploads: it is refused, or it settles expected payouts only, each once.
func FuzzReconcile(f *testing.F) {
	f.Add([]byte("payout,amount,currency,outcome\nP1,12.30,CNY,paid\n"))
	f.Add([]byte("\ufeffpayout;amount;currency;outcome;reason\r\nP1;12,30;cny;FAILED;\"a;\"\"b\"\r\n'-P3;1,234;KWD;;\r\n"))
	f.Add([]byte("payout,amount,currency,outcome\nP1,12.30,CNY,paid\nP1,12.30,CNY,failed\n"))
	f.Add([]byte("payout,amount,currency,outcome\nP1,\"12.30,CNY,paid\n"))
	f.Add([]byte("\xff\xfep\x00,;\"\"'=\n"))
	f.Add([]byte("payout,amount,currency,outcome\n'''=,,,\n;;;\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		report, err := Reconcile(file, waiting)
		if err != nil {
			if fail.KindOf(err) != fail.Invalid || len(report.Results)+len(report.Open) > 0 || len(err.Error()) > 50_000 {
				t.Fatalf("%+v %v", report, err)
			}
			return
		}
		var seen []string
		for _, r := range report.Results {
			if r.Outcome != Paid && r.Outcome != Failed {
				t.Fatalf("%+v", r)
			}
			seen = append(seen, r.Payout)
		}
		seen = append(seen, report.Open...)
		slices.Sort(seen)
		if !slices.Equal(seen, []string{"-P3", "P1", "P2"}) {
			t.Fatalf("of three payouts it told of %q", seen)
		}
	})
}
