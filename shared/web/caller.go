package web

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
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
		Groups:   parseGroups(claims[groupsClaim]),
	}
	return c, c.Subject != ""
}

// parseGroups reads a list claim as the gateway passes it, "[koc operator]". A claim without brackets is the name of
// one group, even with a blank in it: taking it apart could make a group of half a name.
func parseGroups(claim string) []string {
	if list, ok := strings.CutPrefix(claim, "["); ok {
		if list, ok = strings.CutSuffix(list, "]"); ok {
			return strings.Fields(list)
		}
	}
	if claim == "" {
		return nil
	}
	return []string{claim}
}
