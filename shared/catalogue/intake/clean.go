package intake

import (
	"sync"

	"github.com/microcosm-cc/bluemonday"

	"yundian/shared/typed"
)

// policy is what a description may hold: paragraphs, lists, emphasis, headings below the page's own, and links to
// https addresses that pass on neither rank nor referrer. Everything else is dropped and its text kept, except for
// scripts and styles, which go whole.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "ul", "ol", "li", "strong", "em", "b", "i", "h2", "h3", "h4")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("https")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
})

// Clean makes HTML from elsewhere safe to stand in a page, without characters that show nothing and can mislead.
// Cleaning what is clean changes nothing.
func Clean(html string) string { return typed.TidyLines(policy().Sanitize(typed.TidyLines(html))) }
