// Words, amounts and dates in the language of the reader.

export const languages = [
  ["zh-Hans", "简体", "简体中文"],
  ["zh-Hant", "繁體", "繁體中文"],
  ["en", "EN", "English"],
];

const kept = "yundian-language";
let language = "zh-Hans";
let words = {};
let zone = "UTC";
let shop = { currency: "", digits: 2 };

export const spoken = () => language;

// wish is the language to begin with: what ?lang= says, what was chosen before, what the browser prefers.
export function wish() {
  const asked = new URLSearchParams(location.search).get("lang") || localStorage.getItem(kept);
  for (const tag of [asked, ...navigator.languages]) {
    const found = tag && spokenIn(tag);
    if (found) return found;
  }
  return "en";
}

// chinese are the languages that are written in Chinese characters: whoever speaks Cantonese reads them as well.
const chinese = ["zh", "cmn", "yue", "nan", "hak", "wuu", "gan", "hsn", "lzh"];

// spokenIn is the portal's language for a tag; empty when it does not speak it. As the shop's pages do, it goes by the
// script of Chinese, else by the region.
function spokenIn(tag) {
  let asked;
  try {
    asked = new Intl.Locale(tag.replaceAll("_", "-"));
  } catch {
    return "";
  }
  if (asked.language === "en") return "en";
  if (!chinese.includes(asked.language)) return "";
  if (asked.script) return asked.script === "Hant" ? "zh-Hant" : "zh-Hans";
  if (["TW", "HK", "MO"].includes(asked.region)) return "zh-Hant";
  if (["CN", "SG", "MY"].includes(asked.region)) return "zh-Hans";
  return asked.maximize().script === "Hant" ? "zh-Hant" : "zh-Hans";
}

// speak loads a language; keep remembers it on this device.
export async function speak(tag, keep = false) {
  const answer = await fetch(`/portal/words.${tag}.json`);
  if (!answer.ok) throw new Error(`words: ${answer.status}`);
  words = await answer.json();
  language = tag;
  document.documentElement.lang = tag;
  if (keep) localStorage.setItem(kept, tag);
}

// useShop makes days begin at the shop's midnights, and its amounts have its currency's digits.
export function useShop(of) {
  zone = of.timeZone;
  shop = of;
}

// t is a text with its gaps filled; count chooses between one and other.
export function t(name, gaps = {}) {
  let text = words[name];
  if (text === undefined) return name;
  if (typeof text === "object") {
    const form = new Intl.PluralRules(language).select(Number(gaps.count));
    text = text[form] || text.other;
  }
  return text.replace(/\{(\w+)\}/g, (all, gap) => (gap in gaps ? gaps[gap] : all));
}

// has reports whether there is such a text, for reasons that a newer store may send.
export const has = (name) => name in words;

function format(currency, more = {}) {
  const options = { style: "currency", currency, currencyDisplay: "narrowSymbol", ...more };
  if (currency === shop.currency) options.minimumFractionDigits = options.maximumFractionDigits = shop.digits;
  return new Intl.NumberFormat(language, options);
}

const digitsOf = (currency) => format(currency).resolvedOptions().maximumFractionDigits;

// money writes an amount in minor units.
export const money = (minor, currency, sign = false) =>
  format(currency, { signDisplay: sign ? "exceptZero" : "auto" }).format(minor / 10 ** digitsOf(currency));

// typed writes minor units the way somebody would type them, and minorOf reads what somebody has typed; it is null when
// that is no amount. Both only move the point: a product of fractions could be off by one.
export function typed(minor, currency) {
  const digits = digitsOf(currency);
  const text = String(minor).padStart(digits + 1, "0");
  return digits ? text.slice(0, -digits) + "." + text.slice(-digits) : text;
}

export function minorOf(text, currency) {
  const digits = digitsOf(currency);
  const [all, whole, part = ""] = /^(\d{1,12})(?:\.(\d*))?$/.exec(text.normalize("NFKC").replace(/[\s,]|^\p{Sc}/gu, "")) || [];
  if (all === undefined || part.length > digits) return null;
  return Number(whole + part.padEnd(digits, "0"));
}

export const amount = (a, sign) => money(a.amount, a.currency, sign);
export const number = (n) => new Intl.NumberFormat(language).format(n);
// percent writes hundredths of a percent.
export const percent = (points) =>
  new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 2 }).format(points / 10000);

// earning is what terms say in short: a rate, or an amount for each piece.
export const earning = (terms) => (terms.perUnit ? t("per_piece", { amount: amount(terms.perUnit) }) : percent(terms.rate));

const dated = (options) => (time) => new Intl.DateTimeFormat(language, { timeZone: zone, ...options }).format(new Date(time));
export const moment = dated({ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const day = dated({ month: "long", day: "numeric" });
export const fullDay = dated({ year: "numeric", month: "long", day: "numeric" });

// localDay writes a date of the shop, 2026-03-01, which no zone may move.
export function localDay(text, options = { month: "long", day: "numeric" }) {
  return new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options }).format(new Date(text + "T00:00:00Z"));
}
