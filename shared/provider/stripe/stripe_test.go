package stripe

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	stripego "github.com/stripe/stripe-go/v85"
	"pgregory.net/rapid"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/provider"
	"yundian/shared/provider/stripe/stripetest"
)

const account = "acct_1Chen"

var ours = Shop{Key: stripetest.Key, Name: "shop-LedgerTable-1"}

var wage = provider.Transfer{ID: "P1", Amount: money.Of(1230, "USD"), Account: account, Name: "Chen", Description: "Commission 2026-03"}

func open(t *testing.T) (*stripetest.Stripe, *Rail) {
	t.Helper()
	far := stripetest.Start(t, account)
	far.Fund("usd", 100_000)
	return far, NewAt(ours, far.URL)
}

// moved is how much has reached the account, in minor units.
func moved(far *stripetest.Stripe) int64 {
	var sum int64
	for _, t := range far.Transfers() {
		sum += t.Amount
	}
	return sum
}

func TestSendAndLookup(t *testing.T) {
	far, rail := open(t)
	if got, err := rail.Lookup(t.Context(), "P1"); !provider.IsTransferUnknown(err) || got != (provider.TransferResult{}) {
		t.Errorf("before it was sent: %+v %v", got, err)
	}
	sent, err := rail.Send(t.Context(), wage)
	if err != nil || sent != (provider.TransferResult{State: provider.TransferPaid, ProviderID: "tr_1"}) {
		t.Fatalf("send: %+v %v", sent, err)
	}
	want := stripetest.Transfer{ID: "tr_1", Object: "transfer", Amount: 1230, Currency: "usd", Description: "Commission 2026-03", Destination: account, TransferGroup: "P1"}
	got := far.Transfers()[0]
	if got.Metadata["payout"] != "P1" {
		t.Errorf("metadata %v", got.Metadata)
	}
	if got.Metadata = nil; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("transfer %+v, want %+v", got, want)
	}
	post := far.Requests()[2]
	if post.Method != http.MethodPost || post.Header.Get("Idempotency-Key") != "P1" || post.Header.Get("Stripe-Version") == "" {
		t.Errorf("%s %v", post.Method, post.Header)
	}
	for _, again := range []func() (provider.TransferResult, error){
		func() (provider.TransferResult, error) { return rail.Lookup(t.Context(), "P1") },
		func() (provider.TransferResult, error) { return rail.Send(t.Context(), wage) },
		func() (provider.TransferResult, error) { far.Forget(); return rail.Send(t.Context(), wage) },
	} {
		if got, err := again(); err != nil || got != sent {
			t.Errorf("again: %+v %v", got, err)
		}
	}
	if moved(far) != 1230 {
		t.Errorf("moved %d", moved(far))
	}
	for _, r := range far.Requests() {
		if r.Header.Get("X-Stripe-Client-Telemetry") != "" || strings.Contains(r.URL.String(), stripetest.Key) {
			t.Errorf("%s %v", r.URL, r.Header)
		}
	}
	if rail.Name() != payout.Stripe {
		t.Error(rail.Name())
	}
}

func TestNoKeyNoRail(t *testing.T) {
	tests := []struct {
		key, name string
		rails     int
		refused   bool
	}{
		{"", "shop", 0, false}, {" \n", "shop", 0, false}, {"{}", "shop", 0, false}, {`{"key": "", "generated": "x"}`, "shop", 0, false}, {`{"key": ""}`, "", 0, false},
		{"sk_live_1a", "shop", 1, false}, {" rk_test_1a\n", "shop", 1, false}, {`{"key": "sk_live_1a", "generated": "x"}`, "shop", 1, false},
		{"sk_live_1a", "", 0, true}, {"pk_live_1a", "shop", 0, true}, {"whsec_1a", "shop", 0, true}, {"sk_live_1a sk_live_1b", "shop", 0, true},
		{`{"key": "pk_live_1a"}`, "shop", 0, true}, {`{"key": "sk_live_1a`, "shop", 0, true}, {`{"key": 1}`, "shop", 0, true},
	}
	for _, tt := range tests {
		got, err := New(Shop{tt.key, tt.name})
		if len(got) != tt.rails || (err != nil) != tt.refused || strings.Contains(fmt.Sprint(err), "1a") {
			t.Errorf("%q: %v %v", tt.key, got, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		change func(*provider.Transfer)
		reason string
	}{
		"insufficient funds":             {func(w *provider.Transfer) { w.Amount.Minor = 100_001 }, "balance_insufficient You have insufficient funds"},
		"an unknown account":             {func(w *provider.Transfer) { w.Account = "acct_2" }, "resource_missing No such destination: 'acct_2'"},
		"words without end":              {func(w *provider.Transfer) { w.Account = "acct_" + strings.Repeat("x", 500) }, "resource_missing"},
		"a currency it counts otherwise": {func(w *provider.Transfer) { w.Amount.Currency = "MGA" }, "Stripe counts MGA in other units"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			far, rail := open(t)
			w := wage
			tt.change(&w)
			got, err := rail.Send(t.Context(), w)
			if err != nil || len(got.Reason) > maxReason || got.State != provider.TransferFailed || got.ProviderID != "" || !strings.HasPrefix(got.Reason, tt.reason) {
				t.Errorf("%+v %v", got, err)
			}
			if _, err := rail.Lookup(t.Context(), w.ID); !provider.IsTransferUnknown(err) {
				t.Errorf("look-up: %v", err)
			}
			if moved(far) != 0 {
				t.Errorf("moved %d", moved(far))
			}
		})
	}
}

func TestNothingToSendIsNoTransfer(t *testing.T) {
	far, rail := open(t)
	for name, change := range map[string]func(*provider.Transfer){
		"no id":             func(w *provider.Transfer) { w.ID = "" },
		"no account":        func(w *provider.Transfer) { w.Account = "" },
		"nothing":           func(w *provider.Transfer) { w.Amount.Minor = 0 },
		"less than nothing": func(w *provider.Transfer) { w.Amount.Minor = -1230 },
	} {
		w := wage
		change(&w)
		unknownOutcome(t, name)(rail.Send(t.Context(), w))
	}
	unknownOutcome(t, "a look-up of nothing")(rail.Lookup(t.Context(), ""))
	if n := len(far.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// unknownOutcome wants an error that is no refusal and says nothing that belongs into no log.
func unknownOutcome(t *testing.T, what string) func(provider.TransferResult, error) {
	return func(got provider.TransferResult, err error) {
		t.Helper()
		if err == nil || fail.KindOf(err) != fail.Internal || got != (provider.TransferResult{}) {
			t.Errorf("%s: %+v %v", what, got, err)
		}
		if text := fmt.Sprint(err); strings.Contains(text, "sk_test") || strings.Contains(text, "<h1>") || len(text) > 400 {
			t.Errorf("%s: the error says %s", what, text)
		}
	}
}

// Every fault with the request that moves the money leaves the outcome unknown, and the look-up afterwards tells.
func TestWhatWasLostIsLookedUp(t *testing.T) {
	happened := []stripetest.Fault{stripetest.LostResponse, stripetest.CutResponse, stripetest.FailedAfter}
	for _, fault := range stripetest.Faults[1:] {
		t.Run(string(fault), func(t *testing.T) {
			far, rail := open(t)
			far.Plan(stripetest.None, fault, fault) // net/http may send a request with a key again by itself
			unknownOutcome(t, "send")(rail.Send(t.Context(), wage))
			far.Plan(fault, fault)
			unknownOutcome(t, "look-up")(rail.Lookup(t.Context(), wage.ID))
			far.Plan()
			got, err := rail.Lookup(t.Context(), wage.ID)
			if slices.Contains(happened, fault) {
				if err != nil || got != (provider.TransferResult{State: provider.TransferPaid, ProviderID: "tr_1"}) {
					t.Errorf("%+v %v", got, err)
				}
			} else if !provider.IsTransferUnknown(err) {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
}

// What is at Stripe and cannot be this payout's transfer as it was sent is for a person: neither paid nor failed, and
// nothing more is sent.
func TestContradictionsAreForAPerson(t *testing.T) {
	tests := map[string]func(*stripetest.Transfer){
		"another amount":   func(x *stripetest.Transfer) { x.Amount++ },
		"another currency": func(x *stripetest.Transfer) { x.Currency = "eur" },
		"another account":  func(x *stripetest.Transfer) { x.Destination = "acct_2" },
		"no account":       func(x *stripetest.Transfer) { x.Destination = "" },
		"made by hand":     func(x *stripetest.Transfer) { x.Metadata = nil },
		"of another payout": func(x *stripetest.Transfer) {
			x.Metadata = map[string]string{"payout": "P2", "amount": "1230 usd", "account": account}
		},
		"reversed":           func(x *stripetest.Transfer) { x.Reversed = true },
		"reversed in part":   func(x *stripetest.Transfer) { x.AmountReversed = 1 },
		"other in both ways": func(x *stripetest.Transfer) { x.Amount, x.Metadata["amount"] = 9, "9 usd" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			far, rail := open(t)
			if _, err := rail.Send(t.Context(), wage); err != nil {
				t.Fatal(err)
			}
			far.Change(0, change)
			unknownOutcome(t, "sent again")(rail.Send(t.Context(), wage))
			if name != "other in both ways" { // which only whoever knows the payout can see
				unknownOutcome(t, "look-up")(rail.Lookup(t.Context(), wage.ID))
			}
			if n := len(far.Transfers()); n != 1 {
				t.Errorf("%d transfers", n)
			}
		})
	}
	t.Run("two", func(t *testing.T) {
		far, rail := open(t)
		for _, id := range []string{"P1", "P2"} {
			w := wage
			w.ID = id
			if _, err := rail.Send(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
		far.Change(1, func(x *stripetest.Transfer) { x.TransferGroup, x.Metadata["payout"] = "P1", "P1" })
		unknownOutcome(t, "look-up")(rail.Lookup(t.Context(), "P1"))
		unknownOutcome(t, "sent again")(rail.Send(t.Context(), wage))
	})
	t.Run("another transfer under the same id", func(t *testing.T) {
		far, rail := open(t)
		far.Plan(stripetest.None, stripetest.Failed) // 500, kept with its parameters: only the key knows of it
		unknownOutcome(t, "send")(rail.Send(t.Context(), wage))
		other := wage
		other.Amount.Minor++
		unknownOutcome(t, "send")(rail.Send(t.Context(), other))
		if moved(far) != 0 {
			t.Errorf("moved %d", moved(far))
		}
	})
}

// An answer that is no answer of Stripe's is none: not silence about a transfer, not a transfer, not a refusal.
func TestBrokenAnswersAreUnknownOutcomes(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("followed a redirect with the key in hand")
	}))
	defer elsewhere.Close()
	const none = `{"object": "list", "url": "/v1/transfers", "has_more": false, "data": []}`
	text := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	tests := map[string]http.HandlerFunc{
		"nothing":                          text(200, ""),
		"no JSON":                          text(200, "<h1>ok</h1>"),
		"other JSON":                       text(200, `{}`),
		"null":                             text(200, `null`),
		"a list":                           text(200, `[]`),
		"another list":                     text(200, strings.Replace(none, "transfers", "charges", 1)),
		"an odd list":                      text(200, strings.Replace(none, "false", "true", 1)),
		"an error":                         text(200, `{"error": {"type": "invalid_request_error"}}`),
		"an empty error":                   text(400, `{}`),
		"a page":                           text(400, "<h1>Bad Request</h1>"),
		"a page of a proxy":                text(404, "<h1>Not Found</h1>"),
		"odd":                              text(418, `{"error": {"type": "invalid_request_error"}}`),
		"an odd error":                     text(400, `{"error": {"type": "api_error", "message": "`+strings.Repeat("x", 500)+`"}}`),
		"too long":                         text(200, strings.Replace(none, "[]", `[], "x": "`+strings.Repeat("x", maxAnswer)+`"`, 1)),
		"no id":                            text(200, `{"amount": 1230, "currency": "usd", "destination": "acct_1Chen", "transfer_group": "P1"}`),
		"no account":                       text(200, `{"id": "tr_1", "amount": 1230, "currency": "usd", "transfer_group": "P1"}`),
		"another account":                  text(200, `{"id": "tr_1", "amount": 1230, "currency": "usd", "destination": "acct_2", "transfer_group": "P1"}`),
		"another amount":                   text(200, `{"id": "tr_1", "amount": 123000, "currency": "usd", "destination": "acct_1Chen", "transfer_group": "P1"}`),
		"another group":                    text(200, `{"id": "tr_1", "amount": 1230, "currency": "usd", "destination": "acct_1Chen", "transfer_group": null}`),
		"a list of one without an account": text(200, strings.Replace(none, "[]", `[{"id": "tr_1", "amount": 1230, "currency": "usd", "transfer_group": "P1", "metadata": {"shop": "shop-LedgerTable-1", "payout": "P1", "amount": "1230 usd"}}]`, 1)),
		"a redirect":                       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, 307) },
		"a broken answer":                  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, broken := range tests {
		t.Run(name, func(t *testing.T) {
			first := none
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && first != "" {
					text(200, first)(w, r)
					return
				}
				broken(w, r)
			}))
			defer server.Close()
			rail := NewAt(ours, server.URL)
			unknownOutcome(t, "send")(rail.Send(t.Context(), wage))
			first = ""
			unknownOutcome(t, "look-up")(rail.Lookup(t.Context(), wage.ID))
			unknownOutcome(t, "send")(rail.Send(t.Context(), wage))
		})
	}
}

// The library writes errors to the standard error unless it is told not to; an answer's text belongs into no log.
func TestTheLibraryLogsNothing(t *testing.T) {
	before := stripego.DefaultLeveledLogger
	t.Cleanup(func() { stripego.DefaultLeveledLogger = before })
	stripego.DefaultLeveledLogger = talker{t}
	far, rail := open(t)
	far.Plan(stripetest.None, stripetest.Unauthorized)
	unknownOutcome(t, "send")(rail.Send(t.Context(), wage))
}

type talker struct{ t *testing.T }

func (l talker) say(format string, v ...any) { l.t.Errorf("logged: "+format, v...) }

func (l talker) Debugf(format string, v ...any) { l.say(format, v...) }
func (l talker) Infof(format string, v ...any)  { l.say(format, v...) }
func (l talker) Warnf(format string, v ...any)  { l.say(format, v...) }
func (l talker) Errorf(format string, v ...any) { l.say(format, v...) }

func TestCallsEnd(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	unknownOutcome(t, "send")(NewAt(ours, server.URL).Send(ctx, wage))
	if limit := NewAt(ours, server.URL).limit; limit <= 0 || limit >= 12*time.Second {
		t.Errorf("limit %v", limit) // the function begins nothing in its last twelve seconds
	}
	impatient := NewAt(ours, server.URL)
	impatient.limit = time.Millisecond
	unknownOutcome(t, "send")(impatient.Send(t.Context(), wage))
	unknownOutcome(t, "look-up")(impatient.Lookup(t.Context(), wage.ID))
}

// Stripe's zero- and three-decimal currencies are counted as package money counts them, or not sent at all.
// Source: https://docs.stripe.com/currencies
func TestCurrenciesAreCountedAlike(t *testing.T) {
	digits := map[int]string{0: "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF", 3: "BHD JOD KWD OMR TND",
		2: "AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR ILS INR ISK MXN MYR NOK NZD PHP PLN RON SEK SGD THB TRY TWD UGX USD ZAR"}
	for n, list := range digits {
		for code := range strings.FieldsSeq(list) {
			c := money.Currency(code)
			if (c.Digits() != n) != slices.Contains(otherUnits, c) {
				t.Errorf("%s has %d digits here and %d at Stripe", code, c.Digits(), n)
			}
		}
	}
}

// Whatever is lost, refused, delayed or repeated: a payout driven under one key moves its money exactly once or not at
// all, and the last word tells which.
func TestMoneyMovesOnceOrNotAtAll(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		far := stripetest.Start(r, account)
		far.Fund("usd", rapid.SampledFrom([]int64{0, 1229, 1230, 5000}).Draw(r, "balance"))
		rail := NewAt(ours, far.URL)
		w := wage
		w.Account = rapid.SampledFrom([]string{account, account, account, "acct_2"}).Draw(r, "account")
		unclear := false // nothing is sent again before a look-up has said that nothing was received
		step := func() (provider.TransferResult, bool) {
			ask := func() (provider.TransferResult, error) { return rail.Send(r.Context(), w) }
			if unclear {
				ask = func() (provider.TransferResult, error) { return rail.Lookup(r.Context(), w.ID) }
			}
			got, err := ask()
			if at := moved(far); at != 0 && at != 1230 {
				r.Fatalf("moved %d", at)
			}
			unclear = err != nil && !provider.IsTransferUnknown(err)
			return got, err == nil
		}
		var last provider.TransferResult
		done := false
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			switch rapid.IntRange(0, 9).Draw(r, "meanwhile") {
			case 0:
				far.Arrive()
			case 1:
				far.Forget()
			case 2:
				far.Fund("usd", 1000)
			case 3:
				unclear = false // somebody careless sends without having looked
			}
			far.Plan(rapid.SliceOfN(rapid.SampledFrom(stripetest.Faults), 0, 4).Draw(r, "faults")...)
			if last, done = step(); done {
				break
			}
		}
		far.Plan()
		for n := 0; !done; n++ { // when faults stop, it ends: a kept 500 within a day, everything else at once
			if n == 6 {
				r.Fatal("no end")
			}
			if n == 3 {
				far.Forget()
			}
			last, done = step()
		}
		far.Arrive()
		paid := last.State == provider.TransferPaid
		if !paid && last.State != provider.TransferFailed || paid != (moved(far) == 1230) || !paid && moved(far) != 0 {
			r.Fatalf("said %+v, moved %d", last, moved(far))
		}
	})
}
