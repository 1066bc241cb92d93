package koc

import (
	"crypto/sha256"
	"encoding/base64"
)

// MaxInvite bounds an invitation in bytes.
const MaxInvite = 200

// InviteHash is what is kept of an invitation. A plain hash is enough: an invitation is random, so nobody can find
// it by trying, and whoever reads the store cannot use what is there.
func InviteHash(invite string) string {
	h := sha256.Sum256([]byte("yundian invitation\x00" + invite))
	return base64.RawURLEncoding.EncodeToString(h[:])
}
