// Orders that were attributed to this KOC, and why.

import { get } from "./api.js";
import { h, show } from "./dom.js";
import { rule } from "./entries.js";
import { card, doing, empty, field, paged } from "./parts.js";
import { amount, day, has, moment, number, percent, t } from "./words.js";

export async function orders(visit) {
  const first = await get("/v1/orders", { limit: 20 });
  const row = (o) => h("li", {}, orderCard(o, visit.me));
  const list = h("ul", { class: "cards", role: "list" }, first.items.map(row));
  const load = (cursor) => get("/v1/orders", { limit: 20, cursor });
  return [
    h("h1", {}, t("orders_title")),
    h("p", { class: "hint" }, t("orders_text")),
    first.items.length ? paged(list, first.next, load, row) : card("", empty(t("no_orders_title"), t("no_orders_text"), h("a", { class: "button", href: "#links" }, t("make_link")))),
    card("", missing(visit.me)),
  ];
}

// missing looks an order up that somebody expected to find here: also who lost a decision is told why.
function missing(me) {
  const place = h("div", { class: "why", "aria-live": "polite" });
  const order = h("input", { required: true, maxlength: "200", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const button = h("button", { type: "submit", class: "quiet" }, t("missing_look"));
  const submit = (e) => {
    e.preventDefault();
    doing(button, place, async () => {
      const a = await get(`/v1/orders/${encodeURIComponent(order.value.trim())}/attribution`);
      show(place, (a.lines || []).length ? h("ul", { class: "lines", role: "list" }, a.lines.map(line)) : null, decision(a, me));
    });
  };
  return h("details", { class: "missing" }, h("summary", {}, t("missing_title")), h("p", { class: "hint" }, t("missing_text")), h("form", { onsubmit: submit }, field("missing-order", t("missing_order"), order), button), place);
}

function orderCard(o, me) {
  const why = h("div", { class: "why", "aria-live": "polite" });
  const button = h("button", { type: "button", class: "quiet", "aria-expanded": "false" }, t("why"));
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-expanded") === "true") {
      show(why);
      button.setAttribute("aria-expanded", "false");
      return;
    }
    doing(button, why, async () => {
      show(why, decision(await get(`/v1/orders/${encodeURIComponent(o.id)}/attribution`), me));
      button.setAttribute("aria-expanded", "true");
    });
  });
  return h(
    "article",
    { class: "card order" },
    h("header", {}, h("span", { class: "badge " + o.status }, t("status_" + o.status)), h("time", { datetime: o.placedAt, class: "hint" }, moment(o.placedAt))),
    h("ul", { class: "lines", role: "list" }, o.lines.map(line)),
    h("p", { class: "sums" }, h("span", {}, t("order_total"), " ", amount(o.total), o.refunded.amount ? h("span", { class: "hint" }, " ", t("refunded", { amount: amount(o.refunded) })) : null), h("strong", { class: o.commission.amount > 0 ? null : "nothing" }, t("you_earn", { amount: amount(o.commission) }))),
    stateOf(o) ? h("p", {}, stateOf(o)) : null,
    h("p", { class: "hint" }, t("order_no", { order: o.id })),
    button,
    why,
  );
}

// line is what was bought, what it earned by which rule, and why it earned nothing or less.
const line = (l) =>
  h(
    "li",
    { class: "bought" },
    h("span", {}, l.title, l.variant ? " · " + l.variant : "", l.quantity > 1 ? " × " + number(l.quantity) : "",
      l.earned || !l.why.length ? h("span", { class: "block hint" }, rule({ ...l, currency: l.net.currency })) : null,
      l.why.map((w) => h("span", { class: "block because" }, w.text))),
    h("span", { class: "paid-and-earned" }, amount(l.net), h("span", { class: "block " + (l.commission.amount > 0 ? "plus" : "hint") }, amount(l.commission, true))),
  );

function stateOf(o) {
  if (o.onHold) return t("on_hold", { reason: o.onHold });
  if (o.commission.amount <= 0) return ["held", "confirmed"].includes(o.status) ? t("state_unpaid") : "";
  if (o.pending.amount === 0) return t("state_available");
  return o.availableOn ? t("state_due", { day: day(o.availableOn) }) : t("state_open");
}

const name = (handle, me) => (handle === me.handle ? t("you") : handle || t("somebody"));
const because = (reason) => (has("reason_" + reason) ? t("reason_" + reason) : reason);

const winners = (a, me) => a.winners.map((w) => (w.share === 10000 ? name(w.koc, me) : `${name(w.koc, me)} ${percent(w.share)}`)).join(t("and"));

// decision says who won and why each of the others did not.
function decision(a, me) {
  return [
    h("p", {}, a.winners.length ? t("decided_for", { who: winners(a, me) }) : t("decided_nobody"), h("span", { class: "block" }, because(a.reason))),
    a.why.length ? h("p", { class: "because" }, t("earns_nothing"), t("colon"), a.why.map((w) => w.text).join(" ")) : null,
    h(
      "ol",
      { class: "candidates" },
      a.candidates.map((c) =>
        h("li", { class: c.outcome }, h("strong", {}, name(c.koc, me)), " ", t(c.evidence === "code" ? "by_code" : "by_link", { at: moment(c.at) }), h("span", { class: "block" }, t("outcome_" + c.outcome), t("colon"), because(c.reason))),
      ),
    ),
    h("p", { class: "hint" }, t("decided_at", { at: moment(a.decidedAt), version: a.policyVersion }), a.cause === "placement" ? "" : " " + t("decided_later", { cause: a.cause })),
    (a.earlier || []).length ? earlier(a.earlier, me) : null,
  ];
}

// earlier are the decisions that were replaced, the last one first.
const earlier = (decisions, me) =>
  h("details", {}, h("summary", {}, t("decided_before", { count: decisions.length })),
    h("ul", { class: "candidates" }, decisions.toReversed().map((d) => h("li", {}, d.winners.length ? t("decided_for", { who: winners(d, me) }) : t("decided_nobody"), " ", because(d.reason), h("span", { class: "block hint" }, t("decided_at", { at: moment(d.decidedAt), version: d.policyVersion }))))));
