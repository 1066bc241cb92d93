package main

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	"yundian/shared/fail"
	"yundian/shared/locale"
	"yundian/shared/web"
)

// The portal is a static page: it logs in at the issuer, keeps its token in memory, and shows what the API under /v1
// says. Nothing here knows who looks at it.
//
//go:embed static
var static embed.FS

// login is where KOCs log in.
type login struct {
	Issuer   string `json:"issuer"`
	ClientID string `json:"clientId"`
}

// config is what the page has to know before anybody has logged in.
type config struct {
	login
	Scope string `json:"scope"`
	Brand string `json:"brand"`
}

// types are the kinds of files there are, by the end of their names.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".json": "application/json",
}

func (p *portal) showPage(w http.ResponseWriter, r *http.Request) {
	web.Secure(w, web.Policy{Connect: p.login.origins()})
	p.serveStatic(w, r, "portal.html")
}

func (p *portal) showFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	switch {
	case name == "config.json":
		p.showConfig(w, r)
	case path.Ext(name) == ".json": // words.zh-Hans.json
		language := strings.TrimSuffix(strings.TrimPrefix(name, "words."), ".json")
		serveFile(w, r, name, locale.File("portal-page", locale.Language(language)))
	case name == "portal.html": // it is served at /portal, with its policy
		serveFile(w, r, name, nil)
	default:
		p.serveStatic(w, r, name)
	}
}

func (p *portal) showConfig(w http.ResponseWriter, r *http.Request) {
	settings, err := p.store.Settings(r.Context())
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	web.WriteJSON(w, r, http.StatusOK, config{login: p.login, Scope: "openid " + scope, Brand: settings.Brand})
}

func (p *portal) serveStatic(w http.ResponseWriter, r *http.Request, name string) {
	content, err := static.ReadFile("static/" + name)
	if err != nil {
		content = nil
	}
	serveFile(w, r, name, content)
}

// serveFile answers with a file of the page. Browsers keep it and ask whether it is still the same: files of different
// versions must not meet, and there are few readers.
func serveFile(w http.ResponseWriter, r *http.Request, name string, content []byte) {
	kind := types[path.Ext(name)]
	if content == nil || kind == "" {
		web.WriteProblem(w, r, fail.New(fail.NotFound, "page_unknown", "There is nothing at this address.", nil))
		return
	}
	sum := sha256.Sum256(content)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	header := w.Header()
	header.Set("Content-Type", kind)
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", tag)
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(content) // the client may be gone
}

var cognito = regexp.MustCompile(`^cognito-idp\.([a-z0-9-]+)\.amazonaws\.com$`)

// origins are where the page may connect to log in: the issuer, and where Cognito keeps the token endpoint of its
// issuers, which is on another host.
func (l login) origins() []string {
	u, err := url.Parse(l.Issuer)
	if err != nil || u.Host == "" {
		return nil
	}
	out := []string{u.Scheme + "://" + u.Host}
	if m := cognito.FindStringSubmatch(u.Host); m != nil {
		out = append(out, "https://*.auth."+m[1]+".amazoncognito.com")
	}
	return out
}
