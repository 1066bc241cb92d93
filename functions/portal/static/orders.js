// Orders that were attributed to this KOC, and why.

import { get } from "./api.js";
import { h, show } from "./dom.js";
import { card, doing, empty, paged } from "./parts.js";
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
  ];
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

const line = (l) =>
  h(
    "li",
    {},
    h("span", {}, l.title, l.variant ? " · " + l.variant : "", l.quantity > 1 ? " × " + number(l.quantity) : "", l.why.map((w) => h("span", { class: "block hint" }, w.text))),
    h("span", {}, amount(l.net)),
  );

function stateOf(o) {
  if (o.onHold) return t("on_hold", { reason: o.onHold });
  if (o.commission.amount <= 0) return ["held", "confirmed"].includes(o.status) ? t("state_unpaid") : "";
  if (o.pending.amount === 0) return t("state_available");
  return o.availableOn ? t("state_due", { day: day(o.availableOn) }) : t("state_open");
}

const name = (handle, me) => (handle === me.handle ? t("you") : handle || t("somebody"));
const because = (reason) => (has("reason_" + reason) ? t("reason_" + reason) : reason);

// decision says who won and why each of the others did not.
function decision(a, me) {
  const winners = a.winners.map((w) => (w.share === 10000 ? name(w.koc, me) : `${name(w.koc, me)} ${percent(w.share)}`)).join(t("and"));
  return [
    h("p", {}, a.winners.length ? t("decided_for", { who: winners }) : t("decided_nobody"), h("span", { class: "block" }, because(a.reason))),
    h(
      "ol",
      { class: "candidates" },
      a.candidates.map((c) =>
        h("li", { class: c.outcome }, h("strong", {}, name(c.koc, me)), " ", t(c.evidence === "code" ? "by_code" : "by_link", { at: moment(c.at) }), h("span", { class: "block" }, t("outcome_" + c.outcome), t("colon"), because(c.reason))),
      ),
    ),
    h("p", { class: "hint" }, t("decided_at", { at: moment(a.decidedAt), version: a.policyVersion }), a.cause === "placement" ? "" : " " + t("decided_later", { cause: a.cause })),
    (a.earlier || []).length ? h("p", { class: "hint" }, t("decided_before", { count: a.earlier.length })) : null,
  ];
}
