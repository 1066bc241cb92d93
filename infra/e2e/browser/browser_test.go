// Package browser walks the shopper's and the KOC's road in a real Chromium, at a phone's size, on the running store.
package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"yundian/infra/e2e/drive"
)

// atADesk is a browser that somebody sits at.
const atADesk = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

func TestMain(m *testing.M) { drive.Main(m) }

// screen is a viewport in CSS pixels.
type screen struct {
	name          string
	width, height int64
	phone         bool
}

var (
	phone   = screen{"phone", 390, 844, true}
	desktop = screen{"desktop", 1280, 800, false}
)

// tab is one page of a browser of the test's own.
type tab struct {
	t      testing.TB
	ctx    context.Context
	name   string
	screen screen
}

// inApp is the browser inside WeChat on a phone, which most shoppers come with.
const inApp = "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0.50 WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64"

// patience is how long one step of a page may take on a busy machine.
const patience = 60 * time.Second

// open starts Chromium with an empty profile. Script errors on any page fail the test.
func open(t *testing.T, s screen, script bool) *tab {
	t.Helper()
	// As root there is no sandbox; the other flags keep Chromium from talking to anybody but the store.
	flags := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.Flag("disable-gpu", true),
		chromedp.UserAgent(atADesk), // a headless browser counts nowhere
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.UserDataDir(t.TempDir()))
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(endAllocator)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	b := &tab{t: t, ctx: ctx, name: strings.ReplaceAll(t.Name(), "/", "-"), screen: s}
	if err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*runtime.EventExceptionThrown); ok {
			t.Errorf("a script failed: %s", e.ExceptionDetails.Text)
		}
	}); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	view := []chromedp.EmulateViewportOption{chromedp.EmulateScale(2)}
	if s.phone {
		view = append(view, chromedp.EmulateMobile)
	}
	b.run(chromedp.EmulateViewport(s.width, s.height, view...), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !script}); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: inApp, AcceptLanguage: "zh-CN"})
		return err
	}))
	return b
}

func chromium(t testing.TB) string {
	for _, path := range []string{"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium: run make setup")
	return ""
}

// run takes steps on the page; one that fails ends the test with a picture of where it was.
func (b *tab) run(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.fail(err)
	}
}

func (b *tab) fail(err error) {
	b.t.Helper()
	at, _ := chromedp.Run(b.ctx, chromedp.Location()) // only for the message
	b.shot("failed")
	b.t.Fatalf("at %s: %v", at, err)
}

func (b *tab) visit(address string) { b.t.Helper(); b.run(chromedp.Navigate(address)) }

// press clicks an element and waits for the page that follows to be there.
func (b *tab) press(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.ScrollIntoView(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.fail(fmt.Errorf("press %s: %w", selector, err))
	}
}

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.run(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// see waits until an element shows and gives its text.
func (b *tab) see(selector string) string {
	b.t.Helper()
	b.run(chromedp.WaitVisible(chromedp.CSS(selector)))
	return ask(b, chromedp.Text(chromedp.CSS(selector)))
}

func (b *tab) location() string { b.t.Helper(); return ask(b, chromedp.Location()) }

// ask takes a step that gives a value.
func ask[T any](b *tab, step chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, step)
	if err != nil {
		b.fail(err)
	}
	return v
}

// shot keeps a picture of what is on the screen in .artifacts/screenshots.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := filepath.Join(drive.Root(), ".artifacts", "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, b.name+"-"+name+"-"+b.screen.name+".png"), png, 0o644)
	}
	if err != nil {
		b.t.Logf("no picture of %s: %v", name, err)
	}
}

// fits fails when a page is wider than the screen: nobody wants to push a shop sideways.
func (b *tab) fits() {
	b.t.Helper()
	if wide := ask(b, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); wide > b.screen.width {
		b.t.Errorf("the page is %d wide on a screen of %d", wide, b.screen.width)
	}
}
