package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"yundian/infra/local/engine/enginetest"
	"yundian/infra/rules"
	"yundian/shared/attribution"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60(0x18003c2f) NetType/4G Language/zh_CN"

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

// bench is a touch function on fresh tables with a clock that tests turn.
type bench struct {
	*touch
	env storetest.Env
	at  time.Time
}

func open(t *testing.T) *bench {
	t.Helper()
	keys, err := seal.Parse(`{"1": "0123456789abcdef0123456789abcdef"}`)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{at: noon}
	s, env := storetest.OpenWithEnv(t)
	b.env = env
	b.touch = &touch{store: s, keys: keys, identity: []byte("a key that is never rotated"), now: func() time.Time { return b.at }}
	return b
}

func (b *bench) token(code string, at time.Time) string {
	return attribution.SignToken(b.keys, code, at)
}

// send posts a beacon from a phone; with names headers to set, in pairs, and takes one away when its value is "-".
func (b *bench) send(t *testing.T, body any, with ...string) webtest.Answer {
	t.Helper()
	r := webtest.Request{Method: http.MethodPost, Path: "/touch", JSON: body, Header: map[string]string{"User-Agent": phone}}
	if text, ok := body.(string); ok {
		r.JSON, r.Body = nil, text
		r.Header["Content-Type"] = "application/json"
	}
	for i := 0; i+1 < len(with); i += 2 {
		r.Header[with[i]] = with[i+1]
	}
	return webtest.Do(t, routes(b.touch), r)
}

func (b *bench) touched(t *testing.T, token string, with ...string) {
	t.Helper()
	if a := b.send(t, beacon{Token: token}, with...); a.Status != http.StatusNoContent || a.Body != "" {
		t.Fatalf("beacon was answered %s", a)
	}
}

// touches are the recorded touches' keys.
func (b *bench) touches(t *testing.T) []string {
	t.Helper()
	out, err := enginetest.Client(t).Scan(context.Background(), &dynamodb.ScanInput{TableName: aws.String(b.env["TOUCHES_TABLE"]), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, it := range out.Items {
		if !strings.HasPrefix(store.KeyOf(it).SK, "TOUCH#") {
			continue
		}
		seen, err := store.TouchFrom(it)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, strings.Join([]string{seen.KOC, seen.Code, seen.Day}, " "))
	}
	return keys
}

func (b *bench) wants(t *testing.T, n int, why string) {
	t.Helper()
	if got := b.touches(t); len(got) != n {
		t.Errorf("%s: %d touches %v, want %d", why, len(got), got, n)
	}
}

func TestRoutesAreTheTemplates(t *testing.T) {
	declared, err := rules.Routes("touch")
	if err != nil {
		t.Fatal(err)
	}
	mux := routes(&touch{})
	for _, route := range declared {
		r, err := http.NewRequest(http.MethodPost, route.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, pattern := mux.Handler(r); pattern != "POST "+route.Path {
			t.Errorf("%s is served by %q", route.Path, pattern)
		}
	}
	if len(declared) != 1 {
		t.Errorf("the template declares %d routes, the function has 1", len(declared))
	}
}

func TestAPhoneCountsOncePerLinkAndDay(t *testing.T) {
	b := open(t)
	for range 3 {
		b.touched(t, b.token("mei_abc2345", b.at))
	}
	if got := b.touches(t); len(got) != 1 || got[0] != "mei mei_abc2345 2026-03-01" {
		t.Fatalf("three looks at one link gave %v", got)
	}
	b.touched(t, b.token("mei_other23", b.at))
	b.wants(t, 2, "another link")
	b.touched(t, b.token("mei_abc2345", b.at), "User-Agent", phone+" XWEB/1")
	b.wants(t, 3, "another browser at the same address")
	b.at = noon.Add(12 * time.Hour) // midnight in Shanghai, not in UTC
	b.touched(t, b.token("mei_abc2345", b.at))
	b.wants(t, 4, "the next day of the shop")
}

func TestTenThousandLooksAreOne(t *testing.T) {
	b := open(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			event, adapter := webtest.Event(t, webtest.Request{Method: http.MethodPost, Path: "/touch", JSON: beacon{Token: b.token("mei", b.at)},
				Header: map[string]string{"User-Agent": phone}}), web.New(routes(b.touch))
			for range 1250 {
				if got := adapter.Handle(t.Context(), event); got.StatusCode != http.StatusNoContent {
					t.Errorf("a beacon was answered %d", got.StatusCode)
					return
				}
			}
		})
	}
	all.Wait()
	b.wants(t, 1, "10,000 beacons of one browser")
}

// TestABurstFromOneAddress: whatever browsers an address names, only so many new touches count in a minute; another
// address, the next minute and the same visitor again are not concerned.
func TestABurstFromOneAddress(t *testing.T) {
	b := open(t)
	adapter := web.New(routes(b.touch))
	from := func(address string, first, n int) {
		t.Helper()
		var all sync.WaitGroup
		for i := first; i < first+n; i++ {
			all.Go(func() {
				event := webtest.Event(t, webtest.Request{Method: http.MethodPost, Path: "/touch", JSON: beacon{Token: b.token("mei", b.at)},
					Header: map[string]string{"User-Agent": fmt.Sprint(phone, " Build/", i)}})
				event.RequestContext.HTTP.SourceIP = address
				if got := adapter.Handle(t.Context(), event); got.StatusCode != http.StatusNoContent {
					t.Errorf("a beacon was answered %d", got.StatusCode)
				}
			})
		}
		all.Wait()
	}
	from("203.0.113.7", 0, store.TouchesPerMinute+40)
	b.wants(t, store.TouchesPerMinute, "a burst of changing browsers")
	from("203.0.113.8", 0, 5)
	b.wants(t, store.TouchesPerMinute+5, "another address")
	b.at = b.at.Add(time.Minute)
	from("203.0.113.7", 1000, 7)
	b.wants(t, store.TouchesPerMinute+12, "the next minute")
	from("2001:db8:1:2::1", 0, 40)
	from("2001:db8:1:2::2", 40, 40)
	b.wants(t, 2*store.TouchesPerMinute+12, "two addresses of one network")
}

func TestTheShopsZoneDividesDays(t *testing.T) {
	b := open(t)
	settings := shop.Default()
	settings.TimeZone = "America/New_York"
	if err := b.store.SaveSettings(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	b.at = time.Date(2026, 3, 1, 4, 59, 0, 0, time.UTC)
	b.touched(t, b.token("mei", b.at))
	settings.Version, settings.TimeZone = 1, "Asia/Tokyo"
	if err := b.store.SaveSettings(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	b.at = b.at.Add(zoneKept - time.Second)
	b.touched(t, b.token("mei_kept2345", b.at))
	b.at = b.at.Add(time.Second)
	b.touched(t, b.token("mei_read2345", b.at))
	want := map[string]bool{"mei mei 2026-02-28": true, "mei mei_kept2345 2026-03-01": true, "mei mei_read2345 2026-03-01": true}
	for _, got := range b.touches(t) {
		if !want[got] {
			t.Errorf("recorded %q", got)
		}
	}
	b.wants(t, 3, "three links")
	if zone, err := b.zone.of(t.Context(), b.store, b.at); err != nil || zone.String() != "Asia/Tokyo" {
		t.Errorf("after five minutes the zone is %v, %v", zone, err)
	}
}

func TestMachinesDoNotCount(t *testing.T) {
	b := open(t)
	for _, agent := range []string{
		"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
		"meta-externalagent/1.1", "WhatsApp/2.23.18.78 i", "WhatsApp/2.2587.9 W",
		"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Slack-ImgProxy (+https://api.slack.com/robots)",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
		"Twitterbot/1.0", "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
		"facebookexternalhit/1.1;line-poker/1.0", "line-poker/1.0",
		"WeChat/8.0.60.31 CFNetwork/1494.0.7 Darwin/23.4.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60",
		"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
		"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
		"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		"Mozilla/5.0 (Linux; Android 11) AppleWebKit/537.36 Chrome/125.0 Safari/537.36 Google-Read-Aloud", "Google-InspectionTool/1.0",
		"Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15 (Applebot/0.1)", "TelegramBot (like TwitterBot)",
		"Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "Mozilla/5.0 (compatible; Baiduspider/2.0)",
		"DingTalkBot-LinkService/1.0", "kakaotalk-scrap/1.0", "okhttp/4.12.0", "Dalvik/2.1.0 (Linux; U; Android 14)",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
		"curl/8.5.0", "Wget/1.21", "python-requests/2.32", "Python-urllib/3.12", "python-httpx/0.27", "Python/3.12 aiohttp/3.9", "Go-http-client/2.0", "Java/17.0.1", "Apache-HttpClient/4.5",
		"axios/1.7", "node", "node-fetch/1.0", "undici", "Ruby", "Faraday v2", "GuzzleHttp/7", "PostmanRuntime/7.39", "HTTPie/3.2", "Dart/3.4 (dart:io)", "reqwest/0.12", "libwww-perl/6.7",
		"Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/20.0.3", "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
		"Mozilla/4.0 (compatible; MSIE 6.0)", "Mozilla/5.0", "", strings.Repeat("Mozilla/5.0 ", 100),
	} {
		b.touched(t, b.token("mei", b.at), "User-Agent", agent)
	}
	for _, header := range [][2]string{{"Purpose", "prefetch"}, {"Sec-Purpose", "prefetch;prerender"}, {"Sec-Purpose", "prefetch"}, {"X-Moz", "prefetch"}, {"X-Purpose", "preview"}} {
		b.touched(t, b.token("mei", b.at), header[0], header[1])
	}
	b.wants(t, 0, "machines")
}

func TestPeopleCount(t *testing.T) {
	b := open(t)
	agents := []string{
		phone,
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/107.0.0.0 Safari/537.36 NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat(0x63090a13) XWEB/8555 Flue",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36 MicroMessenger/7.0.20.1781(0x6700143B) NetType/WIFI MacWechat/3.8.9(0x13080910) XWEB/1227",
		"Mozilla/5.0 (Linux; Android 14; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/14.8.0",
		"Opera/9.80 (Android; Opera Mini/58.0.2254/191.266; U; en) Presto/2.12.423 Version/12.16",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/465.0]",
	}
	for _, agent := range agents {
		b.touched(t, b.token("mei", b.at), "User-Agent", agent, "Origin", "https://"+webtest.Host, "Sec-Fetch-Site", "same-origin")
	}
	b.wants(t, len(agents), "people")
}

func TestTokensThatProveNothing(t *testing.T) {
	b := open(t)
	good := b.token("mei_abc2345", b.at)
	other, err := seal.Parse(`{"1": "another secret, another store!!"}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"flipped":            good[:len(good)-1] + string(good[len(good)-1]^1),
		"another code":       strings.Replace(good, "mei_", "lin_", 1),
		"another shop's key": attribution.SignToken(other, "mei_abc2345", b.at),
		"from the future":    b.token("mei_abc2345", b.at.Add(time.Hour)),
		"kept for days":      b.token("mei_abc2345", b.at.Add(-25*time.Hour)),
		"no token":           "x", "three dots": "...", "long": strings.Repeat("a", 900),
	} {
		if a := b.send(t, beacon{Token: token}); a.Status != http.StatusNoContent {
			t.Errorf("%s: %s", name, a)
		}
	}
	b.wants(t, 0, "worthless tokens")
	b.touched(t, b.token("mei_abc2345", b.at.Add(-23*time.Hour)))
	b.wants(t, 1, "a tab left open")
}

func TestHostileRequests(t *testing.T) {
	b := open(t)
	good := b.token("mei", b.at)
	for name, c := range map[string]struct {
		body   any
		with   []string
		status int
	}{
		"another site":      {beacon{Token: good}, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		"look-alike":        {beacon{Token: good}, []string{"Origin", "https://" + webtest.Host + ".evil.example"}, 403},
		"origin null":       {beacon{Token: good}, []string{"Origin", "null"}, 403},
		"neighbour":         {beacon{Token: good}, []string{"Sec-Fetch-Site", "same-site"}, 403},
		"text":              {`{"token": "` + good + `"}`, []string{"Content-Type", "text/plain"}, 415},
		"form":              {"token=" + good, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		"no body":           {"", nil, 400},
		"not JSON":          {"{", nil, 400},
		"no token":          {"{}", nil, 400},
		"number":            {`{"token": 1}`, nil, 400},
		"unknown field":     {`{"token": "` + good + `", "koc": "lin"}`, nil, 400},
		"twice":             {`{"token": "` + good + `", "token": "` + good + `"}`, nil, 400},
		"two values":        {`{"token": "a"} {}`, nil, 400},
		"deep":              {`{"token": ` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, nil, 400},
		"large":             {`{"token": "` + strings.Repeat("a", 2000) + `"}`, nil, 413},
		"compressed":        {beacon{Token: good}, []string{"Content-Encoding", "gzip"}, 415},
		"not UTF-8 in JSON": {"{\"token\": \"\xff\"}", nil, 400},
	} {
		if a := b.send(t, c.body, c.with...); a.Status != c.status {
			t.Errorf("%s: want %d, got %s", name, c.status, a)
		} else if c.status != 403 {
			a.Problem(t)
		}
	}
	b.wants(t, 0, "hostile requests")
}

func TestOtherMethods(t *testing.T) {
	b := open(t)
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		a := webtest.Do(t, routes(b.touch), webtest.Request{Method: method, Path: "/touch", Header: map[string]string{"User-Agent": phone}})
		if a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "POST" {
			t.Errorf("%s: %s", method, a)
		}
	}
	b.wants(t, 0, "other methods")
}

func TestNetworks(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"203.0.113.7:443", "203.0.113.7"}, {"[::ffff:203.0.113.7]:0", "203.0.113.7"},
		{"[2001:db8:1:2:aaaa::1]:0", "2001:db8:1:2::/64"}, {"[2001:db8:1:2:bbbb::9]:0", "2001:db8:1:2::/64"},
		{"", ""}, {"gibberish", "gibberish"},
	} {
		if got := network(c.in); got != c.want {
			t.Errorf("network(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
