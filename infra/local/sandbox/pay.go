package sandbox

import (
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"yundian/shared/money"
	"yundian/shared/provider"
)

// patience is how long a shopper waits for the store to take a webhook before going back to the order page.
const patience = 5 * time.Second

//go:embed pay.html
var payText string

var payTemplate = template.Must(template.New("pay").Parse(payText))

type payData struct {
	Style       string // nonce of the page's style element
	Total       string
	Currency    money.Currency
	Order       string
	Description string
	Return      string
	Open        bool
	Paid        bool
	Disputed    bool // a dispute is open
	Problem     string
}

// payPage is the form on which one chooses what happens.
func (s *Sandbox) payPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	ses := s.books.Sessions[r.PathValue("id")]
	var data payData
	if ses != nil {
		data = s.payData(ses)
	}
	s.mu.Unlock()
	if ses == nil {
		showPay(w, http.StatusNotFound, payData{Problem: "没有这笔付款。 There is no such payment."})
		return
	}
	showPay(w, http.StatusOK, data)
}

func (s *Sandbox) payData(ses *session) payData {
	c := ses.Checkout
	_, disputed := ses.openDispute()
	return payData{Disputed: disputed != nil, Total: c.Amount.Decimal(), Currency: c.Amount.Currency, Order: c.OrderID, Description: c.Description,
		Return: c.ReturnURL, Open: s.payableNow(ses), Paid: len(ses.Payments) > 0}
}

func (s *Sandbox) payableNow(ses *session) bool {
	return ses.State == open && (ses.Checkout.ExpiresAt.IsZero() || s.options.Now().Before(ses.Checkout.ExpiresAt))
}

// pay is the posted choice.
func (s *Sandbox) pay(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		showPay(w, http.StatusBadRequest, payData{Problem: "表单无法读取。 The form cannot be read."})
		return
	}
	outcome := r.PostForm.Get("outcome")
	act, known := outcomes[outcome]
	s.mu.Lock()
	ses := s.books.Sessions[r.PathValue("id")]
	if ses == nil || !known {
		data := payData{Problem: "没有这笔付款或这个选项。 There is no such payment or choice."}
		status := http.StatusNotFound
		if ses != nil {
			data.Return, status = ses.Checkout.ReturnURL, http.StatusBadRequest
		}
		s.mu.Unlock()
		showPay(w, status, data)
		return
	}
	if refused := s.refuses(ses, outcome); refused != "" {
		data := s.payData(ses)
		s.mu.Unlock()
		data.Problem = refused
		showPay(w, http.StatusConflict, data)
		return
	}
	events := act(s, ses)
	if !s.finishPay(w, ses, events) {
		return
	}
	http.Redirect(w, r, ses.Checkout.ReturnURL, http.StatusSeeOther)
}

// finishPay records what an outcome did, unlocks, and waits for its events to be taken by the store.
func (s *Sandbox) finishPay(w http.ResponseWriter, ses *session, events []string) bool {
	e := entry{Session: ses}
	if len(events) > 0 {
		e.Job = s.newJob(ses, s.options.Now(), events...)
	}
	ok := s.record(w, e)
	var done <-chan struct{}
	if ok && e.Job != nil {
		done = s.run(*e.Job)
	}
	s.mu.Unlock()
	if done != nil {
		await(done, patience) // a slow store hears of it in the background
	}
	return ok
}

// refuses says why an outcome is not possible any more; empty when it is. A late payment may always come.
func (s *Sandbox) refuses(ses *session, outcome string) string {
	switch {
	case len(ses.Payments) >= maxPayments || len(ses.Events) > maxEvents-6: // no outcome tells of more than six events
		return "这笔付款发生的事情太多了。 Too much has happened in this payment."
	case outcome == "pay-late" || s.payableNow(ses):
		return ""
	case ses.State == paid && (outcome == "pay" || outcome == "pay-twice"):
		return "" // a second click on the same button: nothing is taken twice
	case ses.State == paid && (outcome == "pay-double" || outcome == "dispute" && len(ses.Payments[0].Disputes) < maxDisputes):
		return ""
	case ses.State == paid && (outcome == "dispute-won" || outcome == "dispute-lost"):
		if _, d := ses.openDispute(); d != nil {
			return ""
		}
		return "没有进行中的争议。 No dispute is open."
	default:
		return "这笔付款已经关闭。 This payment is closed."
	}
}

// outcomes are the buttons of the pay page; each does its worst to the session and gives the events to deliver, in
// order. The first four are a fixed contract, the others are for the curious.
var outcomes = map[string]func(*Sandbox, *session) []string{
	"pay": func(s *Sandbox, ses *session) []string {
		if ses.State == paid {
			return nil
		}
		return []string{s.take(ses, ses.Checkout.Amount)}
	},
	"decline": func(s *Sandbox, ses *session) []string {
		return []string{s.tell(ses, "payment.declined", provider.SandboxEvent{Amount: ses.Checkout.Amount})}
	},
	"pay-late": func(s *Sandbox, ses *session) []string {
		if s.payableNow(ses) { // the news leaves the bank only after the store has closed the session
			ses.Late = true
			return nil
		}
		if len(ses.Payments) > 0 {
			return nil
		}
		return []string{s.take(ses, ses.Checkout.Amount)}
	},
	"pay-twice": func(s *Sandbox, ses *session) []string { // one payment, told twice
		id := ""
		if ses.State == paid {
			id = ses.Events[firstCapture(ses)].ID
		} else {
			id = s.take(ses, ses.Checkout.Amount)
		}
		return []string{id, id}
	},
	"pay-double": func(s *Sandbox, ses *session) []string { // two payments: the shopper has paid twice
		if ses.State == paid {
			return []string{s.take(ses, ses.Checkout.Amount)}
		}
		return []string{s.take(ses, ses.Checkout.Amount), s.take(ses, ses.Checkout.Amount)}
	},
	"pay-wrong-amount": func(s *Sandbox, ses *session) []string {
		return []string{s.take(ses, money.Of(ses.Checkout.Amount.Minor+1, ses.Checkout.Amount.Currency))}
	},
	"refund-first": func(s *Sandbox, ses *session) []string { // paid and given back by the provider, told in the wrong order
		captured := s.take(ses, ses.Checkout.Amount)
		return []string{s.refundAtProvider(ses), captured}
	},
	"dispute": func(s *Sandbox, ses *session) []string {
		var events []string
		if ses.State != paid {
			events = append(events, s.take(ses, ses.Checkout.Amount))
		}
		return append(events, s.dispute(ses, &ses.Payments[0], ses.Payments[0].Amount, fraudulent))
	},
	"dispute-won":  func(s *Sandbox, ses *session) []string { return s.disputeTo(ses, disputeWon) },
	"dispute-lost": func(s *Sandbox, ses *session) []string { return s.disputeTo(ses, disputeLost) },
}

// disputeTo ends the open dispute, or takes money, has it disputed and ends that.
func (s *Sandbox) disputeTo(ses *session, state string) []string {
	var events []string
	if ses.State != paid {
		events = []string{s.take(ses, ses.Checkout.Amount), s.dispute(ses, &ses.Payments[0], ses.Payments[0].Amount, fraudulent)}
	}
	p, d := ses.openDispute()
	return append(events, s.decide(ses, p, d, state))
}

// firstCapture is where a paid session's first captured event stands.
func firstCapture(ses *session) int {
	for i, e := range ses.Events {
		if e.Type == "payment.captured" {
			return i
		}
	}
	return 0 // a paid session always has one
}

// hostForm is what may be written into the page's Content-Security-Policy.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9.:\[\]-]+$`)

func showPay(w http.ResponseWriter, status int, data payData) {
	data.Style = rand.Text()
	target := "'self'" // browsers check the redirect after a form against this list too
	if u, err := url.Parse(data.Return); err == nil && hostForm.MatchString(u.Host) {
		target += " " + u.Scheme + "://" + u.Host
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+data.Style+"'; form-action "+target+"; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = payTemplate.Execute(w, data) // the client went away; nobody to tell
}
