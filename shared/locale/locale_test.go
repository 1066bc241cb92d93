package locale

import (
	"strings"
	"sync"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
)

func TestNegotiate(t *testing.T) {
	const fallback Language = "the shop's"
	for _, c := range []struct {
		asked, accept string
		want          Language
	}{
		{"", "", fallback},
		{"", "zh-CN,zh;q=0.9,en;q=0.8", Hans},
		{"", "zh", Hans},
		{"", "zh-SG", Hans},
		{"", "zh-TW", Hant},
		{"", "zh-HK,zh;q=0.9", Hant},
		{"", "zh-MO", Hant},
		{"", "zh-Hant-CN", Hant},
		{"", "en-GB", English},
		{"", "ja,en;q=0.5", English},
		{"", "de,zh-TW;q=0.3", Hant},
		{"", "fr-FR", fallback},
		{"", "en;q=0, zh-TW;q=0.1", Hant},
		{"", "*", fallback},
		{"", ";;;=", fallback},
		{"", strings.Repeat("fr,", 1000) + "zh", fallback}, // too far behind
		{"", "yue-Hant-HK", Hant},
		{"", "yue-Hant-HK,yue;q=0.9,en;q=0.8", Hant},
		{"", "en;q=0.8,zh-yue-HK", Hant},
		{"", "zh-HK,de--;q=0.9,,;q=1,*", Hant}, // what cannot be read spoils nothing
		{"", "en;q=zero,zh-MO;q=0.1", Hant},
		{"", "zh-Hant;q=1.5,en;q=0.2", English},
		{"en", "zh-CN", English},
		{"zh-TW", "en", Hant},
		{"xx", "zh-CN", Hans},
		{"../../etc/passwd", "en", English},
	} {
		if got := Negotiate(Wish{Asked: c.asked, Accept: c.accept}, fallback); got != c.want {
			t.Errorf("asked %q, accepting %.40q: %s, want %s", c.asked, c.accept, got, c.want)
		}
	}
}

// TestChineseInWhoseCharacters: the script of a tag decides, else its region, else how the language is written.
func TestChineseInWhoseCharacters(t *testing.T) {
	for want, tags := range map[Language][]string{
		Hant: {"zh-TW", "zh-HK", "zh-MO", "zh-Hant", "zh-Hant-TW", "zh-Hant-HK", "zh-Hant-MO", "zh-Hant-SG", "zh-Hant-CN", "zh_TW", "ZH-hant-hk", "zh-TW-u-ca-roc",
			"zh-HK-x-ours", "cmn-Hant", "cmn-Hant-TW", "cmn-TW", "zh-cmn-Hant", "yue", "yue-HK", "yue-Hant", "yue-Hant-HK", "yue-MO", "zh-yue", "zh-yue-HK", "nan-TW",
			"nan-Hant-TW", "zh-min-nan-TW", "hak-TW", "hak-Hant", "wuu-Hant", "lzh-Hant", "zh-Bopo"},
		Hans: {"zh", "zh-CN", "zh-SG", "zh-MY", "zh-Hans", "zh-Hans-CN", "zh-Hans-HK", "zh-Hans-TW", "zh-Hani", "cmn", "cmn-CN", "cmn-Hans", "yue-CN", "yue-Hans",
			"yue-Hans-HK", "wuu", "gan", "hsn", "nan-CN", "hak-CN"},
		"": {"zh-Latn", "zh-Latn-pinyin", "yue-Latn", "za", "bo", "ja-Hant", "xx", "zh-", "-", "zh-Hant-" + strings.Repeat("a", 80)},
	} {
		for _, tag := range tags {
			if got, ok := Parse(tag); got != want || ok != (want != "") {
				t.Errorf("%s is %q, want %q", tag, got, want)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for tag, want := range map[string]Language{"zh-Hans": Hans, "zh-TW": Hant, "en": English, "": "", "ru": "", "no such": ""} {
		if got, ok := Parse(tag); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v", tag, got, ok)
		}
	}
}

func TestLanguagesNameThemselves(t *testing.T) {
	if Hans.Name() != "简体中文" || Hant.Name() != "繁體中文" || English.Name() != "English" {
		t.Error("a language has another's name")
	}
}

func TestUnknownLanguageIsEnglish(t *testing.T) {
	if got := For("tlh").Language(); got != English {
		t.Error(got)
	}
}

func TestT(t *testing.T) {
	for _, c := range []struct {
		l    Language
		id   string
		args []any
		want string
	}{
		{Hans, "web.home", nil, "返回店铺"},
		{Hant, "web.home", nil, "返回店鋪"},
		{English, "web.request", []any{"id", "r-1"}, "Request r-1"},
		{English, "web.request", []any{fail.Args{"id": "r-1"}}, "Request r-1"},
		{English, "web.request", nil, "Request {id}"},
		{English, "web.request", []any{"id"}, "Request {id}"},
		{English, "web.request", []any{"id", "{id}<b>"}, "Request {id}<b>"},
		{English, "web.request", []any{"id", "x", "count", "many"}, "Request x"},
		{English, "errors.price_changed", []any{"total", money.Of(1230, "CNY")}, "The total is now CN¥12.30. Please look at the new quote and order again."},
		{Hans, "errors.order_status_pay", []any{"status", "shipped"}, "订单已发货，现在不能付款。"},
		{Hans, "errors.order_status_pay", []any{"status", "melted"}, "订单melted，现在不能付款。"},
		{English, "web.no_such_message", nil, "web.no_such_message"},
	} {
		if got := For(c.l).T(c.id, c.args...); got != c.want {
			t.Errorf("%s %s %v: %q, want %q", c.l, c.id, c.args, got, c.want)
		}
	}
}

// The message files may have no plural at a given time, so the forms are tried on messages of the test's own.
func TestPlurals(t *testing.T) {
	for _, c := range []struct {
		l     Language
		text  string
		count any
		want  string
	}{
		{English, `{"pieces": {"one": "{count} piece", "other": "{count} pieces"}}`, 1, "1 piece"},
		{English, `{"pieces": {"one": "{count} piece", "other": "{count} pieces"}}`, 0, "0 pieces"},
		{English, `{"pieces": {"one": "{count} piece", "other": "{count} pieces"}}`, int64(2), "2 pieces"},
		{Hans, `{"pieces": "{count} 件"}`, 1, "1 件"},
	} {
		messages := map[string]message{}
		if err := parse([]byte(c.text), messages); err != nil {
			t.Fatal(err)
		}
		l := &Locale{language: c.l, tag: For(c.l).tag}
		l.areas.Store("test", messages)
		if got := l.T("test.pieces", "count", c.count); got != c.want {
			t.Errorf("%s: %q, want %q", c.l, got, c.want)
		}
	}
	if err := parse([]byte(`["a"]`), map[string]message{}); err == nil {
		t.Error("a list of messages is accepted")
	}
}

func TestRefusals(t *testing.T) {
	known := fail.New(fail.Conflict, "stock_short", "Only {left} of {title} are left.", fail.Args{"left": 3, "title": "茶"})
	if got := For(Hans).Error(known); got != "茶 只剩 3 件。" {
		t.Error(got)
	}
	unknown := fail.New(fail.Conflict, "no_such_code", "Only {left} left.", fail.Args{"left": 3})
	if got := For(Hans).Error(unknown); got != "Only 3 left." {
		t.Error(got)
	}
	if got := For(Hant).Field(fail.At("body.name", "too_long", "At most {limit} characters.", fail.Args{"limit": 60})); got != "最多 60 個字元。" {
		t.Error(got)
	}
}

func TestMoney(t *testing.T) {
	for _, c := range []struct {
		l    Language
		a    money.Amount
		want string
	}{
		{Hans, money.Of(123456789, "CNY"), "¥1,234,567.89"},
		{English, money.Of(1230, "CNY"), "CN¥12.30"},
		{Hant, money.Of(1230, "TWD"), "$12.30"},
		{English, money.Of(-5, "USD"), "-$0.05"},
		{Hans, money.Of(500, "JPY"), "JP¥500"},
		{English, money.Of(1<<53+1, "USD"), "$90,071,992,547,409.93"},
		{English, money.Amount{}, "0.00"},
	} {
		if got := strings.ReplaceAll(For(c.l).Money(c.a), "\u00a0", " "); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.l, c.a, got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	shanghai := time.FixedZone("CST", 8*60*60)
	at := time.Date(2026, 2, 28, 18, 5, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{For(Hans).Date(at, shanghai), "2026年3月1日"},
		{For(Hant).Date(at, nil), "2026年2月28日"},
		{For(English).Date(at, shanghai), "1 March 2026"},
		{For(Hans).Moment(at, shanghai), "2026年3月1日 02:05"},
		{For(English).Moment(at, nil), "28 February 2026, 18:05"},
		{For(English).Date(time.Time{}, nil), ""},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, l := range Languages {
				For(l).T("web.request", "id", "x")
				For(l).Money(money.Of(5, "CNY"))
				Negotiate(Wish{Accept: "zh-TW"}, English)
			}
		})
	}
	group.Wait()
}
