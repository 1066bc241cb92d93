// The storefront's shelf and the KOC's profile.

import { get, newKey, patch, put } from "./api.js";
import { h, show } from "./dom.js";
import { offerButton } from "./links.js";
import { card, doing, picture, say, search, tool } from "./parts.js";
import { amount, earning, t } from "./words.js";

const shelfLimit = 200;
const namedLimit = 48; // products that one address can name
const noteLimit = 300;

export async function me(visit) {
  const shelf = await get("/v1/shelf");
  const known = {};
  for (let i = 0; i < shelf.items.length; i += namedLimit) {
    const page = await get("/v1/products", { ids: shelf.items.slice(i, i + namedLimit).map((it) => it.product).join(",") });
    for (const p of page.items) known[p.id] = p;
  }
  return [
    h("h1", {}, t("me_title")),
    h("p", {}, h("a", { href: visit.me.url, target: "_blank", rel: "noopener" }, t("see_storefront"))),
    h("div", { class: "columns" }, card(t("shelf_title"), shelfEditor(shelf.items, known)), card(t("profile_title"), profile(visit))),
    h("p", { class: "leave" }, h("button", { type: "button", class: "quiet", onclick: visit.leave }, t("sign_out"))),
  ];
}

// shelfEditor changes order, notes and products of the storefront; nothing is sent before it is saved.
function shelfEditor(items, known) {
  let key = newKey();
  const list = h("ol", { class: "shelf", role: "list" });
  const place = h("div");
  const save = h("button", { type: "button", class: "button" }, t("save_shelf"));
  const adding = h("details", {}, h("summary", {}, t("add_product")));
  adding.addEventListener("toggle", () => {
    if (adding.open && adding.children.length === 1) adding.append(search((q) => get("/v1/products", { q, limit: 8 }), (o) => offerButton(o, () => add(o))));
  }, { once: true });

  function add(offer) {
    if (items.some((it) => it.product === offer.id)) return say(t("already_there"));
    if (items.length >= shelfLimit) return say(t("shelf_full", { limit: shelfLimit }));
    known[offer.id] = offer;
    items.push({ product: offer.id, note: "" });
    redraw();
    say(t("added", { title: offer.title }));
  }

  function move(i, by) {
    const [it] = items.splice(i, 1);
    items.splice(i + by, 0, it);
    redraw();
    list.children[i + by].querySelector(by < 0 ? ".move-up" : ".move-down").focus();
  }

  function redraw() {
    key = newKey();
    show(list, items.length ? items.map(row) : h("li", { class: "hint" }, t("shelf_empty")));
  }

  function row(it, i) {
    const p = known[it.product];
    const note = h("textarea", { rows: "2", maxlength: noteLimit, placeholder: t("note_hint"), "aria-label": t("note_of", { title: p ? p.title : it.product }) });
    note.value = it.note || "";
    note.addEventListener("input", () => {
      it.note = note.value;
      key = newKey();
    });
    return h(
      "li",
      {},
      h("div", { class: "shelf-head" }, picture(p && p.image),
        h("span", { class: "offer-text" }, h("span", { class: "offer-title" }, p ? p.title : it.product),
          h("span", { class: "hint" }, !p || p.status !== "active" ? t("not_on_sale") : `${amount(p.price)} · ${t("earns", { commission: amount(p.commission), rate: earning(p) })}`)),
        h("span", { class: "moves" },
          tool("up", t("move_up"), () => move(i, -1), { class: "tool only move-up", disabled: i === 0 }),
          tool("down", t("move_down"), () => move(i, 1), { class: "tool only move-down", disabled: i === items.length - 1 }),
          tool("remove", t("remove"), () => { items.splice(i, 1); redraw(); }, { class: "tool only" }))),
      note,
    );
  }

  save.addEventListener("click", () =>
    doing(save, place, async () => {
      const saved = await put("/v1/shelf", { items: items.map((it) => ({ product: it.product, note: it.note || "" })) }, key);
      items.splice(0, items.length, ...saved.items);
      redraw();
      say(t("saved"));
    }),
  );
  redraw();
  return [h("p", { class: "hint" }, t("shelf_text")), list, adding, place, h("p", {}, save)];
}

function profile(visit) {
  let key = newKey();
  const place = h("div");
  const fields = {
    name: h("input", { id: "me-name", maxlength: "60", required: true, autocomplete: "name" }),
    story: h("textarea", { id: "me-story", rows: "8", maxlength: "2000" }),
    portrait: h("input", { id: "me-portrait", type: "text", inputmode: "url", maxlength: "500", autocomplete: "off" }),
    email: h("input", { id: "me-email", type: "email", required: true, maxlength: "254", autocomplete: "email" }),
    phone: h("input", { id: "me-phone", type: "tel", maxlength: "100", autocomplete: "tel" }),
  };
  const now = (field) => visit.me[field] || "";
  const pending = h("p", { class: "notes", role: "status" });
  const wait = () => {
    pending.hidden = !visit.me.emailPending;
    show(pending, visit.me.emailPending ? t("profile_email_pending", { email: visit.me.emailPending }) : "");
  };
  wait();
  for (const [field, input] of Object.entries(fields)) {
    input.value = now(field);
    input.addEventListener("input", () => (key = newKey()));
  }
  const save = h("button", { type: "submit", class: "button" }, t("save_profile"));
  const submit = (e) => {
    e.preventDefault();
    doing(save, place, async () => {
      const change = {};
      for (const [field, input] of Object.entries(fields)) if (input.value !== now(field)) change[field] = input.value;
      visit.me = await patch("/v1/me", change, key);
      for (const [field, input] of Object.entries(fields)) input.value = now(field);
      wait();
      key = newKey();
      say(t("saved"));
    });
  };
  const row = (field, hint) => h("div", { class: "field" }, h("label", { for: "me-" + field }, t("profile_" + field)), fields[field], hint ? h("p", { class: "hint" }, t(hint)) : null);
  return h("form", { onsubmit: submit }, row("name"), row("story", "profile_story_hint"), row("portrait", "profile_portrait_hint"), row("email", "profile_email_hint"), pending, row("phone", "profile_phone_hint"), place, save);
}
