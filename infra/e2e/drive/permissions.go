package drive

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"yundian/infra/local"
	"yundian/infra/rules"
)

// permissions stands between functions and store and refuses what the template's policies do not permit, as IAM would
// on AWS: no local engine knows them, so a missing permission would otherwise show on the first deployment only.
type permissions struct {
	mu      sync.Mutex
	store   *local.Runner // once it has started; nothing asks before
	refused []string
	servers []*http.Server
}

// proxy is the store's address for one function.
func (p *permissions) proxy(function, endpoint string) (string, error) {
	policy, err := rules.PolicyOf(function)
	if err != nil {
		return "", err
	}
	target, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen for the permissions of %s: %w", function, err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if err := policy.Check(operation, body, p.logicalID); err != nil {
			p.refuse(w, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		forward.ServeHTTP(w, r)
	})}
	go server.Serve(l) //nolint:errcheck // ends with Close
	p.mu.Lock()
	defer p.mu.Unlock()
	p.servers = append(p.servers, server)
	return "http://" + l.Addr().String(), nil
}

func (p *permissions) refuse(w http.ResponseWriter, err error) {
	p.mu.Lock()
	p.refused = append(p.refused, err.Error())
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":%q}`, err.Error())
}

// logicalID is the template's name of a table.
func (p *permissions) logicalID(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.store != nil {
		for _, t := range p.store.Model.Tables {
			if t.Name == name {
				return t.LogicalID
			}
		}
	}
	return name
}

// close ends the proxies and gives what they refused.
func (p *permissions) close() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.servers {
		s.Close()
	}
	return p.refused
}
