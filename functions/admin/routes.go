package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/cashier"
	"yundian/shared/catalogue/intake"
	"yundian/shared/hooks"
	"yundian/shared/identity"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web"
	"yundian/shared/web/api"
	"yundian/shared/webhook"
)

// admin answers the routes below.
type admin struct {
	store     *store.Store
	cashier   cashier.Cashier
	paymaster cashier.Paymaster
	keys      seal.Ring
	identity  identity.Key
	hooks     hooks.Desk
	publicURL string
	now       func() time.Time
	random    func() string // fresh random text of at least 128 bits
}

func routes(a *admin) *http.ServeMux {
	mux, _ := register(a)
	return mux
}

// register makes every route, and the API that describes them.
func register(a *admin) (*http.ServeMux, *api.Operations) {
	mux := http.NewServeMux()
	v1 := api.Later(mux)
	v1.UseMiddleware(a.guard)

	api.Register(v1, imports(operation("importProducts", "POST", "/v1/admin/imports", "Import a Shopify product CSV")), a.importProducts)
	api.Register(v1, operation("adminListProducts", "GET", "/v1/admin/products", "Products by id, with their stock"), a.listProducts)
	api.Register(v1, operation("adminGetProduct", "GET", "/v1/admin/products/{id}", "One product"), a.getProduct)
	api.Register(v1, created(operation("createProduct", "POST", "/v1/admin/products", "Add a product with its first stock")), a.createProduct)
	api.Register(v1, operation("changeProduct", "PATCH", "/v1/admin/products/{id}", "Change some of a product"), a.changeProduct)
	api.Register(v1, operation("moveStock", "POST", "/v1/admin/stock", "Record goods received or written off"), a.moveStock)

	api.Register(v1, operation("adminListKOCs", "GET", "/v1/admin/kocs", "KOCs by handle"), a.listKOCs)
	api.Register(v1, created(operation("createKOC", "POST", "/v1/admin/kocs", "Add a KOC, who still has to be approved")), a.createKOC)
	api.Register(v1, operation("adminGetKOC", "GET", "/v1/admin/kocs/{id}", "One KOC"), a.getKOC)
	api.Register(v1, operation("changeKOC", "PATCH", "/v1/admin/kocs/{id}", "Change a KOC's tier, e-mail address or phone"), a.changeKOC)
	api.Register(v1, operation("approveKOC", "POST", "/v1/admin/kocs/{id}/approve", "Approve a KOC and make a one-time invitation"), a.approveKOC)
	api.Register(v1, operation("suspendKOC", "POST", "/v1/admin/kocs/{id}/suspend", "Suspend a KOC, at once"), a.suspendKOC)

	api.Register(v1, operation("listKOCWebhooks", "GET", "/v1/admin/kocs/{id}/webhooks", "A KOC's own webhooks, oldest first"), a.listKOCWebhooks)
	remove := operation("removeKOCWebhook", "DELETE", "/v1/admin/kocs/{id}/webhooks/{webhook}", "Remove a KOC's webhook")
	remove.DefaultStatus = http.StatusNoContent
	api.Register(v1, remove, a.removeKOCWebhook)

	api.Register(v1, operation("adminListStatements", "GET", "/v1/admin/kocs/{id}/statements", "A KOC's months with what they opened and closed with, newest first"), a.listStatements)
	api.Register(v1, filed(operation("adminGetStatement", "GET", "/v1/admin/kocs/{id}/statements/{period}", "One month of a KOC with every entry"), a.statementFile), a.getStatement)

	api.Register(v1, operation("adminListOrders", "GET", "/v1/admin/orders", "Orders, newest first"), a.listOrders)
	api.Register(v1, operation("adminGetOrder", "GET", "/v1/admin/orders/{id}", "One order with its contact and everything that happened to it"), a.getOrder)
	api.Register(v1, operation("shipOrder", "POST", "/v1/admin/orders/{id}/ship", "Record a parcel"), a.shipOrder)
	api.Register(v1, operation("adminConfirmOrder", "POST", "/v1/admin/orders/{id}/confirm", "Confirm an order to be paid on delivery that waits for it, for the shopper"), a.confirmOrder)
	api.Register(v1, operation("deliverOrder", "POST", "/v1/admin/orders/{id}/deliver", "Record the receipt"), a.deliverOrder)
	api.Register(v1, operation("adminCancelOrder", "POST", "/v1/admin/orders/{id}/cancel", "End an order that is not shipped, or whose parcel came back unpaid"), a.cancelOrder)
	api.Register(v1, operation("redriveOrder", "POST", "/v1/admin/orders/{id}/redrive", "Send an order through attribution and settlement again"), a.redriveOrder)
	api.Register(v1, created(operation("refundOrder", "POST", "/v1/admin/orders/{id}/refunds", "Give money back")), a.refundOrder)
	api.Register(v1, operation("holdOrder", "POST", "/v1/admin/orders/{id}/hold", "Keep the commission from being released"), a.holdOrder)
	api.Register(v1, operation("releaseHold", "POST", "/v1/admin/orders/{id}/release", "Lift the hold"), a.releaseHold)
	api.Register(v1, operation("closeReturn", "POST", "/v1/admin/orders/{id}/returns/{return}", "Close a return"), a.closeReturn)

	api.Register(v1, operation("listAdjustments", "GET", "/v1/admin/adjustments", "Corrections of balances by hand, newest first"), a.listAdjustments)
	api.Register(v1, created(operation("requestAdjustment", "POST", "/v1/admin/adjustments", "Ask for a correction of a KOC's balance, which another operator has to approve")), a.requestAdjustment)
	api.Register(v1, operation("getAdjustment", "GET", "/v1/admin/adjustments/{id}", "One adjustment"), a.getAdjustment)
	api.Register(v1, operation("approveAdjustment", "POST", "/v1/admin/adjustments/{id}/approve", "Post an adjustment that somebody else asked for"), a.approveAdjustment)
	api.Register(v1, operation("rejectAdjustment", "POST", "/v1/admin/adjustments/{id}/reject", "End an adjustment without posting anything"), a.rejectAdjustment)
	api.Register(v1, operation("getPayee", "GET", "/v1/admin/kocs/{id}/payee", "Where a KOC's payouts go"), a.getPayee)
	api.Register(v1, operation("verifyPayee", "POST", "/v1/admin/kocs/{id}/payee/verify", "Record that the account's holder is the KOC"), a.verifyPayee)
	api.Register(v1, operation("adminListPayouts", "GET", "/v1/admin/payouts", "Payouts, newest first"), a.listPayouts)
	api.Register(v1, created(operation("makePayout", "POST", "/v1/admin/payouts", "Reserve a payout for a KOC")), a.makePayout)
	api.Register(v1, operation("adminGetPayout", "GET", "/v1/admin/payouts/{id}", "One payout with everything that happened to it"), a.getPayout)
	api.Register(v1, operation("approvePayout", "POST", "/v1/admin/payouts/{id}/approve", "Let a payout be sent; not by who made it"), a.approvePayout)
	api.Register(v1, operation("approvePayouts", "POST", "/v1/admin/payouts/approve", "Let up to 100 payouts be sent, each as if alone"), a.approvePayouts)
	mux.HandleFunc("GET /v1/admin/payouts/approve", web.Only(http.MethodPost)) // "approve" is no payout's id
	api.Register(v1, operation("releasePayout", "POST", "/v1/admin/payouts/{id}/release", "Let a payout go on although its KOC is suspended; not by who made it"), a.releasePayout)
	api.Register(v1, operation("rejectPayout", "POST", "/v1/admin/payouts/{id}/reject", "Give a payout back before it is sent"), a.rejectPayout)
	api.Register(v1, operation("recordPayoutResult", "POST", "/v1/admin/payouts/{id}/result", "Record how a bank payout ended; not by who made it"), a.recordResult)
	api.Register(v1, operation("listPayoutFiles", "GET", "/v1/admin/payout-files", "Files for the bank, newest first"), a.listPayoutFiles)
	api.Register(v1, created(operation("makePayoutFile", "POST", "/v1/admin/payout-files", "Collect approved bank payouts into a file, at most 500")), a.makePayoutFile)
	api.Register(v1, csv(operation("readPayoutFile", "GET", "/v1/admin/payout-files/{id}", "The file's lines, always the same")), a.readPayoutFile)
	api.Register(v1, fileOfOutcomes(operation("recordPayoutFileResult", "POST", "/v1/admin/payout-files/{id}/result", "Record the bank's answer to a file, all of it or nothing")), a.recordFileResult)
	api.Register(v1, operation("getPayoutTerms", "GET", "/v1/admin/payout-terms", "The latest conditions of payouts"), a.getPayoutTerms)
	api.Register(v1, created(operation("publishPayoutTerms", "POST", "/v1/admin/payout-terms", "Publish another version of the conditions of payouts")), a.publishPayoutTerms)

	api.Register(v1, operation("getRules", "GET", "/v1/admin/rules", "The commission rules in force and those that were announced"), a.getRules)
	api.Register(v1, operation("simulateRules", "POST", "/v1/admin/rules/simulate", "Try a draft of the commission rules on past orders, without changing anything"), a.simulateRules)
	api.Register(v1, created(operation("publishRules", "POST", "/v1/admin/rules", "Publish commission rules; a cut needs notice")), a.publishRules)

	api.Register(v1, operation("verify", "GET", "/v1/admin/verify", "Check one slice of orders, balances and stock against each other"), a.verify)
	api.Register(v1, operation("getSettings", "GET", "/v1/admin/settings", "The shop's settings"), a.getSettings)
	api.Register(v1, operation("changeSettings", "PATCH", "/v1/admin/settings", "Change some of the shop's settings"), a.changeSettings)
	a.hooks.Register(v1, hooks.API{Prefix: "/v1/admin/webhooks", Name: "Webhook", Describe: adminOperation, Who: visitor})
	return mux, v1
}

// visitor is the operator whom the guard let in: all of them look after the same webhooks, which hear of every KOC.
func visitor(ctx context.Context) hooks.Visitor {
	return hooks.Visitor{Subject: visitOf(ctx).subject, Owner: webhook.Operators}
}

// adminOperation is an operation that KOCs have too, under another id.
func adminOperation(id, method, path, summary string) huma.Operation {
	return operation("admin"+strings.ToUpper(id[:1])+id[1:], method, path, summary)
}

func operation(id, method, path, summary string) huma.Operation {
	o := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Security: api.Operator, Tags: []string{"Operators"},
		Errors: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}}
	if method != http.MethodGet {
		// 100 variants and 50 pictures with long addresses are 400 KB.
		o.MaxBodyBytes = 1 << 20
		o.Errors = append(o.Errors, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	}
	return o
}

// filed is an operation whose answer is also to be had as CSV.
func filed(o huma.Operation, file func(huma.Context, func(huma.Context))) huma.Operation {
	o.Middlewares = huma.Middlewares{file}
	o.Responses = api.AlsoCSV()
	return o
}

func created(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusCreated
	return o
}

func imports(o huma.Operation) huma.Operation {
	o.MaxBodyBytes = intake.MaxBytes
	return o
}

func fileOfOutcomes(o huma.Operation) huma.Operation {
	o.MaxBodyBytes = cashier.MaxBankAnswer
	return o
}

// csv says that an operation answers with a file.
func csv(o huma.Operation) huma.Operation {
	o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}}
	return o
}
