package webhook

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ledger"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func posting() ledger.Posting {
	return ledger.Posting{ID: "settle:o1:3:mei", KOC: "mei", Order: "o1", V: 3, At: noon, Currency: "CNY", Entries: []ledger.Entry{
		{SKU: "tea", Kind: ledger.Accrual, Minor: 1200, Base: 12000, Rate: 1000, Rule: "default", RuleVersion: 1,
			Legs: []ledger.Leg{{Account: ledger.Pending, Minor: 1200}, {Account: ledger.Expense, Minor: -1200}}},
		{SKU: "tea", Kind: ledger.Refunded, Minor: -200, Reason: "dented", Legs: []ledger.Leg{{Account: ledger.Expense, Minor: 200}, {Account: ledger.Pending, Minor: -200}}},
	}}
}

func TestEntriesAreEvents(t *testing.T) {
	events := Events(posting())
	if len(events) != 2 || events[0].ID != "settle:o1:3:mei:0" || events[1].ID != "settle:o1:3:mei:1" || events[1].Type != "commission.refund" {
		t.Fatalf("%+v", events)
	}
	body, err := events[0].Body()
	want := `{"id":"settle:o1:3:mei:0","type":"commission.accrual","at":"2026-03-01T12:00:00Z","data":{"koc":"mei","kind":"accrual","orderId":"o1","sku":"tea",` +
		`"amount":1200,"currency":"CNY","base":12000,"rate":1000,"ruleId":"default","ruleVersion":1,"legs":[{"account":"pending","amount":1200}]}}`
	if err != nil || string(body) != want {
		t.Errorf("%s, %v\nwant %s", body, err, want)
	}
	if strings.Contains(fmt.Sprint(events), string(ledger.Expense)) {
		t.Error("receivers see the brand's accounts")
	}
}

func TestATestEventIsOneAMinute(t *testing.T) {
	a, b := TestEvent("mei", "e1", noon.Add(3*time.Second)), TestEvent("mei", "e1", noon.Add(59*time.Second))
	if fmt.Sprint(a) != fmt.Sprint(b) || a.Type != Test || a.Data.KOC != "mei" {
		t.Errorf("%+v, %+v", a, b)
	}
	if c := TestEvent("mei", "e1", noon.Add(time.Minute)); c.ID == a.ID {
		t.Error("the next minute's is the same")
	}
	if c := TestEvent(Operators, "e1", noon); c.Data.KOC != "" {
		t.Errorf("operators are a KOC: %+v", c)
	}
}

func TestVerify(t *testing.T) {
	body, old, current := []byte(`{"id":"e"}`), "whsec_old", "whsec_new"
	good := Sign(body, noon, current)
	both := Sign(body, noon, current, old)
	stamp, v1, _ := strings.Cut(good, ",")
	tests := []struct {
		name, header, body, secret string
		now                        time.Time
		want                       bool
	}{
		{"as sent", good, string(body), current, noon, true},
		{"during rotation, receiver has the old one", both, string(body), old, noon, true},
		{"during rotation, receiver has the new one", both, string(body), current, noon, true},
		{"after rotation, receiver has the old one", good, string(body), old, noon, false},
		{"spaces between", stamp + ", " + v1, string(body), current, noon, true},
		{"five minutes later", good, string(body), current, noon.Add(Window), true},
		{"five minutes ahead", good, string(body), current, noon.Add(-Window), true},
		{"replayed", good, string(body), current, noon.Add(Window + time.Second), false},
		{"from the future", good, string(body), current, noon.Add(-Window - time.Second), false},
		{"a moment put later", fmt.Sprintf("t=%d,%s", noon.Add(time.Hour).Unix(), v1), string(body), current, noon.Add(time.Hour), false},
		{"two moments", "t=1," + good, string(body), current, noon, false},
		{"no moment", v1, string(body), current, noon, false},
		{"no signature", stamp, string(body), current, noon, false},
		{"one space more", good, string(body) + " ", current, noon, false},
		{"another body", good, `{"id":"f"}`, current, noon, false},
		{"no secret", Sign(body, noon, ""), string(body), "", noon, false},
		{"unknown schemes only", stamp + ",v0=" + v1[3:], string(body), current, noon, false},
		{"not hexadecimal", stamp + ",v1=zz", string(body), current, noon, false},
		{"six signatures, the sixth right", stamp + strings.Repeat(",v1=00", maxSignatures) + "," + v1, string(body), current, noon, false},
		{"nothing", "", string(body), current, noon, false},
	}
	for _, tt := range tests {
		if got := Verify(tt.header, []byte(tt.body), tt.secret, tt.now); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	// The scheme in numbers, for who implements it elsewhere.
	if got := Sign([]byte("{}"), time.Unix(1, 0), "secret"); got != "t=1,v1=1122767b193110cfec322b6f199b599edbf608ed087f2d27afb0b97d99523908" {
		t.Errorf("signature %s", got)
	}
}

func TestSecretsRotateWithAnOverlap(t *testing.T) {
	x := NewEndpoint("e1", "https://a.example/", nil, "sealed 1", noon)
	ids := func(at time.Time) string {
		var all []string
		for _, s := range x.Signing(at) {
			all = append(all, s.ID)
		}
		return strings.Join(all, " ")
	}
	steps := []struct {
		name   string
		at     time.Time
		rotate bool
		code   string
		sign   string
	}{
		{"made", noon, false, "", "1"},
		{"rotated", noon, true, "", "2 1"},
		{"an hour later", noon.Add(time.Hour), true, "", "3 2 1"},
		{"a fourth at once", noon.Add(2 * time.Hour), true, "webhook_secrets", "3 2 1"},
		{"just before the first ends", noon.Add(Overlap - time.Second), false, "", "3 2 1"},
		{"the first has ended", noon.Add(Overlap), false, "", "3 2"},
		{"room again", noon.Add(Overlap), true, "", "4 3 2"},
		{"all but the current have ended", noon.Add(3 * Overlap), false, "", "4"},
		{"ended ones are forgotten", noon.Add(3 * Overlap), true, "", "5 4"},
	}
	for _, step := range steps {
		if step.rotate {
			if _, err := x.Rotate("sealed", step.at); step.code == "" && err != nil || step.code != "" && !fail.Is(err, step.code) {
				t.Errorf("%s: %v", step.name, err)
			}
		}
		if got := ids(step.at); got != step.sign {
			t.Errorf("%s: %s sign, want %s", step.name, got, step.sign)
		}
	}
	if len(x.Secrets) != 2 {
		t.Errorf("%d secrets are kept", len(x.Secrets))
	}
}

func TestEndpointsOfOneOwner(t *testing.T) {
	e := Endpoints{Owner: "mei"}
	for i := range MaxEndpoints {
		if err := e.Add(Endpoint{ID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Add(Endpoint{ID: "more"}); !fail.Is(err, "webhooks_too_many") {
		t.Errorf("one too many: %v", err)
	}
	if _, err := e.Find("9"); !fail.Is(err, "endpoint_unknown") {
		t.Errorf("unknown: %v", err)
	}
	if err := e.Remove("9"); !fail.Is(err, "endpoint_unknown") {
		t.Errorf("remove unknown: %v", err)
	}
	if err := e.Remove("0"); err != nil || len(e.List) != MaxEndpoints-1 {
		t.Errorf("%d left, %v", len(e.List), err)
	}
	if x, err := e.Find("1"); err != nil || x.ID != "1" {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestHears(t *testing.T) {
	accrual := Events(posting())[0]
	x := NewEndpoint("e1", "https://a.example/", nil, "", noon)
	some := x
	some.Kinds = []ledger.Kind{ledger.PayoutKind}
	both := x
	both.Kinds = []ledger.Kind{ledger.PayoutKind, ledger.Accrual}
	paused := x
	paused.Paused = true
	later := x
	later.CreatedAt = noon.Add(time.Second)
	dead := x
	dead.Dead = noon
	for name, tt := range map[string]struct {
		x    Endpoint
		want bool
	}{"all": {x, true}, "other kinds": {some, false}, "this kind": {both, true}, "paused": {paused, false}, "made later": {later, false}, "given up": {dead, true}} {
		if got := tt.x.Hears(accrual); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnEndpointThatFailsIsLeftAloneAndGivenUp(t *testing.T) {
	x := NewEndpoint("e1", "https://a.example/", nil, "", noon)
	if x.Fares(3, 0, noon) || x.Fares(0, 0, noon) {
		t.Error("success or nothing changes a healthy endpoint")
	}
	if !x.Fares(0, 1, noon) || !x.FailingSince.Equal(noon) || x.Wait() != time.Minute {
		t.Errorf("after one failure: %+v, waits %s", x, x.Wait())
	}
	x.Fares(0, deadFailures, noon.Add(time.Hour))
	if !x.Dead.IsZero() || x.Wait() != 30*time.Minute || !x.FailingSince.Equal(noon) {
		t.Errorf("after an hour: %+v, waits %s", x, x.Wait())
	}
	x.Fares(0, 1, noon.Add(deadAfter-time.Second))
	if !x.Dead.IsZero() {
		t.Error("given up too early")
	}
	recovered := x
	if !recovered.Fares(1, 5, noon.Add(deadAfter)) || recovered.Failures != 0 || !recovered.FailingSince.IsZero() {
		t.Errorf("after a success: %+v", recovered)
	}
	x.Fares(0, 1, noon.Add(deadAfter))
	if x.Dead.IsZero() {
		t.Error("not given up")
	}
	at := x.Dead
	if x.Fares(0, 1, noon.Add(deadAfter+time.Hour)); !x.Dead.Equal(at) {
		t.Error("died twice")
	}
	x.Paused = true
	if x.Resume(); x.Paused || !x.Dead.IsZero() || x.Failures != 0 {
		t.Errorf("resumed: %+v", x)
	}
	rare := NewEndpoint("e2", "https://a.example/", nil, "", noon)
	rare.Fares(0, 1, noon)
	if rare.Fares(0, 1, noon.Add(30*24*time.Hour)); !rare.Dead.IsZero() {
		t.Error("two failures in a month are no death")
	}
}

func TestDeliveriesBackOff(t *testing.T) {
	x := NewEndpoint("e1", "https://a.example/", nil, "", noon)
	e := Events(posting())[0]
	d := NewDelivery("mei", x, e, noon)
	if d.State != Due || !d.Due.Equal(noon.Add(time.Minute)) || d.Attempts != 0 {
		t.Fatalf("new: %+v", d)
	}
	at := noon
	var pauses []string
	for d.State == Due {
		d.Fail(503, "status", at)
		if d.State == Due {
			pauses = append(pauses, d.Due.Sub(at).String())
			at = d.Due
		}
		if d.Attempts > 20 {
			t.Fatal("no end")
		}
	}
	if got := strings.Join(pauses, " "); got != "1m0s 5m0s 30m0s 2h0m0s 6h0m0s 12h0m0s 24h0m0s" {
		t.Errorf("pauses %s", got)
	}
	if d.State != Failed || d.Attempts != len(waits)+1 || !d.Due.IsZero() || d.Status != 503 {
		t.Errorf("given up: %+v", d)
	}
	if d.Again(at); d.State != Due || !d.Due.Equal(at) || d.Attempts != 0 {
		t.Errorf("again: %+v", d)
	}
	if d.Succeed(204, at); d.State != Delivered || !d.Due.IsZero() || d.Problem != "" || d.Status != 204 {
		t.Errorf("delivered: %+v", d)
	}
	x.Failures = 2
	if d := NewDelivery("mei", x, e, noon); d.State != Due || !d.Due.Equal(noon.Add(5*time.Minute)) {
		t.Errorf("for a failing endpoint: %+v", d)
	}
	x.Dead = noon
	if d := NewDelivery("mei", x, e, noon); d.State != Kept || !d.Due.IsZero() {
		t.Errorf("for one that was given up: %+v", d)
	}
	text, err := json.Marshal(d)
	var back Delivery
	if err != nil || json.Unmarshal(text, &back) != nil || fmt.Sprint(back) != fmt.Sprint(d) {
		t.Errorf("%s reads as %+v", text, back)
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	for address, want := range map[string]bool{
		"https://a.example": true, "https://hooks.a.example/in?x=1": true, "https://a.example:8443/": true, "https://a.example:443": true, "https://xn--fiqs8s.example/": true,
		"http://a.example": false, "ftp://a.example": false, "//a.example": false, "a.example": false, "": false, "https:a.example": false, "https://": false,
		"https://me:secret@a.example/": false, "https://me@a.example/": false, "https://a.example/#x": false, "https://a.example/#": false,
		"https://127.0.0.1/": false, "https://[::1]/": false, "https://169.254.169.254/latest/meta-data": false, "https://10.1.2.3/": false,
		"https://localhost/": false, "https://x.localhost/": false, "https://2130706433/": false, "https://0x7f000001/": false, "https://0x7f.1/": false,
		"https://127.1/": false, "https://0177.0.0.1/": false, "https://[::ffff:127.0.0.1]/": false, "https://metadata.google.internal/": false,
		"https://nas.local/": false, "https://intranet/": false, "https://a.example./": false, "https://a..example/": false, "https://.a.example/": false,
		"https://a.example:22/": false, "https://a.example:80/": false, "https://a.example:0/": false, "https://a.example:70000/": false,
		"https://a.example/\r\nX: y": false, "https://a.example/ b": false, "https://a\u200b.example/": false, "https://пример.example/": false,
		"https://a.example\\@b.example/": false, "https://１２７.0.0.1/": false, "https://①②⑦.example/": false, "https://a_b.example/": false,
		"https://a.example/" + strings.Repeat("x", MaxURL): false, "javascript:alert(1)": false, "https://%31%32%37.0.0.1/": false,
	} {
		if err := CheckURL(address); (err == nil) != want {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestOnlyPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.215.14": true, "2606:2800:21f:cb07:6820:80da:af6b:8b2c": true, "::ffff:93.184.215.14": true, "1.1.1.1": true, "172.32.0.1": true, "100.128.0.1": true,
		"127.0.0.1": false, "127.8.8.8": false, "::1": false, "::": false, "0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.168.1.1": false, "169.254.169.254": false, "169.254.170.2": false, "100.64.0.1": false, "100.127.255.255": false, "192.0.0.170": false,
		"192.0.2.1": false, "198.18.0.1": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false, "64:ff9b::a00:1": false, "64:ff9b:1::1": false,
		"64:ff9b::5db8:d70e": false, "64:ff9b::7f00:1": false, "64:ff9b:1:ffff::a9fe:a9fe": false, "64:ff9b:2::1": false, // NAT64, and beside it
		"::ffff:0:127.0.0.1": false, "::ffff:0:169.254.169.254": false, "::ffff:0:93.184.215.14": false, "::fffe:10.0.0.1": false, "::93.184.215.14": false, // RFC 2765, compatible
		"2002:5db8:d70e::1": false, "2002:7f00:1::": false, "2001:0:53aa:64c::1": false, "2001:20::1": false, "2001:1ff::1": false, "2001:200::1": true, // 6to4, Teredo, ORCHID
		"2606:4700::5efe:7f00:1": false, "2606:4700::200:5efe:a00:1": false, "2606:4700::5eff:7f00:1": true, // ISATAP
		"4000::1": false, "1fff::1": false, "2000::1": true, "5f00::1": false, "3fff::1": false, "0:1::1": false, "192.88.99.1": false, "192.52.193.1": false,
		"2002:a00:1::1": false, "2001::1": false, "2001:db8::1": false, "fd00::1": false, "fd00:ec2::254": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "ff02::1": false, "100::1": false,
	} {
		if got := Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}
