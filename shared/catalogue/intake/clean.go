package intake

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"yundian/shared/typed"
)

// policy is what a description may hold: paragraphs, lists, emphasis, headings below the page's own, raised, lowered and
// struck text, and links to https addresses that pass on neither rank nor referrer. It is the guarantee; flow only makes
// sure that what it takes away leaves its meaning behind.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "ul", "ol", "li", "strong", "em", "b", "i", "h2", "h3", "h4", "sup", "sub", "del")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("https")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
})

// settling bounds how often a description is cleaned until nothing changes any more; broken markup takes two rounds.
const settling = 5

// Clean makes HTML from elsewhere safe to stand in a page, without characters that show nothing and can mislead. Blocks,
// cells of tables and lines of plain text stay apart from each other. Cleaning what is clean changes nothing.
func Clean(text string) string {
	for range settling {
		next := typed.TidyLines(policy().Sanitize(flow(typed.TidyLines(text))))
		if next == text {
			break
		}
		text = next
	}
	return text
}

// cut is the beginning of a clean description, as clean as the whole, within a number of bytes.
func cut(text string, limit int) string {
	end := limit
	for {
		part := strings.ToValidUTF8(text[:end], "")
		for _, mark := range [][2]string{{"<", ">"}, {"&", ";"}} { // not within a tag or an entity
			if i := strings.LastIndex(part, mark[0]); i >= 0 && !strings.Contains(part[i:], mark[1]) {
				part = part[:i]
			}
		}
		if part = Clean(part); len(part) <= limit {
			return part
		}
		end -= len(part) - limit // elements that were open at the end are closed
	}
}

// flow writes a description anew with the elements of the policy: every block becomes a paragraph, a heading or an item
// of a list, and a row of a table becomes a paragraph with its cells side by side.
func flow(text string) string {
	nodes, err := html.ParseFragment(strings.NewReader(text), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return text // only reading can fail, and a string cannot
	}
	f := &flowing{plain: true}
	for _, n := range nodes {
		f.plain = f.plain && n.Type == html.TextNode
	}
	f.plain = f.plain && strings.Contains(text, "\n")
	for _, n := range nodes {
		f.walk(n)
	}
	f.flush()
	return f.out.String()
}

// flowing is a description being written.
type flowing struct {
	out    bytes.Buffer
	run    bytes.Buffer // inline text since the last block
	said   bool         // run holds text, not only tags
	open   []string     // inline elements around the text, as they were opened
	block  string       // element that the next run becomes; empty at the top, where lone text stays bare
	blocks int          // blocks and bare texts written so far: once there is one, bare text becomes a paragraph
	plain  bool         // text without any markup: its line ends mean what they show
	cells  bool         // within a row of a table, whose blocks stand side by side
}

// dropped are elements of which nothing is kept.
var dropped = map[atom.Atom]bool{atom.Script: true, atom.Style: true, atom.Iframe: true, atom.Object: true, atom.Embed: true, atom.Svg: true,
	atom.Math: true, atom.Template: true, atom.Noscript: true, atom.Head: true, atom.Title: true, atom.Textarea: true, atom.Select: true,
	atom.Button: true, atom.Audio: true, atom.Video: true, atom.Canvas: true, atom.Noembed: true, atom.Noframes: true, atom.Xmp: true, atom.Plaintext: true}

// inline are the elements that stay within a line, and what they become.
var inline = map[atom.Atom]string{atom.Strong: "strong", atom.B: "b", atom.Em: "em", atom.I: "i", atom.Sup: "sup", atom.Sub: "sub", atom.Del: "del",
	atom.S: "del", atom.Strike: "del", atom.A: "a"}

// headings are what headings become: the page's own title stands above them.
var headings = map[atom.Atom]string{atom.H1: "h2", atom.H2: "h2", atom.H3: "h3", atom.H4: "h4", atom.H5: "h4", atom.H6: "h4"}

// aside are elements that neither begin a block nor change their text.
var aside = map[atom.Atom]bool{atom.Span: true, atom.U: true, atom.Small: true, atom.Big: true, atom.Font: true, atom.Label: true, atom.Abbr: true,
	atom.Cite: true, atom.Code: true, atom.Kbd: true, atom.Mark: true, atom.Q: true, atom.Samp: true, atom.Time: true, atom.Var: true, atom.Ins: true,
	atom.Bdi: true, atom.Bdo: true, atom.Wbr: true, atom.Dfn: true, atom.Data: true, atom.Tt: true, atom.Nobr: true, atom.Ruby: true, atom.Rb: true,
	atom.Rt: true, atom.Rp: true, atom.Picture: true, atom.Source: true, atom.Input: true, atom.Acronym: true}

func (f *flowing) walk(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		f.text(n.Data)
		return
	case html.ElementNode:
	default:
		return // comments and processing instructions
	}
	if dropped[n.DataAtom] {
		return
	}
	switch name := inline[n.DataAtom]; {
	case name != "":
		f.within(tag(name, n), func() { f.children(n) })
	case struck(n):
		f.within("<del>", func() { f.element(n) })
	default:
		f.element(n)
	}
}

// element writes an element that is not emphasis.
func (f *flowing) element(n *html.Node) {
	switch {
	case n.DataAtom == atom.Br:
		f.lineBreak()
	case n.DataAtom == atom.Img:
		f.picture(n)
	case aside[n.DataAtom], n.DataAtom == 0: // unknown elements are part of their line
		f.children(n)
	default:
		f.blockOf(n)
	}
}

func (f *flowing) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		f.walk(c)
	}
}

// blockOf writes an element that stands on lines of its own.
func (f *flowing) blockOf(n *html.Node) {
	switch heading := headings[n.DataAtom]; {
	case f.cells:
		f.space()
		f.children(n)
		f.space()
	case heading != "":
		f.in(heading, n)
	case n.DataAtom == atom.Ul || n.DataAtom == atom.Ol || n.DataAtom == atom.Menu || n.DataAtom == atom.Dir:
		f.list(n)
	case n.DataAtom == atom.Tr:
		f.row(n)
	case n.DataAtom == atom.Pre:
		before := f.plain
		f.plain = true
		f.in("p", n)
		f.plain = before
	default:
		f.in("p", n)
	}
}

// in writes a block's children as blocks of one name. Within an item of a list blocks become lines, and what a heading is
// divided into are headings.
func (f *flowing) in(block string, n *html.Node) {
	if block == "p" && strings.HasPrefix(f.block, "h") {
		block = f.block
	}
	if f.block == "li" {
		f.boundary()
		f.children(n)
		f.boundary()
		return
	}
	before := f.block
	f.flush()
	f.block = block
	f.children(n)
	f.flush()
	f.block = before
}

// list writes a list. One within an item becomes lines of that item: nothing of it is lost, only its indent.
func (f *flowing) list(n *html.Node) {
	if f.block == "li" {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			f.boundary()
			f.walk(c)
		}
		f.boundary()
		return
	}
	name := "ul"
	if n.DataAtom == atom.Ol {
		name = "ol"
	}
	before := f.block
	f.flush()
	mark := f.out.Len()
	f.out.WriteString("<" + name + ">")
	empty := f.out.Len()
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		f.block = "li"
		if c.DataAtom == atom.Li {
			f.children(c)
		} else {
			f.walk(c)
		}
		f.flush()
	}
	f.block = before
	if f.out.Len() == empty {
		f.out.Truncate(mark)
		return
	}
	f.out.WriteString("</" + name + ">")
	f.blocks++
}

// row writes a table's row: its cells in one line. A row around further tables only places them on a page.
func (f *flowing) row(n *html.Node) {
	if holdsTable(n) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			f.in("p", c)
		}
		return
	}
	before, cells := f.block, f.cells
	if f.block == "li" {
		f.boundary()
	} else {
		f.flush()
		f.block = "p"
	}
	first := true
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode {
			continue
		}
		if !first {
			f.run.WriteString(" | ")
		}
		first, f.cells = false, true
		f.children(c)
	}
	f.cells = cells
	if before == "li" {
		f.boundary()
		return
	}
	f.flush()
	f.block = before
}

func holdsTable(n *html.Node) bool {
	for d := range n.Descendants() {
		if d.DataAtom == atom.Table {
			return true
		}
	}
	return false
}

// within writes an inline element around what content writes. One around blocks is closed and opened again at each; one
// within its like says nothing more, and a thousand of them would be opened again at every block.
func (f *flowing) within(opening string, content func()) {
	if slices.Contains(f.open, opening) {
		content()
		return
	}
	f.open = append(f.open, opening)
	f.run.WriteString(opening)
	content()
	f.open = f.open[:len(f.open)-1]
	if bytes.HasSuffix(f.run.Bytes(), []byte(opening)) { // nothing stands in it
		f.run.Truncate(f.run.Len() - len(opening))
		return
	}
	f.run.WriteString(closing(opening))
}

func closing(opening string) string {
	name, _, _ := strings.Cut(strings.Trim(opening, "<>"), " ")
	return "</" + name + ">"
}

func (f *flowing) text(text string) {
	if !f.plain {
		text = strings.ReplaceAll(text, "\n", " ")
	}
	if strings.TrimSpace(text) != "" {
		f.said = true
	}
	f.run.WriteString(strings.ReplaceAll(html.EscapeString(text), "\n", "<br>"))
}

// boundary begins another line where a block stands within an item of a list, unless one has just begun.
func (f *flowing) boundary() {
	if !bytes.HasSuffix(f.run.Bytes(), []byte("<br>")) {
		f.lineBreak()
	}
}

func (f *flowing) space() { f.run.WriteString(" ") }

func (f *flowing) lineBreak() {
	switch {
	case f.cells:
		f.space()
	case f.said:
		f.run.WriteString("<br>")
	}
}

// picture keeps what a picture shows, in words: the shop loads no pictures from within descriptions.
func (f *flowing) picture(n *html.Node) {
	if alt := typed.TidyLine(attribute(n, "alt")); alt != "" {
		f.text(" [" + alt + "] ")
	}
}

// flush ends the run of inline text and writes it as the block in hand.
func (f *flowing) flush() {
	run := f.run.String()
	f.run.Reset()
	said := f.said
	f.said = false
	for _, opening := range f.open {
		f.run.WriteString(opening)
	}
	if !said {
		return
	}
	for i := len(f.open) - 1; i >= 0; i-- {
		run += closing(f.open[i])
	}
	run = trimBreaks(run)
	block := f.block
	if block == "" && f.blocks > 0 {
		block = "p"
	}
	f.blocks++
	if block == "" {
		f.out.WriteString(run)
		return
	}
	f.out.WriteString("<" + block + ">" + run + "</" + block + ">")
}

// trimBreaks takes away spaces and line breaks at both ends of a run, and more than two breaks in a row.
func trimBreaks(run string) string {
	for {
		next := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(run), "<br>"), "<br>"))
		next = strings.ReplaceAll(strings.ReplaceAll(next, "<br> ", "<br>"), "<br><br><br>", "<br><br>")
		if next == run {
			return run
		}
		run = next
	}
}

// tag is the opening of an inline element; of a link only its address is kept.
func tag(name string, n *html.Node) string {
	if name != "a" {
		return "<" + name + ">"
	}
	return `<a href="` + html.EscapeString(attribute(n, "href")) + `">`
}

// struck reports whether an element's style strikes its text through, as word processors write it.
func struck(n *html.Node) bool {
	return strings.Contains(strings.ToLower(attribute(n, "style")), "line-through")
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Namespace == "" && a.Key == name {
			return a.Val
		}
	}
	return ""
}
