package template

import "slices"

// throttle reads the two throttling properties that stages and routes share.
func throttle(o *object) Throttle {
	o.ignore("DetailedMetricsEnabled", "LoggingLevel", "DataTraceEnabled")
	return Throttle{Rate: o.decimal("ThrottlingRateLimit"), Burst: o.number("ThrottlingBurstLimit", 0, limits{0, 100000})}
}

// buildAPI reads the HTTP API. One template has one.
func (r *reader) buildAPI(res *resource) {
	api := &r.model.API
	if api.LogicalID != "" {
		r.fail(res.node, "Resources."+res.id, "the local runner serves one HTTP API, and %s is one already", api.LogicalID)
		return
	}
	api.LogicalID = res.id
	o := r.object(r.withGlobals("HttpApi", res.properties), "Resources."+res.id+".Properties")
	o.ignore("Name", "Description", "Tags", "AccessLogSettings", "FailOnWarnings", "DisableExecuteApiEndpoint", "PropagateTags")
	o.choice("StageName", "$default")
	settings := o.object("DefaultRouteSettings")
	api.Throttle = throttle(settings)
	settings.done()
	routes := o.object("RouteSettings")
	auth := o.object("Auth")
	standard := auth.text("DefaultAuthorizer", "")
	authorizers := auth.object("Authorizers")
	auth.done()
	o.done()
	for _, name := range authorizers.keys {
		api.Authorizers = append(api.Authorizers, r.authorizer(name, authorizers.object(name)))
	}
	r.finishAPI = func() { r.finishRoutes(routes, standard) }
}

func (r *reader) authorizer(name string, o *object) Authorizer {
	o.choice("IdentitySource", "$request.header.Authorization")
	a := Authorizer{Name: name, Scopes: o.texts("AuthorizationScopes")}
	jwt := o.object("JwtConfiguration")
	o.done()
	a.Issuer, a.Audience = jwt.required("issuer"), jwt.texts("audience")
	jwt.done()
	if len(a.Audience) == 0 {
		r.fail(o.node, jwt.path("audience"), "is missing")
	}
	return a
}

// finishRoutes fills in what routes inherit from the API, once both are read.
func (r *reader) finishRoutes(settings *object, standard string) {
	api := &r.model.API
	for i := range api.Routes {
		route := &api.Routes[i]
		if slices.Contains(settings.keys, route.Key()) {
			o := settings.object(route.Key())
			route.Throttle = throttle(o)
			o.done()
		}
		switch route.Authorizer {
		case inherit:
			route.Authorizer = standard
		case "NONE":
			route.Authorizer = ""
		}
		if a, err := api.Authorizer(route.Authorizer); err == nil && len(route.Scopes) == 0 {
			route.Scopes = a.Scopes
		}
	}
	settings.done()
}
