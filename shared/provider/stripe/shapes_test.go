package stripe

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"yundian/shared/provider"
	"yundian/shared/provider/stripe/stripetest"
)

// startMock starts stripe-mock, Stripe's own imitation of its API: it holds requests against Stripe's description of them
// and answers with examples. Each test gets its own, on loopback only, and it dies with the test.
func startMock(t *testing.T) *url.URL {
	t.Helper()
	program, err := filepath.Abs(filepath.FromSlash("../../../.tools/stripe-mock/stripe-mock"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("stripe-mock is missing: run make setup, or make test-unit, which fetches it (%v)", err)
	}
	// Without addresses of both kinds it listens on every network, at a port that may be taken.
	command := exec.Command(program, "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = command.Stdout
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	address, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // the kernel kills the child when this thread ends, so it has to live as long as the test
		if err := command.Start(); err != nil {
			address <- err.Error()
			return
		}
		t.Cleanup(func() {
			_ = command.Process.Kill() // it has no state to save
			<-ended
		})
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if at, ok := strings.CutPrefix(lines.Text(), "Listening for HTTP at address: "); ok {
				address <- at
			}
		}
		_ = command.Wait()
		select {
		case address <- "it has ended":
		default:
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case at := <-address:
		if _, err := netip.ParseAddrPort(at); err != nil {
			t.Fatalf("stripe-mock does not listen: %s", at)
		}
		return &url.URL{Scheme: "http", Host: at}
	case <-ctx.Done():
		t.Fatal("stripe-mock does not listen after a minute")
		return nil
	}
}

// mocked is a rail before stripe-mock. Because the mock knows no state, change writes into its lists what Stripe would
// know: every list shows one transfer, an example.
func mocked(t *testing.T, at *url.URL, key string, change func(transfer map[string]any) (keep bool)) *Rail {
	t.Helper()
	forward := httputil.NewSingleHostReverseProxy(at)
	forward.ModifyResponse = func(resp *http.Response) error {
		if resp.Request.Method != http.MethodGet || resp.StatusCode != http.StatusOK {
			return nil
		}
		var list map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
			return err
		}
		data := list["data"].([]any)
		if len(data) != 1 {
			t.Errorf("stripe-mock lists %d transfers", len(data))
		}
		if !change(data[0].(map[string]any)) {
			list["data"] = []any{}
		}
		text, err := json.Marshal(list)
		if err != nil {
			return err
		}
		resp.Body = io.NopCloser(strings.NewReader(string(text)))
		resp.ContentLength = int64(len(text))
		resp.Header.Set("Content-Length", strconv.Itoa(len(text)))
		return nil
	}
	server := httptest.NewServer(forward)
	t.Cleanup(server.Close)
	return NewAt(Shop{key, ours.Name}, server.URL)
}

func nothing(map[string]any) bool   { return false }
func asItComes(map[string]any) bool { return true }

func TestShapes(t *testing.T) {
	mock := startMock(t)
	t.Run("send", func(t *testing.T) {
		got, err := mocked(t, mock, stripetest.Key, nothing).Send(t.Context(), wage)
		if err != nil || got.State != provider.TransferPaid || !strings.HasPrefix(got.ProviderID, "tr_") {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("look up nothing", func(t *testing.T) {
		if got, err := mocked(t, mock, stripetest.Key, nothing).Lookup(t.Context(), wage.ID); !provider.IsTransferUnknown(err) {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("look up", func(t *testing.T) {
		known := func(x map[string]any) bool {
			maps.Copy(x, map[string]any{"amount": 1230, "currency": "usd", "destination": account, "transfer_group": "P1",
				"metadata": map[string]any{metaShop: ours.Name, metaPayout: "P1", metaAmount: "1230 usd", metaTo: account}})
			return true
		}
		got, err := mocked(t, mock, stripetest.Key, known).Lookup(t.Context(), wage.ID)
		if err != nil || got.State != provider.TransferPaid || !strings.HasPrefix(got.ProviderID, "tr_") {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("look up somebody else's", func(t *testing.T) {
		unknownOutcome(t, "look-up")(mocked(t, mock, stripetest.Key, asItComes).Lookup(t.Context(), wage.ID))
	})
	t.Run("a key that is none", func(t *testing.T) {
		unknownOutcome(t, "send")(mocked(t, mock, "nonsense", nothing).Send(t.Context(), wage))
	})
	t.Run("the mock reads requests", func(t *testing.T) {
		for _, body := range []string{"amount=x&currency=usd&destination=acct_1", "amount=1&currency=usd&destination=acct_1&nonsense=1", "amount=1&destination=acct_1"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, mock.String()+listPath, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+stripetest.Key)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %d", body, resp.StatusCode)
			}
		}
	})
	t.Run("the fake shows what the mock shows", func(t *testing.T) {
		var example []string
		mocked(t, mock, stripetest.Key, func(x map[string]any) bool { example = slices.Collect(maps.Keys(x)); return true }).Lookup(t.Context(), "P1") //nolint:errcheck // only the example counts
		text, err := json.Marshal(stripetest.Transfer{})
		if err != nil {
			t.Fatal(err)
		}
		var shown map[string]any
		if err := json.Unmarshal(text, &shown); err != nil {
			t.Fatal(err)
		}
		for name := range shown {
			if !slices.Contains(example, name) {
				t.Errorf("Stripe's transfers have no %s: %v", name, example)
			}
		}
	})
}
