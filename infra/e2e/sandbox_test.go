package e2e

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"yundian/infra/e2e/drive"
	"yundian/infra/local/lambda"
	"yundian/shared/money"
	"yundian/shared/provider"
)

// TestNoSandboxWithoutTheRunner runs the very binaries that deploy under a Runtime API that knows no sandbox, as
// Lambda's does, with every variable that a template could set: none takes or sends a sandbox payment.
func TestNoSandboxWithoutTheRunner(t *testing.T) {
	store := drive.Shared(t)
	s := drive.Open(t, store.URL)
	tea := s.Product(10000, 5)
	held := s.Order("", tea, 1, "sandbox")
	options := lambda.Options{Region: "us-east-1"}
	for _, f := range store.Model.Functions {
		env, err := store.Environment(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(env, map[string]string{"PROVIDERS": "sandbox,on_delivery", "SANDBOX": "1", "SANDBOX_KEY": store.SandboxKey(), "YUNDIAN_SANDBOX": store.SandboxKey(), "SANDBOX_URL": store.URL})
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
	ask := func(function, method, path, query string, header map[string]string, body string) events.APIGatewayV2HTTPResponse {
		t.Helper()
		e := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: path, RawQueryString: query, Headers: header, Body: body}
		e.RequestContext.HTTP.Method, e.RequestContext.HTTP.Path, e.RequestContext.RequestID = method, path, "r"
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
}
