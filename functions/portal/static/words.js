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
    if (!tag) continue;
    const locale = tag.toLowerCase();
    if (/^zh-(hant|tw|hk|mo)/.test(locale)) return "zh-Hant";
    if (locale.startsWith("zh")) return "zh-Hans";
    if (locale.startsWith("en")) return "en";
  }
  return "en";
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
