package koc

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadCode(t *testing.T) {
	long := strings.Repeat("a", 30)
	for text, want := range map[string]string{
		"mei": "mei", " mei\n": "mei", "MEI": "mei", "mei-lin": "mei-lin", "mei_abc2345": "mei_abc2345", "Mei_ABC2345": "mei_abc2345",
		// What chats write behind it.
		"mei。": "mei", "mei，快来看": "mei", "mei快来看": "mei", "mei.": "mei", "mei)": "mei", "mei】": "mei", "mei!": "mei", "mei/": "mei", "mei//": "mei",
		"mei/快来看": "mei", "mei&from=timeline": "mei", "mei?from=line": "mei", "mei%3Ffrom": "mei", "mei#top": "mei", "mei;": "mei", "mei😀": "mei", "mei, look": "mei",
		"mei-": "mei", "mei--x": "mei", "mei-快": "mei", "mei_": "mei", "mei_。": "mei", "mei_快来": "mei", "mei_abc2345。": "mei_abc2345", "mei_abc2345/x": "mei_abc2345",
		"mei_abc-def": "mei_abc", "mei_abc_def": "mei_abc", "mei\u200b": "mei", "me\u200bi": "mei", "\ufeffmei\u202c": "mei", "mei\u0000": "mei",
		// What stands before it, and how it is typed.
		"@mei": "mei", "＠mei": "mei", "#mei": "mei", "「mei」": "mei", "（mei）": "mei", "👉mei": "mei", "ｍｅｉ": "mei", "ＭＥＩ＿ａｂｃ２３４５": "mei_abc2345", "\u3000mei\u3000": "mei",
		// Whole addresses.
		"https://shop/s/mei": "mei", "https://shop.example/s/mei_abc2345?from=timeline": "mei_abc2345", "http://127.0.0.1:8080/k/mei/p/longjing?t=x": "mei",
		"shop.example/s/mei": "mei", "/s/mei": "mei", "看看 https://shop.example/s/mei 真好": "mei", "HTTPS://SHOP.EXAMPLE/S/MEI": "mei", "ｈｔｔｐｓ：／／shop.example／s／mei": "mei",
		"mei/k/lin": "mei",
		long:        long, long + "b": long, long + "_abc": long + "_abc", long + "b_abc": long, "mei_" + strings.Repeat("a", 100): "mei_" + strings.Repeat("a", 56),
	} {
		if got, ok := ReadCode(text); got != want || !ok {
			t.Errorf("%q is read as %q, %v, want %q", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "@", "me", "。", "快来看", "我的mei", "https://shop.example/", "https://shop.example/p/longjing", "https", "\xff\xfe"} {
		if got, ok := ReadCode(text); ok && got != "https" {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

func TestStoredCodes(t *testing.T) {
	for code, want := range map[string]string{"mei": "mei", "mei_abc": "mei_abc", "mei_abc2345": "mei_abc2345", "mei_abc2345kuai": "mei_abc2345kuai mei_abc2345"} {
		if got := strings.Join(StoredCodes(code), " "); got != want {
			t.Errorf("%s may be stored as %s, want %s", code, got, want)
		}
	}
}

// FuzzReadCode: what is read is a code as it is stored, and is read as itself.
func FuzzReadCode(f *testing.F) {
	for _, text := range []string{"@mei，快来看", "https://shop/s/mei_abc2345", "ｍｅｉ", "mei--", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, ok := ReadCode(text)
		if !ok {
			return
		}
		handle, valid := HandleOf(code)
		again, _ := ReadCode(code)
		if !valid || again != code || len(code) > MaxCode || !utf8.ValidString(code) || !strings.HasPrefix(code, handle) {
			t.Errorf("%q is read as %q, whose handle is %q and which is read as %q", text, code, handle, again)
		}
	})
}
