package issuer

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

// tokenLife is Cognito's default for access and ID tokens.
const tokenLife = time.Hour

// Token is an access token for a user (koc:<name>, operator:<name>, auditor:<name>) with the scope of that role.
func (i *Issuer) Token(user string) (string, error) {
	id, err := parseUser(user)
	if err != nil {
		return "", err
	}
	return i.accessToken(id, id.scopes, i.options.Now())
}

func (i *Issuer) accessToken(id identity, scopes []string, authTime time.Time) (string, error) {
	return i.sign(id, authTime, map[string]any{
		"token_use": "access",
		"client_id": i.options.ClientID, // access tokens carry no aud
		"scope":     strings.Join(scopes, " "),
		"username":  id.name,
		"version":   2,
	})
}

func (i *Issuer) idToken(id identity, nonce string, authTime time.Time) (string, error) {
	claims := map[string]any{
		"token_use":        "id",
		"aud":              i.options.ClientID,
		"cognito:username": id.name,
		"email_verified":   true,
		"email":            id.sub() + "@example.com",
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	return i.sign(id, authTime, claims)
}

// sign adds what both kinds of token say and signs with RS256.
func (i *Issuer) sign(id identity, authTime time.Time, claims map[string]any) (string, error) {
	now := i.options.Now()
	b := jwt.NewBuilder().
		Issuer(i.options.URL).Subject(id.sub()).IssuedAt(now).Expiration(now.Add(tokenLife)).JwtID(rand.Text()).
		Claim("auth_time", authTime.Unix()).Claim("origin_jti", rand.Text()).Claim("event_id", rand.Text())
	if len(id.groups) > 0 {
		b = b.Claim("cognito:groups", id.groups)
	}
	for name, value := range claims {
		b = b.Claim(name, value)
	}
	t, err := b.Build()
	if err != nil {
		return "", fmt.Errorf("issuer: build token: %w", err)
	}
	t.Options().Enable(jwt.FlattenAudience) // Cognito writes a single audience as a string
	signed, err := jwt.Sign(t, jwt.WithKey(jwa.RS256(), i.key))
	if err != nil {
		return "", fmt.Errorf("issuer: sign token: %w", err)
	}
	return string(signed), nil
}

// grant is what an authorization code stands for, until it is used or too old.
type grant struct {
	id        identity
	scopes    []string
	redirect  string
	challenge string
	nonce     string
	at        time.Time
}

const (
	codeLife = 5 * time.Minute // as Cognito's
	// maxCodes bounds codes that wait to be used; one person picks one at a time.
	maxCodes = 1000
)

// newCode keeps a grant under a fresh code. It reports false when too many codes wait.
func (i *Issuer) newCode(g grant) (string, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for code, old := range i.codes {
		if g.at.Sub(old.at) > codeLife {
			delete(i.codes, code)
		}
	}
	if len(i.codes) >= maxCodes {
		return "", false
	}
	code := rand.Text() + rand.Text()
	i.codes[code] = g
	return code, true
}

// takeCode gives a code's grant once; a wrong verifier uses the code up too.
func (i *Issuer) takeCode(code string) (grant, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	g, ok := i.codes[code]
	delete(i.codes, code)
	return g, ok && i.options.Now().Sub(g.at) <= codeLife
}

// token exchanges an authorization code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := r.ParseForm(); err != nil {
		refuse(w, "invalid_request")
		return
	}
	f := r.PostForm
	switch {
	case f.Get("grant_type") != "authorization_code":
		refuse(w, "unsupported_grant_type")
		return
	case f.Get("client_id") != i.options.ClientID:
		refuse(w, "invalid_client")
		return
	}
	g, ok := i.takeCode(f.Get("code"))
	if !ok || f.Get("redirect_uri") != g.redirect || !verifies(f.Get("code_verifier"), g.challenge) {
		refuse(w, "invalid_grant")
		return
	}
	answer := map[string]any{"token_type": "Bearer", "expires_in": int(tokenLife.Seconds())}
	var err error
	if answer["access_token"], err = i.accessToken(g.id, g.scopes, g.at); err == nil && slices.Contains(g.scopes, "openid") {
		answer["id_token"], err = i.idToken(g.id, g.nonce, g.at)
	}
	if err != nil {
		http.Error(w, "cannot sign", http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func verifies(verifier, challenge string) bool {
	h := sha256.Sum256([]byte(verifier))
	return len(verifier) >= 43 && len(verifier) <= 128 && // RFC 7636 section 4.1
		subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(h[:])), []byte(challenge)) == 1
}

// refuse answers with an error code of RFC 6749 section 5.2.
func refuse(w http.ResponseWriter, code string) {
	writeJSON(w, http.StatusBadRequest, map[string]string{"error": code})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client went away; nobody to tell
}
