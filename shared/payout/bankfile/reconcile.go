package bankfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/sheet"
)

// Outcome is what became of a payout.
type Outcome string

// The words of the column outcome, in any case of letters. A line without a word is still open.
const (
	Paid   Outcome = "paid"
	Failed Outcome = "failed"
)

// Result is the bank's word on one payout.
type Result struct {
	Payout    string
	Outcome   Outcome
	Reference string // the bank's, at most 200 characters; may be empty
	Reason    string // why it failed, in the bank's words, at most 500 characters; may be empty
	Line      int    // of the file, the first line being 1
}

// Report is what a file of outcomes says. Every expected payout stands in exactly one of the lists.
type Report struct {
	Results []Result // in the order of the file
	Open    []string // payouts of which the bank has not said anything yet, in the order expected
}

const (
	// maxColumns bounds a line; the longest bank files have a few dozen.
	maxColumns = 100
	// maxProblems bounds what is said about one file: whoever reads a hundred lines knows what is wrong.
	maxProblems  = 100
	maxReference = 200
	maxReason    = 500
)

// Reconcile reads a file of outcomes, up to MaxBytes, line by line against the payouts that it may tell about. Cells are separated by
// commas or semicolons; the names of columns may be written in any case of letters. Everything wrong with the file is
// one Invalid error that names the lines, and nothing of such a file counts. Expected payouts that could not be told
// apart are an error of the caller's.
func Reconcile(file []byte, expected []Line) (Report, error) {
	if err := judge(expected); err != nil {
		return Report{}, err
	}
	r, err := open(file, expected)
	if err != nil {
		return Report{}, err
	}
	for len(r.problems) < maxProblems && r.next() {
		r.read()
	}
	if len(r.problems) > 0 {
		return Report{}, fail.NewFields(r.problems)
	}
	for _, l := range expected {
		if !r.settled[l.Payout] {
			r.report.Open = append(r.report.Open, l.Payout)
		}
	}
	return r.report, nil
}

// reader goes through a file.
type reader struct {
	csv      *csv.Reader
	comma    bool           // amounts may have a decimal comma: cells are separated by something else
	at       map[string]int // index of each column that matters
	width    int            // of the first line
	expected map[string]money.Amount
	told     map[string]int  // on which line a payout stands
	settled  map[string]bool // payouts with an outcome
	cells    []string
	line     int
	report   Report
	problems []fail.Field
}

// open reads the first line.
func open(file []byte, expected []Line) (*reader, error) {
	if len(file) > MaxBytes {
		return nil, fail.New(fail.Invalid, "body_too_large", "What was sent is larger than {limit} bytes.", fail.Args{"limit": MaxBytes})
	}
	if n := unreadable(file); n > 0 {
		return nil, fail.NewFields([]fail.Field{fail.At(where(n), "csv_encoding", "This row is not UTF-8 text. Save the file as CSV in UTF-8.", nil)})
	}
	file = bytes.TrimPrefix(file, []byte(sheet.Mark))
	first, _, _ := bytes.Cut(file, []byte("\n"))
	r := &reader{csv: csv.NewReader(bytes.NewReader(file)), at: map[string]int{}, expected: map[string]money.Amount{}, told: map[string]int{}, settled: map[string]bool{}}
	r.csv.FieldsPerRecord = -1 // some spreadsheets leave out empty cells at the end
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		r.csv.Comma, r.comma = ';', true
	}
	for _, l := range expected {
		r.expected[l.Payout] = l.Amount
	}
	if !r.next() && len(r.problems) > 0 {
		return nil, fail.NewFields(r.problems)
	}
	return r, r.header()
}

// unreadable is the first line that is not text, 0 when there is none. Spreadsheets that save UTF-16 leave NULs.
func unreadable(file []byte) int {
	for n, line := range bytes.Split(file, []byte("\n")) {
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return n + 1
		}
	}
	return 0
}

// header finds the columns. No column of ours may stand twice: which one would count?
func (r *reader) header() error {
	if len(r.cells) > maxColumns {
		return fail.New(fail.Invalid, "csv_columns_many", "This file has more than {limit} columns.", fail.Args{"limit": maxColumns})
	}
	r.width = len(r.cells)
	for _, name := range []string{"payout", "amount", "currency", "outcome", "reference", "reason"} {
		for i, cell := range r.cells {
			if !strings.EqualFold(sheet.Text(cell), name) {
				continue
			}
			if _, twice := r.at[name]; twice {
				return fail.New(fail.Invalid, "csv_column_twice", "The column {column} stands twice in this file.", fail.Args{"column": name})
			}
			r.at[name] = i
		}
	}
	var missing []string
	for _, name := range []string{"payout", "amount", "currency", "outcome"} {
		if _, ok := r.at[name]; !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fail.New(fail.Invalid, "bank_columns_missing", "This is no file of a bank's outcomes: its first line lacks {columns}. Save it as CSV with commas or semicolons, in UTF-8.",
			fail.Args{"columns": strings.Join(missing, ", ")})
	}
	return nil
}

// next goes to the next line that is not empty. It reports false at the end, and after a line behind which nothing can
// be read: where a quotation mark is missing, no later line is sure to be one.
func (r *reader) next() bool {
	for {
		cells, err := r.csv.Read()
		if malformed, ok := errors.AsType[*csv.ParseError](err); ok {
			r.line = malformed.StartLine
			r.refuse("", "csv_quote", "A quotation mark is missing or stands where none may be.", nil)
			return false
		}
		if err != nil {
			return false
		}
		r.cells = cells
		r.line, _ = r.csv.FieldPos(0)
		if strings.Trim(strings.Join(cells, ""), " \t") != "" {
			return true
		}
	}
}

// where is what a problem's location calls a line.
func where(line int) string { return fmt.Sprintf("line[%d]", line) }

func (r *reader) refuse(column, code, text string, args fail.Args) {
	place := where(r.line)
	if column != "" {
		place += "." + column
	}
	r.problems = append(r.problems, fail.At(place, code, text, args))
}

// cell is the text of a column on this line.
func (r *reader) cell(column string) string {
	if i, ok := r.at[column]; ok && i < len(r.cells) {
		return sheet.Text(r.cells[i])
	}
	return ""
}

// read takes one line.
func (r *reader) read() {
	if len(r.cells) > r.width && strings.TrimSpace(strings.Join(r.cells[r.width:], "")) != "" {
		r.refuse("", "csv_cells", "This row has more cells than the first line. A comma may stand outside quotation marks.", nil)
		return
	}
	id := r.cell("payout")
	amount, known := r.expected[id]
	before, twice := r.told[id]
	switch {
	case !known:
		r.refuse("payout", "bank_payout_unknown", "{payout} is no payout that this file can tell about.", fail.Args{"payout": clip(id)})
	case twice:
		r.refuse("payout", "bank_payout_twice", "{payout} stands on line {line} already.", fail.Args{"payout": id, "line": before})
	default:
		r.told[id] = r.line
		if r.sameAmount(amount) {
			r.take(id)
		}
	}
}

// sameAmount holds the line's amount against the payout's. A file that tells of another amount tells of another payment.
func (r *reader) sameAmount(want money.Amount) bool {
	text := r.cell("amount")
	if r.comma {
		text = strings.Replace(text, ",", ".", 1)
	}
	got, err := money.ParseDecimal(text, want.Currency)
	if err == nil && got == want && strings.EqualFold(r.cell("currency"), string(want.Currency)) {
		return true
	}
	r.refuse("amount", "bank_amount_other", "{found} is not the amount of this payout, {amount}.",
		fail.Args{"found": clip(r.cell("amount") + " " + r.cell("currency")), "amount": want.String()})
	return false
}

// take records the line's outcome.
func (r *reader) take(id string) {
	result := Result{Payout: id, Reference: r.cell("reference"), Reason: r.cell("reason"), Line: r.line}
	for _, text := range []struct {
		column string
		most   int
	}{{"reference", maxReference}, {"reason", maxReason}} {
		if utf8.RuneCountInString(r.cell(text.column)) > text.most {
			r.refuse(text.column, "text_length", "Between {low} and {high} characters.", fail.Args{"low": 0, "high": text.most})
			return
		}
	}
	switch word := Outcome(strings.ToLower(r.cell("outcome"))); word {
	case "": // still open
	case Paid, Failed:
		result.Outcome, r.settled[id] = word, true
		r.report.Results = append(r.report.Results, result)
	default:
		r.refuse("outcome", "bank_outcome_unknown", "{outcome} is no outcome: write paid or failed, or nothing while it is open.", fail.Args{"outcome": clip(string(word))})
	}
}

// clip bounds what is repeated of a file.
func clip(s string) string {
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return s
}
