// Making elements. Text goes in as text, never as HTML.

export const $ = (id) => document.getElementById(id);

// make("button", { class: "x", onclick: f, "aria-label": "y" }, "text", element, ...)
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "hue") element.style.setProperty("--hue", value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const hue = (id) => (Math.abs(Number(id)) * 47 + 170) % 360;

export function initials(name) {
  const words = name.split(/[\s→]+/).filter(Boolean);
  return [...(words[0] || "?")][0].toUpperCase() + (words.length > 1 ? [...words[1]][0].toUpperCase() : "");
}

export const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

// For a list: the time of today, else the day.
export function moment(seconds) {
  const date = new Date(seconds * 1000);
  return date.toDateString() === new Date().toDateString() ? clock(seconds) : date.toLocaleDateString([], { day: "numeric", month: "short" });
}

export function day(seconds) {
  const date = new Date(seconds * 1000);
  if (date.toDateString() === new Date().toDateString()) return "Today";
  return date.toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" });
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
}

let hiding = 0;
export function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { $("toast").hidden = true; }, 4500);
}

// Closed by a press elsewhere.
export function shut(list, hide, opener = null) {
  document.addEventListener("click", (event) => { if (!list.hidden && !list.contains(event.target) && !opener?.contains(event.target)) hide(); });
}

// The keys of an open menu; `leave` closes it and gives the focus back.
export function walk(list, event, leave) {
  const items = [...list.querySelectorAll("[role^=menuitem]")];
  const now = items.indexOf(document.activeElement);
  const next = { ArrowDown: now + 1, ArrowRight: now + 1, ArrowUp: now < 0 ? -1 : now - 1, ArrowLeft: now < 0 ? -1 : now - 1, Home: 0, End: -1 }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    items.at(next % items.length)?.focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    leave();
  }
}

// A menu and its button: opened by it, closed by it, by a press elsewhere and by Escape, which gives the focus back.
export function menu(list, opener, { show, hide }) {
  opener.onclick = () => (list.hidden ? show() : hide());
  shut(list, hide, opener);
  document.addEventListener("keydown", (event) => { if (!list.hidden) walk(list, event, () => { hide(); opener.focus(); }); });
}
