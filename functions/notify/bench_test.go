package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"yundian/infra/local/engine"
	"yundian/infra/local/mails"
	"yundian/shared/catalogue"
	"yundian/shared/courier"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/mail"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
	"yundian/shared/stream"
	"yundian/shared/webhook"
)

// noon is 12:00 in Shanghai, far ahead: what the function records expires, and an engine may delete it at any time after.
var noon = time.Date(2100, 3, 1, 4, 0, 0, 0, time.UTC)

// bench is the function on fresh tables, with a clock that tests turn, receivers on this machine and an SES that keeps
// what it gets.
type bench struct {
	*notify
	env   storetest.Env
	db    *dynamodb.Client
	at    time.Time
	fed   map[store.Key]bool // records that were given to the function
	sent  *mails.Mails
	noSES bool // SES answers 503
}

const signing = `{"1": "0123456789abcdef0123456789abcdef"}`

func open(t *testing.T) *bench {
	t.Helper()
	s, env := storetest.OpenWithEnv(t)
	b := &bench{env: env, at: noon, fed: map[store.Key]bool{}, sent: mails.New(func() time.Time { return noon }), db: engine.Client(env["AWS_ENDPOINT_URL_DYNAMODB"])}
	runtime := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(runtime.Close)
	ses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.noSES {
			w.Header().Set("X-Amzn-ErrorType", "TooManyRequestsException")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		b.sent.ServeHTTP(w, r)
	}))
	t.Cleanup(ses.Close)
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_ENDPOINT_URL_SESV2"] = "local", "local", ses.URL
	keys, err := seal.Parse(signing)
	if err != nil {
		t.Fatal(err)
	}
	box, err := seal.ParseBox(signing)
	if err != nil {
		t.Fatal(err)
	}
	b.notify = &notify{store: s, keys: keys, box: box, courier: courier.New(strings.TrimPrefix(runtime.URL, "http://")), publicURL: "https://shop.example.com",
		sender: mail.New("shop@example.com", func(name string) string { return env[name] }), now: func() time.Time { return b.at },
		firstTry: time.Minute} // a busy machine must not decide what is attempted
	return b
}

// receiver is a KOC's or operator's system. It keeps what was sent, with the instructions that each test gives.
type receiver struct {
	*httptest.Server
	id, secret string

	mu     sync.Mutex
	got    []webhook.Event
	heads  []string
	bodies [][]byte
	answer func(n int) int // status of the n-th request, counted from 1
}

func (r *receiver) events() []webhook.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) count() int { return len(r.events()) }

func (r *receiver) ids() []string {
	var ids []string
	for _, e := range r.events() {
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	return ids
}

// listen makes an endpoint of an owner with a receiver behind it.
func (b *bench) listen(t *testing.T, owner webhook.Owner, id string, answer func(n int) int, kinds ...ledger.Kind) *receiver {
	t.Helper()
	r := &receiver{id: id, secret: "whsec_" + id, answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		var e webhook.Event
		if err != nil || json.Unmarshal(body, &e) != nil {
			t.Errorf("%s got %s, %v", id, body, err)
		}
		r.mu.Lock()
		r.got, r.heads, r.bodies = append(r.got, e), append(r.heads, q.Header.Get(webhook.SignatureHeader)), append(r.bodies, body)
		n := len(r.got)
		r.mu.Unlock()
		if r.answer != nil {
			w.WriteHeader(r.answer(n))
		}
	}))
	t.Cleanup(r.Close)
	x := webhook.NewEndpoint(id, r.URL+"/hook", kinds, b.box.Seal(webhook.SecretBinding(owner, id), r.secret), noon.Add(-time.Hour))
	b.change(t, owner, func(e *webhook.Endpoints) error { return e.Add(x) })
	return r
}

func (b *bench) change(t *testing.T, owner webhook.Owner, change func(*webhook.Endpoints) error) {
	t.Helper()
	if _, err := b.store.UpdateWebhooks(t.Context(), owner, func(e *webhook.Endpoints) (bool, error) { return true, change(e) }, nil); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) endpoint(t *testing.T, owner webhook.Owner, id string) webhook.Endpoint {
	t.Helper()
	found, err := b.store.Webhooks(t.Context(), []webhook.Owner{owner})
	if err != nil {
		t.Fatal(err)
	}
	e := found[owner]
	x, err := e.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	return *x
}

func (b *bench) deliveries(t *testing.T, endpoint string) (states map[webhook.State]int) {
	t.Helper()
	states = map[webhook.State]int{}
	for after := ""; ; {
		page, next, err := b.store.Deliveries(t.Context(), endpoint, after, 100, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page {
			states[d.State]++
		}
		if after = next; next == "" {
			return states
		}
	}
}

// earn posts an accrual for a KOC, with so many entries.
func (b *bench) earn(t *testing.T, handle, order string, entries int) {
	t.Helper()
	p := ledger.Posting{ID: "settle:" + order + ":1:" + handle, KOC: handle, Order: order, V: 1, At: b.at, PlacedAt: b.at, Currency: "CNY"}
	for range entries {
		p.Entries = append(p.Entries, ledger.Entry{SKU: "tea", Kind: ledger.Accrual, Minor: 100,
			Legs: []ledger.Leg{{Account: ledger.Pending, Minor: 100}, {Account: ledger.Expense, Minor: -100}}})
	}
	b.post(t, ledger.Fact{Order: order, V: 1, At: b.at}, p)
}

// post writes a fact and postings, as settling does.
func (b *bench) post(t *testing.T, f ledger.Fact, postings ...ledger.Posting) {
	t.Helper()
	st := ledger.Settlement{Order: f.Order, Seen: f.V - 1, Applied: ledger.Applied{V: f.V}, Postings: postings, Fact: f}
	if late, err := b.store.Settle(t.Context(), []ledger.Settlement{st}); err != nil || len(late) > 0 {
		t.Fatalf("post: %v, %v", late, err)
	}
}

// records are what the stream says of the ledger so far: all of it, or what was not given to the function yet.
func (b *bench) records(t *testing.T, all bool) (records []stream.Record) {
	t.Helper()
	pages := dynamodb.NewScanPaginator(b.db, &dynamodb.ScanInput{TableName: aws.String(b.env["LEDGER_TABLE"]), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			key := store.KeyOf(it)
			told := slices.ContainsFunc([]string{"POST#", "FACT#", "NOTICE#"}, func(prefix string) bool { return strings.HasPrefix(key.SK, prefix) })
			if told && (all || !b.fed[key]) {
				b.fed[key] = true
				records = append(records, stream.Record{Sequence: fmt.Sprint(len(records) + 1), Change: stream.Insert, Keys: it, New: it})
			}
		}
	}
	return records
}

// tell gives the function what is new in the ledger.
func (b *bench) tell(t *testing.T) {
	t.Helper()
	if failed, err := b.batch(t.Context(), b.records(t, false)); err != nil {
		t.Fatalf("record %d: %v", failed, err)
	}
}

// replay gives it everything once more.
func (b *bench) replay(t *testing.T) {
	t.Helper()
	if _, err := b.batch(t.Context(), b.records(t, true)); err != nil {
		t.Fatal(err)
	}
}

// run fires the schedule after so much time.
func (b *bench) run(t *testing.T, after time.Duration) {
	t.Helper()
	b.at = b.at.Add(after)
	if err := b.sweep(t.Context(), b.at); err != nil {
		t.Fatal(err)
	}
}

// koc adds an approved KOC.
func (b *bench) koc(t *testing.T, handle, language string) {
	t.Helper()
	p, err := koc.NewProfile(handle, "KOC "+handle, handle+"@example.com", noon)
	if err != nil {
		t.Fatal(err)
	}
	p.Language = language
	if err := b.store.CreateKOC(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// order places an order of two pieces in a language, pays it, and writes the fact of that.
func (b *bench) order(t *testing.T, id, language, email, title string) {
	t.Helper()
	ctx := t.Context()
	p := catalogue.Product{ID: "tea-" + id, Title: title, Status: catalogue.Active, Variants: []catalogue.Variant{{SKU: "tea-" + id, Price: money.Of(6000, "CNY")}}}
	if err := b.store.SaveProduct(ctx, catalogue.Product{}, p, map[string]int64{"tea-" + id: 10}); err != nil {
		t.Fatal(err)
	}
	sold, err := b.store.Sellables(ctx, []string{"tea-" + id})
	if err != nil {
		t.Fatal(err)
	}
	q, err := ordering.Price([]ordering.BasketLine{{SKU: "tea-" + id, Quantity: 2}}, sold, shop.Default())
	if err != nil {
		t.Fatal(err)
	}
	o, err := ordering.Place(ordering.Request{ID: id, Language: language, Person: "person-" + id, Payment: "sandbox"}, q, shop.Default(), b.at)
	if err != nil {
		t.Fatal(err)
	}
	contact := ordering.Contact{Name: "陈静", Phone: "+8613800000000", Email: email}
	if _, err := b.store.PlaceOrder(ctx, store.NewOrder{Order: o, Contact: contact, Key: "key-of-" + id, Hash: "h"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.UpdateOrder(ctx, id, func(o *ordering.Order) error { return o.Capture("pay", o.Total, b.at) }); err != nil {
		t.Fatal(err)
	}
	b.fact(t, id, 1)
}

// unconfirmed places an order to be paid on delivery that waits for its confirmation.
func (b *bench) unconfirmed(t *testing.T, id, language, email string) {
	t.Helper()
	p := catalogue.Product{ID: "cake-" + id, Title: "饼 <b>Cake</b>", Status: catalogue.Active, Variants: []catalogue.Variant{{SKU: "cake-" + id, Price: money.Of(150_000, "CNY")}}}
	if err := b.store.SaveProduct(t.Context(), catalogue.Product{}, p, map[string]int64{"cake-" + id: 10}); err != nil {
		t.Fatal(err)
	}
	sold, err := b.store.Sellables(t.Context(), []string{"cake-" + id})
	if err != nil {
		t.Fatal(err)
	}
	q, err := ordering.Price([]ordering.BasketLine{{SKU: "cake-" + id, Quantity: 1}}, sold, shop.Default())
	if err != nil {
		t.Fatal(err)
	}
	o, err := ordering.Place(ordering.Request{ID: id, Language: language, Person: "person-" + id, Payment: ordering.OnDelivery}, q, shop.Default(), b.at)
	if err != nil || !o.Unconfirmed() {
		t.Fatalf("%+v, %v", o, err)
	}
	if _, err := b.store.PlaceOrder(t.Context(), store.NewOrder{Order: o, Contact: ordering.Contact{Name: "陈静", Email: email}, Key: "key-of-" + id, Hash: "h"}); err != nil {
		t.Fatal(err)
	}
	b.post(t, ledger.Fact{Order: id, V: 1, At: b.at, Unconfirmed: true})
}

func (b *bench) fact(t *testing.T, order string, v int64) {
	t.Helper()
	b.post(t, ledger.Fact{Order: order, V: v, At: b.at, Counted: true})
}

// mails are what was sent to an address, to everybody for "".
func (b *bench) mails(t *testing.T, to string) []mails.Mail {
	t.Helper()
	w := httptest.NewRecorder()
	b.sent.Show(w, httptest.NewRequest("GET", "/?to="+to, nil))
	var body struct{ Items []mails.Mail }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	return body.Items
}

// kocProfile shortens what UpdateKOC's callbacks take.
type kocProfile = koc.Profile

// mailOff is the sender of a shop that sends no e-mails.
func mailOff() *mail.Sender { return mail.New("", func(string) string { return "" }) }

// erased deletes an order's contact, as the runbook says.
func (b *bench) erased(t *testing.T, order string) bool {
	t.Helper()
	key := item("PERSON#person-"+order, "ORDER#"+order)
	out, err := b.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(b.env["PEOPLE_TABLE"]), Key: key, ReturnValues: "ALL_OLD"})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Attributes) > 0
}
