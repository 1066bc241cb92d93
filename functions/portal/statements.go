package main

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"yundian/shared/statement"
	"yundian/shared/web"
	"yundian/shared/web/api"
)

type statementInput struct {
	api.Paging
	Period   string `path:"period" maxLength:"20" doc:"Month of the shop, such as 2026-03"`
	Currency string `query:"currency" maxLength:"20" doc:"The shop's own when none is given"`
}

func (p *portal) desk() statement.Desk {
	return statement.Desk{Store: p.store, Keys: p.keys, Now: p.now}
}

func (p *portal) listStatements(ctx context.Context, in *struct{ api.Paging }) (*api.Reply[statement.Months], error) {
	handle := visitOf(ctx).koc.Handle
	page, err := p.desk().List(ctx, statement.Asked{Owner: handle, KOC: handle, Cursor: in.Cursor, Limit: in.Limit.Size()})
	return &api.Reply[statement.Months]{Body: page}, err
}

func (p *portal) statement(ctx context.Context, in *statementInput) (*api.Reply[statement.MonthEntries], error) {
	handle := visitOf(ctx).koc.Handle
	detail, err := p.desk().Of(ctx, statement.Asked{Owner: handle, KOC: handle, Period: in.Period, Currency: in.Currency, Cursor: in.Cursor, Limit: in.Limit.Size()})
	return &api.Reply[statement.MonthEntries]{Body: detail}, err
}

// statementFile answers those who want a statement as CSV.
func (p *portal) statementFile(c huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(c)
	if !web.WantsCSV(r) {
		next(c)
		return
	}
	handle := visitOf(c.Context()).koc.Handle
	p.desk().CSV(w, r, statement.Asked{Owner: handle, KOC: handle, Period: c.Param("period"), Currency: c.Query("currency"), Cursor: c.Query("cursor")})
}
