package demo

import "yundian/infra/local/issuer"

// operator is who sets the demo shop up.
const operator = "operator:ana"

// Users are the people of the demo shop whom the login page offers.
func Users() []issuer.User {
	var out []issuer.User
	for _, k := range KOCs {
		out = append(out, issuer.User{ID: k.user(), Label: k.Name + " · KOC " + k.Handle})
	}
	return append(out, issuer.User{ID: operator, Label: "Ana · 运营 operator"}, issuer.User{ID: "auditor:ivo", Label: "Ivo · 审计 auditor, reads only"})
}

// user is the KOC's login.
func (k KOC) user() string { return "koc:" + k.Handle }

// Welcome are the lines that say where the demo shop at an address can be looked at, and as whom.
func Welcome(url string) []string {
	first := KOCs[0]
	return []string{
		"",
		"  " + House.Brand + "          " + url + "/",
		"  storefront    " + url + "/k/" + first.Handle + "   " + first.Name,
		"  share link    " + url + "/s/" + first.Handle + "   opens in place, no login, no cookie",
		"  KOC portal    " + url + "/portal   log in as " + first.user() + ", koc:" + KOCs[1].Handle + " or koc:" + KOCs[2].Handle,
		"  apply         " + url + "/apply",
		"  operators     " + url + "/v1/admin/orders   with the token of " + url + "/_local/token?user=" + operator + " (auditor:ivo reads only)",
		"",
	}
}
