package web

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// hostPattern is what a domain name may look like, with a port. Anything else could carry a link somewhere else.
var hostPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)
})

// BaseURL is where the store is reached, without a slash at the end: publicURL if the shop has set one, else the API's own
// domain as the gateway names it. What the client wrote into its Host header decides nothing: it would stand in links,
// pictures and caches. Without either it is "", which makes links relative.
func BaseURL(r *http.Request, publicURL string) string {
	if publicURL != "" {
		return strings.TrimRight(publicURL, "/")
	}
	domain := requestOf(r.Context()).domain
	if !hostPattern().MatchString(domain) {
		return ""
	}
	return "https://" + domain
}
