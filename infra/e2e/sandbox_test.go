package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"yundian/infra/e2e/drive"
	"yundian/infra/local/lambda"
	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/provider"
	"yundian/shared/store"
	"yundian/shared/web/webtest"
)

// withoutRunner starts the very binaries that deploy under a Runtime API that knows no sandbox, as Lambda's does, with
// every variable that a template could set.
func withoutRunner(t *testing.T, store *drive.Running) *lambda.Runtime {
	t.Helper()
	options := lambda.Options{Region: "us-east-1"}
	for _, f := range store.Model.Functions {
		env, err := store.Environment(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(env, map[string]string{"PROVIDERS": "sandbox,on_delivery", "PAYOUT_RAILS": "sandbox,bank", "SANDBOX": "1", "SANDBOX_KEY": store.SandboxKey(),
			"YUNDIAN_SANDBOX": store.SandboxKey(), "SANDBOX_URL": store.URL})
		options.Functions = append(options.Functions, lambda.Function{Name: f.Name, FunctionName: f.FunctionName, Environment: env, Timeout: f.Timeout,
			Endpoint: store.Endpoint, Binary: filepath.Join(drive.Options("").BinDir, f.Name)})
	}
	runtime, err := lambda.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		runtime.Stop(ctx)
	})
	return runtime
}

// TestNoSandboxWithoutTheRunner runs binaries without the runner: none takes or sends a sandbox payment.
func TestNoSandboxWithoutTheRunner(t *testing.T) {
	store := drive.Shared(t)
	s := drive.Open(t, store.URL)
	tea := s.Product(10000, 5)
	held := s.Order("", tea, 1, "sandbox")
	runtime := withoutRunner(t, store)
	ask := func(function, method, path, query string, header map[string]string, body string) events.APIGatewayV2HTTPResponse {
		t.Helper()
		e := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: path, RawQueryString: query, Headers: header, Body: body}
		e.RequestContext.HTTP.Method, e.RequestContext.HTTP.Path, e.RequestContext.RequestID = method, path, "r"
		if e.Headers == nil {
			e.Headers = map[string]string{}
		}
		webtest.SignIn(t, &e, map[string]any{"sub": "ana", "client_id": "console", "scope": "yundian/operator", "cognito:groups": []string{"operator"}}, nil)
		payload, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		result, err := runtime.Invoke(context.Background(), function, payload)
		var answer events.APIGatewayV2HTTPResponse
		if err == nil && !result.FunctionError {
			err = json.Unmarshal(result.Payload, &answer)
		}
		if err != nil || result.FunctionError {
			t.Fatalf("%s: %v %s", function, err, result.Payload)
		}
		return answer
	}
	order, err := json.Marshal(drive.OrderBody("", tea, 1, "sandbox"))
	if err != nil {
		t.Fatal(err)
	}
	kind := map[string]string{"content-type": "application/json", "idempotency-key": drive.Fresh("no-sandbox-key-")}
	if a := ask("checkout", "POST", "/orders", "", kind, string(order)); a.StatusCode != 400 || !strings.Contains(a.Body, "body.payment") {
		t.Errorf("checkout takes a sandbox order: %d %s", a.StatusCode, a.Body)
	}
	if a := ask("checkout", "GET", "/orders/"+held.Text("id")+"/pay", "secret="+held.Text("secret"), nil, ""); a.StatusCode < 400 {
		t.Errorf("checkout leads to the sandbox: %d %v", a.StatusCode, a.Headers)
	}
	event := captured(held.Text("id"))
	event.Amount = money.Of(10000, "CNY")
	body := encoded(event)
	for _, key := range []string{store.SandboxKey(), "", "0"} {
		kind[strings.ToLower(provider.SandboxSignatureHeader)] = provider.SandboxSignature(key, body, time.Now())
		if a := ask("payments", "POST", "/webhooks/sandbox", "", kind, string(body)); a.StatusCode != 404 {
			t.Errorf("payments takes a sandbox event: %d %s", a.StatusCode, a.Body)
		}
	}
	if a := ask("storefront", "GET", "/k/"+s.Handle+"/basket", "line="+tea+"*1", map[string]string{"accept": "text/html"}, ""); a.StatusCode != 200 || strings.Contains(a.Body, `value="sandbox"`) || !strings.Contains(a.Body, `value="on_delivery"`) {
		t.Errorf("storefront offers the sandbox: %d", a.StatusCode)
	}
	s.See(held).Want(t, "held", "status")
	// Nor do webhooks go to this machine.
	if a := ask("admin", "POST", "/v1/admin/webhooks", "", map[string]string{"content-type": "application/json"}, `{"url": "`+store.URL+`/in"}`); a.StatusCode != 400 || !strings.Contains(a.Body, "body.url") {
		t.Errorf("admin takes a webhook to this machine: %d %s", a.StatusCode, a.Body)
	}
}

// TestNoSandboxPayoutWithoutTheRunner has the payout function find an approved payout by the sandbox: without the runner
// nothing is sent and nothing recorded, and the portal does not offer the rail. With the runner the same payout is paid.
func TestNoSandboxPayoutWithoutTheRunner(t *testing.T) {
	store := drive.Shared(t)
	s := drive.Open(t, store.URL)
	runtime := withoutRunner(t, store)
	id, due := approvedPayout(t, store, s)

	me := invokeAs(t, runtime, s.KOC, "GET", "/v1/me", "")
	if me.StatusCode != 200 || !strings.Contains(me.Body, `"payoutRails":["bank"]`) {
		t.Errorf("the portal offers: %d %s", me.StatusCode, me.Body)
	}
	edit := invokeAs(t, runtime, s.KOC, "PATCH", "/v1/me", `{"payout": {"rail": "sandbox", "account": "acc-3", "name": "Mei"}}`)
	if edit.StatusCode != 400 || !strings.Contains(edit.Body, "body.payout.rail") {
		t.Errorf("the portal takes the sandbox: %d %s", edit.StatusCode, edit.Body)
	}
	event, err := json.Marshal(events.CloudWatchEvent{Time: due})
	if err != nil {
		t.Fatal(err)
	}
	result, err := runtime.Invoke(context.Background(), "payout", event)
	if err != nil || !result.FunctionError || !strings.Contains(string(result.Payload), id) {
		t.Errorf("payout without the runner: %v %s", err, result.Payload)
	}
	s.Get("/v1/withdrawals", s.KOC).Is(200).Object().Want(t, "approved", "items", 0, "status")
	if transfers := s.Get(provider.SandboxPath+"/transfers", "").Is(200).Body; strings.Contains(string(transfers), id) {
		t.Errorf("sent: %s", transfers)
	}
	s.Do(drive.Call{Method: "POST", Path: "/_local/run/payout?at=" + url.QueryEscape(due.Format(time.RFC3339))}).Is(200)
	s.Get("/v1/withdrawals", s.KOC).Is(200).Object().Want(t, "paid", "items", 0, "status")
	if transfers := s.Get(provider.SandboxPath+"/transfers", "").Is(200).Body; !strings.Contains(string(transfers), id) {
		t.Errorf("paid, but not in the sandbox's books: %s", transfers)
	}
}

// approvedPayout makes a KOC earn and withdraw, and approves it while the method is held back, so that no run of the
// schedule comes first: it is due at the time that is given too.
func approvedPayout(t *testing.T, running *drive.Running, s *drive.Shop) (id string, due time.Time) {
	t.Helper()
	o := s.Order(s.PageToken("/k/"+s.Handle), s.Product(10000, 5), 2, "sandbox")
	s.Choose(o.Text("payUrl"), "pay")
	s.Post("/v1/admin/orders/"+o.Text("id")+"/ship", s.Operator, map[string]any{"carrier": "SF", "tracking": "SF123"}).Is(200)
	s.Post("/v1/admin/orders/"+o.Text("id")+"/deliver", s.Operator, map[string]any{}).Is(200)
	s.Mature(time.Now().AddDate(0, 0, 8))
	s.Earns(s.KOC, 0, 2000, 0)
	method := func(account string) {
		s.Do(drive.Call{Method: "PATCH", Path: "/v1/me", Token: s.KOC, JSON: map[string]any{"payout": map[string]any{"rail": "sandbox", "account": account, "name": "Mei"}}}).Is(200)
	}
	method("acc-1")
	env, err := running.Environment("payout")
	if err != nil {
		t.Fatal(err)
	}
	db := store.Open(store.ConfigFrom(func(name string) string { return env[name] }))
	if _, err := db.VerifyPayee(t.Context(), s.Handle, 1, "operator:ivo", time.Now()); err != nil {
		t.Fatal(err)
	}
	id = s.Post("/v1/withdrawals", s.KOC, map[string]any{"amount": 2000, "currency": "CNY"}).Is(201).Object().Text("id")
	method("acc-2") // under the same name, so verified, and held
	m, err := db.Payee(t.Context(), s.Handle)
	if err == nil {
		_, err = db.UpdatePayout(t.Context(), id, time.Now(), func(p *payout.Payout) error {
			return p.Approve(payout.Checker{By: "operator:ivo", Method: m}, time.Now())
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return id, m.HeldUntil.Add(time.Minute)
}

// invokeAs gives the portal a request with the claims of a login, as the gateway would.
func invokeAs(t *testing.T, runtime *lambda.Runtime, token, method, path, body string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(payload, &all); err != nil {
		t.Fatal(err)
	}
	claims := map[string]string{}
	for name, value := range all {
		claims[name] = fmt.Sprint(value)
	}
	e := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: path, Headers: map[string]string{"content-type": "application/json"}, Body: body}
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.Path, e.RequestContext.RequestID = method, path, "r"
	e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{
		Claims: claims, Scopes: []string{"yundian/koc"}}}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	result, err := runtime.Invoke(context.Background(), "portal", text)
	var answer events.APIGatewayV2HTTPResponse
	if err == nil {
		err = json.Unmarshal(result.Payload, &answer)
	}
	if err != nil || result.FunctionError {
		t.Fatalf("portal: %v %s", err, result.Payload)
	}
	return answer
}
