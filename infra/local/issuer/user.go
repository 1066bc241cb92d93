package issuer

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Scopes of the resource server that the template declares.
const (
	ScopeKOC      = "yundian/koc"
	ScopeOperator = "yundian/operator"
)

// identity is somebody who signs in: what the token says about them.
type identity struct {
	user   string // as given: koc:mei
	role   string // koc, operator or auditor
	name   string
	scopes []string // what this person may be granted
	groups []string // cognito:groups; none for KOCs, whose claim is then absent, as Cognito leaves it out
}

// userForm keeps names short and free of anything that means something in a page, a header or a log.
var userForm = regexp.MustCompile(`^(koc|operator|auditor):([\p{L}\p{N}][\p{L}\p{N}._-]{0,62})$`)

func parseUser(user string) (identity, error) {
	m := userForm.FindStringSubmatch(user)
	if m == nil {
		return identity{}, fmt.Errorf("user %q is not koc:<name>, operator:<name> or auditor:<name>", clip(user))
	}
	id := identity{user: user, role: m[1], name: m[2]}
	if id.role == "koc" {
		id.scopes = []string{ScopeKOC}
		return id, nil
	}
	id.scopes, id.groups = []string{ScopeOperator}, []string{id.role}
	return id, nil
}

// sub names the person the same for ever, in the UUID form of Cognito's sub.
func (id identity) sub() string {
	h := sha256.Sum256([]byte("yundian local issuer\x00" + id.user))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // version 8 (RFC 9562): made from other data
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// granted are the requested scopes that this person may have. OpenID scopes are everybody's.
func (id identity) granted(requested []string) []string {
	var out []string
	for _, s := range requested {
		if (slices.Contains(openIDScopes, s) || slices.Contains(id.scopes, s)) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

var openIDScopes = []string{"openid", "profile", "email"}

func clip(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
