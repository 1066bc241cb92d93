package web

import (
	"net/http"
	"strings"

	"yundian/shared/fail"
)

// Policy is what a page may load beyond the store itself, by directive of the Content-Security-Policy. Its zero value
// suits every page of the store; there is no way to allow inline scripts or styles.
type Policy struct {
	Images  []string // beyond the store, https: and data:
	Scripts []string
	Styles  []string
	Connect []string // such as the issuer's origin, for the portal's login
	Forms   []string // beyond the store, where a form may post or lead to
	Frames  []string // who may frame the page; nobody by default
}

// Header is the policy as a header's value.
func (p Policy) Header() string {
	ancestors := p.Frames
	if len(ancestors) == 0 {
		ancestors = []string{"'none'"}
	}
	directives := []struct {
		name    string
		sources []string
	}{
		{"default-src", []string{"'none'"}},
		// https: because a catalogue's pictures stay where the shop's earlier pages have them.
		{"img-src", append([]string{"'self'", "https:", "data:"}, p.Images...)},
		{"style-src", append([]string{"'self'"}, p.Styles...)},
		{"script-src", append([]string{"'self'"}, p.Scripts...)},
		{"connect-src", append([]string{"'self'"}, p.Connect...)},
		{"form-action", append([]string{"'self'"}, p.Forms...)},
		{"base-uri", []string{"'none'"}},
		{"frame-ancestors", ancestors},
	}
	parts := make([]string, 0, len(directives))
	for _, d := range directives {
		parts = append(parts, d.name+" "+strings.Join(d.sources, " "))
	}
	return strings.Join(parts, "; ")
}

// Secure sets the headers that a page needs. The adapter gives stricter ones to answers without any.
func Secure(w http.ResponseWriter, p Policy) {
	header := w.Header()
	header.Set("Content-Security-Policy", p.Header())
	header.Set("X-Content-Type-Options", "nosniff")
	// Order pages have a secret in their address, which no other site may learn. "no-referrer" would also make our
	// own forms arrive with Origin: null, which SameSite refuses.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Strict-Transport-Security", hsts)
}

// SameSite refuses a form post that another site made a browser send: Sec-Fetch-Site says cross-site or same-site, or
// Origin is null or not the store itself, by its host or publicURL. Clients that are no browsers send neither header.
// What a browser says of the site counts before the Origin: publicURL only speaks for browsers that do not say it.
func SameSite(r *http.Request, publicURL string) error {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		publicURL = ""
	}
	guard := http.NewCrossOriginProtection()
	if publicURL != "" {
		if err := guard.AddTrustedOrigin(strings.TrimRight(publicURL, "/")); err != nil {
			return err
		}
	}
	if err := guard.Check(r); err != nil {
		return fail.New(fail.Denied, "cross_site", "This form was sent from another site. Please open the store and send it from there.", nil)
	}
	return nil
}

// SameSiteOnly is SameSite as a handler around others.
func SameSiteOnly(publicURL string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := SameSite(r, publicURL); err != nil {
			WriteProblem(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}
