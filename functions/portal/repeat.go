package main

import (
	"context"

	"yundian/shared/once"
)

// wish is a write that a KOC may send again; route is its method and path, body what was asked for.
func wish(ctx context.Context, route, key string, body any) once.Wish {
	return once.Wish{Owner: visitOf(ctx).subject, Route: route, Key: key, Body: body}
}
