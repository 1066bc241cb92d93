package commission

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"yundian/shared/catalogue"
	"yundian/shared/ordering"
)

// Market is what a shop has that rules can tell apart: its products, and the KOCs who sell them. Together with two
// books it says which classes of sales can exist, and so which of them a publication can make earn less.
type Market struct {
	Products map[string]Offer  // by id
	Tiers    map[string]string // of every KOC, by handle; empty for none
}

// Offer is a product as rules see it.
type Offer struct {
	Tags   []string // those that an order keeps for its rules
	Prices Prices   // of its variants
}

// Prices are the lowest and the highest price of some goods in minor units; the zero value says that they are not
// known.
type Prices struct {
	Known     bool
	Low, High int64
}

// OfferOf is a product as rules see it.
func OfferOf(p catalogue.Product) Offer {
	o := Offer{Tags: ordering.FrozenTags(p.Tags)}
	for i, v := range p.Variants {
		price := Prices{Known: true, Low: v.Price.Minor, High: v.Price.Minor}
		if i == 0 {
			o.Prices = price
		}
		o.Prices = o.Prices.with(price)
	}
	return o
}

// With is the market when some products are as they are about to be saved.
func (m Market) With(products ...catalogue.Product) Market {
	after := Market{Products: maps.Clone(m.Products), Tiers: m.Tiers}
	if after.Products == nil {
		after.Products = map[string]Offer{}
	}
	for _, p := range products {
		after.Products[p.ID] = OfferOf(p)
	}
	return after
}

// with are the prices of two kinds of goods together. Whoever may cost anything makes that so for both.
func (p Prices) with(o Prices) Prices {
	if !p.Known || !o.Known {
		return Prices{}
	}
	return Prices{Known: true, Low: min(p.Low, o.Low), High: max(p.High, o.High)}
}

// goods are products that no rule of some books tells apart, with one of them to stand for all.
type goods struct {
	product string // empty for a product that the shop does not have yet
	tags    []string
	prices  Prices
}

// seller is a KOC in a tier; one without a handle stands for all KOCs in the tier whom no rule names.
type seller struct{ koc, tier string }

// classes are the sales that can exist, as far as the books of two plans tell them apart.
//
// Every product counts with the tags that it has and every KOC with the tier, because another tag and another tier
// count at once whatever the book says. A rule about a tag or a tier that nothing has yet is a promise too, and so is
// the default rate of a shop without products: so the sales that a rule names and that have nothing else are looked at
// beside these, see named; and a KOC in no tier can come at any moment.
type classes struct {
	market Market
	goods  []goods
	tags   map[string]bool   // that a rule names
	tagged map[string]Prices // of the products with a tag
	plain  Prices            // of products that no rule is about; of all when there is none
	crowd  map[string]int    // how many KOCs are in a tier
}

// classesOf sorts what a market has by what two plans say of it. It takes time in proportion to the products and KOCs.
func classesOf(p, next Plan, m Market) *classes {
	c := &classes{market: m, tags: map[string]bool{}, tagged: map[string]Prices{}, crowd: map[string]int{}}
	books, named := slices.Concat(p.Books, next.Books), map[string]bool{}
	note := func(m Match) { c.tags[m.Tag], named[m.Product] = true, true }
	for _, b := range books {
		for _, r := range b.Rules {
			note(r.Match)
		}
		for _, r := range b.MonthRules {
			note(r.Match)
		}
	}
	for _, tier := range m.Tiers {
		c.crowd[tier]++
	}
	c.sort(p, next, named)
	return c
}

// sort fills goods: a product that a rule names stands for itself, and so do the first few whose own rate falls,
// because each of these is a cut worth its name. Of the thousands of others, those that are alike are one.
func (c *classes) sort(p, next Plan, named map[string]bool) {
	at := map[string]int{}
	add := func(key string, g goods) {
		i, known := at[key]
		if !known {
			i, at[key] = len(c.goods), len(c.goods)
			c.goods = append(c.goods, g)
		}
		c.goods[i].prices = c.goods[i].prices.with(g.prices)
	}
	books, falling := slices.Concat(p.Books, next.Books), 0
	var all Prices
	for i, id := range c.products(books, named) {
		g := c.of(id)
		if i == 0 {
			all = g.prices
		}
		all = all.with(g.prices)
		for _, tag := range g.tags {
			if prices, known := c.tagged[tag]; known {
				c.tagged[tag] = prices.with(g.prices)
			} else {
				c.tagged[tag] = g.prices
			}
		}
		key := likeness(g, books)
		switch {
		case named[id]:
			key = "id " + id
		case falling < maxCuts && falls(id, p, next):
			falling++
			key = "id " + id
		}
		add(key, g)
	}
	c.plain = all
	if i, known := at[likeness(goods{}, books)]; known {
		c.plain = c.goods[i].prices
	}
}

// products are those that there are, and those that books name before the list of all products shows them.
func (c *classes) products(books []Book, named map[string]bool) []string {
	all := maps.Clone(named)
	for id := range c.market.Products {
		all[id] = true
	}
	for _, b := range books {
		for id := range b.Products {
			all[id] = true
		}
	}
	delete(all, "")
	return slices.Sorted(maps.Keys(all))
}

// of is a product with those of its tags that a rule names.
func (c *classes) of(id string) goods {
	offer := c.market.Products[id]
	g := goods{product: id, prices: offer.Prices}
	for _, tag := range offer.Tags {
		if c.tags[tag] && !slices.Contains(g.tags, tag) {
			g.tags = append(g.tags, tag)
		}
	}
	slices.Sort(g.tags)
	return g
}

// likeness is equal for goods that the rules of some books cannot tell apart. Those with own rates have the same
// prices, so that a cut is never said of one while another one has the price that makes it one; of the rest, none is
// named.
func likeness(g goods, books []Book) string {
	var key strings.Builder
	owns := false
	for _, b := range books {
		if rate, own := b.Products[g.product]; own {
			owns = true
			key.WriteString(strconv.FormatInt(int64(rate), 10))
		}
		key.WriteByte(' ')
	}
	if owns {
		fmt.Fprint(&key, g.prices)
	}
	for _, tag := range g.tags {
		key.WriteString(strconv.Quote(tag))
	}
	return key.String()
}

// falls reports whether a product's own rate is lower in some book of one plan than in some book of another.
func falls(id string, p, next Plan) bool {
	for _, b := range p.Books {
		was, had := b.Products[id]
		if had && slices.ContainsFunc(next.Books, func(n Book) bool { is, has := n.Products[id]; return has && is < was }) {
			return true
		}
	}
	return false
}

// named is the sale that has what a match names and nothing else that any rule could name, except for the tags and the
// tier that a named product and a named KOC have: every rule about it is about all that the match is about. It is false
// when a product or a KOC is named with a tag or a tier that it does not have.
func (c *classes) named(m Match) (goods, seller, bool) {
	s := seller{m.KOC, m.Tier}
	if m.KOC != "" {
		s.tier = c.market.Tiers[m.KOC]
	}
	g := goods{prices: c.plain}
	switch {
	case m.Product != "":
		g = c.of(m.Product)
	case m.Tag != "":
		g = goods{tags: []string{m.Tag}, prices: c.tagged[m.Tag]}
	}
	return g, s, (m.Tier == "" || m.Tier == s.tier) && (m.Tag == "" || slices.Contains(g.tags, m.Tag))
}

// tiers are those of the KOCs who are not among some names; whoever comes is in none.
func (c *classes) tiers(names []string) []string {
	left := maps.Clone(c.crowd)
	for _, handle := range names {
		if tier, known := c.market.Tiers[handle]; known {
			left[tier]--
		}
	}
	left[""] = max(left[""], 1)
	maps.DeleteFunc(left, func(_ string, kocs int) bool { return kocs <= 0 })
	return slices.Sorted(maps.Keys(left))
}

// sheet is a table sorted by the KOC whom a row names, and by the product or else the tag, so that the rows about some
// goods are found without looking at all of them.
type sheet struct {
	table
	byKOC map[string]*drawer
}

type drawer struct {
	rows             []row
	all              []int            // places of rows that name neither a product nor a tag
	byProduct, byTag map[string][]int // of those that do; one that names both is found by its product
}

func (t table) sheet() sheet {
	s := sheet{t, map[string]*drawer{}}
	for _, r := range t.rows {
		d := s.byKOC[r.match.KOC]
		if d == nil {
			d = &drawer{byProduct: map[string][]int{}, byTag: map[string][]int{}}
			s.byKOC[r.match.KOC] = d
		}
		i := len(d.rows)
		d.rows = append(d.rows, r)
		switch {
		case r.match.Product != "":
			d.byProduct[r.match.Product] = append(d.byProduct[r.match.Product], i)
		case r.match.Tag != "":
			d.byTag[r.match.Tag] = append(d.byTag[r.match.Tag], i)
		default:
			d.all = append(d.all, i)
		}
	}
	return s
}

// about are the rows about some goods that name a KOC, or none when the handle is empty, the most specific first. The
// first one about every tier and customer is the last: what stands behind it never counts.
func (s sheet) about(handle string, g goods) []row {
	d := s.byKOC[handle]
	if d == nil {
		return nil
	}
	places := slices.Concat(d.all, d.byProduct[g.product])
	for _, tag := range g.tags {
		places = append(places, d.byTag[tag]...)
	}
	slices.Sort(places)
	own, known := s.product(g.product)
	var out []row
	for _, i := range places {
		r := d.rows[i]
		if known && r.rank <= rankProduct {
			return append(out, own)
		}
		if r.match.Tag == "" || slices.Contains(g.tags, r.match.Tag) {
			out = append(out, r)
		}
		if closed(out) {
			break
		}
	}
	return out
}

// closed reports whether the last one of some rows counts for every tier and customer.
func closed(rows []row) bool {
	return len(rows) > 0 && rows[len(rows)-1].match.Tier == "" && rows[len(rows)-1].match.Customer == ""
}

// terms are the rows about some goods for one KOC: all that name the KOC go before those that name none.
type terms struct{ own, common []row }

// of is the row that counts for a sale.
func (t terms) of(tier string, c ordering.Customer) row {
	about := func(x row) bool {
		return (x.match.Tier == "" || x.match.Tier == tier) && (x.match.Customer == "" || x.match.Customer == c)
	}
	if i := slices.IndexFunc(t.own, about); i >= 0 {
		return t.own[i]
	}
	return t.common[slices.IndexFunc(t.common, about)] // the last one is about every sale
}

// alike reports whether rows say the same of the same sales.
func alike(a, b []row) bool {
	return slices.EqualFunc(a, b, func(a, b row) bool {
		a.terms.RuleVersion, b.terms.RuleVersion = 0, 0
		return a.match == b.match && a.terms == b.terms
	})
}

// kocs are the KOCs whom two sheets name: those about whom they say something else, and of the rest those who fall
// under common rows as well, because no row of their own is about everything. The others earn what they earned.
func (s sheet) kocs(after sheet) (all, changed, open []string) {
	all = slices.DeleteFunc(sortedKeys(s.byKOC, after.byKOC), func(handle string) bool { return handle == "" })
	rows := func(d *drawer) []row {
		if d == nil {
			return nil
		}
		return d.rows
	}
	for _, handle := range all {
		was, is := rows(s.byKOC[handle]), rows(after.byKOC[handle])
		switch {
		case !alike(was, is):
			changed = append(changed, handle)
		case !slices.ContainsFunc(was, func(r row) bool { return r.rank == rankKOC }):
			open = append(open, handle)
		}
	}
	return all, changed, open
}
