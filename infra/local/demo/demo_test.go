package demo

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/shop"
)

func TestProductsCouldBeSoldByAnyShop(t *testing.T) {
	skus := map[string]bool{}
	for _, p := range Products {
		full := catalogue.Product{ID: p.ID, Title: p.Title, Body: p.Body, Scene: p.Scene, Type: p.Type, Tags: p.Tags, Options: p.Options,
			Status: catalogue.Active, Images: []catalogue.Image{{Src: p.Image(), Alt: p.Alt}}}
		for _, v := range p.Variants {
			if skus[v.SKU] || v.Stock <= 0 || v.Grams <= 0 || v.Price <= 0 || v.CompareAt != 0 && v.CompareAt <= v.Price {
				t.Errorf("variant %+v", v)
			}
			if (v.Option == "") != (len(p.Options) == 0) {
				t.Errorf("%s: option %q of %v", v.SKU, v.Option, p.Options)
			}
			skus[v.SKU] = true
			full.Variants = append(full.Variants, catalogue.Variant{SKU: v.SKU, Title: v.Option, Price: money.Of(v.Price, "CNY"), CompareAt: money.Of(v.CompareAt, "CNY")})
		}
		if err := full.Validate("CNY"); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		if p.Scene == "" || p.Alt == "" || len(p.Tags) == 0 || p.Rate < 0 || p.Rate > 3000 {
			t.Errorf("%s lacks its scene, picture text or tags, or has an odd rate", p.ID)
		}
	}
	if len(Products) < 12 || len(Products) > shop.ShelfLimit {
		t.Errorf("%d products", len(Products))
	}
	for _, id := range House.DefaultShelf {
		if product(id) == nil {
			t.Errorf("no product %s for the shelf", id)
		}
	}
}

// The Advertising Law of the PRC (articles 9 and 17) bans superlatives and health claims for goods like these.
func TestTextsPromiseNothingTheLawForbids(t *testing.T) {
	banned := regexp.MustCompile(`最佳|最好|第一品牌|国家级|顶级|治疗|降血|减肥|抗癌|养生|排毒|疗效`)
	check := func(where, text string) {
		if m := banned.FindString(text); m != "" {
			t.Errorf("%s says %q", where, m)
		}
		if !utf8.ValidString(text) {
			t.Errorf("%s is not UTF-8", where)
		}
	}
	for _, p := range Products {
		check(p.ID, p.Title+p.Body+p.Scene+strings.Join(p.Tags, ""))
	}
	for _, k := range KOCs {
		check(k.Handle, k.Story)
		for _, n := range k.Shelf {
			check(k.Handle, n.Text)
		}
	}
}

func product(id string) *Product {
	i := slices.IndexFunc(Products, func(p Product) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &Products[i]
}

func TestKOCsAndTheirLinks(t *testing.T) {
	names := map[string]bool{}
	for _, k := range KOCs {
		if _, err := koc.NewProfile(k.Handle, k.Name, k.Email, time.Now()); err != nil {
			t.Errorf("%s: %v", k.Handle, err)
		}
		if utf8.RuneCountInString(k.Story) > koc.MaxStory || utf8.RuneCountInString(k.Story) < 100 {
			t.Errorf("%s: story of %d characters", k.Handle, utf8.RuneCountInString(k.Story))
		}
		for _, n := range k.Shelf {
			if product(n.Product) == nil || n.Text == "" || utf8.RuneCountInString(n.Text) > koc.MaxNote {
				t.Errorf("%s: note %+v", k.Handle, n)
			}
		}
		for _, l := range k.Links {
			target := "storefront"
			if l.Product != "" {
				target = "product:" + l.Product
				if product(l.Product) == nil {
					t.Errorf("link %s leads to no product", l.Name)
				}
			}
			if _, err := koc.NewLink(k.Handle, target, l.Channel, "abcdef", time.Now()); err != nil {
				t.Errorf("link %s: %v", l.Name, err)
			}
			if names[l.Name] || !strings.HasPrefix(l.Name, k.Handle+"/") {
				t.Errorf("link name %s", l.Name)
			}
			names[l.Name] = true
		}
	}
	for _, a := range Applicants {
		if _, err := koc.NewProfile(a.Handle, a.Name, a.Email, time.Now()); err != nil || a.Story == "" {
			t.Errorf("applicant %s: %v", a.Handle, err)
		}
	}
	for _, o := range Orders {
		if o.Link != "" && !names[o.Link] {
			t.Errorf("an order came by the link %q that nobody made", o.Link)
		}
	}
}

func TestShoppersLiveSomewhere(t *testing.T) {
	phone := regexp.MustCompile(`^\+8613800000\d{3}$`) // a range of nobody's
	used := map[string]bool{}
	for key, s := range Shoppers {
		if !phone.MatchString(s.Phone) || used[s.Phone] || s.Name == "" || s.Line == "" || len(s.Division) != 6 || len(s.Postcode) != 6 {
			t.Errorf("%s: %+v", key, s)
		}
		used[s.Phone] = true
	}
}

// The plan is walked through with a shop's rules, so that what it says an order ends as is what will be seen.
func TestTheOrderPlanHolds(t *testing.T) {
	stock, ends := map[string]int64{}, map[string]int{}
	for _, p := range Products {
		for _, v := range p.Variants {
			stock[v.SKU] = v.Stock
		}
	}
	last := 1 << 30
	for i, o := range Orders {
		if o.DaysAgo > last {
			t.Errorf("order %d stands after a younger one", i)
		}
		last = o.DaysAgo
		if _, ok := Shoppers[o.Shopper]; !ok || len(o.Lines) == 0 {
			t.Errorf("order %d: shopper %q, %d lines", i, o.Shopper, len(o.Lines))
		}
		if _, err := time.Parse("15:04", o.Clock); err != nil && o.Clock != "now" {
			t.Errorf("order %d: %v", i, err)
		}
		if got := outcome(t, i, o); got != o.Ends {
			t.Errorf("order %d ends %s, the plan says %s", i, got, o.Ends)
		}
		for _, l := range o.Lines {
			if stock[l.SKU] -= int64(l.Quantity); stock[l.SKU] < 0 || l.Quantity < 1 {
				t.Errorf("order %d takes %d of %s that are not there", i, l.Quantity, l.SKU)
			}
		}
		ends[o.Ends]++
	}
	for _, state := range []string{"held", "confirmed", "paid", "shipped", "delivered", "released", "cancelled", "expired"} {
		if ends[state] == 0 {
			t.Errorf("no order ends %s", state)
		}
	}
}

func outcome(t *testing.T, i int, o Order) string {
	t.Helper()
	age := o.DaysAgo * 24
	state, delivered, at := "held", 0, 0
	if o.Payment == onDelivery {
		state = "confirmed"
	}
	for _, s := range o.Then {
		if s.Hours < at || s.Hours > age {
			t.Errorf("order %d: %s after %d hours is out of order or has not happened yet", i, s.Do, s.Hours)
		}
		at = s.Hours
		switch s.Do {
		case Pay, PayLate:
			state = "paid"
		case Ship:
			if state != "paid" && state != "confirmed" || s.Text == "" {
				t.Errorf("order %d is shipped while %s", i, state)
			}
			state = "shipped"
		case Deliver, Receive:
			if state != "shipped" {
				t.Errorf("order %d arrives while %s", i, state)
			}
			state, delivered = "delivered", s.Hours
		case Cancel:
			state = "cancelled"
		case Refund, Return, Hold:
			if s.Text == "" {
				t.Errorf("order %d: %s without a reason", i, s.Do)
			}
		case Decline:
		default:
			t.Errorf("order %d: unknown step %s", i, s.Do)
		}
	}
	switch {
	case state == "held" && o.Clock != "now":
		return "expired"
	case state == "delivered" && age-delivered > House.ReturnDays*24:
		return "released"
	}
	return state
}

func TestPicturesAreThereWellFormedAndHarmless(t *testing.T) {
	server := httptest.NewServer(Pictures())
	defer server.Close()
	addresses := []string{House.Hero}
	for _, p := range Products {
		addresses = append(addresses, p.Image())
	}
	for _, k := range KOCs {
		addresses = append(addresses, k.Portrait())
	}
	for _, address := range addresses {
		name, ok := strings.CutPrefix(address, PicturePath)
		if !ok {
			t.Errorf("%s is not below %s", address, PicturePath)
		}
		resp, err := server.Client().Get(server.URL + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d %v %v", name, resp.StatusCode, resp.Header, err)
		}
		checkSVG(t, name, string(body))
	}
	for path, status := range map[string]int{"/": 404, "/nothing.svg": 404, "/../demo.go": 404} {
		w := httptest.NewRecorder()
		Pictures().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != status {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	files, err := pictures.ReadDir("pictures")
	if err != nil || len(files) != len(addresses) {
		t.Errorf("%d pictures for %d addresses: %v", len(files), len(addresses), err)
	}
}

func checkSVG(t *testing.T, name, text string) {
	t.Helper()
	if len(text) > 64<<10 {
		t.Errorf("%s has %d bytes: too heavy for a phone", name, len(text))
	}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if slices.Contains([]string{"script", "foreignObject", "image", "use", "a", "style", "text"}, start.Name.Local) {
			t.Errorf("%s holds <%s>", name, start.Name.Local)
		}
		for _, a := range start.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") || strings.Contains(a.Value, "url(") && !strings.HasPrefix(a.Value, "url(#") {
				t.Errorf("%s: attribute %s=%q", name, a.Name.Local, a.Value)
			}
		}
	}
}
