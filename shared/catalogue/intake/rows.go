package intake

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"yundian/shared/fail"
)

// Rows reads a product file row by row in bounded memory. Make one with NewRows.
type Rows struct {
	Header []string // as the file spells it
	csv    *csv.Reader
	budget *budget
	at     [columns]int // index of each column, -1 when the file lacks it
	line   int          // of the row read last
}

// Row is one row of a file. A row with a Problem has no cells that can be trusted.
type Row struct {
	Line    int
	Cells   []string
	Problem *fail.Field
	rows    *Rows
}

// column is one of the columns that an import reads; all others are ignored.
type column int

const (
	handle column = iota
	title
	body
	vendor
	kind
	tags
	published
	status
	giftCard
	option1Name
	option1Value
	option2Name
	option2Value
	option3Name
	option3Value
	variantSKU
	variantGrams
	variantTracker
	variantQuantity
	variantPolicy
	variantPrice
	variantCompareAt
	variantImage
	imageSrc
	imagePosition
	imageAlt
	columns
)

// names are what columns are called in Shopify's exports: before 2025, and since. Case does not matter.
// Source: https://help.shopify.com/en/manual/products/import-export/using-csv
var names = [columns][]string{
	handle:           {"Handle", "URL handle"},
	title:            {"Title"},
	body:             {"Body (HTML)", "Description"},
	vendor:           {"Vendor"},
	kind:             {"Type"},
	tags:             {"Tags"},
	published:        {"Published", "Published on online store"},
	status:           {"Status"},
	giftCard:         {"Gift Card"},
	option1Name:      {"Option1 Name"},
	option1Value:     {"Option1 Value"},
	option2Name:      {"Option2 Name"},
	option2Value:     {"Option2 Value"},
	option3Name:      {"Option3 Name"},
	option3Value:     {"Option3 Value"},
	variantSKU:       {"Variant SKU", "SKU"},
	variantGrams:     {"Variant Grams", "Weight value (grams)"},
	variantTracker:   {"Variant Inventory Tracker", "Inventory tracker"},
	variantQuantity:  {"Variant Inventory Qty", "Inventory quantity"},
	variantPolicy:    {"Variant Inventory Policy", "Continue selling when out of stock"},
	variantPrice:     {"Variant Price", "Price"},
	variantCompareAt: {"Variant Compare At Price", "Compare-at price"},
	variantImage:     {"Variant Image", "Variant image URL"},
	imageSrc:         {"Image Src", "Product image URL"},
	imagePosition:    {"Image Position"},
	imageAlt:         {"Image Alt Text"},
}

// required are the columns without which nothing can be sold.
var required = []column{handle, title, variantPrice}

// NewRows reads the header. A file without the columns that every product needs is refused.
func NewRows(r io.Reader) (*Rows, error) {
	r, err := withoutMark(r)
	if err != nil {
		return nil, err
	}
	if r, err = withLineFeeds(r); err != nil {
		return nil, err
	}
	rows := &Rows{budget: &budget{r: r}, line: 1}
	rows.csv = csv.NewReader(rows.budget)
	rows.csv.FieldsPerRecord = -1 // rows may leave out empty cells at their end
	rows.budget.left = MaxRow
	header, err := rows.csv.Read()
	if _, malformed := errors.AsType[*csv.ParseError](err); malformed || err == io.EOF {
		header, err = nil, nil
	}
	if errors.Is(err, errRowTooLarge) {
		return nil, tooLarge(0)
	}
	if err != nil {
		return nil, err
	}
	rows.Header = header
	return rows, rows.find()
}

// withoutMark takes away the byte order mark that spreadsheets put before the first name.
func withoutMark(r io.Reader) (io.Reader, error) {
	var start [3]byte
	n, err := io.ReadFull(r, start[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	return io.MultiReader(bytes.NewReader(bytes.TrimPrefix(start[:n], []byte("\ufeff"))), r), nil
}

// withLineFeeds turns carriage returns into line feeds in a file whose lines end with carriage returns alone, as Excel
// for the Mac writes them. The first line tells which kind of file it is.
func withLineFeeds(r io.Reader) (io.Reader, error) {
	start := make([]byte, MaxRow)
	n, err := io.ReadFull(r, start)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	start = start[:n]
	whole := io.MultiReader(bytes.NewReader(start), r)
	end := bytes.IndexAny(start, "\r\n")
	if end < 0 || start[end] == '\n' || end+1 < len(start) && start[end+1] == '\n' {
		return whole, nil
	}
	return lineFeeds{whole}, nil
}

// lineFeeds reads carriage returns as line feeds.
type lineFeeds struct{ r io.Reader }

// Read implements io.Reader.
func (l lineFeeds) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// find places the columns.
func (r *Rows) find() error {
	if len(r.Header) > MaxColumns {
		return fail.New(fail.Invalid, "csv_columns_many", "This file has more than {limit} columns.", fail.Args{"limit": MaxColumns})
	}
	for c := range r.at {
		r.at[c] = -1
		for i, name := range r.Header {
			if !slices.ContainsFunc(names[c], func(known string) bool { return strings.EqualFold(known, strings.TrimSpace(name)) }) {
				continue
			}
			if r.at[c] >= 0 {
				return fail.New(fail.Invalid, "csv_column_twice", "The column {column} stands twice in this file.", fail.Args{"column": names[c][0]})
			}
			r.at[c] = i
		}
	}
	var missing []string
	for _, c := range required {
		if r.at[c] < 0 {
			missing = append(missing, names[c][0])
		}
	}
	if len(missing) > 0 {
		return fail.New(fail.Invalid, "csv_columns_missing",
			"This is no Shopify product file: its first line lacks {columns}. Save it as CSV with commas, in UTF-8.",
			fail.Args{"columns": strings.Join(missing, ", ")})
	}
	return nil
}

// Next is the next row that is not empty; io.EOF at the end. After any other error nothing more can be read.
func (r *Rows) Next() (Row, error) {
	for {
		r.budget.left = MaxRow
		cells, err := r.csv.Read()
		if malformed, ok := errors.AsType[*csv.ParseError](err); ok {
			problem := fail.At("", "csv_quote", "A quotation mark is missing or stands where none may be.", nil)
			r.line = malformed.Line
			return Row{Line: malformed.StartLine, Problem: &problem, rows: r}, nil
		}
		if errors.Is(err, errRowTooLarge) {
			return Row{}, tooLarge(r.line)
		}
		if err != nil {
			return Row{}, err
		}
		if !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
			continue
		}
		r.line, _ = r.csv.FieldPos(0)
		row := Row{Line: r.line, Cells: cells, rows: r}
		row.Problem = row.judge()
		return row, nil
	}
}

func tooLarge(after int) error {
	return fail.New(fail.Invalid, "csv_row_too_large",
		"A row after line {line} has more than {limit} bytes. A quotation mark may be missing.", fail.Args{"line": after, "limit": MaxRow})
}

// judge finds what makes a row unreadable as a whole.
func (r Row) judge() *fail.Field {
	var f fail.Field
	switch extra := r.Cells[min(len(r.Cells), len(r.rows.Header)):]; {
	case slices.ContainsFunc(r.Cells, func(cell string) bool { return !utf8.ValidString(cell) }):
		f = fail.At("", "csv_encoding", "This row is not UTF-8 text. Save the file as CSV in UTF-8.", nil)
	case slices.ContainsFunc(extra, func(cell string) bool { return strings.TrimSpace(cell) != "" }):
		f = fail.At("", "csv_cells", "This row has more cells than the first line. A comma may stand outside quotation marks.", nil)
	default:
		return nil
	}
	return &f
}

// Handle is the handle of the row's product as the file has it.
func (r Row) Handle() string { return r.cell(handle) }

// Key is what the handles of one product's rows have in common, in whatever letter case and form of Unicode.
func (r Row) Key() string { return idOf(r.Handle()) }

func (r Row) cell(c column) string {
	if i := r.rows.at[c]; i >= 0 && i < len(r.Cells) {
		return strings.TrimSpace(r.Cells[i])
	}
	return ""
}

// column is what the file calls a column.
func (r Row) column(c column) string {
	if i := r.rows.at[c]; i >= 0 {
		return strings.TrimSpace(r.rows.Header[i])
	}
	return names[c][0]
}

// budget ends a read of one row that is too large, so that a missing quotation mark cannot draw a whole file into memory.
type budget struct {
	r    io.Reader
	left int
}

var errRowTooLarge = errors.New("intake: row too large")

// Read implements io.Reader.
func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errRowTooLarge
	}
	n, err := b.r.Read(p)
	b.left -= n
	return n, err
}
