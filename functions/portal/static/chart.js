// The chart of the last 30 days: commission as bars, touches as a line, and the same numbers as a table.

import { h, s, show } from "./dom.js";
import { amount, localDay, money, number, t } from "./words.js";

const height = 210;
const edge = { top: 14, right: 30, bottom: 24, left: 46 };

// chart draws statistics by day as wide as there is room, again whenever that changes.
export function chart(stats) {
  const frame = h("div", { class: "chart" });
  const told = h("p", { class: "chart-day" });
  const days = stats.items;
  const total = t("chart_summary", {
    from: localDay(stats.from), to: localDay(stats.to), touches: number(stats.total.touches),
    orders: number(stats.total.orders), commission: amount(stats.total.commission),
  });
  const tell = (i) => show(told, i < 0 ? total : sentence(days[i]));
  tell(-1);
  new ResizeObserver(() => show(frame, draw(days, Math.max(280, frame.clientWidth), total, tell))).observe(frame);
  return h("div", {}, legend(), frame, told, table(stats));
}

const sentence = (d) =>
  t("chart_day", { day: localDay(d.day), touches: number(d.touches), orders: number(d.orders), commission: amount(d.commission) });

const legend = () =>
  h("p", { class: "legend" }, h("span", { class: "key bar" }), t("commission"), h("span", { class: "key line" }), t("touches"));

function draw(days, width, total, tell) {
  const inner = { w: width - edge.left - edge.right, h: height - edge.top - edge.bottom };
  const step = inner.w / days.length;
  const top = { commission: Math.max(...days.map((d) => d.commission.amount)), touches: Math.max(...days.map((d) => d.touches)) };
  const most = { commission: nice(top.commission), touches: nice(top.touches) };
  const x = (i) => edge.left + step * (i + 0.5);
  const y = (value, of) => edge.top + inner.h * (1 - Math.max(0, value) / of);
  const currency = days[0].commission.currency;
  const svg = s(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": total },
    [0, 0.5, 1].map((part) => grid(width, y(part, 1))),
    top.commission > 0 ? label(edge.left - 6, edge.top + 4, "end", compact(most.commission, currency)) : null,
    label(edge.left - 6, edge.top + inner.h + 4, "end", "0"),
    top.touches > 0 ? label(width - edge.right + 6, edge.top + 4, "start", number(most.touches), "second") : null,
    days.map((d, i) => bar(x(i), y(d.commission.amount, most.commission), step * 0.62, edge.top + inner.h)),
    s("polyline", { class: "touches", points: days.map((d, i) => `${x(i).toFixed(1)},${y(d.touches, most.touches).toFixed(1)}`).join(" ") }),
    days.map((d, i) => ((days.length - 1 - i) % 7 === 0 ? label(x(i), height - 6, "middle", localDay(d.day, { month: "numeric", day: "numeric" })) : null)),
  );
  const mark = s("line", { class: "mark", y1: edge.top, y2: edge.top + inner.h, visibility: "hidden" });
  svg.append(mark);
  svg.addEventListener("pointermove", (e) => {
    const i = Math.floor((e.clientX - svg.getBoundingClientRect().left - edge.left) / step);
    const inside = i >= 0 && i < days.length;
    mark.setAttribute("visibility", inside ? "visible" : "hidden");
    if (inside) {
      mark.setAttribute("x1", x(i));
      mark.setAttribute("x2", x(i));
    }
    tell(inside ? i : -1);
  });
  svg.addEventListener("pointerleave", () => {
    mark.setAttribute("visibility", "hidden");
    tell(-1);
  });
  return svg;
}

// nice is the next number above that people count by: 1, 2 or 5 times a power of ten.
function nice(most) {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((f) => f * power).find((v) => v >= most);
}

const compact = (minor, currency) => money(minor, currency).replace(/[.,]0+(?=\D*$)/, "");
const grid = (width, y) => s("line", { class: "grid", x1: edge.left, x2: width - edge.right, y1: y, y2: y });
const label = (x, y, anchor, text, kind = "") => s("text", { x, y, "text-anchor": anchor, class: "label " + kind }, text);

function bar(center, top, width, bottom) {
  const tall = bottom - top;
  if (tall <= 0) return null;
  return s("rect", { class: "commission", x: center - width / 2, y: top, width, height: tall, rx: Math.min(2, tall / 2) });
}

// table says the same as the chart, without the days on which nothing happened.
function table(stats) {
  const days = stats.items.filter((d) => d.touches || d.orders || d.commission.amount);
  const head = h("tr", {}, [t("day"), t("touches"), t("orders"), t("sales"), t("commission")].map((name) => h("th", { scope: "col" }, name)));
  const rows = days.map((d) =>
    h("tr", {}, h("th", { scope: "row" }, localDay(d.day)), [number(d.touches), number(d.orders), amount(d.sales), amount(d.commission)].map((v) => h("td", {}, v))),
  );
  return h("details", {}, h("summary", {}, t("as_table")), h("div", { class: "scroll" }, h("table", {}, h("thead", {}, head), h("tbody", {}, rows))));
}
