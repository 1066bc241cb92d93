// Entries: every change of the balances, with its reason in words.

import { get } from "./api.js";
import { h } from "./dom.js";
import { card, empty, paged } from "./parts.js";
import { day, has, moment, money, percent, t } from "./words.js";

export async function entries() {
  const first = await get("/v1/earnings/entries", { limit: 30 });
  const list = h("ul", { class: "entries", role: "list" }, first.items.map(row));
  const load = (cursor) => get("/v1/earnings/entries", { limit: 30, cursor });
  return [
    h("h1", {}, t("entries_title")),
    h("p", { class: "hint" }, t("entries_text")),
    card("", first.items.length ? paged(list, first.next, load, row) : empty(t("no_entries_title"), t("no_entries_text"), h("a", { class: "button", href: "#links" }, t("make_link")))),
  ];
}

function row(e) {
  return h(
    "li",
    { class: "entry " + e.kind },
    h("div", { class: "entry-head" }, h("span", { class: "badge " + e.kind }, kindName(e.kind)), h("strong", { class: e.amount < 0 ? "minus" : "plus" }, money(e.amount, e.currency, true))),
    e.title || e.sku ? h("p", { class: "entry-title" }, e.title || e.sku) : null,
    h("p", {}, e.text),
    h("p", { class: "hint" }, [state(e), rule(e)].filter(Boolean).join(" · ")),
    h("p", { class: "hint", title: e.orderId || e.payoutId || e.adjustmentId }, [moment(e.at), about(e)].filter(Boolean).join(" · ")),
  );
}

// kindName is what an entry is called, also of a kind that a newer store may send.
export const kindName = (kind) => (has("kind_" + kind) ? t("kind_" + kind) : kind);

const end = (id) => "…" + id.slice(-6);

// about is the order, payout or correction that an entry belongs to.
function about(e) {
  if (e.orderId) return t("order_no", { order: end(e.orderId) });
  if (e.payoutId) return t("payout_no", { payout: end(e.payoutId) });
  return e.adjustmentId ? t("adjustment_no", { adjustment: end(e.adjustmentId) }) : "";
}

// rule is the rule that an entry or a line follows, in words; empty for what follows none.
export function rule(e) {
  if (!e.ruleId) return "";
  const kind = e.ruleId === "default" || e.ruleId === "inviter" ? e.ruleId : e.ruleId.startsWith("product:") ? "product" : e.rate || e.perUnit ? "other" : "month";
  return t("rule_" + kind, { rate: rate(e), rule: e.ruleId, version: e.ruleVersion });
}

const rate = (e) => (e.perUnit ? t("per_piece", { amount: money(e.perUnit, e.currency) }) : percent(e.rate));

// state says where the money of an entry is now.
function state(e) {
  switch (e.state) {
    case "pending":
      return e.availableOn ? t("state_due", { day: day(e.availableOn) }) : t("state_open");
    case "available":
      return t("state_available");
    case "reversed":
      return t("state_reversed");
    case "debt":
      return t("state_debt");
    case "in_payout":
      return t("state_in_payout");
    case "paid":
      return t("state_paid");
    default:
      return "";
  }
}
