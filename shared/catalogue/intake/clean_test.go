package intake

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"<p>Classic <b>clay</b> pot</p>", "<p>Classic <b>clay</b> pot</p>"},
		{"plain & simple", "plain &amp; simple"},
		{"<h1>Big</h1><h2>Small</h2>", "<h2>Big</h2><h2>Small</h2>"},
		{`<p style="background:url(https://evil)" class=x onclick=x()>a</p>`, "<p>a</p>"},
		{"<script>alert(1)</script><style>p{}</style>x", "x"},
		{`<img src=x onerror=alert(1)><svg onload=alert(1)><circle/></svg>y`, "y"},
		{`<a href="https://example.com/a?b=1&c=2" target=_blank>z</a>`, `<a href="https://example.com/a?b=1&amp;c=2" rel="nofollow noreferrer">z</a>`},
		{`<a href="http://example.com">z</a>`, "z"},
		{`<a href="javascript:alert(1)">z</a><a href="data:text/html,x">z</a><a href="//evil.example">z</a><a href="/orders">z</a>`, "zzzz"},
		{"<iframe src=https://evil></iframe><form action=https://evil><input></form>", ""},
		{"<p>a\u202eb\u200bc&#8238;d</p>", "<p>abcd</p>"},
		{"<ul><li>1<li>2</ul>", "<ul><li>1</li><li>2</li></ul>"},
		{"<table><tbody><tr><th>Size</th><th>Chest</th></tr><tr><td>S</td><td><p>36</p></td></tr></tbody></table>", "<p>Size | Chest</p><p>S | 36</p>"},
		{"<div>Hand-thrown.</div><div>Dishwasher safe.</div><h1>Care</h1>Wipe dry<h5>Made in</h5>Jingdezhen<dl><dt>Weight</dt><dd>300 g</dd></dl>",
			"<p>Hand-thrown.</p><p>Dishwasher safe.</p><h2>Care</h2><p>Wipe dry</p><h4>Made in</h4><p>Jingdezhen</p><p>Weight</p><p>300 g</p>"},
		{"Line one\nLine two\n- a\n- b", "Line one<br>Line two<br>- a<br>- b"},
		{"a &lt; b\n\n\n\nc", "a &lt; b<br><br>c"},
		{"<p>one\ntwo</p>\n<p>three</p>", "<p>one two</p><p>three</p>"},
		{"<pre>x\n  y</pre>", "<p>x<br>y</p>"},
		{`<p><img src="https://cdn.example/a.jpg" alt="size chart"></p><p>5<sup>th</sup> generation, H<sub>2</sub>O, <del>was 20</del> now 15, ` +
			`<span style="text-decoration: line-through;">old</span></p><iframe src="https://video.example/1"></iframe>`,
			"<p>[size chart]</p><p>5<sup>th</sup> generation, H<sub>2</sub>O, <del>was 20</del> now 15, <del>old</del></p>"},
		{"<s>30</s><strike>20</strike> 10", "<del>30</del><del>20</del> 10"},
		{"<b>bold<div>block</div>still</b>", "<b>bold</b><p><b>block</b></p><p><b>still</b></p>"},
		{"<ul><li><p>one</p><p>two</p></li><li>three<ul><li>nested</li></ul></li></ul>", "<ul><li>one<br>two</li><li>three<br>nested</li></ul>"},
		{"<blockquote>said</blockquote><address>Street 1<br>Town</address><hr>end", "<p>said</p><p>Street 1<br>Town</p><p>end</p>"},
		{"<ul></ul><p> </p>x", "x"},
		{"<span>a</span><span>b</span>", "ab"},
		{"a<hr>b<div></div>c", "a<p>b</p><p>c</p>"},
		{"<h2><div>Care</div></h2><p>Wipe</p>", "<h2>Care</h2><p>Wipe</p>"},
		{"<p style=\"text-decoration:line-through\">was 20</p>now 15", "<p><del>was 20</del></p><p>now 15</p>"},
		{"<table><tr><td><table><tr><td>S</td><td>36</td></tr><tr><td>M</td><td>38</td></tr></table></td><td>Note</td></tr></table>",
			"<p>S | 36</p><p>M | 38</p><p>Note</p>"},
		{"<b><b>x</b></b>", "<b>x</b>"},
	} {
		if got := Clean(tt.in); got != tt.want {
			t.Errorf("Clean(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

// TestCleanGrowsLittle: emphasis that is never closed is opened again at every block, each kind once.
func TestCleanGrowsLittle(t *testing.T) {
	in := strings.Repeat("<b><i>", 200) + strings.Repeat("<p>x</p>", 500)
	if out := Clean(in); len(out) > 4*len(in) {
		t.Errorf("%d bytes became %d", len(in), len(out))
	}
}

func TestLongBodiesAreCut(t *testing.T) {
	for in, want := range map[string]string{
		"<p>one</p><p>two</p>":                 "<p>one</p>",
		"<p>长长长长</p>":                          "<p>长长</p>",
		"<p>a &amp; b</p>":                     "<p>a &amp;</p>",
		"<b>bold</b> <a href=\"https://x.y\">": "<b>bold</b>",
	} {
		if got := cut(in, 14); got != want {
			t.Errorf("%s is cut to %s, want %s", in, got, want)
		}
	}
}

// TestCleanIsClean: whatever comes in, only listed elements and https links come out, and cleaning again changes nothing.
func TestCleanIsClean(t *testing.T) {
	listed := map[string]bool{"p": true, "br": true, "ul": true, "ol": true, "li": true, "strong": true, "em": true, "b": true, "i": true,
		"h2": true, "h3": true, "h4": true, "a": true, "sup": true, "sub": true, "del": true}
	piece := rapid.OneOf(rapid.SampledFrom([]string{"<p>", "</p>", "<a href=\"", "https://a.example", "javascript:", "\">", "</a>", "<script>", "</script>", "<svg onload=x>",
		"&#106;", "&lt;", "<", ">", "\"", "'", "&", "<!--", "-->", "<![CDATA[", "\u202e", "\x00", "<b", " onclick=x ", "<style>", "</style>", "<math>", "<noscript>", "<div>", "</div>", "<table>", "<tr>", "<td>", "</td>", "<ul>", "<li>", "</ul>", "<pre>", "</pre>", "\n", "<br>", "<h1>", "<span style=text-decoration:line-through>"}), rapid.StringN(0, 6, -1))
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOfN(piece, 0, 20).Draw(t, "html"), "")
		out := Clean(in)
		if again := Clean(out); again != out {
			t.Fatalf("Clean(%q) = %q, and again %q", in, out, again)
		}
		for z := html.NewTokenizer(strings.NewReader(out)); z.Next() != html.ErrorToken; {
			token := z.Token()
			switch token.Type {
			case html.TextToken:
				continue
			case html.CommentToken, html.DoctypeToken:
				t.Fatalf("Clean(%q) = %q", in, out)
			}
			if !listed[token.Data] {
				t.Fatalf("Clean(%q) kept %q", in, token.Data)
			}
			for _, a := range token.Attr {
				if a.Key == "href" && !strings.HasPrefix(a.Val, "https://") || a.Key != "href" && a.Key != "rel" {
					t.Fatalf("Clean(%q) kept %s=%q", in, a.Key, a.Val)
				}
			}
		}
	})
}
