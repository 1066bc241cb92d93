package main

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/cashier"
	"yundian/shared/catalogue/intake"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// admin answers the routes below.
type admin struct {
	store     *store.Store
	cashier   cashier.Cashier
	keys      seal.Ring
	publicURL string
	now       func() time.Time
	random    func() string // fresh random text of at least 128 bits
}

func routes(a *admin) *http.ServeMux {
	mux, _ := serve(a)
	return mux
}

// serve is every route, and the API that describes them.
func serve(a *admin) (*http.ServeMux, huma.API) {
	mux := http.NewServeMux()
	v1 := api.New(mux)
	v1.UseMiddleware(a.guard)

	huma.Register(v1, imports(operation("importProducts", "POST", "/v1/admin/imports", "Import a Shopify product CSV")), a.importProducts)
	huma.Register(v1, operation("adminListProducts", "GET", "/v1/admin/products", "Products by id, with their stock"), a.listProducts)
	huma.Register(v1, operation("adminGetProduct", "GET", "/v1/admin/products/{id}", "One product"), a.getProduct)
	huma.Register(v1, created(operation("createProduct", "POST", "/v1/admin/products", "Add a product with its first stock")), a.createProduct)
	huma.Register(v1, operation("changeProduct", "PATCH", "/v1/admin/products/{id}", "Change some of a product"), a.changeProduct)
	huma.Register(v1, operation("moveStock", "POST", "/v1/admin/stock", "Record goods received or written off"), a.moveStock)

	huma.Register(v1, operation("adminListKOCs", "GET", "/v1/admin/kocs", "KOCs by handle"), a.listKOCs)
	huma.Register(v1, created(operation("createKOC", "POST", "/v1/admin/kocs", "Add a KOC, who still has to be approved")), a.createKOC)
	huma.Register(v1, operation("approveKOC", "POST", "/v1/admin/kocs/{id}/approve", "Approve a KOC and make a one-time invitation"), a.approveKOC)
	huma.Register(v1, operation("suspendKOC", "POST", "/v1/admin/kocs/{id}/suspend", "Suspend a KOC, at once"), a.suspendKOC)

	huma.Register(v1, operation("adminListOrders", "GET", "/v1/admin/orders", "Orders, newest first"), a.listOrders)
	huma.Register(v1, operation("adminGetOrder", "GET", "/v1/admin/orders/{id}", "One order with its contact and everything that happened to it"), a.getOrder)
	huma.Register(v1, operation("shipOrder", "POST", "/v1/admin/orders/{id}/ship", "Record a parcel"), a.shipOrder)
	huma.Register(v1, operation("deliverOrder", "POST", "/v1/admin/orders/{id}/deliver", "Record the receipt"), a.deliverOrder)
	huma.Register(v1, operation("adminCancelOrder", "POST", "/v1/admin/orders/{id}/cancel", "End an order that is not shipped, or whose parcel came back unpaid"), a.cancelOrder)
	huma.Register(v1, operation("redriveOrder", "POST", "/v1/admin/orders/{id}/redrive", "Send an order through attribution and settlement again"), a.redriveOrder)
	huma.Register(v1, created(operation("refundOrder", "POST", "/v1/admin/orders/{id}/refunds", "Give money back")), a.refundOrder)
	huma.Register(v1, operation("holdOrder", "POST", "/v1/admin/orders/{id}/hold", "Keep the commission from being released"), a.holdOrder)
	huma.Register(v1, operation("releaseHold", "POST", "/v1/admin/orders/{id}/release", "Lift the hold"), a.releaseHold)
	huma.Register(v1, operation("closeReturn", "POST", "/v1/admin/orders/{id}/returns/{return}", "Close a return"), a.closeReturn)

	huma.Register(v1, operation("verify", "GET", "/v1/admin/verify", "Check one slice of orders, balances and stock against each other"), a.verify)
	huma.Register(v1, operation("getSettings", "GET", "/v1/admin/settings", "The shop's settings"), a.getSettings)
	huma.Register(v1, operation("changeSettings", "PATCH", "/v1/admin/settings", "Change some of the shop's settings"), a.changeSettings)
	return mux, v1
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

func created(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusCreated
	return o
}

func imports(o huma.Operation) huma.Operation {
	o.MaxBodyBytes = intake.MaxBytes
	return o
}
