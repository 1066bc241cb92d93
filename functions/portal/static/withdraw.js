// Withdrawing: how much, where to, and what became of it.

import { get, keeper, newKey, patch, post } from "./api.js";
import { h, icon, show } from "./dom.js";
import { card, doing, empty, facts, field, paged } from "./parts.js";
import { has, minorOf, moment, money, t, typed } from "./words.js";

export async function withdraw(visit) {
  const [what, mine, first] = await Promise.all([get("/v1/earnings"), get("/v1/me"), get("/v1/withdrawals", { limit: 20 })]);
  visit.me = mine;
  const asking = h("div");
  const keys = keeper();
  const list = h("ul", { class: "entries", role: "list" }, first.items.map(row));
  const past = h("div", {}, first.items.length ? paged(list, first.next, (cursor) => get("/v1/withdrawals", { limit: 20, cursor }), row) : empty(t("no_withdrawals_title"), t("no_withdrawals_text")));
  // What can be withdrawn follows from the balances and from the method: both change on this page.
  const redraw = () => show(asking, form(what, visit.me, keys, made));
  const made = async (withdrawal) => {
    Object.assign(what, await get("/v1/earnings")); // when this fails, the same is asked for again and found made
    list.prepend(row(withdrawal));
    if (!list.isConnected) show(past, list);
    redraw();
    return asking.querySelector("[aria-live]");
  };
  redraw();
  const parts = [h("div", {}, card(t("withdraw_ask"), asking), card(t("withdrawals_title"), past)), card(t("method_title"), method(visit, redraw))];
  // Who has said nothing yet about where payouts go begins with that.
  return [h("h1", {}, t("withdraw_title")), h("div", { class: "columns" }, visit.me.payout ? parts : parts.toReversed())];
}

// hindrance is what stands in the way of every withdrawal, in words; empty when nothing does.
function hindrance(balance, terms, { payout, status }) {
  if (status === "suspended") return t("hindered_suspended");
  if (!payout) return t("hindered_missing");
  if (!payout.verified) return t("hindered_unverified");
  if (payout.heldUntil) return t("hindered_held", { until: moment(payout.heldUntil) });
  if (balance.available < Math.max(1, terms.minimum)) {
    return t("hindered_minimum", { minimum: money(terms.minimum, balance.currency), available: money(balance.available, balance.currency) });
  }
  return "";
}

function form(what, me, keys, made) {
  let chosen = 0;
  const place = h("div");
  const done = h("div", { "aria-live": "polite" });
  const amount = h("input", { inputmode: "decimal", autocomplete: "off", required: true, maxlength: "20" });
  const button = h("button", { type: "submit", class: "button" }, t("withdraw"));
  const all = h("button", { type: "button", class: "quiet" }, t("withdraw_all"));
  const currency = h("select", {}, what.balances.map((b, i) => h("option", { value: i }, b.currency)));
  const top = h("div");
  const of = () => what.balances[chosen];

  function redraw() {
    const b = of();
    const why = hindrance(b, what.terms[chosen], me);
    show(top, h("p", { class: "figure-name" }, t("withdrawable")), h("p", { class: "figure-amount large" }, money(b.available, b.currency)), why ? h("p", { class: "notes" }, why) : null);
    button.disabled = all.disabled = amount.disabled = Boolean(why);
  }
  all.addEventListener("click", () => {
    amount.value = typed(of().available, of().currency);
    amount.focus();
  });
  currency.addEventListener("change", () => {
    chosen = Number(currency.value);
    redraw();
  });
  const submit = (e) => {
    e.preventDefault();
    doing(button, place, async () => {
      const minor = minorOf(amount.value, of().currency);
      if (!minor) throw { message: t("amount_unclear") };
      if (minor > of().available) throw { message: t("amount_above", { available: money(of().available, of().currency) }) };
      if (minor < what.terms[chosen].minimum) throw { message: t("amount_below", { minimum: money(what.terms[chosen].minimum, of().currency) }) };
      const wanted = { amount: minor, currency: of().currency };
      const withdrawal = await post("/v1/withdrawals", wanted, keys.keyOf(wanted));
      const live = await made(withdrawal);
      keys.granted(wanted);
      show(live, h("p", { class: "done" }, icon("withdraw"), t("withdraw_asked", { amount: money(withdrawal.amount, withdrawal.currency), net: money(withdrawal.net, withdrawal.currency) })));
      live.scrollIntoView({ block: "nearest" });
    });
  };
  redraw();
  return h(
    "form",
    { onsubmit: submit },
    done,
    what.balances.length > 1 ? field("withdraw-currency", t("currency"), currency) : null,
    top,
    h("div", { class: "beside" }, field("withdraw-amount", t("withdraw_amount"), amount), all),
    h("p", { class: "hint" }, t("withdraw_hint")),
    place,
    button,
  );
}

// row is a payout: how it stands, and how its amount becomes what arrives.
function row(w) {
  const sum = (minor) => money(minor, w.currency);
  const less = (minor) => money(minor && -minor, w.currency); // no minus before nothing
  return h(
    "li",
    { class: "entry withdrawal" },
    h("div", { class: "entry-head" }, h("span", { class: "badge " + w.status }, has("payout_" + w.status) ? t("payout_" + w.status) : w.status), h("strong", {}, sum(w.amount))),
    has("payout_" + w.status + "_text") ? h("p", { class: "hint" }, t("payout_" + w.status + "_text")) : null,
    w.reason ? h("p", {}, t("payout_reason", { reason: w.reason })) : null,
    facts(
      w.netted ? [t("payout_netted"), less(w.netted)] : null,
      w.netted ? [t("payout_gross"), sum(w.gross)] : null,
      [t("payout_tax"), less(w.tax)],
      [t("payout_fee"), less(w.fee)],
      [t("payout_net"), sum(w.net), "total"],
    ),
    h("p", { class: "hint" }, moment(w.createdAt), " · ", has("cause_" + w.cause) ? t("cause_" + w.cause) : w.cause, w.endedAt ? " · " + t("payout_ended", { at: moment(w.endedAt) }) : ""),
    w.reference ? h("p", { class: "hint code" }, t("payout_reference", { reference: w.reference })) : null,
  );
}

const railName = (rail) => (has("rail_" + rail) ? t("rail_" + rail) : rail);

// method shows where payouts go, and changes it. The account is shown by its end only, so a change is typed in full.
function method(visit, changed) {
  const box = h("div");
  const live = h("div", { "aria-live": "polite" });

  function view() {
    const m = visit.me.payout;
    const change = h("button", { type: "button", class: "quiet" }, t("method_change"));
    change.addEventListener("click", () => {
      show(box, editor());
      box.querySelector("select, input").focus();
    });
    show(
      box,
      facts([t("method_rail"), railName(m.rail)], [t("method_account"), m.account], [t("method_name"), m.name], [t("method_since"), moment(m.changedAt)]),
      h("p", { class: "notes " + (m.verified ? "good" : "") }, t(m.verified ? "method_verified" : "method_unverified")),
      m.heldUntil ? h("p", { class: "notes" }, t("method_held", { until: moment(m.heldUntil) })) : null,
      visit.me.shop.payoutRails.includes(m.rail) ? null : h("p", { class: "notes" }, t("method_gone")),
      h("p", {}, change),
    );
  }

  function editor() {
    let key = newKey();
    const m = visit.me.payout;
    const rails = visit.me.shop.payoutRails;
    if (!rails.length) return h("p", { class: "hint" }, t("no_rails"));
    const place = h("div");
    const rail = h("select", {}, rails.map((r) => h("option", { value: r, selected: Boolean(m) && m.rail === r }, railName(r))));
    const account = h("input", { required: true, maxlength: "80", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
    const name = h("input", { required: true, maxlength: "80", autocomplete: "name" });
    const hint = h("p", { class: "hint", id: "method-account-hint" });
    const save = h("button", { type: "submit", class: "button" }, t("method_save"));
    const hinted = () => show(hint, has("account_" + rail.value) ? t("account_" + rail.value) : "");
    if (m) name.value = m.name;
    for (const input of [rail, account, name]) input.addEventListener("input", () => (key = newKey()));
    rail.addEventListener("change", hinted);
    account.setAttribute("aria-describedby", "method-account-hint");
    hinted();
    const submit = (e) => {
      e.preventDefault();
      doing(save, place, async () => {
        visit.me = await patch("/v1/me", { payout: { rail: rail.value, account: account.value, name: name.value } }, key);
        view();
        changed();
        show(live, h("p", { class: "done" }, t("method_saved")));
      });
    };
    const cancel = m ? h("button", { type: "button", class: "quiet", onclick: view }, t("cancel")) : null;
    return h(
      "form",
      { onsubmit: submit },
      h("p", { class: "hint" }, t(m ? "method_change_hint" : "method_hint")),
      field("method-rail", t("method_rail"), rail),
      h("div", { class: "field" }, h("label", { for: "method-account" }, t("method_account")), Object.assign(account, { id: "method-account" }), hint),
      field("method-name", t("method_name"), name, t("method_name_hint")),
      place,
      h("p", { class: "pair" }, save, cancel),
    );
  }

  if (visit.me.payout) view();
  else show(box, editor());
  return [live, box];
}
