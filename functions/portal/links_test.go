package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/shop"
	"yundian/shared/web/api"
	"yundian/shared/web/webtest"
)

func (b *bench) link(t *testing.T, handle, target string) NewLink {
	t.Helper()
	var l NewLink
	b.want(t, b.send(t, handle, "POST", "/v1/links", map[string]string{"target": target, "channel": "wechat"}), http.StatusCreated).Decode(t, &l)
	return l
}

func TestMakeLinks(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.shelve(t, "tea", 5000)
	b.publish(t, func(book *commission.Book) { book.Products = map[string]money.BasisPoints{"tea": 2500} })
	store, tea := b.link(t, "mei", "storefront"), b.link(t, "mei", "product:tea")
	code := regexp.MustCompile(`^mei_[23456789abcdefghjkmnpqrstuvwxyz]{7}$`)
	for _, l := range []NewLink{store, tea} {
		if !code.MatchString(l.Code) || l.URL != "https://"+webtest.Host+"/s/"+l.Code || l.Channel != "wechat" || koc.NormalCode(l.Code) != l.Code {
			t.Errorf("made %+v", l)
		}
	}
	if store.Target != "storefront" || store.Rate != 1000 || tea.Target != "product:tea" || tea.Rate != 2500 || store.Code == tea.Code {
		t.Errorf("made %+v and %+v", store, tea)
	}
	landing, err := b.store.Land(t.Context(), tea.Code, "tea")
	if err != nil || landing.Link.Product != "tea" || landing.KOC.Handle != "mei" || !landing.Link.CreatedAt.Equal(b.at) {
		t.Errorf("the link leads to %+v, %v", landing.Link, err)
	}
}

func TestLinksThatCannotBe(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.product(t, catalogue.Product{ID: "draft", Title: "Draft", Status: catalogue.Draft, Variants: []catalogue.Variant{{SKU: "d", Price: money.Of(1, "CNY")}}})
	for _, c := range [][2]string{
		{"product:unknown", "wechat"}, {"product:draft", "wechat"}, {"product:", "wechat"}, {"product:../../x", "wechat"}, {"shop", "wechat"}, {"", "wechat"},
		{"https://evil.example", "wechat"}, {"product:" + strings.Repeat("a", 300), "wechat"}, {"storefront", ""}, {"storefront", "We Chat"}, {"storefront", strings.Repeat("a", 31)},
		{"storefront", "<img>"}, {"Storefront", "wechat"},
	} {
		a := b.want(t, b.send(t, "mei", "POST", "/v1/links", map[string]string{"target": c[0], "channel": c[1]}), http.StatusBadRequest)
		if len(a.Problem(t).Errors) == 0 {
			t.Errorf("%v: no field is named: %s", c, a)
		}
	}
	if page := get[LinkPage](t, b, "mei", "/v1/links"); len(page.Items) != 0 {
		t.Errorf("refused links were made: %+v", page)
	}
}

func TestALinkIsMadeOncePerKey(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	send := func(channel string) webtest.Answer {
		return b.send(t, "mei", "POST", "/v1/links", map[string]string{"target": "storefront", "channel": channel}, "Idempotency-Key", "0123456789abcdef")
	}
	var first, again NewLink
	b.want(t, send("wechat"), http.StatusCreated).Decode(t, &first)
	b.want(t, send("wechat"), http.StatusCreated).Decode(t, &again)
	if first != again {
		t.Errorf("the same key made %+v and %+v", first, again)
	}
	b.want(t, send("line"), http.StatusUnprocessableEntity)
	if page := get[LinkPage](t, b, "mei", "/v1/links"); len(page.Items) != 1 {
		t.Errorf("made %+v", page.Items)
	}
}

func TestLinksAreListedWithWhatTheyBrought(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	b.shelve(t, "tea", 5000)
	made := map[string]NewLink{}
	for range 5 {
		l := b.link(t, "mei", "storefront")
		made[l.Code] = l
	}
	tea := b.link(t, "mei", "product:tea")
	made[tea.Code] = tea
	b.seen(t, tea.Code, 3)
	b.order(t, "o1", []string{"tea"}, tea.Code)
	b.pay(t, "o1")

	var cursors []string
	seen := map[string]Link{}
	for cursor := ""; ; {
		page := get[LinkPage](t, b, "mei", "/v1/links?limit=2&cursor="+cursor)
		for _, l := range page.Items {
			seen[l.Code] = l
		}
		if cursor = page.Next; cursor == "" {
			break
		}
		cursors = append(cursors, cursor)
	}
	if len(seen) != len(made) || len(cursors) < 2 {
		t.Fatalf("paged through %d of %d links in %d pages", len(seen), len(made), len(cursors)+1)
	}
	got := seen[tea.Code]
	if got.NewLink != tea || got.Touches != 3 || got.Orders != 1 || got.Sales != money.Of(5000, "CNY") || got.Commission != money.Of(500, "CNY") {
		t.Errorf("the link brought %+v", got)
	}
	for code, l := range seen {
		if code != tea.Code && (l.Touches != 0 || l.Commission != money.Of(0, "CNY")) {
			t.Errorf("an unused link brought %+v", l)
		}
	}
	b.want(t, b.send(t, "lin", "GET", "/v1/links?cursor="+cursors[0], nil), http.StatusBadRequest)
	b.want(t, b.send(t, "mei", "GET", "/v1/orders?cursor="+cursors[0], nil), http.StatusBadRequest)
	for _, bad := range []string{"x", cursors[0] + "x", strings.ToUpper(cursors[0]), strings.Repeat("a", 3000)} {
		b.want(t, b.send(t, "mei", "GET", "/v1/links?cursor="+bad, nil), http.StatusBadRequest)
	}
	b.at = b.at.AddDate(0, 0, linkDays)
	for _, l := range get[LinkPage](t, b, "mei", "/v1/links?limit=1e9").Items {
		if l.Touches != 0 {
			t.Errorf("after %d days %+v still counts", linkDays, l)
		}
	}
}

func TestThereAreSoManyLinksAndNoMore(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	for i := range koc.MaxLinks {
		l, err := koc.NewLink("mei", "storefront", "wechat", fmt.Sprintf("fill%04d", i), b.at)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.store.CreateLink(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	b.want(t, b.send(t, "mei", "POST", "/v1/links", map[string]string{"target": "storefront", "channel": "wechat"}), http.StatusTooManyRequests)
}

func TestShelf(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.shelve(t, "tea", 5000)
	b.shelve(t, "cup", 3000)
	b.product(t, catalogue.Product{ID: "draft", Title: "Draft", Status: catalogue.Draft, Variants: []catalogue.Variant{{SKU: "d", Price: money.Of(1, "CNY")}}})
	settings, err := b.store.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	settings.DefaultShelf = []string{"tea"}
	if err := b.store.SaveSettings(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	if got := get[Shelf](t, b, "mei", "/v1/shelf"); len(got.Items) != 1 || got.Items[0].Product != "tea" {
		t.Errorf("before choosing, the shelf is %+v", got)
	}
	put := func(status int, items ...ShelfItem) webtest.Answer {
		t.Helper()
		return b.want(t, b.send(t, "mei", "PUT", "/v1/shelf", Shelf{Items: append([]ShelfItem{}, items...)}), status)
	}
	put(http.StatusOK, ShelfItem{"cup", "每天用\u200B它"}, ShelfItem{"tea", ""})
	got := get[Shelf](t, b, "mei", "/v1/shelf")
	if len(got.Items) != 2 || got.Items[0] != (ShelfItem{"cup", "每天用它"}) || got.Items[1].Product != "tea" {
		t.Errorf("the shelf is %+v", got)
	}
	for name, items := range map[string][]ShelfItem{
		"unknown": {{"unknown", ""}}, "not on sale": {{"draft", ""}}, "twice": {{"tea", ""}, {"tea", "x"}}, "no id": {{"", ""}},
		"long note": {{"tea", strings.Repeat("长", 301)}}, "key characters": {{"tea#x", ""}}, "too many": make([]ShelfItem, 201),
	} {
		if a := put(http.StatusBadRequest, items...); len(a.Problem(t).Errors) == 0 {
			t.Errorf("%s: no field is named: %s", name, a)
		}
	}
	// What the brand takes off sale may stay, so that the others can still be moved.
	tea, err := b.store.Product(t.Context(), "tea")
	if err != nil {
		t.Fatal(err)
	}
	archived := tea
	archived.Status = catalogue.Archived
	if err := b.store.SaveProduct(t.Context(), tea, archived, nil); err != nil {
		t.Fatal(err)
	}
	put(http.StatusOK, ShelfItem{"tea", ""}, ShelfItem{"cup", ""})
	put(http.StatusOK)
	if got := get[Shelf](t, b, "mei", "/v1/shelf"); got.Items == nil || len(got.Items) != 0 {
		t.Errorf("an emptied shelf is %+v", got)
	}
	put(http.StatusBadRequest, ShelfItem{"tea", ""})
}

// TestALargeShelf: a shelf takes as many products as it may hold with the longest notes that there are, and gives them back.
func TestALargeShelf(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	var items []ShelfItem
	for i := range shop.ShelfLimit {
		id := fmt.Sprintf("tea-%03d-%s", i, strings.Repeat("x", 112))
		b.shelve(t, id, 5000)
		items = append(items, ShelfItem{id, strings.Repeat("𠀀", 300)})
	}
	a := b.send(t, "mei", "PUT", "/v1/shelf", Shelf{Items: items}, "Idempotency-Key", "the whole of a large shelf")
	b.want(t, a, http.StatusOK)
	b.want(t, b.send(t, "mei", "PUT", "/v1/shelf", Shelf{Items: items}, "Idempotency-Key", "the whole of a large shelf"), http.StatusOK)
	if got := get[Shelf](t, b, "mei", "/v1/shelf"); !slices.Equal(got.Items, items) {
		t.Errorf("%d products came back", len(got.Items))
	}
	var ids []string
	for _, it := range items {
		ids = append(ids, it.Product)
	}
	if page := get[OfferPage](t, b, "mei", "/v1/products?ids="+strings.Join(ids[:48], ",")); len(page.Items) != 48 {
		t.Errorf("%d products are shown", len(page.Items))
	}
	b.want(t, b.send(t, "mei", "GET", "/v1/products?ids="+strings.Join(ids[:49], ","), nil), http.StatusBadRequest)
}

func TestProductsShowWhatSharingEarns(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	for i := range 7 {
		b.shelve(t, fmt.Sprintf("tea-%d", i), 4999)
	}
	b.shelve(t, "cup", 3000)
	b.product(t, catalogue.Product{ID: "draft", Title: "Draft", Status: catalogue.Draft, Variants: []catalogue.Variant{{SKU: "d", Price: money.Of(1, "CNY")}}})
	b.product(t, catalogue.Product{ID: "top", Title: "Varsity Top", Status: catalogue.Active,
		Variants: []catalogue.Variant{{SKU: "top-l", Price: money.Of(9000, "CNY")}, {SKU: "top-s", Price: money.Of(6000, "CNY")}}})
	var ids []string
	var second string
	for cursor, n := "", 0; ; n++ {
		page := get[OfferPage](t, b, "mei", "/v1/products?limit=4&cursor="+cursor)
		for _, o := range page.Items {
			ids = append(ids, o.ID)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
		second = cursor
	}
	if got := strings.Join(ids, " "); got != "cup tea-0 tea-1 tea-2 tea-3 tea-4 tea-5 tea-6 top" {
		t.Errorf("listed %s", got)
	}
	b.want(t, b.send(t, "lin", "GET", "/v1/products?limit=4&cursor="+second, nil), http.StatusBadRequest)
	b.want(t, b.send(t, "mei", "GET", "/v1/products?q=tea&cursor="+second, nil), http.StatusBadRequest)
	found := get[OfferPage](t, b, "mei", "/v1/products?q=VARSITY").Items
	if len(found) != 1 || found[0].ID != "top" || !found[0].From || found[0].Price != money.Of(6000, "CNY") || found[0].Commission != money.Of(600, "CNY") || found[0].Rate != 1000 {
		t.Errorf("found %+v", found)
	}
	if tea := get[OfferPage](t, b, "mei", "/v1/products?q=tea-3").Items; len(tea) != 1 || tea[0].Commission.Minor != 500 || tea[0].Image == "" || tea[0].From {
		t.Errorf("tea earns %+v", tea)
	}
	named := get[OfferPage](t, b, "mei", "/v1/products?ids=draft,unknown,cup,%23").Items
	if len(named) != 2 || named[0].ID != "draft" || named[0].Status != "draft" || named[1].ID != "cup" {
		t.Errorf("named %+v", named)
	}
	b.want(t, b.send(t, "mei", "GET", "/v1/products?ids="+strings.Repeat("a,", 60), nil), http.StatusBadRequest)
	for _, limit := range []string{"0", "-1", "x", "1.5"} {
		b.want(t, b.send(t, "mei", "GET", "/v1/products?limit="+limit, nil), http.StatusBadRequest)
	}
}

func TestCodesOfOneKeyAreTheSame(t *testing.T) {
	p := &portal{random: func() string { return "chance" }, now: func() time.Time { return noon }}
	in := &makeLinkInput{Keyed: api.Keyed{Key: "0123456789abcdef"}}
	in.Body.Target, in.Body.Channel = "storefront", "wechat"
	a, err := p.unique("mei", in)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := p.unique("mei", in); a != b {
		t.Errorf("one wish has two codes, %s and %s", a, b)
	}
	if b, _ := p.unique("lin", in); a == b {
		t.Error("two KOCs have one code")
	}
	in.Body.Channel = "line"
	if b, _ := p.unique("mei", in); a == b {
		t.Error("two wishes have one code")
	}
}
