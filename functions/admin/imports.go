package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"mime"
	"slices"
	"strings"
	"sync"

	"yundian/shared/catalogue"
	"yundian/shared/catalogue/intake"
	"yundian/shared/fail"
	"yundian/shared/locale"
	"yundian/shared/once"
	"yundian/shared/web"
	"yundian/shared/web/api"
)

// Import is what became of a file.
type Import struct {
	Created   int        `json:"created" doc:"Products that are new"`
	Updated   int        `json:"updated" doc:"Products that were changed; their stock stays"`
	Unchanged int        `json:"unchanged"`
	Rows      int        `json:"rows" doc:"Rows of the file below its first line"`
	Errors    []RowError `json:"errors" doc:"What was left out and why, by line: a row, or the picture of a row; the first 1,000"`
	Omitted   int        `json:"errorsOmitted,omitempty" doc:"How many errors more there are"`
	Unstocked int        `json:"unstocked,omitempty" doc:"SKUs that cannot be bought, because nothing was received of them; only for a file without quantities"`
	Notice    string     `json:"notice,omitempty" doc:"How such SKUs are stocked"`
	Warnings  []RowError `json:"warnings" doc:"What was taken otherwise than the file says, by line; the first 1,000"`
	Products  []Imported `json:"products" doc:"What became of each product, in the file's order"`
}

// RowError is what became of something in a row, and why.
type RowError struct {
	Line    int    `json:"line" doc:"Line of the file, from 1"`
	Message string `json:"message"`
}

// Imported is what became of one product of a file.
type Imported struct {
	Product string   `json:"product" doc:"Its id; of one that cannot be used its handle, empty where a row has none"`
	Line    int      `json:"line" doc:"Line of its first row"`
	Result  result   `json:"result" enum:"created,updated,unchanged,refused"`
	Changed []string `json:"changed,omitempty" doc:"What an update changed: title, body, vendor, type, status, tags, options, images, or a SKU"`
	Left    int      `json:"left,omitempty" doc:"How many of its errors there are"`
}

// Limits of one import.
const (
	maxRowErrors = 1000 // in an answer; nobody corrects more by hand
	writers      = 8    // products written at the same time: 1,000 take a few seconds of the 29 that there are
	shelfStart   = 24   // products that an import puts on an unfilled default shelf
)

type importInput struct {
	api.Keyed
	Type     string `header:"Content-Type" hidden:"true"`
	Encoding string `header:"Content-Encoding" hidden:"true"`
	RawBody  []byte `contentType:"text/csv"`
}

func (a *admin) importProducts(ctx context.Context, in *importInput) (*api.Reply[Import], error) {
	media, _, err := mime.ParseMediaType(in.Type)
	if err != nil || media != "text/csv" || in.Encoding != "" && !strings.EqualFold(in.Encoding, "identity") {
		return nil, fail.New(fail.Invalid, web.CodeMediaType, "Send {type} without compression.", fail.Args{"type": "text/csv"})
	}
	digest := sha256.Sum256(in.RawBody)
	answer, err := once.Do(ctx, a.store, wish(ctx, in.Key, hex.EncodeToString(digest[:])), a.now(), func(record once.Record[Import]) (Import, error) {
		report, err := a.importFile(ctx, in.RawBody)
		if err != nil {
			return report, err
		}
		reply, err := record(report)
		if err != nil {
			return report, err
		}
		return report, a.store.SaveReplies(ctx, reply)
	})
	return &api.Reply[Import]{Body: answer}, err
}

// importFile reads the whole file before it writes anything, so that a file that is wrong as a whole changes nothing.
// Each product is then saved on its own; sending the file again completes what was interrupted.
func (a *admin) importFile(ctx context.Context, file []byte) (Import, error) {
	settings, err := a.store.Settings(ctx)
	if err != nil {
		return Import{}, err
	}
	var entries []intake.Entry
	for e, err := range intake.Shopify(bytes.NewReader(file), settings.Currency) {
		if err != nil {
			return Import{}, err
		}
		entries = append(entries, e)
	}
	outcomes, err := a.saveEntries(ctx, entries)
	if err != nil {
		return Import{}, err
	}
	l := locale.For(visitOf(ctx).language)
	report, fresh := reportOf(outcomes, l)
	if report.Unstocked, err = a.unstocked(ctx, outcomes); err != nil {
		return Import{}, err
	}
	if report.Unstocked > 0 {
		report.Notice = l.T("words.unstocked", "count", report.Unstocked)
	}
	slog.InfoContext(ctx, "products imported", "created", report.Created, "updated", report.Updated, "unchanged", report.Unchanged,
		"rows", report.Rows, "errors", len(report.Errors)+report.Omitted)
	return report, a.fillShelf(ctx, fresh)
}

// outcome is what became of one product of a file.
type outcome struct {
	entry   intake.Entry
	product catalogue.Product
	result  result
	changed []string
}

type result string

const (
	refused   result = "refused"
	isNew     result = "created"
	updated   result = "updated"
	unchanged result = "unchanged"
)

// saveEntries saves products side by side; outcomes stand in the file's order.
func (a *admin) saveEntries(ctx context.Context, entries []intake.Entry) ([]outcome, error) {
	ids := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Product.ID != "" {
			ids = append(ids, e.Product.ID)
		}
	}
	existing, err := a.store.Products(ctx, ids)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	outcomes := make([]outcome, len(entries))
	next := make(chan int)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for i := range next {
				var err error
				if outcomes[i], err = a.saveEntry(ctx, entries[i], existing[entries[i].Product.ID]); err != nil {
					stop(err) // the others fail at once instead of waiting for the store one after the other
				}
			}
		})
	}
	for i := range entries {
		next <- i
	}
	close(next)
	group.Wait()
	return outcomes, context.Cause(ctx)
}

// saveEntry saves one product unless the shop has it like this already. Somebody else may be importing the same file:
// then the product is read again and is usually found to be as it should.
func (a *admin) saveEntry(ctx context.Context, e intake.Entry, before catalogue.Product) (outcome, error) {
	for try := 1; e.Product.ID != ""; try++ {
		known := recognised(before, e)
		if known.Product.ID == "" {
			return outcome{entry: known, result: refused}, nil
		}
		after := merged(before, known)
		after.UpdatedAt = a.now()
		differs := whatChanged(before, after)
		if before.Version > 0 && len(differs) == 0 {
			return outcome{entry: known, product: before, result: unchanged}, nil
		}
		err := a.store.SaveProduct(ctx, before, after, known.Received)
		switch {
		case err == nil && before.Version == 0:
			return outcome{entry: known, product: after, result: isNew}, nil
		case err == nil:
			return outcome{entry: known, product: after, result: updated, changed: differs}, nil
		case try == editTries || !fail.Is(err, "changed_meanwhile") && !fail.Is(err, "sku_taken"):
			return outcome{}, fmt.Errorf("import product %s: %w", e.Product.ID, err)
		}
		if e, err = a.withoutTaken(ctx, e.Keep(before), try > 1); err != nil {
			return outcome{}, err
		}
		if before, err = a.current(ctx, e.Product.ID); err != nil {
			return outcome{}, err
		}
	}
	return outcome{entry: e, result: refused}, nil
}

// recognised is an entry whose variants have the ids that the shop knows them by. A variant of which nobody can tell whether
// it is new or renamed is refused: taken for a new one, it would put what was sold of the other back on sale.
func recognised(before catalogue.Product, e intake.Entry) intake.Entry {
	var unclear []string
	e = e.Keep(before)
	e.Product.Variants, unclear = before.Recognise(e.Product, e.EveryVariant())
	if len(unclear) == 0 {
		return e
	}
	reasons := map[string]fail.Field{}
	for _, sku := range unclear {
		reasons[sku] = fail.At("", "variant_unclear", "{sku} may be new, or a variant of {product} under another name: neither its SKU nor its option values "+
			"are known, and variants of {product} are missing in this file. Keep the SKUs or the option values, or first take off what is no longer sold.",
			fail.Args{"sku": sku, "product": e.Product.ID})
	}
	return e.Refuse(reasons)
}

// withoutTaken gives variants whose SKU belongs to another product of the shop an SKU of their own; again takes them out,
// when that one is taken, too.
func (a *admin) withoutTaken(ctx context.Context, e intake.Entry, again bool) (intake.Entry, error) {
	skus := make([]string, len(e.Product.Variants))
	for i, v := range e.Product.Variants {
		skus[i] = v.SKU
	}
	found, err := a.store.Sellables(ctx, skus)
	if err != nil {
		return e, err
	}
	owners, taken := map[string]string{}, map[string]fail.Field{}
	for sku, s := range found {
		if s.Product != e.Product.ID {
			owners[sku] = s.Product
			taken[sku] = fail.At("", "sku_taken", "{sku} already belongs to {product}.", fail.Args{"sku": sku, "product": s.Product})
		}
	}
	if again || len(taken) == 0 {
		return e.Refuse(taken), nil
	}
	if found, err = a.store.Sellables(ctx, e.Alternatives(owners)); err != nil {
		return e, err
	}
	for sku, s := range found {
		if s.Product != e.Product.ID {
			owners[sku] = s.Product
		}
	}
	return e.Complete(owners), nil
}

// current is a product as it is now; the zero product when there is none.
func (a *admin) current(ctx context.Context, id string) (catalogue.Product, error) {
	if id == "" {
		return catalogue.Product{}, nil
	}
	found, err := a.store.Products(ctx, []string{id})
	return found[id], err
}

// merged is the product as the file says, with what only the shop knows. A file with bad rows takes no variant off
// sale: the row that is missing may be the bad one.
func merged(before catalogue.Product, e intake.Entry) catalogue.Product {
	p := e.Product
	p.Version, p.Scene = before.Version, before.Scene
	p.Variants = slices.Clone(p.Variants)
	for i, v := range p.Variants {
		if old, known := before.WithID(v.ID); known {
			p.Variants[i].StockPolicy = keptPolicy(old, v, e.Tracking[v.SKU])
		}
	}
	if e.EveryVariant() {
		return p
	}
	for _, v := range before.Variants {
		stands := slices.ContainsFunc(p.Variants, func(x catalogue.Variant) bool { return x.ID == v.ID })
		if !stands && len(p.Variants) < catalogue.MaxVariants {
			p.Variants = append(p.Variants, v)
		}
	}
	return p
}

// keptPolicy is the stock policy of a variant that the shop knows. Where the file says nothing the shop's stays: a variant
// that is sold out must not become one that is always for sale because its tracker is blank.
func keptPolicy(old, v catalogue.Variant, says intake.Tracking) catalogue.StockPolicy {
	switch {
	case says == intake.Said:
		return v.StockPolicy
	case says == intake.Denied && old.StockPolicy == catalogue.Continue:
		return catalogue.Tracked
	default:
		return old.StockPolicy
	}
}

// whatChanged names what differs between two versions of a product, of what an import sets: fields, and the SKUs of variants
// that are new, gone or different.
func whatChanged(a, b catalogue.Product) []string {
	var names []string
	for _, field := range []struct {
		name string
		same bool
	}{
		{"title", a.Title == b.Title}, {"body", a.Body == b.Body}, {"vendor", a.Vendor == b.Vendor}, {"type", a.Type == b.Type},
		{"status", a.Status == b.Status}, {"tags", slices.Equal(a.Tags, b.Tags)}, {"options", slices.Equal(a.Options, b.Options)},
		{"images", slices.Equal(a.Images, b.Images)},
	} {
		if !field.same {
			names = append(names, field.name)
		}
	}
	before := map[string]catalogue.Variant{}
	for _, v := range a.Variants {
		before[v.ID] = v
	}
	for _, v := range b.Variants {
		if was, known := before[v.ID]; !known || !sameVariant(was, v) {
			names = append(names, v.SKU)
		}
		delete(before, v.ID)
	}
	for _, v := range a.Variants {
		if _, gone := before[v.ID]; gone {
			names = append(names, v.SKU)
		}
	}
	inOrder := slices.EqualFunc(a.Variants, b.Variants, func(x, y catalogue.Variant) bool { return x.ID == y.ID })
	if len(names) == 0 && !inOrder {
		names = append(names, "options")
	}
	return names
}

func sameVariant(x, y catalogue.Variant) bool {
	return x.SKU == y.SKU && x.Title == y.Title && slices.Equal(x.Options, y.Options) && x.Price == y.Price &&
		x.CompareAt == y.CompareAt && x.Image == y.Image && x.Grams == y.Grams && x.StockPolicy == y.StockPolicy
}

// reportOf says what became of each product and lists what was left out or changed; fresh are the ids of active products
// that are new, in the file's order.
func reportOf(outcomes []outcome, l *locale.Locale) (report Import, fresh []string) {
	var faults, notes []intake.Fault
	report.Products = []Imported{}
	for _, o := range outcomes {
		report.Rows += o.entry.Rows
		faults, notes = append(faults, o.entry.Faults...), append(notes, o.entry.Notes...)
		report.Products = append(report.Products, Imported{Product: o.entry.Name(), Line: o.entry.Line, Result: o.result,
			Changed: o.changed, Left: len(o.entry.Faults)})
		switch o.result {
		case isNew:
			report.Created++
			if o.product.Status == catalogue.Active {
				fresh = append(fresh, o.product.ID)
			}
		case updated:
			report.Updated++
		case unchanged:
			report.Unchanged++
		}
	}
	report.Errors, report.Omitted = rowErrors(faults, l)
	report.Warnings, _ = rowErrors(notes, l)
	return report, fresh
}

// rowErrors are the first faults by line, in words, and how many more there are.
func rowErrors(faults []intake.Fault, l *locale.Locale) (out []RowError, omitted int) {
	slices.SortStableFunc(faults, func(x, y intake.Fault) int { return cmp.Compare(x.Line, y.Line) })
	out = []RowError{}
	for _, f := range faults[:min(len(faults), maxRowErrors)] {
		message := l.Field(f.Field)
		if f.Column != "" {
			message = clip(f.Column) + ": " + message
		}
		out = append(out, RowError{Line: f.Line, Message: message})
	}
	return out, len(faults) - len(out)
}

// unstocked counts the SKUs of a file without any quantity that cannot be bought: nothing was received of them, and they are
// sold only while pieces are there. A file with quantities says by itself what is sold out.
func (a *admin) unstocked(ctx context.Context, outcomes []outcome) (int, error) {
	var skus []string
	for _, o := range outcomes {
		if o.entry.Counted {
			return 0, nil
		}
		for _, v := range o.product.Variants {
			skus = append(skus, v.SKU)
		}
	}
	found, err := a.store.Sellables(ctx, skus)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, it := range found {
		if it.Orderable() == 0 {
			n++
		}
	}
	return n, nil
}

// fillShelf puts new products on the brand's default shelf until it has enough for a storefront to look inhabited.
func (a *admin) fillShelf(ctx context.Context, fresh []string) error {
	for try := 1; len(fresh) > 0; try++ {
		settings, err := a.store.Settings(ctx)
		if err != nil {
			return err
		}
		shelf := slices.Clone(settings.DefaultShelf)
		for _, id := range fresh {
			if len(shelf) < shelfStart && !slices.Contains(shelf, id) {
				shelf = append(shelf, id)
			}
		}
		if len(shelf) == len(settings.DefaultShelf) {
			return nil
		}
		settings.DefaultShelf = shelf
		if err = a.store.SaveSettings(ctx, settings); !fail.Is(err, "changed_meanwhile") {
			return err
		}
		if try == editTries { // the products are there, which matters more than where they stand
			slog.WarnContext(ctx, "default shelf kept changing, new products left off it", "products", len(fresh))
			return nil
		}
	}
	return nil
}
