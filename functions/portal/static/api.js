// Talking to the store.

import { authorization } from "./login.js";
import { spoken, t } from "./words.js";

// Problem is an answer that refuses, in words for people.
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail || t(status === 429 ? "too_fast" : "went_wrong"));
    this.status = status;
    this.code = (document.type || "").replace("urn:yundian:problem:", "");
    this.fields = document.errors || [];
  }
}

async function send(method, path, accept, body, key) {
  const headers = { ...authorization(), Accept: accept, "Accept-Language": spoken() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "omit", cache: "no-store" });
  } catch {
    throw new Problem(0, { detail: t("offline") });
  }
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

const ask = async (method, path, body, key) => (await send(method, path, "application/json", body, key)).json().catch(() => ({}));

export const get = (path, query = {}) => {
  const given = Object.entries(query).filter(([, value]) => value);
  return ask("GET", given.length ? path + "?" + new URLSearchParams(given) : path);
};
export const post = (path, body, key) => ask("POST", path, body, key);
export const put = (path, body, key) => ask("PUT", path, body, key);
export const remove = (path, key) => ask("DELETE", path, undefined, key);
export const patch = (path, body, key) => ask("PATCH", path, body, key);

// part is one part of what is also to be had as a file, and where the next part is, if there is one.
export async function part(path, accept) {
  const answer = await send("GET", path, accept);
  const [, next] = /<([^>]+)>; rel="next"/.exec(answer.headers.get("Link") || "") || [];
  return { body: await answer.blob(), next };
}

// newKey makes the next wish repeatable: the same key until it is granted.
export const newKey = () => crypto.randomUUID();

// keeper keeps the keys of what is asked for until it is granted: the same key for the same thing, however it was typed and
// however often it is sent, so that a second click or another try after a lost answer does nothing twice. Something else has
// a key of its own, and so has the same thing when it is wanted once more.
export function keeper() {
  const keys = new Map();
  return {
    keyOf(body) {
      const asked = JSON.stringify(body);
      if (!keys.has(asked)) keys.set(asked, newKey());
      return keys.get(asked);
    },
    granted: (body) => keys.delete(JSON.stringify(body)),
  };
}
