// Earnings: balances, the last 30 days, and when what is pending becomes available.

import { get } from "./api.js";
import { chart } from "./chart.js";
import { h } from "./dom.js";
import { card, empty, facts } from "./parts.js";
import { localDay, money, percent, t } from "./words.js";

export async function earnings(visit) {
  const [what, stats] = await Promise.all([get("/v1/earnings"), get("/v1/stats")]);
  const nothing = stats.total.touches === 0 && what.balances.every((b) => b.pending + b.available + b.debt + b.inPayout + b.paid === 0);
  return [
    h("h1", {}, t("hello", { name: visit.me.name })),
    nothing ? card("", empty(t("start_title"), t("start_text"), h("a", { class: "button", href: "#links" }, t("make_first_link")))) : null,
    what.balances.map(balance),
    h("div", { class: "columns" }, card(t("last_days"), chart(stats)), h("div", {}, card(t("forecast_title"), forecast(what)), what.terms.map((c, i) => card(what.terms.length > 1 ? t("terms_in", { currency: c.currency }) : t("terms_title"), terms(c, what.balances[i]))))),
  ];
}

function balance(b) {
  const small = [
    ["pending", b.pending, true],
    ["in_payout", b.inPayout, b.inPayout !== 0],
    ["paid", b.paid, true],
    ["tax_withheld", b.taxWithheld, b.taxWithheld !== 0],
    ["fees", b.fees, b.fees !== 0],
    ["debt", b.debt, b.debt !== 0],
  ];
  return h(
    "section",
    { class: "balance", "aria-label": t("balance_in", { currency: b.currency }) },
    h("div", {}, figure("available", b.available, b.currency, "big"), b.available > 0 ? h("p", {}, h("a", { class: "onward", href: "#withdraw" }, t("withdraw"))) : null),
    h("div", { class: "figures" }, small.filter(([, , shown]) => shown).map(([name, minor]) => figure(name, minor, b.currency, name))),
  );
}

const figure = (name, minor, currency, kind) =>
  h("div", { class: "figure " + kind }, h("p", { class: "figure-name" }, t(name)), h("p", { class: "figure-amount" }, money(minor, currency)), h("p", { class: "hint" }, t(name + "_hint")));

// forecast is one line per day, and at the end what has no day yet.
function forecast(what) {
  const lines = what.forecast.map((f) => [localDay(f.date, { month: "long", day: "numeric", weekday: "short" }), f.amount, f.currency]);
  for (const b of what.balances) {
    const open = b.pending - what.forecast.filter((f) => f.currency === b.currency).reduce((sum, f) => sum + f.amount, 0);
    if (open > 0) lines.push([t("no_date_yet"), open, b.currency, t("no_date_hint")]);
  }
  if (!lines.length) return h("p", { class: "hint" }, t("forecast_empty"));
  return h(
    "ul",
    { class: "lines", role: "list" },
    lines.map(([when, minor, currency, hint]) =>
      h("li", {}, h("span", {}, when, hint ? h("span", { class: "hint block" }, hint) : null), h("strong", {}, money(minor, currency, true))),
    ),
  );
}

// terms are the shop's conditions of payouts in one currency.
function terms(c, balance) {
  return [
    facts(
      [t("terms_minimum"), money(c.minimum, c.currency)],
      [t("terms_cycle"), t("cycle_" + c.cycle)],
      c.nextDate ? [t("terms_next"), localDay(c.nextDate, { year: "numeric", month: "long", day: "numeric" })] : null,
      [t("terms_fee"), fee(c)],
      balance.debt ? [t("terms_debt"), percent(c.debtCap)] : null,
      [t("terms_tax"), c.tax ? t("tax_by_" + c.tax.period) : t("tax_none")],
    ),
    c.tax ? taxTable(c) : null,
  ];
}

function fee(c) {
  const parts = [c.fee.fixed ? money(c.fee.fixed, c.currency) : "", c.fee.rate ? percent(c.fee.rate) : ""].filter(Boolean);
  return parts.length ? parts.join(" + ") : t("fee_none");
}

function taxTable(c) {
  const head = [t("tax_over"), t("tax_rate"), t("tax_deduction")].map((name) => h("th", { scope: "col" }, name));
  const rows = c.tax.brackets.map((b) => h("tr", {}, h("th", { scope: "row" }, money(b.over, c.currency)), [percent(b.rate), money(b.deduction, c.currency)].map((v) => h("td", {}, v))));
  return h(
    "details",
    {},
    h("summary", {}, t("tax_how")),
    h("p", { class: "hint" }, t("tax_text_" + c.tax.period, { from: localDay(c.tax.from, { year: "numeric", month: "long", day: "numeric" }) })),
    h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
    h("p", { class: "hint code" }, t("tax_source", { source: c.tax.source })),
  );
}
