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

async function ask(method, path, body, key) {
  const headers = { ...authorization(), Accept: "application/json", "Accept-Language": spoken() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "omit", cache: "no-store" });
  } catch {
    throw new Problem(0, { detail: t("offline") });
  }
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, document);
  return document;
}

export const get = (path, query = {}) => {
  const given = Object.entries(query).filter(([, value]) => value);
  return ask("GET", given.length ? path + "?" + new URLSearchParams(given) : path);
};
export const post = (path, body, key) => ask("POST", path, body, key);
export const put = (path, body, key) => ask("PUT", path, body, key);
export const patch = (path, body, key) => ask("PATCH", path, body, key);

// newKey makes the next wish repeatable: the same key until it is granted.
export const newKey = () => crypto.randomUUID();
