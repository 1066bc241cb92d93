package web

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Caller is who the gateway's authorizer says is calling.
type Caller struct {
	Subject  string   // the token's sub
	ClientID string   // the application the token was issued to
	Scopes   []string // as granted, such as yundian/koc
	Groups   []string // such as operator, auditor
}

// In reports whether the caller is in a group, by its whole name.
func (c Caller) In(group string) bool { return slices.Contains(c.Groups, group) }

// May reports whether the token was granted a scope.
func (c Caller) May(scope string) bool { return slices.Contains(c.Scopes, scope) }

// CallerOf is who calls, from the claims that the gateway checked; false on a route without an authorizer and for a
// token without a subject.
func CallerOf(ctx context.Context) (Caller, bool) {
	r := requestOf(ctx)
	return r.caller, r.known
}

func callerFrom(event events.APIGatewayV2HTTPRequest, groupsClaim string) (Caller, bool) {
	authorizer := event.RequestContext.Authorizer
	if authorizer == nil || authorizer.JWT == nil {
		return Caller{}, false
	}
	claims := authorizer.JWT.Claims
	c := Caller{
		Subject:  claims["sub"],
		ClientID: claims["client_id"],
		Scopes:   strings.Fields(claims["scope"]),
		Groups:   groupsOf(event.Headers["authorization"], claims, groupsClaim),
	}
	return c, c.Subject != ""
}

// groupsOf are the caller's groups as the token itself lists them. The gateway hands every claim on as one text, and a list
// as "[koc operator]", in which the one group "not operator" reads like the two groups "not" and "operator": whoever took
// that apart could make an operator of somebody who is none. In the token each name is whole.
//
// The gateway has verified the token before it called this function. Without a token that says of itself what the gateway
// has verified, nobody is in a group.
func groupsOf(authorization string, verified map[string]string, groupsClaim string) []string {
	token := strings.TrimSpace(authorization)
	if scheme, rest, found := strings.Cut(token, " "); found && strings.EqualFold(scheme, "bearer") {
		token = strings.TrimSpace(rest)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 || strings.ContainsAny(token, " ,") { // another scheme, or two tokens
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var claims map[string]jsontext.Value
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil
	}
	for _, name := range []string{"iss", "sub", "jti", "client_id"} { // the id differs in every token of one login
		if text, _ := claimText(claims[name]); text != verified[name] {
			return nil
		}
	}
	if one, ok := claimText(claims[groupsClaim]); ok {
		return []string{one} // also with a blank in it
	}
	var list []string
	if err := json.Unmarshal(claims[groupsClaim], &list); err != nil {
		return nil
	}
	return list
}

// claimText is a claim that is one text; false for any other and for none.
func claimText(claim jsontext.Value) (string, bool) {
	if claim.Kind() != '"' {
		return "", false
	}
	var text string
	err := json.Unmarshal(claim, &text)
	return text, err == nil
}
