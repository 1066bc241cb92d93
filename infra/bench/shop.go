package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"yundian/infra/local"
	"yundian/infra/local/wire"
)

// What a measured shop holds: enough SKUs that orders seldom meet on one, as many products on a shelf as a KOC shows,
// and stock that no load uses up.
const (
	productCount   = 64
	variantCount   = 3
	shelfCount     = 8
	stockEach      = 1_000_000
	price          = 8_800            // fen, of every SKU
	commissionEach = price * 10 / 100 // at the default rate of 10 %
)

// shop is a running store on a fresh engine with goods, one approved KOC and logins.
type shop struct {
	*local.Runner
	wires    map[string]*wire.Proxy // by function; only in a shop whose calls are counted
	koc      string                 // access tokens
	operator string
	handle   string
	codes    struct{ storefront, product string } // of share links
	token    string                               // of a page
	products []string
	skus     []string
	dir      string
}

// open starts a store and fills it. A counted shop has a meter between every function and the engine, which costs time:
// nothing else is measured there.
func (b *bench) open(ctx context.Context, counted bool) (*shop, error) {
	return b.openOn(ctx, os.Getenv("STORE"), counted)
}

// openOn is open on an engine of the caller's choice.
func (b *bench) openOn(ctx context.Context, kind string, counted bool) (s *shop, err error) {
	s = &shop{wires: map[string]*wire.Proxy{}}
	if s.dir, err = os.MkdirTemp(b.dir, "store-"); err != nil {
		return nil, err
	}
	o := local.Options{Root: b.root, DataDir: s.dir, Store: kind, InMemory: true, BinDir: b.bins,
		Parameters: map[string]string{"ThrottleRate": "1000000", "ThrottleBurst": "5000"}} // the store is measured, not its throttle
	if counted {
		o.Proxy = func(function, endpoint string) (string, error) {
			p, err := wire.New(endpoint)
			if err != nil {
				return "", err
			}
			s.wires[function] = p
			return p.URL, nil
		}
	}
	if s.Runner, err = local.Start(ctx, o); err != nil {
		return nil, fmt.Errorf("start a store: %w", err)
	}
	b.environments = map[string]map[string]string{}
	for _, name := range functionNames {
		if b.environments[name], err = s.Environment(name); err != nil {
			s.close(&b.peaks)
			return nil, fmt.Errorf("read the environment of %s: %w", name, err)
		}
	}
	if err := s.fill(ctx); err != nil {
		s.close(&b.peaks)
		return nil, fmt.Errorf("fill the store: %w", err)
	}
	return s, nil
}

// close stops the store and keeps the highest memory that its parts have used.
func (s *shop) close(p *peaks) {
	p.note(s.Runner)
	if err := s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: stop a store:", err)
	}
	for _, w := range s.wires {
		_ = w.Close() // it ends with this process at the latest
	}
	_ = os.RemoveAll(s.dir) // the bench removes what is left
}

// fill makes the shop over HTTP alone, as its operator and its KOC would.
func (s *shop) fill(ctx context.Context) error {
	var err error
	if s.operator, err = s.login(ctx, "operator:bench"); err != nil {
		return err
	}
	if err := s.stockUp(ctx); err != nil {
		return err
	}
	if err := s.welcome(ctx, "mei"); err != nil {
		return err
	}
	var shelf []any
	for _, p := range s.products[:shelfCount] {
		shelf = append(shelf, map[string]any{"product": p, "note": "每天早上都用它，水温八十五度刚好。 My cup of every morning."})
	}
	if _, err := s.ask(ctx, "PUT", "/v1/shelf", s.koc, map[string]any{"items": shelf}, 200); err != nil {
		return err
	}
	for target, code := range map[string]*string{"storefront": &s.codes.storefront, "product:" + s.products[0]: &s.codes.product} {
		link, err := s.ask(ctx, "POST", "/v1/links", s.koc, map[string]any{"target": target, "channel": "wechat"}, 201)
		if err != nil {
			return err
		}
		*code = fmt.Sprint(link["code"])
	}
	page, err := s.request(ctx, "GET", "/s/"+s.codes.storefront, "", "", nil, 200)
	if err != nil {
		return err
	}
	_, rest, found := strings.Cut(string(page), `<meta name="yundian-token" content="`)
	if s.token, _, _ = strings.Cut(rest, `"`); !found || s.token == "" {
		return fmt.Errorf("the storefront page carries no token")
	}
	return s.Quiet(ctx)
}

// stockUp imports the goods.
func (s *shop) stockUp(ctx context.Context) error {
	var csv bytes.Buffer
	csv.WriteString("Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Inventory Qty,Variant Price,Image Src,Image Position\n")
	body := `"<p>` + strings.Repeat("Picked before the rains on a slope above the village, dried over charcoal the same night. ", 6) + `</p>"`
	for i := range productCount {
		id := fmt.Sprintf("tea-%03d", i)
		s.products = append(s.products, id)
		for v := range variantCount {
			sku := fmt.Sprintf("%s-%c", id, 'a'+v)
			s.skus = append(s.skus, sku)
			title, html, option := "", "", ""
			if v == 0 {
				title, html, option = fmt.Sprintf("Mountain tea no. %d 山茶", i), body, "Weight"
			}
			fmt.Fprintf(&csv, "%s,%s,%s,Bench,Tea,\"tea, green\",true,%s,%d g,%s,%d,%d,%d.%02d,https://example.com/%s.jpg,%d\n",
				id, title, html, option, 50*(v+1), sku, 50*(v+1), stockEach, price/100, price%100, sku, v+1)
		}
	}
	answer, err := s.request(ctx, "POST", "/v1/admin/imports", s.operator, "text/csv", csv.Bytes(), 200)
	if err != nil {
		return err
	}
	var imported struct {
		Created int
		Errors  []any
	}
	if err := json.Unmarshal(answer, &imported); err != nil {
		return fmt.Errorf("read what was imported: %w", err)
	}
	if imported.Created != productCount || len(imported.Errors) > 0 {
		return fmt.Errorf("imported %d of %d products: %.400v", imported.Created, productCount, imported.Errors)
	}
	return nil
}

// welcome approves a KOC and binds a login.
func (s *shop) welcome(ctx context.Context, handle string) error {
	s.handle = handle
	if _, err := s.ask(ctx, "POST", "/v1/admin/kocs", s.operator, map[string]any{"handle": handle, "name": "小美", "email": handle + "@example.com"}, 201); err != nil {
		return err
	}
	approved, err := s.ask(ctx, "POST", "/v1/admin/kocs/"+handle+"/approve", s.operator, map[string]any{}, 200)
	if err != nil {
		return err
	}
	if s.koc, err = s.login(ctx, "koc:"+handle); err != nil {
		return err
	}
	_, err = s.ask(ctx, "POST", "/v1/me", s.koc, map[string]any{"invite": approved["invite"]}, 200)
	return err
}

// login is an access token of the local issuer.
func (s *shop) login(ctx context.Context, user string) (string, error) {
	answer, err := s.ask(ctx, "GET", "/_local/token?user="+url.QueryEscape(user), "", nil, 200)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(answer["token"]), nil
}

// ask sends JSON and reads a JSON object.
func (s *shop) ask(ctx context.Context, method, path, token string, body any, status int) (map[string]any, error) {
	var text []byte
	contentType := ""
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		contentType = "application/json"
	}
	answer, err := s.request(ctx, method, path, token, contentType, text, status)
	if err != nil {
		return nil, err
	}
	var object map[string]any
	if err := json.Unmarshal(answer, &object); err != nil {
		return nil, fmt.Errorf("%s %s answered no JSON object: %w", method, path, err)
	}
	return object, nil
}

func (s *shop) request(ctx context.Context, method, path, token, contentType string, body []byte, status int) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if answer.StatusCode != status {
		return nil, fmt.Errorf("%s %s answered %d, not %d: %.400s", method, path, answer.StatusCode, status, text)
	}
	return text, nil
}
