package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"yundian/infra/local"
	"yundian/infra/local/remote"
)

// operators is a store of the operators' API alone: what an import needs of infra/template.yaml.
const operators = `AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Issuer: {Type: String, Default: ""}
  Audience: {Type: String, Default: ""}
Globals:
  Function: {Runtime: provided.al2023, Handler: bootstrap}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        Authorizers:
          Login: {JwtConfiguration: {issuer: !Ref Issuer, audience: [!Ref Audience]}}
  Admin:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ADMIN
      Timeout: 29
      Environment: {Variables: {SHOP_TABLE: !Ref Shop, PROVIDERS: on_delivery, SIGNING_KEYS: !Sub "{{resolve:secretsmanager:${Keys}}}", WEBHOOK_KEYS: !Sub "{{resolve:secretsmanager:${Keys}}}", PAYOUT_KEYS: !Sub "{{resolve:secretsmanager:${Keys}}}"}}
      Events:
        Imports: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /v1/admin/imports, Method: ANY, Auth: {Authorizer: Login, AuthorizationScopes: [yundian/operator]}}}
        Product: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: "/v1/admin/products/{id}", Method: ANY, Auth: {Authorizer: Login, AuthorizationScopes: [yundian/operator]}}}
  Shop:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}, {AttributeName: sk, AttributeType: S}, {AttributeName: listPk, AttributeType: S}, {AttributeName: listSk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
      GlobalSecondaryIndexes:
        - {IndexName: list, KeySchema: [{AttributeName: listPk, KeyType: HASH}, {AttributeName: listSk, KeyType: RANGE}], Projection: {ProjectionType: KEYS_ONLY}}
  Keys: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {SecretStringTemplate: "{}", GenerateStringKey: k1, PasswordLength: 64, ExcludePunctuation: true}}}
`

// serve runs the store on its own.
func serve(t *testing.T) *local.Runner {
	t.Helper()
	root, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	admin, err := filepath.Rel(dir, filepath.Join(root, "functions", "admin"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "template.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(operators, "ADMIN", admin)), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := local.Start(t.Context(), local.Options{Root: root, Template: path, DataDir: filepath.Join(dir, "data"), InMemory: true,
		Store: os.Getenv("STORE"), Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return r
}

// hidden draws nothing.
type hidden struct {
	io.Writer
	at int64
}

func (*hidden) Clear() error          { return nil }
func (h *hidden) Set64(n int64) error { h.at = n; return nil }

func importInto(t *testing.T, ctx context.Context, address string, file io.Reader) (totals, string, error) {
	t.Helper()
	s, err := remote.New(address, "", "import")
	if err != nil {
		t.Fatal(err)
	}
	s.Wait = 1 // the store is not busy here
	var out bytes.Buffer
	total, err := send(ctx, file, s, &out, &hidden{})
	return total, out.String(), err
}

// TestImport sends files to the real function through the real gateway.
func TestImport(t *testing.T) {
	r := serve(t)
	file := func() io.Reader { return &repeat{n: 2300} }

	// Stopped after the first part, and started again: everything arrives once.
	ctx, stop := context.WithCancel(t.Context())
	var parts atomic.Int32
	target, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPost {
			proxy.ServeHTTP(w, req)
			return
		}
		n := parts.Add(1)
		lost := httptest.NewRecorder()
		proxy.ServeHTTP(lost, req)
		switch n {
		case 1: // the answer is lost on the way
			panic(http.ErrAbortHandler)
		case 3: // the second part has arrived when the operator stops
			stop()
		}
		for name, values := range lost.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(lost.Code)
		_, _ = w.Write(lost.Body.Bytes())
	}))
	defer between.Close()
	first, _, err := importInto(t, ctx, between.URL, file())
	if err == nil || parts.Load() != 3 || first.created < 1000 || first.unchanged != 0 {
		t.Fatalf("stopped: %v, %d requests, %s", err, parts.Load(), first)
	}
	again, out, err := importInto(t, t.Context(), r.URL, file())
	if err != nil || again.products != 2300 || again.created != 300 || again.unchanged != 2000 || again.updated+again.bad != 0 || again.rows != 4600 || out != "" {
		t.Fatalf("started again: %v, %s, %q", err, again, out)
	}

	// Bad rows are named by their line in the file, whatever part they were sent in.
	var long strings.Builder
	if _, err := io.Copy(&long, &repeat{n: 1500}); err != nil {
		t.Fatal(err)
	}
	text := long.String() + "bad,Bad,,,-1,\n" + "p-1,,,L,9,\n" + "good,Good,,,1,\n"
	total, out, err := importInto(t, t.Context(), r.URL, strings.NewReader(text))
	if err != nil || total.created != 1 || total.unchanged != 1500 || total.bad != 2 || !strings.Contains(out, "line 3002: ") || !strings.Contains(out, "line 3003: ") {
		t.Errorf("%v, %s, %q", err, total, out)
	}
	if !strings.Contains(total.String(), "1502 products: 1 new, 0 changed, 1500 unchanged; 3003 rows, 2 of them not used") {
		t.Errorf("%s", total)
	}
	t.Run("real files", func(t *testing.T) { realFiles(t, r) })
	t.Run("refusals", func(t *testing.T) { refusals(t, r) })
}

func realFiles(t *testing.T, r *local.Runner) {
	for _, name := range []string{"shopify-apparel.csv", "shopify-home-and-garden.csv"} {
		for _, want := range []totals{{products: 20, created: 20, rows: 22}, {products: 20, unchanged: 20, rows: 22}} {
			if strings.Contains(name, "garden") {
				want.rows = 21
			}
			file, err := os.Open("../../../../shared/catalogue/intake/testdata/" + name)
			if err != nil {
				t.Fatal(err)
			}
			total, _, err := importInto(t, t.Context(), r.URL, file)
			_ = file.Close()
			if err != nil || total != want {
				t.Errorf("%s: %v, got %s, want %s", name, err, total, want)
			}
		}
	}
	s, err := remote.New(r.URL, "", "import")
	if err != nil {
		t.Fatal(err)
	}
	var product struct {
		Variants []struct {
			SKU   string
			Stock int64
			Price struct{ Amount int64 }
		}
	}
	err = s.Ask(t.Context(), remote.Request{Method: http.MethodGet, Path: "/v1/admin/products/classic-varsity-top"}, &product)
	if err != nil || len(product.Variants) != 3 ||
		product.Variants[0].SKU != "classic-varsity-top-small" || product.Variants[0].Stock != 1 || product.Variants[0].Price.Amount != 6000 {
		t.Errorf("%+v, %v", product, err)
	}
}

func refusals(t *testing.T, r *local.Runner) {
	if _, _, err := importInto(t, t.Context(), r.URL, strings.NewReader("a,b\n")); err == nil || !strings.Contains(err.Error(), "Handle") {
		t.Errorf("no product file: %v", err)
	}
	s, err := remote.New(r.URL, "no token at all", "import")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := send(t.Context(), &repeat{n: 1}, s, io.Discard, &hidden{}); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a wrong token: %v", err)
	}
	for _, tt := range []struct{ address, token string }{
		{"https://shop.example", ""}, {"http://shop.example", "token"}, {"ftp://127.0.0.1", ""}, {"127.0.0.1:8080", ""}, {"http://127.0.0.1.evil.example", ""},
	} {
		if _, err := remote.New(tt.address, tt.token, "import"); err == nil {
			t.Errorf("%s with token %q was accepted", tt.address, tt.token)
		}
	}
	for _, address := range []string{"", "http://localhost:1", "http://[::1]:1"} {
		if s, err := remote.New(address, "", "import"); err != nil || !s.Local() {
			t.Errorf("%q: %v", address, err)
		}
	}
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	if _, _, err := importInto(t, t.Context(), nobody.URL, &repeat{n: 1}); err == nil || !strings.Contains(fmt.Sprint(err), "make run") {
		t.Errorf("no store: %v", err)
	}
}
