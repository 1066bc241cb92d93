package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yundian/shared/webhook"
)

// names is a name server that gives every name the same address.
func names(t *testing.T, address string) *net.Resolver {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		packet := make([]byte, 512)
		for {
			n, from, err := l.ReadFrom(packet)
			if err != nil {
				return
			}
			l.WriteTo(answer(packet[:n], netip.MustParseAddr(address)), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", l.LocalAddr().String())
	}}
}

// answer answers a DNS query with one address of its family, or with none.
func answer(query []byte, a netip.Addr) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the root label, type and class
	out := append([]byte{}, query[:end]...)
	out[2], out[3] = 0x81, 0x80
	binary.BigEndian.PutUint16(out[10:], 0)
	kind := binary.BigEndian.Uint16(query[end-4:])
	if kind == 1 && !a.Is4() || kind == 28 && a.Is4() || kind != 1 && kind != 28 {
		return out
	}
	binary.BigEndian.PutUint16(out[6:], 1)
	out = append(out, 0xc0, 12)
	out = binary.BigEndian.AppendUint16(out, kind)
	out = append(out, 0, 1, 0, 0, 0, 0)
	raw := a.AsSlice()
	out = binary.BigEndian.AppendUint16(out, uint16(len(raw)))
	return append(out, raw...)
}

// receiver is a server on this machine that counts what reaches it.
func receiver(t *testing.T, handler http.HandlerFunc) (s *httptest.Server, reached *atomic.Int64) {
	t.Helper()
	reached = &atomic.Int64{}
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		handler(w, r)
	}))
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, reached
}

// trusting is a courier that may go to this machine, for what is not about addresses.
func trusting(s *httptest.Server, resolver *net.Resolver) *Courier {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &Courier{public: client(netip.Addr.IsLoopback, resolver, &tls.Config{RootCAs: roots})}
}

// at is an address of a test's receiver under a name, which its certificate has.
func at(s *httptest.Server, path string) string {
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	return "https://example.com:" + port + path
}

func TestCarry(t *testing.T) {
	var got http.Header
	s, reached := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/ok", http.StatusTemporaryRedirect)
		case "/large":
			w.Write([]byte(strings.Repeat("x", 1<<20)))
		case "/headers":
			w.Header().Set("X-Large", strings.Repeat("x", 2*maxHeader))
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/broken":
			panic(http.ErrAbortHandler)
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		}
	})
	c := trusting(s, names(t, "127.0.0.1"))
	for path, want := range map[string]struct {
		status  int
		problem string
	}{"/ok": {200, ""}, "/none": {204, ""}, "/large": {200, ""}, "/gone": {410, ProblemStatus}, "/redirect": {307, ProblemRedirect},
		"/headers": {0, ProblemUnreachable}, "/broken": {0, ProblemUnreachable}} {
		before := reached.Load()
		status, problem := c.Carry(t.Context(), at(s, path), "t=1,v1=00", []byte("{}"))
		if status != want.status || problem != want.problem {
			t.Errorf("%s: %d %s, want %d %s", path, status, problem, want.status, want.problem)
		}
		if n := reached.Load() - before; n != 1 {
			t.Errorf("%s: %d requests", path, n)
		}
		if got.Get(webhook.SignatureHeader) != "t=1,v1=00" || got.Get("Content-Type") != "application/json" || got.Get("Accept-Encoding") != "" {
			t.Errorf("%s: headers %v", path, got)
		}
	}
	strange := trusting(s, names(t, "127.0.0.1"))
	strange.public = client(netip.Addr.IsLoopback, names(t, "127.0.0.1"), nil)
	if status, problem := strange.Carry(t.Context(), at(s, "/ok"), "", nil); status != 0 || problem != ProblemUnreachable {
		t.Errorf("an unknown certificate: %d %s", status, problem)
	}
}

func TestAReceiverThatHangs(t *testing.T) {
	over := make(chan struct{})
	s, reached := receiver(t, func(http.ResponseWriter, *http.Request) { <-over })
	defer close(over)
	c := trusting(s, names(t, "127.0.0.1"))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if status, problem := c.Carry(ctx, at(s, "/"), "", nil); status != 0 || problem != ProblemTimeout || reached.Load() != 1 {
		t.Errorf("%d %s, %d requests", status, problem, reached.Load())
	}
}

// TestNothingIsSentInside tries every way to this machine, whose receiver must hear nothing.
func TestNothingIsSentInside(t *testing.T) {
	s, reached := receiver(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	c := New("")
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "169.254.169.254", "10.0.0.1"} {
		for _, scheme := range []string{"https", "http"} {
			if status, problem := c.Carry(t.Context(), scheme+"://"+host+":"+port+"/", "", nil); status != 0 || problem != ProblemAddress {
				t.Errorf("%s://%s: %d %s", scheme, host, status, problem)
			}
		}
	}
	for _, inside := range []string{"127.0.0.1", "127.9.9.9", "::1", "10.0.0.1", "169.254.169.254", "192.168.0.1", "fd00::1", "::ffff:127.0.0.1", "100.64.0.1"} {
		c.public = client(webhook.Public, names(t, inside), &tls.Config{InsecureSkipVerify: true})
		if status, problem := c.Carry(t.Context(), "https://rebound.example:"+port+"/", "", nil); status != 0 || problem != ProblemAddress {
			t.Errorf("a name that leads to %s: %d %s", inside, status, problem)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests reached this machine", n)
	}
}

// TestOnlyTheRunnerOpensThisMachine gives the courier every answer that a Runtime API could.
func TestOnlyTheRunnerOpensThisMachine(t *testing.T) {
	var reached atomic.Int64
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer plain.Close()
	for status, want := range map[int]bool{http.StatusNoContent: true, http.StatusNotFound: false, http.StatusOK: false, http.StatusInternalServerError: false} {
		asked := 0
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked++; r.URL.Path != loopbackPath {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(status)
		}))
		c := New(strings.TrimPrefix(api.URL, "http://"))
		for range 2 {
			before := reached.Load()
			err := c.Check(t.Context(), plain.URL)
			got, _ := c.Carry(t.Context(), plain.URL, "", nil)
			if (err == nil) != want || (got == 200) != want || reached.Load() > before != want {
				t.Errorf("runtime answers %d: check %v, carried %d", status, err, got)
			}
		}
		if remembered := status < 500; remembered && asked != 1 || !remembered && asked != 4 {
			t.Errorf("runtime answers %d: asked %d times", status, asked)
		}
		for _, other := range []string{"http://example.com/", "http://10.0.0.1/", "https://127.0.0.1/", "http://localhost/", "http://me@127.0.0.1/"} {
			if err := c.Check(t.Context(), other); err == nil {
				t.Errorf("runtime answers %d: %s is accepted", status, other)
			}
		}
		api.Close()
	}
}
