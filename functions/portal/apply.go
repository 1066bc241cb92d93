package main

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/web"
)

// applications is the body of somebody who wants to become a KOC.
type application struct {
	Handle string `json:"handle"`
	Name   string `json:"name"`
	Email  string `json:"email"`
	Story  string `json:"story"`
}

type applied struct {
	Handle string `json:"handle"`
	Status string `json:"status"`
}

// applyLimit is how many applications one address can send in a day. A mobile carrier puts thousands of people behind
// one address, but few of them apply on one day.
const applyLimit = 30

func (p *portal) showApply(w http.ResponseWriter, r *http.Request) {
	settings, err := p.store.Settings(r.Context())
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	form := newApplyForm(r, settings)
	form.Layout.Here = web.Here(r)
	web.Page(w, r, http.StatusOK, applyPage(form))
}

// apply takes a form and JSON. Whoever applies is told nothing about others than that a handle is taken, which every
// storefront's address tells too.
func (p *portal) apply(w http.ResponseWriter, r *http.Request) {
	if web.IsForm(r) {
		p.applyByForm(w, r)
		return
	}
	var a application
	err := web.SameSite(r, p.publicURL)
	if err == nil {
		err = web.Decode(r, &a, web.MaxJSON)
	}
	var profile koc.Profile
	if err == nil {
		profile, err = p.enrol(r, a)
	}
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	web.WriteJSON(w, r, http.StatusCreated, applied{Handle: profile.Handle, Status: string(koc.Applied)})
}

func (p *portal) applyByForm(w http.ResponseWriter, r *http.Request) {
	if err := web.SameSite(r, p.publicURL); err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	values, err := web.Form(r)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	settings, err := p.store.Settings(r.Context())
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	form := newApplyForm(r, settings)
	form.Filled = application{Handle: values.Get("handle"), Name: values.Get("name"), Email: values.Get("email"), Story: values.Get("story")}
	_, err = p.enrol(r, form.Filled)
	switch {
	case err == nil:
		web.Page(w, r, http.StatusCreated, appliedPage(form))
	case fail.KindOf(err) == fail.Internal || !web.WantsHTML(r):
		web.WriteProblem(w, r, err)
	default:
		form.Problem = web.ProblemFor(r, err)
		web.Page(w, r, form.Problem.Status, applyPage(form))
	}
}

// enrol makes the applicant's profile. Sending the same application again is fine: forms are sent twice.
func (p *portal) enrol(r *http.Request, a application) (koc.Profile, error) {
	now := p.now()
	profile, err := koc.NewProfile(a.Handle, a.Name, a.Email, now)
	refused, _ := errors.AsType[*fail.Error](err)
	language := string(web.Language(r))
	if wrong := profile.Edit(koc.Edit{Story: &a.Story, Language: &language}); wrong != nil {
		if story, ok := errors.AsType[*fail.Error](wrong); ok && refused != nil {
			refused.Fields = append(refused.Fields, story.Fields...)
		} else if err == nil {
			err = wrong
		}
	}
	if err != nil {
		return profile, err
	}
	settings, err := p.store.Settings(r.Context())
	if err != nil {
		return profile, err
	}
	profile.Recognise(p.identity, nil)
	if koc.ReservedHandle(profile.Handle, settings.Brand, siteName(p.publicURL)) {
		return profile, koc.HandleReserved()
	}
	day, err := settings.Day(now)
	if err != nil {
		return profile, err
	}
	err = p.store.Apply(r.Context(), store.Application{KOC: profile, Source: p.keys.MAC("applications", network(r.RemoteAddr)),
		Day: day, At: now}, applyLimit)
	if fail.Is(err, "handle_taken") && p.same(r, profile) {
		return profile, nil
	}
	return profile, err
}

// siteName is what a shop's site is called: "example" of https://shop.example.com.
func siteName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	labels := strings.Split(u.Hostname(), ".")
	return labels[max(0, len(labels)-2)]
}

// same reports whether this very application is already there, undecided.
func (p *portal) same(r *http.Request, a koc.Profile) bool {
	before, err := p.store.KOC(r.Context(), a.Handle)
	return err == nil && before.Status() == koc.Applied && before.Name == a.Name && before.Email == a.Email && before.Story == a.Story
}

// network is the address, or the /64 network of an IPv6 address: devices change the rest of theirs every few hours.
func network(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if address = address.Unmap(); address.Is4() {
		return address.String()
	}
	prefix, err := address.WithZone("").Prefix(64)
	if err != nil {
		return host
	}
	return prefix.String()
}

// applyForm is the page on which somebody applies.
type applyForm struct {
	Layout  web.LayoutData
	Filled  application
	Problem *web.Problem // what has to be corrected; nil at first
}

func newApplyForm(r *http.Request, s shop.Settings) applyForm {
	f := applyForm{Layout: web.ShopLayout(s, web.ShopLanguage(r, s))}
	f.Layout.Class = "apply"
	f.Layout.Title = f.t("apply_title")
	return f
}

func (f applyForm) t(name string) string { return f.Layout.L().T("portal." + name) }

// wrong is what has to be corrected in a field, or "".
func (f applyForm) wrong(name string) string {
	if f.Problem != nil {
		for _, e := range f.Problem.Errors {
			if e.Location == "body."+name {
				return e.Message
			}
		}
	}
	return ""
}

// question is one field of the form.
type question struct {
	name, value, kind, autocomplete string
	limit                           int
}

func (f applyForm) questions() []question {
	return []question{
		{"name", f.Filled.Name, "text", "name", 60},
		{"email", f.Filled.Email, "email", "email", 254},
		{"handle", f.Filled.Handle, "text", "off", 30},
	}
}
