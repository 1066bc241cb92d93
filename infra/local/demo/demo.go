// Package demo is the shop that a first start shows: 山隅 (Shanyu), a small tea house in the hills outside Hangzhou,
// with its goods, three customers who share them, and a few weeks of orders in every state.
//
// Brand, people, texts and pictures are written for this purpose; nobody in them is real. The data is plain, so that
// whoever seeds a store from it decides how.
package demo

// Product is one thing the shop sells. Prices are in fen.
type Product struct {
	ID      string // also the name of its picture
	Title   string
	Body    string // HTML: paragraphs and lists
	Scene   string // how it is used in life
	Type    string
	Tags    []string
	Options []string // what variants differ in
	// Rate is the product's own commission rate in basis points; 0 takes the shop's default.
	Rate     int64
	Alt      string // what the picture shows
	Variants []Variant
}

// Variant is what can be bought. Stock is received once, when the shop is seeded.
type Variant struct {
	SKU       string
	Option    string // its value of the product's one option; empty without options
	Price     int64
	CompareAt int64
	Grams     int64
	Stock     int64
}

// Image is the address of the product's picture, relative to the runner.
func (p Product) Image() string { return PicturePath + p.ID + ".svg" }

// KOC is somebody who shares what they use.
type KOC struct {
	Handle string
	Name   string
	Email  string
	Story  string
	Shelf  []Note
	Links  []Link
}

// Portrait is the address of the KOC's picture, relative to the runner.
func (k KOC) Portrait() string { return PicturePath + "koc-" + k.Handle + ".svg" }

// Note is a product on a shelf in the KOC's own words.
type Note struct{ Product, Text string }

// Link is a share link to make. Name is what orders of the plan call it; Product is empty for the storefront.
type Link struct {
	Name    string
	Product string
	Channel string
	Touches int // how many different shoppers open it without buying
}

// Shopper is somebody who buys.
type Shopper struct {
	Name, Phone, Email string
	Region, City, District, Division,
	Line, Postcode string
}

// Withdrawal is what a KOC withdraws when the shop is seeded, in fen. One that is not paid waits for the operator.
type Withdrawal struct {
	KOC   string
	Minor int64
	Paid  bool
}

// Applicant has asked to become a KOC and waits for an answer.
type Applicant struct{ Handle, Name, Email, Story string }

// Step is what happens to an order, some hours after it was placed.
type Step struct {
	Do    Action
	Hours int
	Lines []Line // of a refund or return; empty means everything
	Text  string // tracking number, or a reason
}

// Action names a step.
type Action string

// Steps that a seeding run takes. Expiry and release take no step: they come when time passes.
const (
	Pay     Action = "pay"      // at the sandbox
	PayLate Action = "pay-late" // after the stock hold has ended
	Decline Action = "decline"
	Cancel  Action = "cancel"
	Ship    Action = "ship"
	Deliver Action = "deliver"  // recorded by the operator
	Receive Action = "received" // confirmed by the shopper
	Return  Action = "return"   // asked for by the shopper
	Refund  Action = "refund"
	Hold    Action = "hold" // the operator looks into it: commission waits
)

// Line is some pieces of one SKU.
type Line struct {
	SKU      string
	Quantity int
}

// Order is one order of the plan.
type Order struct {
	DaysAgo int    // whole days before the shop is seeded
	Clock   string // time of day, 15:04 in the shop's time zone
	Shopper string // key into Shoppers
	Link    string // name of the link it came by; empty for none
	Code    string // KOC code typed at checkout; empty for none
	Payment string
	Lines   []Line
	Then    []Step
	Ends    string // the state a reader of this list should expect; tests hold it to the steps
}

// Shop is what the brand decided.
type Shop struct {
	Brand, Tagline, Hero    string
	Company, Number, ICP    string
	ShippingFee, FreeFrom   int64 // fen
	DefaultRate             int64 // basis points
	DefaultShelf            []string
	AttributionDays         int
	ReturnDays, ReceiptDays int
	HoldMinutes             int
}

// House is the demo shop itself.
var House = Shop{
	Brand:       "山隅",
	Tagline:     "一席茶，一隅山。 Tea from a quiet corner of the hills.",
	Hero:        PicturePath + "hero.svg",
	Company:     "杭州山隅茶事有限公司（演示）",
	Number:      "食品经营许可证 JY13301060000000（演示）",
	ICP:         "浙ICP备00000000号-1（演示）",
	ShippingFee: 1000, FreeFrom: 9900,
	DefaultRate: 1000,
	DefaultShelf: []string{"longjing", "guihua-oolong", "lengpao-chabao", "baici-gaiwan", "boli-gongdaobei",
		"pinming-bei", "anji-baicha", "zhengshan-xiaozhong"},
	AttributionDays: 14, ReturnDays: 7, ReceiptDays: 15, HoldMinutes: 30,
}
