// Links: making them, and what each brought.

import { get, newKey, post } from "./api.js";
import { h, icon, show } from "./dom.js";
import { card, copy, doing, empty, paged, picture, search, tool } from "./parts.js";
import { amount, day, earning, has, number, t } from "./words.js";

// Where people share; decides nothing but the statistics.
const channels = ["wechat", "moments", "wechat-group", "xiaohongshu", "douyin", "weibo", "line", "whatsapp", "instagram", "facebook", "qr", "other"];

const channelName = (channel) => (has("channel_" + channel) ? t("channel_" + channel) : channel);

export async function links(visit) {
  const [page, stats] = await Promise.all([get("/v1/links", { limit: 100 }), get("/v1/stats", { by: "link" })]);
  const titles = await titlesOf(page.items);
  const list = h("ul", { class: "cards", role: "list" });
  const row = (link) => h("li", {}, linkCard(link, titles));
  const newest = page.items.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  const load = async (cursor) => {
    const next = await get("/v1/links", { limit: 100, cursor });
    Object.assign(titles, await titlesOf(next.items));
    return next;
  };
  const own = ownLink(visit.me, stats);
  list.append(row(own), ...newest.map(row));
  const made = h("div", { "aria-live": "polite" });
  return [
    h("h1", {}, t("links_title")),
    h(
      "div",
      { class: "columns" },
      card(t("make_link"), maker(visit, made, list, titles)),
      h("div", {}, made, h("p", { class: "hint" }, t("links_period")), paged(list, page.next, load, row),
        page.items.length ? null : card("", empty(t("no_links_title"), t("no_links_text")))),
    ),
  ];
}

// ownLink is the link that every KOC has without making one, with what it brought in the last 30 days.
function ownLink(me, stats) {
  const nothing = { amount: 0, currency: me.shop.currency };
  const line = stats.items.find((s) => s.link === me.code) || { touches: 0, orders: 0, sales: nothing, commission: nothing };
  return { ...line, code: me.code, url: me.url, target: "storefront", channel: "own", ...me.shop.default };
}

async function titlesOf(items) {
  const ids = [...new Set(items.map((l) => l.target).filter((target) => target.startsWith("product:")).map((target) => target.slice(8)))];
  const titles = {};
  for (let i = 0; i < ids.length; i += 48) {
    const page = await get("/v1/products", { ids: ids.slice(i, i + 48).join(",") });
    for (const p of page.items) titles[p.id] = p.title;
  }
  return titles;
}

const titleOf = (target, titles) => (target === "storefront" ? t("my_storefront") : titles[target.slice(8)] || target.slice(8));

function linkCard(link, titles, open = false) {
  const code = h("div", { class: "qr" });
  const toggle = () => {
    if (code.firstChild) show(code);
    else show(code, h("img", { src: `/s/${encodeURIComponent(link.code)}/qr`, alt: t("qr_alt", { url: link.url }), width: 220, height: 220 }), h("p", { class: "hint" }, t("qr_hint")));
  };
  if (open) toggle();
  return h(
    "article",
    { class: "card link" },
    h("header", {}, h("h3", {}, titleOf(link.target, titles)), h("span", { class: "badge" }, channelName(link.channel)), h("span", { class: "rate" }, earning(link)), coming(link)),
    h("p", { class: "url" }, h("a", { href: link.url, target: "_blank", rel: "noopener" }, link.url.replace(/^https?:\/\//, ""))),
    funnel(link),
    h(
      "p",
      { class: "tools" },
      tool("copy", t("copy"), () => copy(link.url)),
      navigator.share ? tool("share", t("share"), () => navigator.share({ title: titleOf(link.target, titles), url: link.url }).catch(() => {})) : null,
      tool("code", t("qr"), toggle),
    ),
    code,
  );
}

const funnel = (l) =>
  h(
    "dl",
    { class: "funnel" },
    step(t("touches"), number(l.touches || 0), l.touches > 0),
    step(t("orders"), number(l.orders || 0), l.orders > 0),
    step(t("commission"), l.commission ? amount(l.commission) : "–", l.commission && l.commission.amount > 0),
  );

const step = (name, value, on) => h("div", { class: on ? "on" : null }, h("dt", {}, name), h("dd", {}, value));

// maker is the form that makes a link; what it will earn shows before anything is shared.
function maker(visit, made, list, titles) {
  let chosen = null;
  let key = newKey();
  const place = h("div");
  const preview = h("p", { class: "preview", "aria-live": "polite" });
  const products = h("div", { hidden: true });
  const where = h("select", { id: "channel", name: "channel" }, channels.map((c) => h("option", { value: c }, channelName(c))));
  const button = h("button", { type: "submit", class: "button" }, t("make_link"));
  const target = (value, label, checked) =>
    h("label", { class: "choice" }, h("input", { type: "radio", name: "target", value, checked, onchange: () => choose(value, null) }), h("span", {}, label));

  function choose(kind, offer) {
    chosen = kind === "storefront" ? { target: "storefront" } : offer && { target: "product:" + offer.id, offer };
    products.hidden = kind === "storefront";
    if (kind === "product" && !products.firstChild) products.append(search((q) => get("/v1/products", { q, limit: 8 }), (o) => offerButton(o, () => choose("product", o))));
    for (const b of products.querySelectorAll(".offer")) b.setAttribute("aria-pressed", String(Boolean(offer) && b.dataset.id === offer.id));
    button.disabled = !chosen;
    show(preview, !chosen ? t("choose_product") : offer
      ? t("will_earn_product", { title: offer.title, rate: earning(offer), commission: amount(offer.commission), price: amount(offer.price) })
      : t("will_earn_storefront", { rate: earning(visit.me.shop.default) }));
  }
  choose("storefront", null);

  const submit = (e) => {
    e.preventDefault();
    doing(button, place, async () => {
      const link = await post("/v1/links", { target: chosen.target, channel: where.value }, key);
      key = newKey();
      if (chosen.offer) titles[chosen.offer.id] = chosen.offer.title;
      const fresh = linkCard({ ...link, touches: 0, orders: 0, commission: { amount: 0, currency: visit.me.shop.currency } }, titles, true);
      show(made, h("p", { class: "done" }, icon("links"), t("link_made")), fresh);
      made.scrollIntoView({ block: "start" });
    });
  };
  return h(
    "form",
    { onsubmit: submit },
    h("fieldset", {}, h("legend", {}, t("link_target")), h("div", { class: "choices" }, target("storefront", t("my_storefront"), true), target("product", t("one_product"))), products),
    h("label", { class: "field", for: "channel" }, h("span", {}, t("link_channel")), where),
    preview,
    place,
    button,
  );
}

// coming is what terms will change to, which a KOC should know before sharing.
const coming = (terms) => (terms.coming ? h("span", { class: "hint" }, " ", t("earns_from", { rate: earning(terms.coming), day: day(terms.coming.from) })) : null);

export function offerButton(offer, onclick) {
  return h(
    "button",
    { type: "button", class: "offer", "data-id": offer.id, "aria-pressed": "false", onclick },
    picture(offer.image),
    h("span", { class: "offer-text" }, h("span", { class: "offer-title" }, offer.title), h("span", { class: "hint" }, (offer.from ? t("from_price", { price: amount(offer.price) }) : amount(offer.price)))),
    h("span", { class: "offer-earns" }, h("strong", {}, amount(offer.commission, true)), h("span", { class: "hint" }, earning(offer), coming(offer))),
  );
}
