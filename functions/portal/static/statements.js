// Statements: every month with what it opened and closed with, its entries, and the file of it.

import { get, part } from "./api.js";
import { h } from "./dom.js";
import { kindName, rule } from "./entries.js";
import { card, doing, empty, facts, paged } from "./parts.js";
import { fullDay, localDay, moment, money, t } from "./words.js";

export async function statements(visit, period, currency) {
  return period ? statement(visit, period, currency) : list();
}

const monthName = (period) => localDay(period + "-01", { year: "numeric", month: "long" });

async function list() {
  const first = await get("/v1/statements", { limit: 24 });
  const rows = h("ul", { class: "cards", role: "list" }, first.items.map(month));
  return [
    h("h1", {}, t("statements_title")),
    h("p", { class: "hint" }, t("statements_text")),
    first.items.length ? paged(rows, first.next, (cursor) => get("/v1/statements", { limit: 24, cursor }), month) : card("", empty(t("no_statements_title"), t("no_statements_text"))),
  ];
}

function month(m) {
  return h("li", {}, h(
    "article",
    { class: "card statement" },
    h("header", { class: "entry-head" }, h("h2", {}, h("a", { href: `#statements/${m.period}/${m.currency}` }, monthName(m.period))), h("span", { class: "badge " + (m.closed ? "paid" : "") }, t(m.closed ? "statement_closed" : "statement_open"))),
    balances(m),
  ));
}

// accounts are what a KOC's money is counted in; those in which nothing is or was are left out, except what can be spent.
const accounts = ["pending", "available", "inPayout", "paid", "taxWithheld", "fees", "debt"];
const accountNames = { pending: "pending", available: "available", inPayout: "in_payout", paid: "paid", taxWithheld: "tax_withheld", fees: "fees", debt: "debt" };

function balances(m) {
  const shown = accounts.filter((a) => a === "available" || m.opening[a] !== 0 || m.closing[a] !== 0);
  const head = [t("account"), t("opening"), t(m.closed ? "closing" : "as_of_now")];
  return h("table", { class: "accounts" },
    h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, shown.map((a) => h("tr", {}, h("th", { scope: "row" }, t(accountNames[a])), h("td", {}, money(m.opening[a], m.currency)), h("td", {}, money(m.closing[a], m.currency))))));
}

async function statement(visit, period, currency) {
  const path = `/v1/statements/${encodeURIComponent(period)}`;
  const m = await get(path, { currency, limit: 50 });
  const rows = h("ul", { class: "entries", role: "list" }, m.items.map(row));
  const place = h("div", { "aria-live": "polite" });
  const download = h("button", { type: "button", class: "button" }, t("statement_csv"));
  download.addEventListener("click", () => doing(download, place, () => keep(path, m, visit.me.handle)));
  return [
    h("p", { class: "back" }, h("a", { href: "#statements" }, t("statements_all"))),
    h("h1", {}, monthName(m.period)),
    h("p", { class: "hint" }, t(m.closed ? "statement_closed_text" : "statement_open_text", m.closed ? { at: fullDay(m.closedAt) } : {})),
    h("div", { class: "columns turned" },
      h("div", {}, card(t("balances_title"), balances(m), h("p", { class: "after" }, download), place), m.totals && m.totals.length ? card(t("totals_title"), totals(m)) : null, m.hash ? card(t("proof_title"), proof(m)) : null),
      card(t("entries_title"), m.items.length ? paged(rows, m.next, (cursor) => get(path, { currency, limit: 50, cursor }), row) : h("p", { class: "hint" }, t("statement_empty")))),
  ];
}

const totals = (m) => facts(...m.totals.map((x) => [t("total_of", { kind: kindName(x.kind), count: x.count }), money(x.amount, m.currency, true)]));

const proof = (m) => [
  h("p", { class: "hint" }, t("proof_text")),
  h("p", { class: "hint code" }, t("proof_hash", { hash: m.hash })),
  m.prevHash ? h("p", { class: "hint code" }, t("proof_before", { hash: m.prevHash })) : null,
];

// row is an entry with what it changed in which account: those numbers add up to the balances beside them.
function row(e) {
  const changes = accounts.filter((a) => e.changes[a]).map((a) => `${t(accountNames[a])} ${money(e.changes[a], e.currency, true)}`);
  const about = e.orderId ? t("order_no", { order: "…" + e.orderId.slice(-6) }) : e.payoutId ? t("payout_no", { payout: "…" + e.payoutId.slice(-6) }) : "";
  return h(
    "li",
    { class: "entry " + e.kind },
    h("div", { class: "entry-head" }, h("span", { class: "badge " + e.kind }, kindName(e.kind)), h("strong", {}, money(e.amount, e.currency, true))),
    e.kind === "adjustment" && e.reason && !e.reason.startsWith("month:") ? h("p", {}, e.reason) : null,
    h("p", {}, changes.join(" · ")),
    rule(e) ? h("p", { class: "hint" }, e.base ? t("base_of", { base: money(e.base, e.currency) }) + " · " : "", rule(e)) : null,
    h("p", { class: "hint" }, [moment(e.at), about, e.sku].filter(Boolean).join(" · ")),
  );
}

// keep saves a statement as files: a long one comes in several.
async function keep(path, m, handle) {
  let from = `${path}?${new URLSearchParams({ currency: m.currency })}`;
  for (let n = 1; from && n <= 100; n++) {
    const { body, next } = await part(from, "text/csv");
    const address = URL.createObjectURL(body);
    h("a", { href: address, download: `statement-${handle}-${m.period}-${m.currency}${n > 1 || next ? "-" + n : ""}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    from = next;
  }
}
