package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"yundian/infra/e2e/drive"
	"yundian/infra/local"
	"yundian/shared/money"
	"yundian/shared/provider"
)

// webhooks sends signed events as the sandbox does, and as somebody who is not the sandbox does.
type webhooks struct {
	*outsider
	key string
}

// captured is the event of a payment of 100.00 for an order.
func captured(order string) provider.SandboxEvent {
	return provider.SandboxEvent{ID: drive.Fresh("evt_"), Type: "payment.captured", At: time.Now(), OrderID: order, Session: "cs_x",
		Payment: drive.Fresh("pay_"), Amount: money.Of(10000, "CNY")}
}

func encoded(e provider.SandboxEvent) []byte {
	body, err := json.Marshal(e)
	if err != nil {
		panic(err) // texts and numbers
	}
	return body
}

// send sends a body with a signature; "" sends none.
func (w webhooks) send(body []byte, signature string) drive.Answer {
	w.t.Helper()
	q := drive.Call{Method: "POST", Path: "/webhooks/sandbox", Raw: string(body), Header: map[string]string{}}
	if signature != "" {
		q.Header[provider.SandboxSignatureHeader] = signature
	}
	a := w.Do(q)
	w.check(q, a)
	return a
}

// signed sends an event as the sandbox would.
func (w webhooks) signed(e provider.SandboxEvent) drive.Answer {
	w.t.Helper()
	body := encoded(e)
	return w.send(body, provider.SandboxSignature(w.key, body, time.Now()))
}

// TestHostileWebhooks: only what the provider signed just now for this order and amount has an effect, and only once.
func TestHostileWebhooks(t *testing.T) {
	store := drive.Shared(t)
	w := webhooks{outside(t, store.URL), store.SandboxKey()}
	tea := w.Product(10000, 50)
	order := w.Order(w.PageToken("/k/"+w.Handle), tea, 1, "sandbox")
	good := captured(order.Text("id"))
	body := encoded(good)
	now := time.Now()
	sign := func(key string, body []byte, at time.Time) string { return provider.SandboxSignature(key, body, at) }
	genuine := sign(w.key, body, now)
	stamp, mac, _ := strings.Cut(genuine, ",")
	for name, signature := range map[string]string{
		"none": "", "blank": " ", "only the time": stamp, "only the mac": mac, "other key": sign("x", body, now), "no key": sign("", body, now),
		"other body": sign(w.key, append(body, ' '), now), "older than 5 minutes": sign(w.key, body, now.Add(-6*time.Minute)), "from the future": sign(w.key, body, now.Add(6*time.Minute)),
		"two times": stamp + "," + genuine, "time changed": fmt.Sprintf("t=%d,%s", now.Unix()-1, mac), "old version": strings.Replace(genuine, "v1=", "v0=", 1), "cut": genuine[:len(genuine)-2],
		"no number": "t=now," + mac, "huge number": "t=99999999999999999999," + mac, "sixth": stamp + strings.Repeat(",v1=00", 5) + "," + mac, "not hex": stamp + ",v1=zz", "very long": stamp + "," + strings.Repeat("v1=00,", 1000),
	} {
		if a := w.send(body, signature); a.Status != 403 {
			t.Errorf("signature %s: %d %.200s", name, a.Status, a.Body)
		}
	}
	w.send(append(slices.Clone(body), ' '), genuine).Is(403)
	for name, c := range map[string]struct {
		status int
		change func(*provider.SandboxEvent)
	}{
		"live mode":      {403, func(e *provider.SandboxEvent) { e.LiveMode = true }},
		"a cent more":    {409, func(e *provider.SandboxEvent) { e.Amount.Minor++ }},
		"a cent less":    {409, func(e *provider.SandboxEvent) { e.Amount.Minor-- }},
		"other currency": {409, func(e *provider.SandboxEvent) { e.Amount.Currency = "USD" }},
		"nothing":        {400, func(e *provider.SandboxEvent) { e.Amount.Minor = 0 }},
		"negative":       {400, func(e *provider.SandboxEvent) { e.Amount.Minor = -10000 }},
		"no currency":    {400, func(e *provider.SandboxEvent) { e.Amount.Currency = "" }},
		"unknown order":  {404, func(e *provider.SandboxEvent) { e.OrderID = "01ARZ3NDEKTSV4RRFFQ69G5FAV" }},
		"odd order":      {404, func(e *provider.SandboxEvent) { e.OrderID = "\u0000#/.." }},
		"no order":       {400, func(e *provider.SandboxEvent) { e.OrderID = "" }},
		"no payment":     {400, func(e *provider.SandboxEvent) { e.Payment = "" }},
		"no id":          {400, func(e *provider.SandboxEvent) { e.ID = "" }},
		"no time":        {400, func(e *provider.SandboxEvent) { e.At = time.Time{} }},
		"long id":        {400, func(e *provider.SandboxEvent) { e.ID = strings.Repeat("x", 3000) }},
		"unknown kind":   {204, func(e *provider.SandboxEvent) { e.Type = "payment.imagined" }},
		"declined":       {204, func(e *provider.SandboxEvent) { e.Type = "payment.declined" }},
		"refund failed":  {204, func(e *provider.SandboxEvent) { e.Type, e.Refund = "refund.failed", "re_x" }},
	} {
		e := captured(order.Text("id"))
		c.change(&e)
		if a := w.signed(e); a.Status != c.status {
			t.Errorf("%s: %d %.200s", name, a.Status, a.Body)
		}
	}
	for _, text := range []string{"", "{", "[]", "null", `"x"`, `{"id":5}`, `{"at":"yesterday"}`, strings.Repeat("[", 100_000), `{"id":"x","at":"` + now.Format(time.RFC3339) + `","amount":1e99}`} {
		if a := w.send([]byte(text), sign(w.key, []byte(text), now)); a.Status != 400 {
			t.Errorf("%.40q: %d %.200s", text, a.Status, a.Body)
		}
	}
	w.send([]byte(strings.Repeat(" ", 300<<10)), genuine).Is(413)
	w.See(order).Want(t, "held", "status")
	w.Quiet()
	w.Earns(w.KOC, 0, 0, 0)

	var group sync.WaitGroup // one event a hundred times, from several sides, and the same payment under other ids
	for range 10 {
		group.Go(func() {
			for range 10 {
				if a := w.signed(good); a.Status != 204 {
					t.Errorf("the event again: %d %s", a.Status, a.Body)
				}
			}
			other := good
			other.ID = drive.Fresh("evt_")
			if a := w.signed(other); a.Status != 204 {
				t.Errorf("the payment again: %d %s", a.Status, a.Body)
			}
		})
	}
	group.Wait()
	w.Quiet()
	w.See(order).Want(t, "paid", "status")
	whole := w.get(200, "/v1/admin/orders/"+order.Text("id"), w.Operator)
	if n := whole.Len("payments"); n != 1 {
		t.Errorf("the payment is recorded %d times", n)
	}
	whole.Want(t, 10000, "captured", "amount")
	w.Earns(w.KOC, 1000, 0, 0)
}

// TestRefundBeforePayment: events in the wrong order end as in the right one.
func TestRefundBeforePayment(t *testing.T) {
	store := drive.Shared(t)
	w := webhooks{outside(t, store.URL), store.SandboxKey()}
	tea := w.Product(10000, 50)
	order := w.Order(w.PageToken("/k/"+w.Handle), tea, 1, "sandbox")
	paid := captured(order.Text("id"))
	refunded := paid
	refunded.ID, refunded.Type, refunded.Refund, refunded.Amount = drive.Fresh("evt_"), "refund.succeeded", drive.Fresh("re_"), money.Of(4000, "CNY")
	early := w.signed(refunded)
	w.Quiet()
	w.Earns(w.KOC, 0, 0, 0)
	w.signed(paid).Is(204)
	if early.Status != 204 { // a provider sends again what was not taken
		w.signed(refunded).Is(204)
	}
	w.signed(refunded).Is(204)
	w.Quiet()
	w.See(order).Want(t, 4000, "refunded", "amount")
	w.Earns(w.KOC, 600, 0, 0)
	more := refunded
	more.ID, more.Refund, more.Amount = drive.Fresh("evt_"), drive.Fresh("re_"), money.Of(6001, "CNY")
	w.signed(more).Is(409)
	w.Quiet()
	w.Earns(w.KOC, 600, 0, 0)
}

// garbage are payloads that no trigger sends.
var garbage = []string{`{}`, `[]`, `null`, `5`, `"x"`, `{"Records":null}`, `{"Records":5}`, `{"Records":[]}`, `{"Records":[null]}`, `{"Records":[{}]}`, `{"Records":[5,"x",[]]}`,
	`{"Records":[{"eventName":"INSERT","dynamodb":{}}]}`, `{"Records":[{"eventName":"MODIFY","dynamodb":{"SequenceNumber":"1","Keys":{"pk":{"S":"ORDER#x"},"sk":{"S":"ORDER"}}}}]}`,
	`{"Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":{"pk":{"S":"ORDER#x"},"sk":{"S":"ORDER"}},"NewImage":{"pk":{"S":"ORDER#x"},"sk":{"S":"ORDER"},"v":{"N":"99999999999999999999"},"order":{"M":{}}}}}]}`,
	`{"Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":{"pk":{"N":"1"},"sk":{"L":[]}},"NewImage":{"order":{"S":"{"},"v":{"N":"1"},"pk":{"NULL":true}}}}]}`,
	`{"Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":{"pk":{"S":"KOC#x"},"sk":{"S":"FACT#1"}},"NewImage":{"fact":{"B":"AAEC"},"v":{"XX":1}}}}]}`,
	`{"Records":[{"eventName":"REMOVE","userIdentity":5,"dynamodb":{"SequenceNumber":"1","Keys":{"pk":{"S":"x"},"sk":{"S":"TOUCH#"}}}}]}`,
	`{"time":"yesterday"}`, `{"time":"0000-00-00T00:00:00Z"}`, `{"version":"2.0"}`, `{"version":"2.0","requestContext":5}`, `{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GE T"}}}`,
	`{"version":"2.0","rawPath":"no slash","requestContext":{"http":{"method":"GET"}},"headers":{"a\u0000b":"c\r\nd"}}`,
	`{"version":"2.0","rawPath":"/orders","isBase64Encoded":true,"body":"%%%","requestContext":{"http":{"method":"POST"}}}`,
	`{"version":"2.0","rawPath":"/v1/me","requestContext":{"http":{"method":"GET"},"authorizer":{"jwt":{"claims":{"sub":""}}}}}`,
	`{"version":"1.0","httpMethod":"GET","path":"/"}`, `{"rawPath":"/k/\ud800","requestContext":{"http":{"method":"GET"}}}`}

// TestMalformedEvents: no event ends a process; each gets an answer or a function error, and the next one is served.
func TestMalformedEvents(t *testing.T) {
	store := drive.Shared(t)
	c := drive.NewClient(t, store.URL)
	for _, f := range store.Model.Functions {
		if _, err := store.Invoke(context.Background(), f.Name, []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		before := store.Usage()[f.Name]
		for _, payload := range garbage {
			result, err := store.Invoke(context.Background(), f.Name, []byte(payload))
			if err != nil {
				t.Errorf("%s: %.80s: %v", f.Name, payload, err)
			}
			if result.FunctionError && strings.Contains(string(result.Payload), "exited") {
				t.Errorf("%s: %.80s ended the process: %s", f.Name, payload, result.Payload)
			}
		}
		// Another may have been started beside a busy one; none may have ended.
		if after := store.Usage()[f.Name]; after.Started-after.Live != before.Started-before.Live || after.Live == 0 {
			t.Errorf("%s: %d processes ended", f.Name, after.Started-after.Live-before.Started+before.Live)
		}
	}
	c.Get("/healthz", "").Is(200)
	s := drive.Open(t, store.URL)
	s.Choose(s.Order(s.PageToken("/k/"+s.Handle), s.Product(1000, 3), 1, "sandbox").Text("payUrl"), "pay")
	s.Quiet()
	s.Earns(s.KOC, 100, 0, 0)
	s.Verify()
}

// planted are words that only people, or the holders of a secret, may see.
func planted() map[string]string {
	return map[string]string{"name": "ZhangPlantedSan", "phone": "13912345678", "email": "planted.person@example.com", "street": "PlantedRoad 77", "postcode": "319999"}
}

// TestNothingPersonalLeaks plants people and secrets, lets everything happen to them that can, and looks for them in
// logs, stream records, failed batches and what KOCs see.
func TestNothingPersonalLeaks(t *testing.T) {
	store := drive.Shared(t)
	o := outside(t, store.URL)
	tea := o.Product(10000, 50)
	secrets := planted()
	page := o.PageToken("/s/" + o.Handle)
	body := drive.OrderBody(page, tea, 2, "sandbox")
	body["contact"] = object{"name": secrets["name"], "phone": "+86 139-1234-5678", "email": secrets["email"]}
	address := body["address"].(map[string]any)
	address["line1"], address["postcode"] = secrets["street"], secrets["postcode"]
	o.post(204, "/touch", "", object{"token": page})
	key := drive.Fresh("planted-key-")
	order := o.call(201, drive.Call{Method: "POST", Path: "/orders", Key: key, JSON: body})
	o.call(201, drive.Call{Method: "POST", Path: "/orders", Key: key, JSON: body})
	id := order.Text("id")
	for name, secret := range map[string]string{"secret": order.Text("secret"), "page": page, "operator": o.Operator, "koc": o.KOC, "idempotency key": key} {
		secrets[name] = secret
	}
	for _, wrong := range []object{{"contact": object{"name": secrets["name"], "phone": secrets["phone"] + "99999"}}, {"address": object{"line1": secrets["street"]}}, {"payment": secrets["email"]}, {secrets["name"]: 1}} {
		for name, value := range wrong {
			changed := object{}
			for n, v := range body {
				changed[n] = v
			}
			changed[name] = value
			o.call(400, drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("planted-key-"), JSON: changed})
		}
	}
	o.Do(drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("planted-key-"), Raw: `{"contact":{"phone":"` + secrets["phone"] + `"`}).Is(400)
	o.post(404, "/orders/"+id+"/cancel", "", object{"secret": order.Text("secret")[1:]})
	o.Do(drive.Call{Path: "/orders/" + id + "?secret=" + order.Text("secret"), Header: map[string]string{"Accept": "text/html"}}).Is(200)
	o.Get("/v1/me", o.KOC+"x").Is(401)
	o.Choose(order.Text("payUrl"), "pay-twice")
	o.Quiet()
	admin := "/v1/admin/orders/" + id
	o.post(201, admin+"/refunds", o.Operator, object{"lines": []any{object{"sku": tea, "quantity": 1}}, "reason": "dented"})
	o.post(200, admin+"/ship", o.Operator, object{"carrier": "SF", "tracking": "1"})
	o.post(200, admin+"/deliver", o.Operator, object{})
	o.post(200, "/orders/"+id+"/returns", "", object{"secret": order.Text("secret"), "reason": "call " + secrets["name"] + " at " + secrets["phone"]})
	other := o.call(201, drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("planted-key-"), JSON: body})
	o.post(200, "/orders/"+other.Text("id")+"/cancel", "", object{"secret": other.Text("secret"), "reason": "mail " + secrets["email"]})
	o.Mature(time.Now().AddDate(0, 0, 40))
	for _, function := range []string{"attribute", "settle", "tally"} { // what fails is logged and put aside
		if _, err := store.Invoke(context.Background(), function, []byte(garbage[len(garbage)/2])); err != nil {
			t.Fatal(err)
		}
	}
	o.leaksNothing(store, secrets)
	sees := ""
	for _, path := range []string{"/v1/orders", "/v1/earnings", "/v1/earnings/entries", "/v1/stats", "/v1/links", "/v1/orders/" + id + "/attribution"} {
		sees += fmt.Sprint(o.get(200, path, o.KOC))
	}
	for name := range planted() {
		if strings.Contains(sees, secrets[name]) {
			t.Errorf("the KOC sees the shopper's %s", name)
		}
	}
}

// leaksNothing looks for secrets in the functions' log, in batches put aside, and in every item of the tables with a
// stream; the shopper's own words on an order are found, so that the search itself is known to work.
func (o *outsider) leaksNothing(store *drive.Running, secrets map[string]string) {
	o.t.Helper()
	dir := store.Folder()
	log, err := os.ReadFile(filepath.Join(dir, "functions.log"))
	if err != nil {
		o.t.Fatal(err)
	}
	if !strings.Contains(string(log), "orders settled") {
		o.t.Fatal("the log is not the functions' log")
	}
	places := map[string]string{"the log": string(log), "failed batches": folder(o.t, filepath.Join(dir, "failed"))}
	for _, table := range store.Model.Tables {
		text := items(o.t, store.Runner, table.Name)
		switch {
		case table.LogicalID == "PeopleTable":
			if !strings.Contains(text, secrets["name"]) {
				o.t.Error("the search finds nobody even among people")
			}
		case table.StreamView != "":
			places["stream of "+table.LogicalID] = text
		}
	}
	for place, text := range places {
		for name, secret := range secrets {
			if i := strings.Index(text, secret); i >= 0 && !(name == "idempotency key" && place != "the log") {
				o.t.Errorf("%s shows the %s: …%s…", place, name, text[max(0, i-100):min(len(text), i+60)])
			}
		}
	}
}

// folder is the text of every file below a folder; nothing when there is none.
func folder(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		b.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// items is every item of a table as text.
func items(t testing.TB, r *local.Runner, table string) string {
	t.Helper()
	var b strings.Builder
	pages := dynamodb.NewScanPaginator(r.DB, &dynamodb.ScanInput{TableName: aws.String(table)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			text, err := json.Marshal(item)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(text)
			io.WriteString(&b, "\n")
		}
	}
	return b.String()
}
