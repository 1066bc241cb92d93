// The portal: who is here, which view shows, and what to do when something fails.

import { get, post, Problem } from "./api.js";
import { h, icon, show } from "./dom.js";
import { earnings } from "./earnings.js";
import { entries } from "./entries.js";
import { links } from "./links.js";
import { begin, finish, forget } from "./login.js";
import { me } from "./me.js";
import { orders } from "./orders.js";
import { doing, trouble, wait } from "./parts.js";
import { statements } from "./statements.js";
import { webhooks } from "./webhooks.js";
import { withdraw } from "./withdraw.js";
import { languages, speak, spoken, t, useShop, wish } from "./words.js";

const views = { earnings, entries, withdraw, statements, links, orders, me, webhooks };
// sections are the tabs at the edge of the page, few enough for a thumb, each with the views that it leads to.
const sections = { earnings: ["earnings", "entries", "withdraw", "statements"], links: ["links"], orders: ["orders"], me: ["me", "webhooks"] };
const app = document.getElementById("app");
const visit = { config: { brand: "" }, me: null, invite: "", leave };

start().catch((problem) => show(app, h("main", { id: "main" }, trouble(problem))));

async function start() {
  await speak(wish());
  visit.config = await get("/portal/config.json");
  document.title = visit.config.brand;
  visit.invite = invitation(location.href);
  let returned = null;
  try {
    returned = await finish(visit.config);
  } catch (problem) {
    return welcome(sentence(problem));
  }
  if (returned === null) return welcome();
  await enter(returned);
}

// sentence is what went wrong in words: login.js throws the names of texts.
const sentence = (problem) => (problem instanceof Problem ? problem : { message: problem.message.startsWith("login_") ? t(problem.message) : t("login_unreachable") });

// enter finds out who has logged in. An invitation is used at once; one that was used before by this very login is fine.
async function enter(invite) {
  try {
    visit.me = invite ? await post("/v1/me", { invite }) : await get("/v1/me");
  } catch (problem) {
    return invite && problem.code !== "login_unbound" ? enterAnyway(problem) : stranger(problem);
  }
  opened();
}

async function enterAnyway(refused) {
  try {
    visit.me = await get("/v1/me");
  } catch {
    return stranger(refused);
  }
  opened();
}

function opened() {
  useShop(visit.me.shop);
  frame();
  route();
}

async function leave() {
  visit.me = null;
  visit.invite = "";
  history.replaceState(null, "", "/portal");
  if (!(await forget(visit.config))) welcome();
}

// ---- before a login

function welcome(problem) {
  const place = h("div");
  const button = h("button", { type: "button", class: "button big" }, t(visit.invite ? "accept_invite" : "sign_in"));
  button.addEventListener("click", () =>
    doing(button, place, async () => {
      try {
        await begin(visit.config, visit.invite);
      } catch (e) {
        throw sentence(e);
      }
    }),
  );
  door(
    h("p", { class: "overline" }, visit.config.brand),
    h("h1", {}, t(visit.invite ? "invited_title" : "welcome_title")),
    h("p", {}, t(visit.invite ? "invited_text" : "welcome_text")),
    problem ? trouble(problem) : null,
    place,
    h("p", {}, button),
    visit.invite ? null : h("p", { class: "hint" }, h("a", { href: "/apply?lang=" + spoken() }, t("apply_instead"))),
  );
}

// stranger is logged in and no KOC, or not any more.
function stranger(problem) {
  if (problem.code !== "login_unbound" && problem.code !== "invite_refused" && problem.code !== "login_bound") {
    return door(h("h1", {}, t("closed_title")), trouble(problem), h("p", {}, h("button", { type: "button", class: "quiet", onclick: leave }, t("sign_out"))));
  }
  const place = h("div");
  const code = h("input", { id: "invite", autocomplete: "off", required: true, maxlength: "200" });
  const button = h("button", { type: "submit", class: "button" }, t("accept_invite"));
  const submit = (e) => {
    e.preventDefault();
    doing(button, place, async () => {
      visit.me = await post("/v1/me", { invite: pasted(code.value) });
      opened();
    });
  };
  door(
    h("h1", {}, t("unbound_title")),
    problem.code === "login_unbound" ? null : trouble(problem),
    h("p", {}, t("unbound_text")),
    h("form", { onsubmit: submit }, h("div", { class: "field" }, h("label", { for: "invite" }, t("invite_code")), code), place, button),
    h("p", { class: "hint" }, h("a", { href: "/apply?lang=" + spoken() }, t("apply_instead"))),
    h("p", {}, h("button", { type: "button", class: "quiet", onclick: leave }, t("sign_out"))),
  );
}

// invitation is the one that an address carries, behind # or ?.
function invitation(address) {
  const { hash, searchParams } = new URL(address);
  return new URLSearchParams(hash.slice(1)).get("invite") || searchParams.get("invite") || "";
}

// pasted takes the address of an invitation as well as its bare code.
function pasted(text) {
  try {
    return invitation(text.trim()) || text.trim();
  } catch {
    return text.trim();
  }
}

function door(...content) {
  app.setAttribute("aria-busy", "false");
  show(app, h("div", { class: "door" }, h("div", { class: "door-top" }, switcher()), h("main", { id: "main" }, content)));
}

// ---- after a login

function frame() {
  app.setAttribute("aria-busy", "false");
  show(
    app,
    h("a", { class: "skip", href: "#main", onclick: (e) => { e.preventDefault(); document.getElementById("main").focus(); } }, t("skip")),
    h("header", { class: "top" }, h("a", { class: "brand", href: "#earnings" }, visit.me.shop.brand), switcher()),
    h("nav", { class: "tabs", "aria-label": t("views") }, Object.keys(sections).map((name) => h("a", { href: "#" + name, id: "tab-" + name }, icon(name), h("span", {}, t("tab_" + name))))),
    h("main", { id: "main", tabindex: "-1" }),
    h("div", { id: "notices", role: "status", "aria-live": "polite" }),
  );
}

let shown = 0;

async function route() {
  if (!visit.me) {
    // An invitation opened in the tab of this page.
    visit.invite = invitation(location.href);
    return visit.invite ? welcome() : undefined;
  }
  // What follows the view's name is its own affair: #statements/2026-03/CNY.
  const [asked, ...rest] = location.hash.slice(1).split("/");
  const name = Object.hasOwn(views, asked) ? asked : "earnings";
  const mine = ++shown;
  const section = Object.keys(sections).find((s) => sections[s].includes(name));
  for (const tab of document.querySelectorAll(".tabs a")) {
    if (tab.id === "tab-" + section) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  const view = h("div", { class: "view" }, wait());
  // A suspended KOC reads what was earned; every change is refused by the shop.
  const suspended = visit.me.status === "suspended" ? h("p", { class: "notes", role: "status" }, t("suspended_notice")) : null;
  show(document.getElementById("main"), suspended, within(section, name), view);
  window.scrollTo(0, 0);
  document.title = t("sub_" + name) + " · " + visit.config.brand;
  let content;
  try {
    content = await views[name](visit, ...rest);
  } catch (problem) {
    content = failed(problem);
  }
  if (mine === shown) show(view, content);
}

// within leads to the other views of a section.
function within(section, name) {
  if (sections[section].length === 1) return null;
  return h("nav", { class: "subtabs", "aria-label": t("tab_" + section) },
    sections[section].map((view) => h("a", { href: "#" + view, id: "sub-" + view, "aria-current": view === name ? "page" : null }, t("sub_" + view))));
}

// failed says why a view cannot show. A token that has run out cannot be renewed here: it was in memory only.
function failed(problem) {
  if (problem.status === 401) {
    const again = h("button", { type: "button", class: "button", onclick: () => begin(visit.config, "").catch((e) => show(document.getElementById("main"), trouble(sentence(e)))) }, t("sign_in_again"));
    return [h("h1", {}, t("session_over_title")), h("p", {}, t("session_over_text")), h("p", {}, again)];
  }
  if (!(problem instanceof Problem)) console.error(problem);
  const retry = h("button", { type: "button", class: "button", onclick: route }, t("try_again"));
  return [h("h1", {}, t("went_wrong_title")), trouble(problem instanceof Problem ? problem : { message: t("went_wrong") }), h("p", {}, retry)];
}

window.addEventListener("hashchange", route);

function switcher() {
  return h(
    "div",
    { class: "languages", role: "group", "aria-label": t("language") },
    languages.map(([tag, short, name]) =>
      h("button", { type: "button", lang: tag, title: name, "aria-pressed": String(tag === spoken()), onclick: () => change(tag) }, short),
    ),
  );
}

async function change(tag) {
  await speak(tag, true);
  if (visit.me) {
    frame();
    route();
  } else welcome();
}
