package main

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/locale"
	"yundian/shared/orderform"
	"yundian/shared/ordering"
	"yundian/shared/seal"
)

// trail is what a shopper brings along from page to page. It travels in the address, because in-app browsers lose
// cookies: ?t= link tokens, ?b= the basket (?line= on the basket's own page), ?lang= the language asked for.
type trail struct {
	tokens  []carried // genuine, oldest first
	basket  []ordering.BasketLine
	left    int             // lines of the address that were no lines, or for which there was no room
	long    bool            // there was no room because SKUs are long
	lang    locale.Language // "" unless asked for
	carried string          // tokens and language as a query, made once for all of a page's links
}

// carried is a genuine link token.
type carried struct {
	text, code, handle string
	at                 time.Time
}

// tokenLetters are those that tokens are made of.
const tokenLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

// Limits of what an address carries on.
const (
	maxCarried   = 5                     // tokens; a placed order takes up to 20
	maxRead      = 40                    // tokens looked at in one address
	maxReadLines = 2 * ordering.MaxLines // lines looked at in one address, some of which may name one SKU
)

// readTrail reads an address. Whatever in it is not ours, forged or malformed is left out: it must not lose a sale.
func readTrail(query url.Values, keys seal.Ring, now time.Time) trail {
	var t trail
	for _, text := range query["t"][:min(len(query["t"]), maxRead)] {
		text = text[:len(text)-len(strings.TrimLeft(text, tokenLetters))] // a chat may have written on behind it
		code, at, genuine := attribution.TokenCode(keys, text, now)
		if !genuine || slices.ContainsFunc(t.tokens, func(c carried) bool { return c.text == text }) {
			continue
		}
		handle, _ := koc.HandleOf(code)
		t.tokens = append(t.tokens, carried{text: text, code: code, handle: handle, at: at})
	}
	slices.SortStableFunc(t.tokens, func(a, b carried) int { return a.at.Compare(b.at) })
	t.basket, t.left, t.long = readBasket(append(slices.Clone(query["b"]), query["line"]...))
	if l, ok := locale.Parse(query.Get("lang")); ok {
		t.lang = l
	}
	t.seal()
	return t
}

// readBasket reads lines such as "tea*2" and adds up those of one SKU. left counts what could not be taken; long says that
// fewer than an order takes did not fit into an address.
func readBasket(lines []string) (basket []ordering.BasketLine, left int, long bool) {
	if len(lines) > maxReadLines {
		left, lines = len(lines)-maxReadLines, lines[:maxReadLines]
	}
	for _, text := range lines {
		// A chat may have written on behind the last line of an address.
		line, ok := orderform.ReadBasketValue(strings.TrimRightFunc(text, func(r rune) bool { return r < '0' || r > '9' }))
		if !ok || line.Quantity < 1 || !catalogue.ValidSKU(line.SKU) {
			left++
			continue
		}
		line.Quantity = min(line.Quantity, ordering.MaxQuantity)
		i := slices.IndexFunc(basket, func(b ordering.BasketLine) bool { return catalogue.SameSKU(b.SKU, line.SKU) })
		switch {
		case i >= 0:
			basket[i].Quantity = min(basket[i].Quantity+line.Quantity, ordering.MaxQuantity)
		case !orderform.HasRoom(basket, line.SKU):
			left++
			long = long || len(basket) < ordering.MaxLines
		default:
			basket = append(basket, line)
		}
	}
	return basket, left, long
}

// enter adds the token of a page to the trail and returns it. The newest token is kept if it is of the same KOC, and of
// the same link where the page is a share link's: its code and the time the link was opened survive all navigation. It
// is made anew once it is too old to count, because the page has been seen again, and after another KOC's page.
func (t *trail) enter(keys seal.Ring, v visit, now time.Time) string {
	link := v.landing.Link
	if n := len(t.tokens); n > 0 {
		last := t.tokens[n-1]
		if last.handle == link.KOC && (!v.shared || last.code == link.Code) && !last.at.Before(now.Add(-windowOf(v.landing.Settings))) {
			return last.text
		}
	}
	made := carried{text: attribution.SignToken(keys, link.Code, now), code: link.Code, handle: link.KOC, at: now}
	t.tokens = slices.DeleteFunc(t.tokens, func(c carried) bool { return c.text == made.text })
	t.tokens = append(t.tokens, made)
	t.seal()
	return made.text
}

// seal bounds the tokens to the newest and makes the query that all links share.
func (t *trail) seal() {
	t.tokens = t.tokens[max(0, len(t.tokens)-maxCarried):]
	query := url.Values{}
	for _, c := range t.tokens {
		query.Add("t", c.text)
	}
	if t.lang != "" {
		query.Set("lang", string(t.lang))
	}
	t.carried = query.Encode()
}

// texts are the tokens as forms send them, oldest first.
func (t trail) texts() []string {
	out := make([]string, len(t.tokens))
	for i, c := range t.tokens {
		out[i] = c.text
	}
	return out
}

// to is the address of another page with everything that is brought along; more are names and values in turn.
func (t trail) to(path string, more ...string) string {
	return t.with(path, "b", t.basket, more...)
}

// toBasket is the address of the basket page holding these lines.
func (t trail) toBasket(handle string, basket []ordering.BasketLine) string {
	return t.with(basketPath(handle), "line", basket)
}

func (t trail) with(path, name string, basket []ordering.BasketLine, more ...string) string {
	var query strings.Builder
	add := func(name, value string) {
		if query.Len() > 0 {
			query.WriteByte('&')
		}
		// An asterisk may stand in a query as it is, and a basket is easier to read with it.
		query.WriteString(name + "=" + strings.ReplaceAll(url.QueryEscape(value), "%2A", "*"))
	}
	for i := 0; i+1 < len(more); i += 2 {
		add(more[i], more[i+1])
	}
	for _, b := range basket {
		add(name, orderform.BasketValue(b))
	}
	if t.carried != "" && query.Len() > 0 {
		query.WriteByte('&')
	}
	query.WriteString(t.carried)
	if query.Len() == 0 {
		return path
	}
	return path + "?" + query.String()
}

// plus is the basket with some pieces of a SKU more, or fewer; a line without pieces is gone.
func (t trail) plus(sku string, pieces int64) []ordering.BasketLine {
	out := slices.Clone(t.basket)
	i := slices.IndexFunc(out, func(b ordering.BasketLine) bool { return catalogue.SameSKU(b.SKU, sku) })
	switch {
	case i < 0 && pieces > 0 && orderform.HasRoom(out, sku):
		return append(out, ordering.BasketLine{SKU: sku, Quantity: min(pieces, ordering.MaxQuantity)})
	case i < 0:
		return out
	}
	out[i].Quantity = min(out[i].Quantity+pieces, ordering.MaxQuantity)
	if out[i].Quantity < 1 {
		return slices.Delete(out, i, i+1)
	}
	return out
}

// pieces counts what is in the basket.
func (t trail) pieces() int64 {
	var n int64
	for _, b := range t.basket {
		n += b.Quantity
	}
	return n
}

// productPath and its like are the paths of a storefront's pages; those of the empty handle are the brand's own.
func productPath(handle, product string) string {
	return strings.TrimSuffix(shelfPath(handle), "/") + "/p/" + url.PathEscape(product)
}

func basketPath(handle string) string { return strings.TrimSuffix(shelfPath(handle), "/") + "/basket" }

func shelfPath(handle string) string {
	if handle == "" {
		return "/"
	}
	return "/k/" + handle
}
