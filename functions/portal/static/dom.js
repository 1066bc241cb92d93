// Making elements. Text is always text: nothing here turns a string into markup.

const svgSpace = "http://www.w3.org/2000/svg";

// h makes an element: h("button", {class: "primary", onclick: save}, "Save"). Attributes that are null, undefined or
// false are left out; functions listen to the event that their name says.
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

// s makes an SVG element.
export function s(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgSpace, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return element;
}

// show replaces what an element holds.
export function show(element, ...children) {
  element.replaceChildren();
  fill(element, {}, children);
  return element;
}

// icon is one of the page's few pictograms, drawn in the colour of the text.
export function icon(name) {
  return s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, s("path", { d: icons[name] }));
}

const icons = {
  earnings: "M4 20V10m5 10V4m5 16v-8m5 8V7",
  links: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.700-5.700l-1.500 1.500M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.700 5.700l1.500-1.500",
  entries: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9.500 8h5m-5 4h5",
  orders: "M4 8l8-4 8 4v8l-8 4-8-4zm0 0l8 4 8-4m-8 4v8",
  me: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-8 9c.6-4 4-6 8-6s7.400 2 8 6",
  withdraw: "M5 12l5 5L20 7",
  up: "M6 14l6-6 6 6",
  down: "M6 10l6 6 6-6",
  remove: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  share: "M12 15V4m0 0L8 8m4-4l4 4M5 13v7h14v-7",
  code: "M4 4h6v6H4zm10 0h6v6h-6zM4 14h6v6H4zm10 0h2v2h-2zm4 4h2v2h-2zm-4 2h1m5-6h-1",
};
