package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/provider"
)

// rail is the sandbox as the sender of payouts finds it.
func (s *shop) rail() provider.Rail {
	s.t.Helper()
	rails, err := provider.NewRails([]string{payout.Bank, payout.Sandbox}, strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	rail, err := rails.Sender(s.t.Context(), payout.Sandbox)
	if err != nil || rail.Name() != payout.Sandbox {
		s.t.Fatal(rail, err)
	}
	return rail
}

var wage = provider.Transfer{ID: "P1", Amount: thirty, Account: "acc-1", Name: "王明", Description: "山隅 2026-03"}

// transfers are the sandbox's books.
func (s *shop) transfers() []transfer {
	s.t.Helper()
	resp, err := browser.Get(s.url + provider.SandboxPath + "/transfers")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	var out struct{ Transfers []transfer }
	if err := json.Unmarshal(text, &out); err != nil || strings.Contains(string(text), "王明") {
		s.t.Fatalf("%v: %s", err, text)
	}
	return out.Transfers
}

func TestTransfers(t *testing.T) {
	tests := []struct {
		next   string
		want   provider.TransferResult // of Send; without the id
		lookup provider.TransferState  // empty: transfer_unknown
		lost   bool                    // Send is an error: outcome unknown
	}{
		{"", provider.TransferResult{State: provider.TransferPaid}, provider.TransferPaid, false},
		{"succeed", provider.TransferResult{State: provider.TransferPaid}, provider.TransferPaid, false},
		{"pending", provider.TransferResult{State: provider.TransferPending}, provider.TransferPending, false},
		{"fail", provider.TransferResult{State: provider.TransferPending}, provider.TransferFailed, false},
		{"refuse", provider.TransferResult{State: provider.TransferFailed, Reason: "refused by the bank"}, provider.TransferFailed, false},
		{"lost", provider.TransferResult{}, provider.TransferPaid, true},
		{"unreceived", provider.TransferResult{}, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.next, func(t *testing.T) {
			s := openShop(t)
			rail := s.rail()
			if tt.next != "" {
				if resp, body := s.control("/next", `{"transfer": "`+tt.next+`"}`); resp.StatusCode != http.StatusNoContent {
					t.Fatalf("next: %d %s", resp.StatusCode, body)
				}
			}
			got, err := rail.Send(t.Context(), wage)
			id := got.ProviderID
			got.ProviderID = ""
			if (err != nil) != tt.lost || got != tt.want || fail.KindOf(err) != fail.Internal || (id == "") != (tt.lost || tt.next == "refuse") {
				t.Fatalf("send: %q %+v %v", id, got, err)
			}
			found, err := rail.Lookup(t.Context(), wage.ID)
			if tt.lookup == "" {
				if !provider.IsTransferUnknown(err) || found != (provider.TransferResult{}) {
					t.Fatalf("look-up: %+v %v", found, err)
				}
				if again, err := rail.Send(t.Context(), wage); err != nil || again.State != provider.TransferPaid {
					t.Errorf("sent again: %+v %v", again, err)
				}
			} else if err != nil || found.State != tt.lookup || id != "" && found.ProviderID != id {
				t.Errorf("look-up: %+v %v", found, err)
			}
			if books := s.transfers(); len(books) != 1 || books[0].Sends != 1 || books[0].Request.Amount != thirty {
				t.Errorf("books %+v", books)
			}
			s.wantTold()
		})
	}
}

func TestATransferHappensOncePerPayout(t *testing.T) {
	s := openShop(t)
	rail := s.rail()
	first, err := rail.Send(t.Context(), wage)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := rail.Send(t.Context(), wage); err != nil || again != first {
		t.Errorf("sent again: %+v %v, want %+v", again, err, first)
	}
	for name, change := range map[string]func(*provider.Transfer){
		"another amount":    func(t *provider.Transfer) { t.Amount.Minor++ },
		"another currency":  func(t *provider.Transfer) { t.Amount.Currency = "JPY" },
		"another account":   func(t *provider.Transfer) { t.Account = "acc-2" },
		"no account":        func(t *provider.Transfer) { t.ID, t.Account = "P2", "" },
		"no id":             func(t *provider.Transfer) { t.ID = "" },
		"nothing":           func(t *provider.Transfer) { t.ID, t.Amount.Minor = "P2", 0 },
		"less than nothing": func(t *provider.Transfer) { t.ID, t.Amount = "P2", money.Of(-1, "CNY") },
	} {
		other := wage
		change(&other)
		if got, err := rail.Send(t.Context(), other); err == nil || fail.KindOf(err) != fail.Internal || got != (provider.TransferResult{}) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if books := s.transfers(); len(books) != 1 || books[0].Sends != 2 || books[0].ID != first.ProviderID {
		t.Errorf("books %+v", books)
	}
}

func TestNextTransfersAndSettling(t *testing.T) {
	s := openShop(t)
	rail := s.rail()
	send := func(id string) provider.TransferResult {
		t.Helper()
		w := wage
		w.ID = id
		got, err := rail.Send(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	state := func(id string) provider.TransferState {
		t.Helper()
		got, err := rail.Lookup(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return got.State
	}
	s.control("/next", `{"transfer": "pending", "times": 3}`)
	for _, id := range []string{"P1", "P2", "P3"} {
		if got := send(id); got.State != provider.TransferPending {
			t.Fatalf("%s: %+v", id, got)
		}
	}
	if got := send("P4"); got.State != provider.TransferPaid {
		t.Errorf("the fourth: %+v", got)
	}
	if resp, body := s.control("/transfers/P2/settle", `{"state": "failed"}`); resp.StatusCode != 200 || !strings.Contains(body, `"settled":1`) {
		t.Errorf("settle: %d %s", resp.StatusCode, body)
	}
	if err := s.sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	s.start()
	if _, body := s.control("/settle", `{"state": "paid"}`); !strings.Contains(body, `"settled":2`) {
		t.Errorf("settle all: %s", body)
	}
	if _, body := s.control("/transfers/P1/settle", `{"state": "failed"}`); !strings.Contains(body, `"settled":0`) {
		t.Errorf("settled what has ended: %s", body)
	}
	for id, want := range map[string]provider.TransferState{"P1": provider.TransferPaid, "P2": provider.TransferFailed, "P3": provider.TransferPaid, "P4": provider.TransferPaid} {
		if got := state(id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
	for path, body := range map[string]string{"/transfers/P9/settle": `{"state": "paid"}`, "/settle": `{"state": "pending"}`, "/next": `{"transfer": "vanish"}`} {
		if resp, _ := s.control(path, body); resp.StatusCode < 400 {
			t.Errorf("%s %s: %d", path, body, resp.StatusCode)
		}
	}
	for _, body := range []string{`{"transfer": "lost", "times": 0}`, `{"transfer": "lost", "times": 1001}`, `{"refund": "lost", "times": 2}`, `{"transfer": "lost", "refund": "vanish"}`} {
		if resp, _ := s.control("/next", body); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("next %s: %d", body, resp.StatusCode)
		}
	}
	resp, err := browser.Get(s.url + provider.SandboxPath + "/transfers/P1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("look-up without the key: %d", resp.StatusCode)
	}
}
