package main

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/shared/ledger"
	"yundian/shared/ordering"
	"yundian/shared/payout"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/webhook"
)

func item(pk, sk string) store.Item {
	return store.Item{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}}
}

func TestAPaidOrderIsWrittenAboutOnceInItsLanguage(t *testing.T) {
	b := open(t)
	words := map[string][]string{"en": {"order o-en is paid", "Total: CN¥120.00", "Thank you"}, "zh-Hans": {"订单 o-zh-Hans 已付款", "合计: ¥120.00"}, "zh-Hant": {"訂單 o-zh-Hant 已付款", "合計: "}}
	for language := range words {
		b.order(t, "o-"+language, language, language+"@example.com", "龙井 <b>Tea</b>")
	}
	b.order(t, "o-phone", "en", "", "Tea")
	b.tell(t)
	for language := range words {
		b.fact(t, "o-"+language, 2)
	}
	b.tell(t)
	b.replay(t)
	b.run(t, time.Hour)
	if n := len(b.mails(t, "")); n != len(words) {
		t.Errorf("%d e-mails for %d orders", n, len(words))
	}
	for language, want := range words {
		got := b.mails(t, language+"@example.com")
		if len(got) != 1 {
			t.Errorf("%s: %d e-mails", language, len(got))
			continue
		}
		m := got[0]
		for _, part := range append(want, "龙井 <b>Tea</b> × 2", "https://shop.example.com"+b.keys.OrderPath("o-"+language)) {
			if !strings.Contains(m.Subject+"\n"+m.Text, part) {
				t.Errorf("%s lacks %q:\n%s\n%s", language, part, m.Subject, m.Text)
			}
		}
		for _, part := range []string{`lang="` + language + `"`, "龙井 &lt;b&gt;Tea&lt;/b&gt; × 2", `<a href="https://shop.example.com/orders/o-`} {
			if !strings.Contains(m.HTML, part) || strings.Contains(m.HTML, "<b>") {
				t.Errorf("%s lacks %q:\n%s", language, part, m.HTML)
			}
		}
	}
}

// TestAnOrderIsAskedToBeConfirmedOnce, in its language, with the link to the page that confirms it and not to the one that only
// shows it; and nobody is asked about an order that was confirmed meanwhile, or is over.
func TestAnOrderIsAskedToBeConfirmedOnce(t *testing.T) {
	b := open(t)
	words := map[string][]string{"en": {"please confirm order o-en", "CN¥1,500.00", "Open the page"}, "zh-Hans": {"请确认订单 o-zh-Hans", "按按钮确认"}, "zh-Hant": {"請確認訂單 o-zh-Hant", "按按鈕確認"}}
	for language := range words {
		b.unconfirmed(t, "o-"+language, language, language+"@example.com")
	}
	b.unconfirmed(t, "o-phone", "en", "")
	b.tell(t)
	b.replay(t)
	b.run(t, time.Hour)
	for language, want := range words {
		got := b.mails(t, language+"@example.com")
		if len(got) != 1 {
			t.Errorf("%s: %d e-mails", language, len(got))
			continue
		}
		for _, part := range append(want, "饼 <b>Cake</b> × 1", "https://shop.example.com"+b.keys.ConfirmPath("o-"+language)) {
			if !strings.Contains(got[0].Subject+"\n"+got[0].Text, part) {
				t.Errorf("%s lacks %q:\n%s\n%s", language, part, got[0].Subject, got[0].Text)
			}
		}
		if strings.Contains(got[0].Text+got[0].HTML, b.keys.OrderSecret("o-"+language)) {
			t.Errorf("%s leads to the order's own page", language)
		}
	}
	sent := len(b.mails(t, ""))
	b.noSES = true
	b.unconfirmed(t, "o-soon", "en", "soon@example.com")
	b.tell(t)
	if _, err := b.store.UpdateOrder(t.Context(), "o-soon", func(o *ordering.Order) error { return o.Confirm("operator", b.at) }); err != nil {
		t.Fatal(err)
	}
	b.noSES = false
	b.run(t, time.Hour)
	if n := len(b.mails(t, "")); n != sent {
		t.Errorf("%d more e-mails about an order that is confirmed", n-sent)
	}
}

// TestNobodyForgesAnEmail puts line ends and elements wherever people write.
func TestNobodyForgesAnEmail(t *testing.T) {
	b := open(t)
	s := shop.Default()
	s.Brand = "Tea\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>"
	if err := b.store.SaveSettings(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	b.order(t, "o1", "en", "chen@example.com", "Tea\r\nTo: x@example.com\r\n\r\n<img src=x onerror=alert(1)>")
	b.order(t, "o2", "xx-unknown", "b@example.com\r\nBcc: all@example.com", "Tea")
	b.tell(t)
	got := b.mails(t, "")
	if len(got) != 1 || len(got[0].To) != 1 || got[0].To[0] != "chen@example.com" {
		t.Fatalf("sent %+v", got)
	}
	m := got[0]
	if strings.ContainsAny(m.Subject+m.From, "\r\n") || !strings.HasSuffix(m.From, " <shop@example.com>") || strings.Contains(m.Text, "\nTo: ") || strings.Contains(m.Text, "\nBcc: ") {
		t.Errorf("from %q, subject %q, text %q", m.From, m.Subject, m.Text)
	}
	if strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, "<img") {
		t.Errorf("HTML %s", m.HTML)
	}
}

func TestNobodyHearsOfOldPayments(t *testing.T) {
	b := open(t)
	b.order(t, "o1", "en", "chen@example.com", "Tea")
	b.records(t, false) // what happened before letters were switched on, or before this function was there
	b.at = b.at.AddDate(0, 0, 40)
	b.fact(t, "o1", 2)
	b.tell(t)
	b.run(t, time.Hour)
	if got := b.mails(t, ""); len(got) != 0 {
		t.Errorf("sent %+v", got)
	}
}

func TestLettersWaitForSES(t *testing.T) {
	b := open(t)
	b.noSES = true
	b.order(t, "o1", "en", "chen@example.com", "Tea")
	b.tell(t)
	b.run(t, time.Minute)
	if len(b.mails(t, "")) != 0 {
		t.Fatal("sent by an SES that refuses")
	}
	b.noSES = false
	b.run(t, time.Minute)
	if len(b.mails(t, "")) != 0 {
		t.Error("the second attempt does not wait for its time")
	}
	b.run(t, 5*time.Minute)
	b.run(t, time.Hour)
	b.replay(t)
	if n := len(b.mails(t, "chen@example.com")); n != 1 {
		t.Errorf("%d e-mails", n)
	}
}

func TestNoSenderNoLetters(t *testing.T) {
	b := open(t)
	on := b.sender
	b.sender = mailOff()
	b.order(t, "o1", "en", "chen@example.com", "Tea")
	b.tell(t)
	b.run(t, time.Hour)
	b.sender = on
	b.run(t, time.Hour)
	if got := b.mails(t, ""); len(got) != 0 {
		t.Errorf("sent %+v", got)
	}
}

func TestAKOCHearsOfPayouts(t *testing.T) {
	b := open(t)
	b.koc(t, "mei", "en")
	b.koc(t, "lin", "")
	hook := b.listen(t, "mei", "e1", nil, ledger.PayoutKind)
	paid := func(handle string, net, tax, fee int64) {
		p := payout.Payout{ID: payout.ID(handle), KOC: handle, Version: 1, Currency: "CNY", Withdrawn: net + tax + fee, Gross: net + tax + fee, Net: net, Tax: tax, Fee: fee}
		reserved, _, err := payout.Moves(payout.Payout{}, p, b.at)
		if err != nil {
			t.Fatal(err)
		}
		done := p
		done.Version, done.Outcome = 2, &payout.Outcome{Paid: true, At: b.at}
		sent, _, err := payout.Moves(p, done, b.at.Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		b.post(t, ledger.Fact{Order: "x" + handle, V: 1, At: b.at}, reserved.Posting, sent.Posting)
	}
	paid("mei", 88000, 10000, 2000)
	paid("lin", 500, 0, 0)
	b.tell(t)
	b.replay(t)
	mei, lin := b.mails(t, "mei@example.com"), b.mails(t, "lin@example.com")
	if len(mei) != 1 || len(lin) != 1 {
		t.Fatalf("%d and %d e-mails", len(mei), len(lin))
	}
	for _, part := range []string{"¥880.00 is on its way", "Commission paid out: CN¥1,000.00", "Tax withheld: CN¥100.00", "Fee: CN¥20.00", "Transferred: CN¥880.00", payout.ID("mei")} {
		if !strings.Contains(mei[0].Subject+"\n"+mei[0].Text, part) {
			t.Errorf("no %q in %s\n%s", part, mei[0].Subject, mei[0].Text)
		}
	}
	if !strings.Contains(lin[0].Text, "实际转账: ¥5.00") {
		t.Errorf("not in the shop's first language: %s", lin[0].Text)
	}
	if got := hook.events(); len(got) != 2 || got[0].Data.PayoutID != payout.ID("mei") || got[0].Type != "commission.payout" {
		t.Errorf("events %+v", got)
	}
}

func TestAKOCHearsOfANewAccount(t *testing.T) {
	b := open(t)
	b.koc(t, "mei", "en")
	for v := range int64(2) {
		m := payout.Method{Version: v + 1, Rail: payout.Bank, Sealed: "sealed", At: b.at.Add(time.Duration(v) * time.Hour)}
		if v > 0 {
			m.HeldUntil = m.At.Add(72 * time.Hour)
		}
		if _, err := b.store.UpdateKOC(t.Context(), "mei", func(*kocProfile) error { return nil }, func(kocProfile) []store.Write { return store.PayeeWrites("mei", m) }); err != nil {
			t.Fatal(err)
		}
	}
	b.tell(t)
	b.replay(t)
	got := b.mails(t, "mei@example.com")
	if len(got) != 2 {
		t.Fatalf("%d e-mails", len(got))
	}
	text := got[0].Text + got[1].Text
	if strings.Count(text, "was set or changed on") != 2 || strings.Count(text, "No payout is sent before 4 March 2100, 13:00.") != 1 {
		t.Errorf("%s", text)
	}
}

func TestLettersNameNobody(t *testing.T) {
	b := open(t)
	b.noSES = true
	b.order(t, "o1", "en", "chen@example.com", "Tea")
	b.tell(t)
	due, err := b.store.DueLetters(t.Context(), b.at.Add(time.Hour), 10)
	if err != nil || len(due) != 1 || due[0].State != webhook.Due {
		t.Fatalf("%+v, %v", due, err)
	}
	if !b.erased(t, "o1") {
		t.Fatal("not erased")
	}
	b.noSES = false
	b.run(t, time.Hour)
	if got := b.mails(t, ""); len(got) != 0 {
		t.Errorf("an erased shopper was written to: %+v", got)
	}
}

// TestLettersAboutAChangeOfAddress: the new address is asked, the one in force is told at once, and letters about the account
// go to the address on record before the change, and to the former one while payouts are held.
func TestLettersAboutAChangeOfAddress(t *testing.T) {
	b := open(t)
	b.koc(t, "mei", "en")
	change := func(do func(*kocProfile) error) {
		t.Helper()
		at := b.at
		if _, err := b.store.UpdateKOC(t.Context(), "mei", do, func(p kocProfile) []store.Write { return store.EmailWrites(p, at) }); err != nil {
			t.Fatal(err)
		}
		b.tell(t)
	}
	account := func(version int64) {
		t.Helper()
		if _, err := b.store.UpdateKOC(t.Context(), "mei", func(*kocProfile) error { return nil }, func(kocProfile) []store.Write {
			return store.PayeeWrites("mei", payout.Method{Version: version, Rail: payout.Bank, Sealed: "sealed", At: b.at})
		}); err != nil {
			t.Fatal(err)
		}
	}
	count := func(to, part string) (n int) {
		for _, m := range b.mails(t, to) {
			if strings.Contains(m.Subject+m.Text, part) {
				n++
			}
		}
		return n
	}
	const old, next = "mei@example.com", "new@example.com"
	is := func(when, to, part string, want int) {
		t.Helper()
		if n := count(to, part); n != want {
			t.Errorf("%s: %s has %d letters with %q, want %d", when, to, n, part, want)
		}
	}
	change(func(p *kocProfile) error { return p.AskEmail(next, b.at) })
	link := "https://shop.example.com" + b.keys.EmailPath("mei", 1, next)
	is("asked", next, link, 1)
	is("asked", old, "another e-mail address was entered", 1)
	is("asked", old, link, 0)
	b.noSES = true
	account(1) // told of before the change, sent after it
	b.tell(t)
	b.at = b.at.Add(time.Minute)
	change(func(p *kocProfile) error { return p.ConfirmEmail(1, 72*time.Hour, b.at) })
	b.noSES = false
	b.run(t, time.Hour)
	is("confirmed", old, "go to another e-mail address", 1)
	is("confirmed", next, "go to another e-mail address", 0)
	is("before the change", old, "was set or changed on", 1)
	is("before the change", next, "was set or changed on", 0)
	b.at = b.at.Add(70 * time.Hour)
	account(2)
	b.tell(t)
	is("while held", old, "was set or changed on", 2)
	is("while held", next, "was set or changed on", 1)
	b.at = b.at.Add(3 * time.Hour)
	account(3)
	b.tell(t)
	b.replay(t)
	is("afterwards", old, "was set or changed on", 2)
	is("afterwards", next, "was set or changed on", 2)
	change(func(p *kocProfile) error { return p.AskEmail(old, b.at) })
	b.noSES = true
	change(func(p *kocProfile) error { return p.AskEmail("third@example.com", b.at) })
	change(func(p *kocProfile) error { return p.AskEmail(next, b.at) }) // withdrawn before the letter went
	b.noSES = false
	b.run(t, time.Hour)
	is("withdrawn", "third@example.com", "", 0)
}
