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
    h("div", { class: "entry-head" }, h("span", { class: "badge " + e.kind }, has("kind_" + e.kind) ? t("kind_" + e.kind) : e.kind), h("strong", { class: e.amount < 0 ? "minus" : "plus" }, money(e.amount, e.currency, true))),
    h("p", { class: "entry-title" }, e.title || e.sku),
    h("p", {}, reason(e)),
    h("p", { class: "hint" }, [state(e), rule(e)].filter(Boolean).join(" · ")),
    h("p", { class: "hint", title: e.orderId }, moment(e.at), " · ", t("order_no", { order: "…" + e.orderId.slice(-6) })),
  );
}

// reason is base × rate = amount for what a sale earned, and in words what happened to it since.
function reason(e) {
  const gaps = { base: money(e.base, e.currency), rate: rate(e), amount: money(Math.abs(e.amount), e.currency) };
  if (e.kind === "accrual" && e.perUnit) return t("because_accrual_fixed", gaps);
  return has("because_" + e.kind) ? t("because_" + e.kind, gaps) : t("because_other", gaps);
}

function rule(e) {
  if (!e.ruleId) return "";
  const kind = e.ruleId === "default" || e.ruleId === "inviter" ? e.ruleId : e.ruleId.startsWith("product:") ? "product" : e.rate || e.perUnit ? "other" : "month";
  return t("rule_" + kind, { rate: rate(e), rule: e.ruleId, version: e.ruleVersion });
}

const rate = (e) => (e.perUnit ? t("per_piece", { amount: money(e.perUnit, e.currency) }) : percent(e.rate));

function state(e) {
  if (e.kind !== "accrual") return "";
  if (!e.availableOn) return t("state_open");
  return new Date(e.availableOn) > new Date() ? t("state_due", { day: day(e.availableOn) }) : t("state_available");
}
