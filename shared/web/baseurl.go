package web

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// hostPattern is what a Host header may hold: a name, or an address, and a port. Anything else could carry a link
// somewhere else.
var hostPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)
})

// BaseURL is where the store is reached, without a slash at the end: publicURL if the shop has set one, else the
// request's host with the scheme of X-Forwarded-Proto, https without that. A malformed host gives "", which makes
// links relative.
func BaseURL(r *http.Request, publicURL string) string {
	if publicURL != "" {
		return strings.TrimRight(publicURL, "/")
	}
	if !hostPattern().MatchString(r.Host) {
		return ""
	}
	scheme := "https"
	if r.Header.Get("X-Forwarded-Proto") == "http" {
		scheme = "http"
	}
	return scheme + "://" + r.Host
}
