package issuer

import (
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	u := i.options.URL
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                u,
		"authorization_endpoint":                u + "/authorize",
		"token_endpoint":                        u + "/token",
		"jwks_uri":                              u + "/jwks.json",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported":      []string{"S256"},
		"grant_types_supported":                 []string{"authorization_code"},
		"token_endpoint_auth_methods_supported": []string{"none"},
		"scopes_supported":                      append(slices.Clone(openIDScopes), ScopeKOC, ScopeOperator),
	})
}

func (i *Issuer) jwks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=60")
	writeJSON(w, http.StatusOK, i.public)
}

// request is an authorization request (RFC 6749 section 4.1.1 with PKCE).
type request struct {
	redirect, state, challenge, nonce string
	scopes                            []string
}

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// readRequest checks a request. A problem that the application can be told of is an error code for its redirect
// address; before that address is known to be ours, it is a page for the person (bad is its text).
func (i *Issuer) readRequest(v url.Values) (req request, code, bad string) {
	req = request{redirect: v.Get("redirect_uri"), state: v.Get("state"), challenge: v.Get("code_challenge"),
		nonce: v.Get("nonce"), scopes: strings.Fields(v.Get("scope"))}
	switch {
	case v.Get("client_id") != i.options.ClientID:
		return req, "", "没有这个应用。 Unknown client_id."
	case !i.ours(req.redirect):
		return req, "", "回调地址不属于本店。 redirect_uri is not an address of this store."
	case v.Get("response_type") != "code":
		return req, "unsupported_response_type", ""
	case v.Get("code_challenge_method") != "S256", !challengeForm.MatchString(req.challenge):
		return req, "invalid_request", ""
	case len(req.state) > 1000, len(req.nonce) > 1000, len(req.scopes) > 10:
		return req, "invalid_request", ""
	}
	return req, "", ""
}

// ours reports whether an address lies on this store's origin: the only place codes are sent to.
func (i *Issuer) ours(address string) bool {
	u, err := url.Parse(address)
	return err == nil && len(address) <= 1000 && u.Scheme+"://"+u.Host == i.origin && u.User == nil && u.Fragment == "" &&
		strings.HasPrefix(address, i.origin+"/")
}

// back sends the person back to the application with the given answer.
func (req request) back(w http.ResponseWriter, r *http.Request, answer url.Values) {
	u, err := url.Parse(req.redirect)
	if err != nil { // ours has parsed it before
		http.Error(w, "bad redirect_uri", http.StatusBadRequest)
		return
	}
	q := u.Query()
	for name := range answer {
		q.Set(name, answer.Get(name))
	}
	if req.state != "" {
		q.Set("state", req.state)
	}
	u.RawQuery = q.Encode()
	http.Redirect(w, r, u.String(), http.StatusSeeOther)
}

func (i *Issuer) showAuthorize(w http.ResponseWriter, r *http.Request) {
	req, code, bad := i.readRequest(r.URL.Query())
	switch {
	case bad != "":
		i.page(w, http.StatusBadRequest, pageData{Problem: bad})
	case code != "":
		req.back(w, r, url.Values{"error": {code}})
	default:
		i.page(w, http.StatusOK, i.choices(r.URL.Query(), req))
	}
}

// authorize is the posted choice of whom to be.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		i.page(w, http.StatusBadRequest, pageData{Problem: "表单无法读取。 The form cannot be read."})
		return
	}
	req, code, bad := i.readRequest(r.PostForm)
	if bad != "" {
		i.page(w, http.StatusBadRequest, pageData{Problem: bad})
		return
	}
	if code != "" {
		req.back(w, r, url.Values{"error": {code}})
		return
	}
	user := r.PostForm.Get("user")
	if user == "" {
		user = r.PostForm.Get("role") + ":" + strings.TrimSpace(r.PostForm.Get("name"))
	}
	id, err := parseUser(user)
	if err != nil {
		data := i.choices(r.PostForm, req)
		data.Problem = "名字只能用字母、数字和 . _ -。 A name has letters, digits and . _ - only."
		i.page(w, http.StatusBadRequest, data)
		return
	}
	scopes := id.granted(req.scopes)
	if len(req.scopes) == 0 { // Cognito then grants all that the client may have
		scopes = append([]string{"openid"}, id.scopes...)
	}
	issued, ok := i.newCode(grant{id: id, scopes: scopes, redirect: req.redirect, challenge: req.challenge, nonce: req.nonce, at: i.options.Now()})
	if !ok {
		req.back(w, r, url.Values{"error": {"temporarily_unavailable"}})
		return
	}
	req.back(w, r, url.Values{"code": {issued}})
}

// choices are the people offered: those to whom at least one of the requested scopes can be granted.
func (i *Issuer) choices(v url.Values, req request) pageData {
	data := pageData{Action: i.options.URL + "/authorize", Koc: true, Operator: true}
	if n := len(req.scopes); n > 0 {
		data.Koc = slices.Contains(req.scopes, ScopeKOC)
		data.Operator = slices.Contains(req.scopes, ScopeOperator)
		if !data.Koc && !data.Operator {
			data.Koc, data.Operator = true, true
		}
	}
	for _, u := range i.options.Users {
		if koc := strings.HasPrefix(u.ID, "koc:"); koc && data.Koc || !koc && data.Operator {
			data.Users = append(data.Users, u)
		}
	}
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"} {
		data.Hidden = append(data.Hidden, field{name, v.Get(name)})
	}
	return data
}

type field struct{ Name, Value string }

type pageData struct {
	Style    string // nonce of the page's style element
	Action   string
	Problem  string
	Users    []User
	Hidden   []field
	Koc      bool
	Operator bool
}

//go:embed authorize.html
var pageText string

var pageTemplate = template.Must(template.New("authorize").Parse(pageText))

func (i *Issuer) page(w http.ResponseWriter, status int, data pageData) {
	data.Style = rand.Text()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin") // without any, the form would arrive with Origin: null, which the runner refuses
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+data.Style+"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = pageTemplate.Execute(w, data) // the client went away; nobody to tell
}
