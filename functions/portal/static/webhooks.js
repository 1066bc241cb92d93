// Webhooks: which addresses of the KOC's own hear of entries, with what secret, and what arrived there.

import { get, newKey, patch, post, remove } from "./api.js";
import { h, show } from "./dom.js";
import { kindName } from "./entries.js";
import { card, copy, doing, empty, facts, field, paged, say, tool, twice } from "./parts.js";
import { has, moment, number, t } from "./words.js";

const kinds = ["accrual", "refund", "release", "clawback", "bonus", "adjustment", "payout", "tax", "fee"];

export async function webhooks() {
  const page = await get("/v1/webhooks");
  const none = () => card("", empty(t("no_webhooks_title"), t("no_webhooks_text")));
  const list = h("ul", { class: "cards", role: "list" });
  const box = h("div");
  const drop = (item) => {
    item.remove();
    if (!list.children.length) show(box, none());
  };
  const item = (hook, fresh) => {
    const place = h("li");
    place.append(hookCard(hook, fresh, () => drop(place)));
    return place;
  };
  list.append(...page.items.map((hook) => item(hook)));
  show(box, page.items.length ? list : none());
  const added = (hook) => {
    const one = item(hook, hook.secret);
    list.append(one);
    show(box, list);
    one.scrollIntoView({ block: "start" });
  };
  return [h("h1", {}, t("webhooks_title")), h("p", { class: "hint" }, t("webhooks_text")), h("div", { class: "columns" }, card(t("webhook_add"), adder(added)), box)];
}

// chooser is the kinds of entries to hear of.
function chooser(id, chosen) {
  const boxes = kinds.map((kind) => h("input", { type: "checkbox", value: kind, checked: chosen.includes(kind) }));
  const set = h("fieldset", { class: "field" }, h("legend", {}, t("webhook_kinds")), h("div", { class: "ticks" }, boxes.map((b) => h("label", {}, b, h("span", {}, kindName(b.value))))), h("p", { class: "hint" }, t("webhook_kinds_hint")));
  return [set, () => boxes.filter((b) => b.checked).map((b) => b.value)];
}

function adder(added) {
  let key = newKey();
  const place = h("div");
  const url = h("input", { type: "text", inputmode: "url", required: true, maxlength: "500", autocomplete: "off", autocapitalize: "none", spellcheck: "false", placeholder: "https://" });
  const [set, chosen] = chooser("new", []);
  const button = h("button", { type: "submit", class: "button" }, t("webhook_add"));
  const form = h("form", { oninput: () => (key = newKey()) }, field("webhook-url", t("webhook_url"), url, t("webhook_url_hint")), set, place, button);
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    doing(button, place, async () => {
      added(await post("/v1/webhooks", { url: url.value.trim(), kinds: chosen() }, key));
      key = newKey();
      form.reset();
    });
  });
  return form;
}

// secretBox shows a secret this one time.
function secretBox(secret, close) {
  return h(
    "div",
    { class: "secret" },
    h("p", {}, t("secret_once")),
    h("p", { class: "code" }, secret),
    h("p", { class: "tools" }, tool("copy", t("copy"), () => copy(secret)), h("button", { type: "button", class: "tool", onclick: close }, t("secret_kept"))),
  );
}

function hookCard(hook, fresh, removed) {
  const path = `/v1/webhooks/${encodeURIComponent(hook.id)}`;
  const top = h("div");
  const live = h("div", { "aria-live": "polite" });
  const place = h("div", { "aria-live": "polite" });
  const arrived = h("div", { class: "deliveries" });
  const tell = (secret) => show(live, secretBox(secret, () => show(live)));

  // act is a button that does something and says how it went.
  const act = (label, action) => {
    let key = newKey();
    const button = h("button", { type: "button", class: "tool" }, label);
    button.addEventListener("click", () =>
      doing(button, place, async () => {
        await action(key);
        key = newKey();
      }),
    );
    return button;
  };

  function redraw() {
    const on = hook.status === "active";
    show(
      top,
      h("header", { class: "entry-head" }, h("h3", { class: "code" }, hook.url), h("span", { class: "badge hook-" + hook.status }, t("hook_" + hook.status))),
      hook.status === "dead" ? h("p", { class: "notes" }, t("hook_dead_text")) : hook.failingSince ? h("p", { class: "notes" }, t("hook_failing", { at: moment(hook.failingSince) })) : null,
      facts(
        [t("webhook_kinds"), hook.kinds.length ? hook.kinds.map(kindName).join(t("and")) : t("webhook_all")],
        ...hook.secrets.map((s) => [t("secret"), s.until ? t("secret_until", { at: moment(s.until) }) : t("secret_since", { at: moment(s.madeAt) })]),
      ),
      h(
        "p",
        { class: "tools" },
        on ? act(t("webhook_test"), async (key) => {
          await post(path + "/test", {}, key);
          show(place, h("p", { class: "done" }, t("webhook_tested")));
        }) : null,
        act(t("secret_rotate"), async (key) => {
          const made = await post(path + "/rotate", {}, key);
          change(made);
          tell(made.secret);
        }),
        act(t(on ? "webhook_pause" : "webhook_resume"), async (key) => {
          change(await patch(path, { active: !on }, key));
          say(t("saved"));
        }),
        twice(t("remove"), t("webhook_remove_sure"), (button) => doing(button, place, async () => {
          await remove(path, newKey());
          say(t("webhook_removed"));
          removed();
        })),
      ),
    );
  }

  const change = ({ secret, ...next }) => {
    hook = next;
    redraw();
  };
  change(hook);
  if (fresh) tell(fresh);
  const open = h("details", {}, h("summary", {}, t("deliveries_title")), arrived);
  open.addEventListener("toggle", () => {
    if (open.open) doing(open, arrived, async () => show(arrived, await deliveries(path)));
  });
  return h("article", { class: "card hook" }, live, top, place, open);
}

// deliveries are what was recorded for a webhook. Sending again goes forward from one of them: a receiver that was away
// has missed what came after as well.
async function deliveries(path) {
  const first = await get(path + "/deliveries", { limit: 20 });
  if (!first.items.length) return h("p", { class: "hint" }, t("no_deliveries"));
  const told = h("div", { "aria-live": "polite" });
  const row = (d) => {
    let from = d.at;
    const button = h("button", { type: "button", class: "tool" }, t("resend"));
    button.addEventListener("click", () =>
      doing(button, told, async () => {
        const sent = await post(path + "/redeliver", { from }, newKey());
        from = sent.next || d.at;
        show(told, h("p", { class: "done" }, t(sent.next ? "resent_more" : "resent", { count: number(sent.due) })));
        told.scrollIntoView({ block: "nearest" });
      }),
    );
    return h(
      "li",
      { class: "entry" },
      h("div", { class: "entry-head" }, h("span", { class: "badge sent-" + d.status }, t("sent_" + d.status)), h("span", { class: "hint" }, moment(d.at))),
      h("p", {}, eventName(d.type)),
      h("p", { class: "hint" }, outcome(d)),
      h("p", { class: "tools" }, button),
    );
  };
  const list = h("ul", { class: "entries", role: "list" }, first.items.map(row));
  return [h("p", { class: "hint" }, t("resend_hint")), told, paged(list, first.next, (cursor) => get(path + "/deliveries", { limit: 20, cursor }), row)];
}

const eventName = (type) => (type === "webhook.test" ? t("webhook_test_event") : kindName(type.replace("commission.", "")));

function outcome(d) {
  const parts = [t("attempts", { count: d.attempts })];
  if (d.problem) parts.push(has("problem_" + d.problem) ? t("problem_" + d.problem) : d.problem);
  if (d.answer) parts.push(t("answered", { status: d.answer }));
  if (d.dueAt) parts.push(t("next_try", { at: moment(d.dueAt) }));
  return parts.join(" · ");
}
