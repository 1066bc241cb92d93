package commission

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
)

// Plan is what the shop has announced: the book in force, and those that are coming.
//
// Every publication adds versions and says from when they count. What was to count from then on is replaced by it, so at
// any moment exactly one version counts, and what counted in the past stays.
type Plan struct {
	Latest int64 // the highest version there is, which a publication has to have seen
	// Books by the beginning of their time. The first is in force, the others are coming.
	Books []Book
	// Later are the moments after now from which a version counts, among them such that count already: where a book that
	// was to come was withdrawn.
	Later []time.Time
}

// NewPlan is the plan of a shop that has published nothing.
func NewPlan() Plan { return Plan{Latest: 1, Books: []Book{FirstBook()}} }

// InForce is the book that counts now.
func (p Plan) InForce() Book { return p.Books[0] }

// Coming are the books that will count.
func (p Plan) Coming() []Book { return p.Books[1:] }

// At is the book that counts at a moment from now on.
func (p Plan) At(at time.Time) Book {
	for _, b := range slices.Backward(p.Books) {
		if !b.From.After(at) {
			return b
		}
	}
	return p.Books[0]
}

// Notice is how long before it counts a cut has to be announced: as long as a shared link is worth something, so that
// nobody earns less by a link than they could know when they shared it.
type Notice struct {
	Days int
	Zone *time.Location // of the shop
}

// Earliest is the first local midnight on which a cut that is announced now can begin to count.
func (n Notice) Earliest(now time.Time) time.Time {
	end := n.end(now)
	at := end.In(n.Zone)
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, n.Zone)
	if day.Before(end) {
		day = time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, n.Zone)
	}
	return day.UTC()
}

func (n Notice) end(now time.Time) time.Time { return now.Add(time.Duration(n.Days) * 24 * time.Hour) }

// Limits of what is announced, so that a publication stays one transaction.
const (
	MaxComing = 8
	maxLater  = 20
	maxAhead  = 2 * 366 // days
)

// Draft is a book that is to be published. Its version and beginning are not the book's to say.
type Draft struct {
	Book Book
	Seen int64     // the latest version when the draft was begun
	From time.Time // zero for at once
	// Withdraw says that nothing that was to come after From will. Otherwise the books that are coming stay, and change in
	// what this draft changes: a raise of one rate while a cut of another one waits leaves the cut as it was announced.
	Withdraw bool
}

// Publication is what publishing adds: versions, and which of them counts from when. It is empty when nothing changes.
type Publication struct {
	New  []Book // with consecutive versions
	Line []Segment
}

// Segment says that a version counts from a moment on.
type Segment struct {
	From    time.Time
	Version int64
}

// Publish works out what publishing a draft adds, or refuses: a draft that did not see the latest version, a beginning in
// the past, a book that is wrong in itself, and cuts of sales that can exist without notice.
func (p Plan) Publish(d Draft, c money.Currency, n Notice, m Market, now time.Time) (Publication, error) {
	now = now.UTC().Truncate(time.Millisecond) // as the store keeps it
	if d.Seen != p.Latest {
		return Publication{}, fail.New(fail.Conflict, "changed_meanwhile", "Somebody else has changed this meanwhile. Please load it again and repeat your change.", nil)
	}
	from, err := p.begin(d.From, now)
	if err != nil {
		return Publication{}, err
	}
	if err := d.Book.Check(c); err != nil {
		return Publication{}, err
	}
	pub := p.draft(d, from)
	for _, b := range pub.New[1:] {
		if err := b.Check(c); err != nil {
			return Publication{}, fail.New(fail.Conflict, "books_clash", "This does not go with the book that is coming on {from}: {why}", fail.Args{"from": stamp(b.From), "why": err.Error()})
		}
	}
	next := p.with(pub)
	if err := next.tooMuch(now); err != nil {
		return Publication{}, err
	}
	if until := n.end(now); from.Before(until) {
		return pub, refuseCuts(p.Cuts(next, m, from, until), d.Book, n, now)
	}
	return pub, nil
}

// draft is what a draft adds from a moment on.
func (p Plan) draft(d Draft, from time.Time) Publication {
	base := p.At(from)
	return p.revise(from, d.Withdraw, func(b Book) Book {
		if b.Version == base.Version {
			return d.Book
		}
		return merge(base, d.Book, b)
	})
}

// CutsOf are what a draft would take from what was announced if it counted at once.
func (p Plan) CutsOf(d Draft, n Notice, m Market, now time.Time) ([]Cut, error) {
	now = now.UTC().Truncate(time.Millisecond)
	from, err := p.begin(time.Time{}, now)
	if until := n.end(now); err == nil && from.Before(until) {
		return p.Cuts(p.with(p.draft(d, from)), m, from, until), nil
	}
	return nil, err
}

// begin is when a publication begins to count: not before now, and after everything that counts already.
func (p Plan) begin(from, now time.Time) (time.Time, error) {
	if from.IsZero() {
		from = now
	}
	from = from.UTC().Truncate(time.Millisecond)
	switch {
	case from.Before(now):
		return from, fail.NewFields([]fail.Field{fail.At("body.from", "from_past", "What has counted cannot be changed any more. Leave this out to begin at once.", nil)})
	case from.After(now.AddDate(0, 0, maxAhead)):
		return from, fail.NewFields([]fail.Field{fail.At("body.from", "from_far", "At most {days} days from now.", fail.Args{"days": maxAhead})})
	case !from.After(p.InForce().From):
		return p.InForce().From.Add(time.Millisecond), nil // clocks of two functions may disagree; the order of versions may not
	default:
		return from, nil
	}
}

// revise makes new versions of the books that count from a moment on: of the one at that moment, and of those that are
// coming after it, unless they are withdrawn.
func (p Plan) revise(from time.Time, withdraw bool, change func(Book) Book) Publication {
	var pub Publication
	add := func(b Book, from time.Time) {
		b = change(b)
		b.Version, b.From = p.Latest+1+int64(len(pub.New)), from
		pub.New = append(pub.New, b)
		pub.Line = append(pub.Line, Segment{from, b.Version})
	}
	add(p.At(from), from)
	for _, at := range p.Later {
		if !at.After(from) {
			continue
		}
		last := pub.New[len(pub.New)-1]
		if b := p.At(at); !withdraw && b.From.Equal(at) {
			add(b, at)
		} else {
			pub.Line = append(pub.Line, Segment{at, last.Version})
		}
	}
	return pub
}

// with is the plan after a publication.
func (p Plan) with(pub Publication) Plan {
	if len(pub.New) == 0 {
		return p
	}
	from := pub.New[0].From
	next := Plan{Latest: pub.New[len(pub.New)-1].Version}
	for _, b := range p.Books {
		if b.From.Before(from) {
			next.Books = append(next.Books, b)
		}
	}
	next.Books = append(next.Books, pub.New...)
	for _, at := range p.Later {
		if at.Before(from) {
			next.Later = append(next.Later, at)
		}
	}
	for _, s := range pub.Line {
		next.Later = append(next.Later, s.From)
	}
	return next
}

// Edit sets single rates: the default, or products' own. A rate of -1 takes a product's own away.
type Edit struct {
	Default  *money.BasisPoints
	Products map[string]money.BasisPoints
}

// Set works out what publishing an edit adds. It counts at once, or if that would be a cut for a sale that can exist on the
// first day on which it may; until then everything stays. What was announced for the same rates is replaced.
func (p Plan) Set(e Edit, n Notice, m Market, now time.Time) (Publication, error) {
	now = now.UTC().Truncate(time.Millisecond)
	if err := e.check(p); err != nil {
		return Publication{}, err
	}
	from, err := p.begin(time.Time{}, now)
	if err != nil {
		return Publication{}, err
	}
	pub := p.revise(from, false, e.apply)
	if until := n.end(now); from.Before(until) && len(p.Cuts(p.with(pub), m, from, until)) > 0 {
		pub = p.revise(n.Earliest(now), false, e.apply)
	}
	if !e.changes(p, pub.New[0].From) {
		return Publication{}, nil
	}
	return pub, p.with(pub).tooMuch(now)
}

// tooMuch refuses a plan with more to come than a publication can write in one transaction.
func (p Plan) tooMuch(now time.Time) error {
	coming, later := 0, 0
	for _, b := range p.Books {
		if b.From.After(now) {
			coming++
		}
	}
	for _, at := range p.Later {
		if at.After(now) {
			later++
		}
	}
	if coming > MaxComing || later > maxLater {
		return fail.New(fail.Conflict, "books_coming", "At most {limit} books can be coming. Withdraw some, or wait.", fail.Args{"limit": MaxComing})
	}
	return nil
}

func (e Edit) check(p Plan) error {
	var f []fail.Field
	check := func(where string, rate money.BasisPoints) {
		if rate < 0 || rate > money.Whole {
			f = append(f, fail.At(where, "out_of_range", "Between {low} and {high}.", fail.Args{"low": 0, "high": int64(money.Whole)}))
		}
	}
	if e.Default != nil {
		check("body.defaultRate", *e.Default)
	}
	for id, rate := range e.Products {
		if rate == -1 {
			continue
		}
		check("body.rate", rate)
		for _, b := range p.Books {
			if _, has := b.Products[id]; !has && len(b.Products) >= MaxProductRates {
				f = append(f, fail.At("body.rate", "too_many", "At most {limit} entries.", fail.Args{"limit": MaxProductRates}))
			}
			if i := slices.IndexFunc(b.Rules, func(r Rule) bool { return r.Match == Match{Product: id} }); i >= 0 {
				f = append(f, fail.At("body.rate", "rules_tie", "{rule} and {other} can be about the same sale, and neither is more specific. Change one of them or take it out.",
					fail.Args{"rule": ruleProduct + id, "other": b.Rules[i].ID}))
			}
		}
	}
	return fail.NewFields(f)
}

func (e Edit) apply(b Book) Book {
	b.Products = maps.Clone(b.Products)
	if b.Products == nil {
		b.Products = map[string]money.BasisPoints{}
	}
	if e.Default != nil {
		b.Default = *e.Default
	}
	for id, rate := range e.Products {
		if rate == -1 {
			delete(b.Products, id)
		} else {
			b.Products[id] = rate
		}
	}
	return b
}

// changes reports whether an edit changes any book that counts from a moment on.
func (e Edit) changes(p Plan, from time.Time) bool {
	return slices.ContainsFunc(p.Books, func(b Book) bool {
		if b.From.Before(from) && b.Version != p.At(from).Version {
			return false
		}
		after := e.apply(b)
		return after.Default != b.Default || !maps.Equal(after.Products, b.Products)
	})
}

// refuseCuts says which rules a draft cuts without notice, and when they could begin to count.
func refuseCuts(cuts []Cut, draft Book, n Notice, now time.Time) error {
	var f []fail.Field
	for _, c := range cuts {
		f = append(f, fail.At(draft.place(c), "cut_needs_notice",
			"Sales of {sales} would earn less from {from} on: {before} was announced, {after} would count. A cut has to be announced {days} days before: it can begin on {earliest}.",
			fail.Args{"sales": c.Sale.String(), "from": stamp(c.From), "before": c.Before.String(), "after": c.After.String(), "days": n.Days, "earliest": stamp(n.Earliest(now))}))
	}
	return fail.NewFields(f)
}

// stamp is a moment as the API writes it.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// place is where in a draft the rule stands under which less would be earned.
func (b Book) place(c Cut) string {
	monthly := func() string {
		for i, r := range b.MonthRules {
			if r.ID == c.After.Rule {
				return fmt.Sprintf("body.monthRules[%d]", i)
			}
		}
		return "body.monthRules"
	}
	switch {
	case c.Before.Rule == RuleInviter:
		return "body.inviterRate"
	case c.After.MonthCap > 0 || len(c.Before.Milestones) > 0:
		return monthly()
	case c.After.Rule == RuleDefault:
		return "body.defaultRate"
	}
	for i, r := range b.Rules {
		if r.ID == c.After.Rule {
			return fmt.Sprintf("body.rules[%d]", i)
		}
	}
	return "body.products." + c.Sale.Product
}
