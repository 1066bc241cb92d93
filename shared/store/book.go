package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/money"
)

// A rule book is one item per version, never edited. Which version counts from when stands in a line of small items
// beside them, one per moment: it is what a look-up by time reads, and what a withdrawal changes. Shops from before the
// line was kept have versions alone; there the highest version that had begun counts.

type bookItem struct {
	V        int64                                  `dynamodbav:"v"`
	From     time.Time                              `dynamodbav:"from"`
	Default  money.BasisPoints                      `dynamodbav:"default"`
	Products document[map[string]money.BasisPoints] `dynamodbav:"products"`
	Rules    *document[bookRules]                   `dynamodbav:"rules,omitempty"`
}

// bookRules is what a book has beside its rates.
type bookRules struct {
	Rules       []commission.Rule      `json:"rules,omitzero"`
	Campaigns   []commission.Campaign  `json:"campaigns,omitzero"`
	MonthRules  []commission.MonthRule `json:"monthRules,omitzero"`
	InviterRate money.BasisPoints      `json:"inviterRate,omitzero"`
}

type segmentItem struct {
	Book int64     `dynamodbav:"book"`
	From time.Time `dynamodbav:"from"`
}

// shelf keeps books that were read, because a version never changes, and which book counted when a month began, because
// the past does not either. A process sees few of both.
type shelf struct {
	mu     sync.Mutex
	books  map[int64]commission.Book
	months map[time.Time]int64
	whole  bool // nothing was published before the line was kept, which stays so
}

// Bounds of what a process keeps: a book can have 300 KB.
const (
	shelfBooks  = 16
	shelfMonths = 64
)

func (s *shelf) book(version int64) (commission.Book, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.books[version]
	return b, ok
}

func (s *shelf) put(b commission.Book) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.books == nil || len(s.books) >= shelfBooks {
		s.books = map[int64]commission.Book{}
	}
	s.books[b.Version] = b
}

func (s *shelf) isWhole() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.whole
}

func (s *shelf) setWhole(whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whole = s.whole || whole
}

func (s *shelf) month(start time.Time) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.months[start.UTC()]
}

func (s *shelf) putMonth(start time.Time, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.months == nil || len(s.months) >= shelfMonths {
		s.months = map[time.Time]int64{}
	}
	s.months[start.UTC()] = version
}

// Plan is the rule book in force at a moment and those that were announced to come after it.
func (s *Store) Plan(ctx context.Context, now time.Time) (commission.Plan, error) {
	line, err := s.line(ctx, now, time.Time{})
	if err != nil {
		return commission.Plan{}, err
	}
	var p commission.Plan
	if len(line) == 0 || line[0].From.After(now) { // a shop from before the line was kept, or a book that was never changed
		b, err := s.earlierBook(ctx, now)
		if err != nil {
			return commission.Plan{}, err
		}
		p.Books, p.Latest = []commission.Book{b}, b.Version
	}
	books, err := s.books(ctx, line)
	if err != nil {
		return commission.Plan{}, err
	}
	for _, seg := range line {
		p.Latest = max(p.Latest, seg.Version)
		if seg.From.After(now) {
			p.Later = append(p.Later, seg.From)
		}
		if n := len(p.Books); n == 0 || p.Books[n-1].Version != seg.Version {
			p.Books = append(p.Books, books[seg.Version])
		}
	}
	return p, nil
}

// BookAt is the rule book that counted at a moment.
func (s *Store) BookAt(ctx context.Context, at time.Time) (commission.Book, error) {
	books, err := s.booksAt(ctx, []time.Time{at})
	if err != nil {
		return commission.Book{}, err
	}
	return books[at], nil
}

// BookVersion is a version of the rule book, whether it ever counted or not; NotFound when there is none.
func (s *Store) BookVersion(ctx context.Context, version int64) (commission.Book, error) {
	if first := commission.FirstBook(); version == first.Version {
		return first, nil
	}
	r := read{Shop, bookKey(version)}
	found, err := s.get(ctx, []read{r})
	if err != nil {
		return commission.Book{}, err
	}
	if found[r] == nil {
		return commission.Book{}, fail.New(fail.NotFound, "book_unknown", "There is no version {version} of the rule book.", fail.Args{"version": version})
	}
	return bookFrom(found[r])
}

// monthBook is the rule book that counted when a month began, which is in the past.
func (s *Store) monthBook(ctx context.Context, start time.Time) (commission.Book, error) {
	if v := s.shelf.month(start); v > 0 {
		books, err := s.books(ctx, []commission.Segment{{Version: v}})
		return books[v], err
	}
	b, err := s.BookAt(ctx, start)
	if err == nil {
		s.shelf.putMonth(start, b.Version)
	}
	return b, err
}

// booksAt are the rule books that counted at some moments: one query for all of them, and one read of versions that
// this process has not seen.
func (s *Store) booksAt(ctx context.Context, moments []time.Time) (map[time.Time]commission.Book, error) {
	first, last := slices.MinFunc(moments, time.Time.Compare), slices.MaxFunc(moments, time.Time.Compare)
	line, err := s.line(ctx, first, last)
	if err != nil {
		return nil, err
	}
	books, err := s.books(ctx, line)
	if err != nil {
		return nil, err
	}
	out := make(map[time.Time]commission.Book, len(moments))
	for _, at := range moments {
		i, exact := slices.BinarySearchFunc(line, at, func(seg commission.Segment, at time.Time) int { return seg.From.Compare(at) })
		switch {
		case exact:
			out[at] = books[line[i].Version]
		case i > 0:
			out[at] = books[line[i-1].Version]
		default:
			if out[at], err = s.earlierBook(ctx, at); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Bounds of reading the line: items of 60 bytes, of which a busy month has some hundreds.
const (
	linePage  = 25
	linePages = 400
)

// line is which version counts from when, by time: from the moment before first, which is in force at first, until
// last; a last of zero is everything that is to come.
func (s *Store) line(ctx context.Context, first, last time.Time) ([]commission.Segment, error) {
	q := query{table: Shop, pk: bookKey(0).PK, from: linePrefix, to: linePrefix + "~", limit: linePage, descending: true}
	if !last.IsZero() {
		q.to = lineKey(last).SK
	}
	if first.Equal(last) {
		q.limit = 1
	}
	var line []commission.Segment
	for range linePages {
		items, next, err := s.page(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			var x segmentItem
			if err := decode(it, &x); err != nil {
				return nil, err
			}
			line = append(line, commission.Segment{From: x.From, Version: x.Book})
			if !x.From.After(first) {
				next = nil
				break
			}
		}
		if next == nil {
			slices.Reverse(line)
			return line, nil
		}
		q.after = next
	}
	return nil, fmt.Errorf("store: more than %d changes of the rule book between %s and %s", linePage*linePages, first, last)
}

// books are the versions that a line names.
func (s *Store) books(ctx context.Context, line []commission.Segment) (map[int64]commission.Book, error) {
	out := make(map[int64]commission.Book, len(line))
	var reads []read
	for _, seg := range line {
		b, ok := s.shelf.book(seg.Version)
		switch first := commission.FirstBook(); {
		case ok:
			out[seg.Version] = b
		case seg.Version == first.Version: // nobody published it
			out[seg.Version] = first
		default:
			reads = append(reads, read{Shop, bookKey(seg.Version)})
		}
	}
	if len(reads) == 0 {
		return out, nil
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	for _, r := range reads {
		it, ok := found[r]
		if !ok {
			return nil, fmt.Errorf("store: the line of rule books names %s, which does not exist", r.key.SK)
		}
		b, err := bookFrom(it)
		if err != nil {
			return nil, err
		}
		out[b.Version] = b
		s.shelf.put(b)
	}
	return out, nil
}

// bookPage is how many versions are read at once; each can have 300 KB.
const bookPage = 3

// earlierBook is the book that counted at a moment before the line begins: of the versions from before it was kept, the
// highest that had begun, or the first book of every shop.
func (s *Store) earlierBook(ctx context.Context, at time.Time) (commission.Book, error) {
	if s.shelf.isWhole() {
		return commission.FirstBook(), nil
	}
	begin, _, err := s.page(ctx, query{table: Shop, pk: bookKey(0).PK, prefix: linePrefix, limit: 1})
	if err != nil {
		return commission.Book{}, err
	}
	q := query{table: Shop, pk: bookKey(0).PK, prefix: "V#", limit: 1, descending: true}
	if len(begin) > 0 {
		var x segmentItem
		if err := decode(begin[0], &x); err != nil {
			return commission.Book{}, err
		}
		q.after = bookKey(x.Book).item()
	}
	for page := 0; ; page++ {
		items, next, err := s.page(ctx, q)
		if err != nil {
			return commission.Book{}, err
		}
		for _, it := range items {
			b, err := bookFrom(it)
			if err != nil {
				return commission.Book{}, err
			}
			if !b.From.After(at) {
				return b, nil
			}
		}
		if next == nil {
			s.shelf.setWhole(page == 0 && len(items) == 0)
			return commission.FirstBook(), nil
		}
		q.after, q.limit = next, bookPage
	}
}

func bookFrom(it Item) (commission.Book, error) {
	var x bookItem
	if err := decode(it, &x); err != nil {
		return commission.Book{}, err
	}
	b := commission.Book{Version: x.V, From: x.From, Default: x.Default, Products: x.Products.Value}
	if x.Rules != nil {
		r := x.Rules.Value
		b.Rules, b.Campaigns, b.MonthRules, b.InviterRate = r.Rules, r.Campaigns, r.MonthRules, r.InviterRate
	}
	return b, nil
}

func bookWrite(b commission.Book) Write {
	x := bookItem{V: b.Version, From: b.From, Default: b.Default, Products: doc(b.Products)}
	if len(b.Rules)+len(b.Campaigns)+len(b.MonthRules) > 0 || b.InviterRate > 0 {
		r := doc(bookRules{Rules: b.Rules, Campaigns: b.Campaigns, MonthRules: b.MonthRules, InviterRate: b.InviterRate})
		x.Rules = &r
	}
	return Write{Table: Shop, Key: bookKey(b.Version), Guards: once()}.put(x)
}

// PublicationWrites add versions of the rule book and say from when they count, for use beside other writes. The
// versions are put once, so of two publications that saw the same plan one is refused, and with it what it says of the
// line.
func PublicationWrites(p commission.Publication) []Write {
	var writes []Write
	for _, b := range p.New {
		writes = append(writes, bookWrite(b))
	}
	for _, seg := range p.Line {
		writes = append(writes, Write{Table: Shop, Key: lineKey(seg.From)}.
			put(segmentItem{Book: seg.Version, From: seg.From}))
	}
	return writes
}

// BookTaken reports whether a write was refused because another version of the rule book was published meanwhile.
func BookTaken(err error) bool {
	return refusedBy(err, func(k Key) bool { return k.PK == bookKey(0).PK })
}

// Publish adds what a publication says; a Conflict if something else was published meanwhile.
func (s *Store) Publish(ctx context.Context, p commission.Publication, extra ...Write) error {
	err := s.apply(ctx, append(PublicationWrites(p), extra...))
	if BookTaken(err) {
		return changedMeanwhile()
	}
	return err
}

// Bounds of reading the market: an entry of the list has 1 KB at most, so a page of it is about what the engine gives
// at once, and all pages hold more products or KOCs than a shop has.
const (
	marketPage  = 1000
	marketPages = 200
)

// Market is what rules can tell apart of everything that the shop has. The list keeps it, so that it costs a page for a
// thousand products instead of the products. The list may be late by a moment: what is missing came into being just
// now, and nobody can have shared it.
func (s *Store) Market(ctx context.Context) (commission.Market, error) {
	m := commission.Market{Products: map[string]commission.Offer{}, Tiers: map[string]string{}}
	err := s.eachListed(ctx, listing{table: Shop, partition: productList, key: productKey}, func(id string, it Item) error {
		var x struct {
			Offer document[commission.Offer] `dynamodbav:"offer"`
		}
		err := decode(it, &x)
		m.Products[id] = x.Offer.Value
		return err
	})
	if err != nil {
		return m, err
	}
	return m, s.eachListed(ctx, listing{table: Shop, partition: kocList, key: kocKey}, func(handle string, it Item) error {
		m.Tiers[handle] = str(it["tier"])
		return nil
	})
}

func (s *Store) eachListed(ctx context.Context, l listing, read func(id string, it Item) error) error {
	after := ""
	for range marketPages {
		items, next, err := s.list(ctx, l, after, marketPage)
		if err != nil {
			return err
		}
		for _, it := range items {
			if err := read(str(it["listSk"]), it); err != nil {
				return err
			}
		}
		if after = next; next == "" {
			return nil
		}
	}
	return fmt.Errorf("store: the list %s has more than %d entries", l.partition, marketPage*marketPages)
}
