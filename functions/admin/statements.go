package main

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"yundian/shared/koc"
	"yundian/shared/statement"
	"yundian/shared/web"
	"yundian/shared/web/api"
)

type statementsInput struct {
	api.Paging
	ID string `path:"id"`
}

type statementInput struct {
	api.Paging
	ID       string `path:"id"`
	Period   string `path:"period" maxLength:"20" doc:"Month of the shop, such as 2026-03"`
	Currency string `query:"currency" maxLength:"20" doc:"The shop's own when none is given"`
}

func (a *admin) desk() statement.Desk {
	return statement.Desk{Store: a.store, Keys: a.keys, Now: a.now}
}

// kocOf answers an id that cannot be a handle like one that nobody has.
func (a *admin) kocOf(ctx context.Context, id string) (koc.Profile, error) {
	if !koc.ValidHandle(id) {
		return koc.Profile{}, unknownKOC(id)
	}
	return a.store.KOC(ctx, id)
}

func (a *admin) listStatements(ctx context.Context, in *statementsInput) (*api.Reply[statement.Months], error) {
	k, err := a.kocOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	page, err := a.desk().List(ctx, statement.Asked{Owner: visitOf(ctx).subject, KOC: k.Handle, Cursor: in.Cursor, Limit: in.Limit.Size()})
	return &api.Reply[statement.Months]{Body: page}, err
}

func (a *admin) getStatement(ctx context.Context, in *statementInput) (*api.Reply[statement.MonthEntries], error) {
	k, err := a.kocOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	detail, err := a.desk().Of(ctx, statement.Asked{Owner: visitOf(ctx).subject, KOC: k.Handle, Period: in.Period, Currency: in.Currency,
		Cursor: in.Cursor, Limit: in.Limit.Size()})
	return &api.Reply[statement.MonthEntries]{Body: detail}, err
}

// statementFile answers those who want a statement as CSV.
func (a *admin) statementFile(c huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(c)
	if !web.WantsCSV(r) {
		next(c)
		return
	}
	k, err := a.kocOf(c.Context(), c.Param("id"))
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	a.desk().CSV(w, r, statement.Asked{Owner: visitOf(c.Context()).subject, KOC: k.Handle, Period: c.Param("period"), Currency: c.Query("currency"),
		Cursor: c.Query("cursor")})
}
