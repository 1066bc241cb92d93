package seal

import (
	"net/url"
	"strconv"
	"strings"
)

// emailPurpose separates what confirms an e-mail address from all other signatures.
const emailPurpose = "e-mail confirmation"

// EmailPath is the page on which the owner of a new e-mail address confirms the n-th change of a KOC's, on the store's own
// site. It stands in a letter to that address and nowhere else.
func (r Ring) EmailPath(handle string, n int64, email string) string {
	count := strconv.FormatInt(n, 10)
	return "/confirm-email/" + url.PathEscape(handle) + "?secret=" + url.QueryEscape(count+"."+r.MAC(emailPurpose, handle, count, email))
}

// EmailChange is which change of a KOC's e-mail address a secret is about, and false when it has no such form.
func EmailChange(secret string) (n int64, ok bool) {
	count, _, cut := strings.Cut(secret, ".")
	n, err := strconv.ParseInt(count, 10, 64)
	return n, cut && err == nil && n > 0 && len(secret) <= 100
}

// ConfirmsEmail reports whether a secret was sent to this address for the n-th change of a KOC's.
func (r Ring) ConfirmsEmail(secret, handle string, n int64, email string) bool {
	count, mac, _ := strings.Cut(secret, ".")
	return count == strconv.FormatInt(n, 10) && r.Verify(emailPurpose, mac, handle, count, email)
}
