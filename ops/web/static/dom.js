// Making elements, and words for numbers. Text goes in as text, never as HTML.

export const $ = (id) => document.getElementById(id);

// make("td", { class: "n", title: "x", onclick: f, width: "20%" }, "text", element, ...); sizes and places become style.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "width" || name === "left" || name === "right" || name === "top") element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function drawn(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 0.9995) return value > 0 && value < 0.0005 ? "under 1 ms" : value > 0 ? `${(value * 1000).toFixed(0)} ms` : "0 s";
  if (value < 10) return `${Number.isInteger(value) ? value : value.toFixed(1)} s`;
  if (value < 100) return `${value.toFixed(0)} s`;
  if (value < 7200) return `${(value / 60).toFixed(0)} min`;
  return value < 172800 ? `${(value / 3600).toFixed(0)} h` : `${(value / 86400).toFixed(0)} days`;
}

export function count(value) {
  if (value < 10000) return Number.isInteger(value) ? String(value) : value.toFixed(1);
  if (value < 1e6) return `${(value / 1e3).toFixed(value < 1e5 ? 1 : 0)} k`;
  return `${(value / 1e6).toFixed(1)} M`;
}

export const clock = (at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
export const minute = (at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export function when(at) {
  if (!at) return "–";
  const date = new Date(at * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return today ? clock(at) : `${date.toLocaleDateString([], { day: "numeric", month: "short" })} ${minute(at)}`;
}

export const ago = (at, now) => (at ? `${seconds(Math.max(0, now - at))} ago` : "–");

export function table(heads, rows) {
  const cells = (tag, row) => row.map((cell, n) => make(tag, { class: heads[n].class, "data-head": heads[n].title }, cell));
  return make("div", { class: "scroll" }, make("table", {},
    make("thead", {}, make("tr", {}, cells("th", heads.map((head) => head.title)))),
    make("tbody", {}, rows.map(({ row, open }) => make("tr", open ? { class: "link", onclick: open } : {}, cells("td", row))))));
}

export const panel = (title, hint, ...children) =>
  make("section", { class: "panel" }, make("h2", {}, title, hint ? make("small", {}, hint) : null), ...children);
export const chip = (text, is) => make("span", { class: "chip", "data-is": is }, text);
export const sessionLink = (name) => make("a", { class: "mono", href: `#session/${encodeURIComponent(name)}` }, name);
