// Parts that several views are made of.

import { h, icon, show } from "./dom.js";
import { t } from "./words.js";

export const card = (title, ...children) =>
  h("section", { class: "card" }, title && h("h2", {}, title), ...children);

export const wait = () => h("p", { class: "wait", role: "status" }, t("loading"));

// empty says what to do when there is nothing yet.
export const empty = (title, text, ...actions) =>
  h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), h("p", {}, text), actions.length ? h("p", {}, ...actions) : null);

// trouble says a refusal, with what is wrong field by field.
export const trouble = (problem) =>
  h(
    "div",
    { class: "trouble", role: "alert" },
    h("p", {}, problem.message),
    problem.fields && problem.fields.length ? h("ul", {}, problem.fields.map((f) => h("li", {}, f.message))) : null,
  );

// say shows a short notice at the edge of the page.
export function say(text) {
  const place = document.getElementById("notices");
  const notice = h("p", { class: "notice" }, text);
  place.append(notice);
  setTimeout(() => notice.remove(), 4000);
}

// doing runs an action of a button, which waits meanwhile; a refusal is said in the place given.
export async function doing(button, place, action) {
  button.disabled = true;
  place.replaceChildren();
  try {
    await action();
  } catch (problem) {
    show(place, trouble(problem));
    place.scrollIntoView({ block: "nearest" });
  } finally {
    button.disabled = false;
  }
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(t("copied"));
  } catch {
    window.prompt(t("copy"), text);
  }
}

// twice is a button for what cannot be undone: the first press asks, the second one does it. Looking elsewhere takes
// the question back.
export function twice(label, question, action) {
  const button = h("button", { type: "button", class: "tool danger" }, label);
  button.addEventListener("click", () => {
    if (button.dataset.asked) return action(button);
    button.dataset.asked = "yes";
    show(button, question);
  });
  button.addEventListener("blur", () => {
    delete button.dataset.asked;
    show(button, label);
  });
  return button;
}

// facts is a list of names with what they stand for; rows that are null are left out.
export const facts = (...rows) =>
  h("dl", { class: "facts" }, rows.filter(Boolean).map(([name, value, kind]) => h("div", { class: kind }, h("dt", {}, name), h("dd", {}, value))));

// field is a label, what is typed under it, and a hint that belongs to it.
export function field(id, label, input, hint) {
  if (hint) input.setAttribute("aria-describedby", id + "-hint");
  input.id = id;
  return h("div", { class: "field" }, h("label", { for: id }, label), input, hint ? h("p", { class: "hint", id: id + "-hint" }, hint) : null);
}

// more is a list that grows page by page.
export function paged(list, next, load, row) {
  const button = h("button", { type: "button", class: "quiet wide" }, t("more"));
  const place = h("div");
  const box = h("div", {}, list, place, button);
  button.hidden = !next;
  button.addEventListener("click", () =>
    doing(button, place, async () => {
      const page = await load(next);
      list.append(...page.items.map(row));
      next = page.next;
      button.hidden = !next;
    }),
  );
  return box;
}

export const tool = (name, label, onclick, more = {}) =>
  h("button", { type: "button", class: "tool", onclick, ...more }, icon(name), h("span", {}, label));

// search finds products: a field, and below it what matches, each with what sharing it earns.
export function search(find, view) {
  const found = h("ul", { class: "found", role: "list" });
  const field = h("input", { type: "search", placeholder: t("search_products"), "aria-label": t("search_products"), autocomplete: "off", maxlength: "100" });
  let asked = 0;
  async function look() {
    const mine = ++asked;
    try {
      const page = await find(field.value.trim());
      if (mine !== asked) return;
      if (page.items.length) show(found, page.items.map((offer) => h("li", {}, view(offer))));
      else show(found, h("li", { class: "hint" }, t("no_products")));
    } catch (problem) {
      if (mine === asked) show(found, h("li", {}, trouble(problem)));
    }
  }
  let pause;
  field.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(look, 250);
  });
  field.addEventListener("keydown", (e) => e.key === "Enter" && e.preventDefault());
  look();
  return h("div", { class: "search" }, field, found);
}

export const picture = (src) =>
  src ? h("img", { src, alt: "", class: "thumb", loading: "lazy", referrerpolicy: "no-referrer" }) : h("span", { class: "thumb" });
