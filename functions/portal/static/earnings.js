// Earnings: balances, the last 30 days, and when what is pending becomes available.

import { get } from "./api.js";
import { chart } from "./chart.js";
import { h } from "./dom.js";
import { card, empty } from "./parts.js";
import { localDay, money, t } from "./words.js";

export async function earnings(visit) {
  const [what, stats] = await Promise.all([get("/v1/earnings"), get("/v1/stats")]);
  const nothing = stats.total.touches === 0 && what.balances.every((b) => b.pending + b.available + b.debt + b.inPayout + b.paid === 0);
  return [
    h("h1", {}, t("hello", { name: visit.me.name })),
    nothing ? card("", empty(t("start_title"), t("start_text"), h("a", { class: "button", href: "#links" }, t("make_first_link")))) : null,
    what.balances.map(balance),
    h("div", { class: "columns" }, card(t("last_days"), chart(stats)), card(t("forecast_title"), forecast(what))),
  ];
}

function balance(b) {
  const small = [
    ["pending", b.pending, true],
    ["in_payout", b.inPayout, b.inPayout !== 0],
    ["paid", b.paid, true],
    ["debt", b.debt, b.debt !== 0],
  ];
  return h(
    "section",
    { class: "balance", "aria-label": t("balance_in", { currency: b.currency }) },
    figure("available", b.available, b.currency, "big"),
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
