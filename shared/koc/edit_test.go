package koc

import (
	"strings"
	"testing"
	"time"

	"yundian/shared/fail"
)

func TestValidPortrait(t *testing.T) {
	for _, good := range []string{"", "https://cdn.example.com/a/b.jpg", "https://cdn.example.com/b.PNG?v=1", "/assets/mei.webp"} {
		if !ValidPortrait(good) {
			t.Errorf("%q was refused", good)
		}
	}
	for _, bad := range []string{
		"http://cdn.example.com/a.jpg", "https://cdn.example.com/a.svg", "https://cdn.example.com/a", "javascript:alert(1)//.jpg",
		"data:image/png;base64,AAAA", "https://10.0.0.1/a.jpg", "https://[::1]/a.jpg", "https://localhost/a.jpg", "https://nas.local/a.jpg",
		"https://169.254.169.254/a.jpg", "https://0x7f.1/a.jpg", "https://127.1/a.jpg", "https://user@example.com/a.jpg",
		"https://example.com:8443/a.jpg", "//evil.example/a.jpg", "/\\evil.example/a.jpg", "/a/../../b.jpg", "https://example.com/a.jpg\" onerror=x",
		"https://metadata.google.internal/a.jpg", "https://example.com/" + strings.Repeat("a", 500) + ".jpg",
	} {
		if ValidPortrait(bad) {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestEditAllOrNothing(t *testing.T) {
	p, err := NewProfile("mei", "小美", "mei@example.com", time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	before := p.Name
	name, story := "阿美", strings.Repeat("长", MaxStory+1)
	if err := p.Edit(Edit{Name: &name, Story: &story}); fail.KindOf(err) != fail.Invalid || p.Name != before {
		t.Fatalf("a wrong edit gave %v and name %q", err, p.Name)
	}
	story = "我每天穿。\u202E"
	if err := p.Edit(Edit{Name: &name, Story: &story}); err != nil || p.Name != "阿美" || p.Story != "我每天穿。" {
		t.Fatalf("edit gave %v, %q, %q", err, p.Name, p.Story)
	}
	if p.Email != "mei@example.com" {
		t.Errorf("an absent field changed: %q", p.Email)
	}
}

func TestInviteHash(t *testing.T) {
	if InviteHash("a") == InviteHash("b") || InviteHash("a") != InviteHash("a") || len(InviteHash("")) != 43 {
		t.Error("an invitation's hash must name it and nothing else")
	}
}
