package local

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"yundian/infra/local/gateway"
)

// BenchmarkRequest is one request through gateway, Runtime API and a function that only answers.
func BenchmarkRequest(b *testing.B) {
	o, _ := write(b, small)
	r, err := Start(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Stop()
	g, err := gateway.New(r.gatewayOptions())
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w := httptest.NewRecorder()
			req := httptest.NewRequest(http.MethodGet, "/hello/x", nil)
			req.Header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15")
			g.ServeHTTP(w, req)
			if w.Code != http.StatusOK {
				b.Fatal(w.Code, w.Body)
			}
		}
	})
	b.ReportMetric(float64(r.Usage()["probe"].CPU.Microseconds())/float64(b.N), "function-µs/op")
}
