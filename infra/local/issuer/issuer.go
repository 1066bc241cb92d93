// Package issuer signs people in to the local store: an OpenID Connect issuer whose tokens have the shape of
// Amazon Cognito's, so that what authorises a request here is what authorises it when deployed.
//
// It offers what the portal and the console use: discovery, keys, an authorize page on which one picks whom to
// be (there are no passwords: it listens on this machine only), and the token endpoint for an authorization
// code with PKCE. Token shape: Amazon Cognito developer guide, "Understanding the access token" and
// "Understanding the identity (ID) token".
package issuer

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
)

// Options say who issues, for whom, and when it is.
type Options struct {
	// URL is the issuer's own address, http://127.0.0.1:8080/_local/issuer: the iss claim, and the prefix under
	// which the handler is mounted.
	URL string
	// KeyFile keeps the RSA signing key, so that tokens outlive a restart. It is made when missing.
	KeyFile string
	// ClientID is the one application that may ask for tokens.
	ClientID string
	// Users are offered on the authorize page; any other name can be typed there.
	Users []User
	// Now is the clock that tokens are dated by.
	Now func() time.Time
}

// User is somebody offered on the authorize page.
type User struct {
	ID    string // koc:<name>, operator:<name> or auditor:<name>
	Label string // what the button says
}

// Issuer answers below its mount point: /.well-known/openid-configuration, /jwks.json, /authorize and /token.
type Issuer struct {
	options Options
	origin  string // scheme and host of URL: where codes may be sent
	key     jwk.Key
	public  jwk.Set
	mux     http.Handler

	mu    sync.Mutex
	codes map[string]grant
}

// New reads or makes the signing key and prepares the endpoints.
func New(o Options) (*Issuer, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.RawQuery != "" || base.Fragment != "" || strings.HasSuffix(o.URL, "/") {
		return nil, fmt.Errorf("issuer: %q is not an absolute address without query, fragment and final slash", o.URL)
	}
	if o.ClientID == "" || o.Now == nil {
		return nil, errors.New("issuer: client id and clock are required")
	}
	for _, u := range o.Users {
		if _, err := parseUser(u.ID); err != nil {
			return nil, fmt.Errorf("issuer: offered user: %w", err)
		}
	}
	private, err := loadKey(o.KeyFile)
	if err != nil {
		return nil, err
	}
	i := &Issuer{options: o, origin: base.Scheme + "://" + base.Host, codes: map[string]grant{}}
	if i.key, i.public, err = keySet(private); err != nil {
		return nil, err
	}
	i.mux = i.routes()
	return i, nil
}

// ServeHTTP answers one request; paths are relative to the mount point.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) { i.mux.ServeHTTP(w, r) }

func (i *Issuer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /jwks.json", i.jwks)
	mux.HandleFunc("GET /authorize", i.showAuthorize)
	mux.HandleFunc("POST /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	// No answer carries CORS headers: only pages of this origin can read tokens, and only they can post here.
	guard := http.NewCrossOriginProtection()
	return guard.Handler(http.MaxBytesHandler(mux, maxForm))
}

// maxForm bounds a posted form: the longest holds a code, an address and a verifier.
const maxForm = 16 << 10

// keySet turns the RSA key into a signing key and the public set that verifiers fetch. The key id is the
// key's thumbprint (RFC 7638), so that it changes with the key and never otherwise.
func keySet(private *rsa.PrivateKey) (jwk.Key, jwk.Set, error) {
	key, err := jwk.Import(private)
	if err != nil {
		return nil, nil, fmt.Errorf("issuer: import signing key: %w", err)
	}
	if err := jwk.AssignKeyID(key); err != nil {
		return nil, nil, fmt.Errorf("issuer: name signing key: %w", err)
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, nil, fmt.Errorf("issuer: derive public key: %w", err)
	}
	for name, value := range map[string]any{jwk.AlgorithmKey: "RS256", jwk.KeyUsageKey: "sig"} {
		if err := public.Set(name, value); err != nil {
			return nil, nil, fmt.Errorf("issuer: describe public key: %w", err)
		}
	}
	set := jwk.NewSet()
	if err := set.AddKey(public); err != nil {
		return nil, nil, fmt.Errorf("issuer: publish public key: %w", err)
	}
	return key, set, nil
}
