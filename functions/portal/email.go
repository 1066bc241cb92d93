package main

import (
	"context"
	"net/http"
	"time"

	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web"
)

// A new e-mail address is confirmed by whoever reads the letter that was sent to it. The link in the letter changes nothing,
// because programs that look for viruses open the links of letters; the button of its page does.

// emailAnswer is what a confirmation leads to, as JSON.
type emailAnswer struct {
	Handle    string     `json:"handle"`
	Email     string     `json:"email"`
	Confirmed bool       `json:"confirmed"`
	HeldUntil *time.Time `json:"heldUntil,omitempty" doc:"Payouts wait until then, because the address was changed"`
}

// emailWish is the body of a confirmation.
type emailWish struct {
	Secret string `json:"secret"`
}

// openEmail is the KOC whose change of address a secret confirms, and which change that is. Whatever is wrong with it, there
// is one answer, so that nobody can probe for KOCs or addresses.
func (p *portal) openEmail(ctx context.Context, handle, secret string) (koc.Profile, int64, error) {
	n, ok := seal.EmailChange(secret)
	if !ok || !koc.ValidHandle(handle) {
		return koc.Profile{}, 0, koc.EmailLinkRefused()
	}
	who, err := p.store.KOC(ctx, handle)
	if fail.KindOf(err) == fail.NotFound {
		return who, 0, koc.EmailLinkRefused()
	}
	if err != nil {
		return who, 0, err
	}
	email := who.Email
	if c := who.Pending(p.now()); c != nil && c.N == n {
		email = c.Email
	} else if !who.Confirmed(n) {
		return who, 0, koc.EmailLinkRefused()
	}
	if !p.keys.ConfirmsEmail(secret, handle, n, email) {
		return who, 0, koc.EmailLinkRefused()
	}
	return who, n, nil
}

// askEmail answers GET /confirm-email/{handle} with a page that has a button.
func (p *portal) askEmail(w http.ResponseWriter, r *http.Request) {
	secret := r.URL.Query().Get("secret")
	who, n, err := p.openEmail(r.Context(), r.PathValue("handle"), secret)
	p.answerEmail(w, r, who, n, secret, err)
}

// confirmEmail answers POST /confirm-email/{handle}: letters go to the new address from now on, and payouts wait.
func (p *portal) confirmEmail(w http.ResponseWriter, r *http.Request) {
	err := web.SameSite(r, p.publicURL)
	var wish emailWish
	if err == nil {
		wish, err = readEmailWish(r)
	}
	var who koc.Profile
	var n int64
	if err == nil {
		who, n, err = p.openEmail(r.Context(), r.PathValue("handle"), wish.Secret)
	}
	if err == nil {
		who, err = p.putEmail(r.Context(), who.Handle, n)
	}
	p.answerEmail(w, r, who, n, wish.Secret, err)
}

func readEmailWish(r *http.Request) (wish emailWish, err error) {
	if !web.IsForm(r) {
		return wish, web.Decode(r, &wish, web.MaxJSON)
	}
	values, err := web.Form(r)
	return emailWish{values.Get("secret")}, err
}

func (p *portal) putEmail(ctx context.Context, handle string, n int64) (koc.Profile, error) {
	now := p.now()
	terms, err := p.store.PayoutTermsAt(ctx, now)
	if err != nil {
		return koc.Profile{}, err
	}
	return p.store.UpdateKOC(ctx, handle, func(k *koc.Profile) error {
		if err := k.ConfirmEmail(n, time.Duration(terms.HoldHours)*time.Hour, now); err != nil {
			return err
		}
		k.Recognise(p.identity, nil)
		return nil
	}, func(k koc.Profile) []store.Write { return store.EmailWrites(k, now) })
}

func (p *portal) answerEmail(w http.ResponseWriter, r *http.Request, who koc.Profile, n int64, secret string, err error) {
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	if web.WantsJSON(r) || r.Method == http.MethodPost && !web.IsForm(r) {
		web.WriteJSON(w, r, http.StatusOK, p.viewEmail(who, n))
		return
	}
	settings, err := p.store.Settings(r.Context())
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	v := emailPageView{Layout: web.ShopLayout(settings, web.ShopLanguage(r, settings)), Email: p.viewEmail(who, n), Secret: secret}
	v.Layout.Class, v.Layout.NoIndex, v.Layout.Title = "apply", true, v.t("email_title")
	if v.zone, err = settings.Zone(); err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	web.Page(w, r, http.StatusOK, emailPage(v))
}

func (p *portal) viewEmail(who koc.Profile, n int64) emailAnswer {
	v := emailAnswer{Handle: who.Handle, Email: who.Email, Confirmed: who.Confirmed(n)}
	if !v.Confirmed {
		v.Email = who.EmailChange.Email
	} else if until := who.HeldUntil(); until.After(p.now()) {
		until = until.UTC()
		v.HeldUntil = &until
	}
	return v
}

// emailPageView is the page on which an address is confirmed, or has been.
type emailPageView struct {
	Layout web.LayoutData
	Email  emailAnswer
	Secret string
	zone   *time.Location
}

func (v emailPageView) t(name string, args ...any) string {
	return v.Layout.L().T("portal."+name, args...)
}

func (v emailPageView) action() string {
	return "/confirm-email/" + v.Email.Handle + "?lang=" + string(v.Layout.Language)
}
