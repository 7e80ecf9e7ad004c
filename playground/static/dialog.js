// Questions to the person at the page: a <dialog>, which keeps the focus inside, ends with Escape and gives the focus back.
import { make } from "./dom.js";

let count = 0;

// Resolves to what `value` gives when the form is sent, else to null.
function asked(title, parts, { yes = "OK", no = "Cancel", danger = false, value = () => true }) {
  const id = `dialog${(count += 1)}`;
  const refuse = no && make("button", { type: "button", onclick: () => dialog.close() }, no);
  const accept = yes && make("button", { type: "submit", class: danger ? "danger" : "accept" }, yes);
  const form = make("form", { method: "dialog" }, make("h2", { id }, title), ...parts, make("div", { class: "answers" }, refuse || null, accept || null));
  const dialog = make("dialog", { "aria-labelledby": id, class: parts.wide ? "wide" : null }, form);
  let given = null;
  form.onsubmit = () => { given = value(); };
  // A press beside it, not one that began inside and ended there.
  dialog.onpointerdown = (event) => { if (event.target === dialog) dialog.close(); };
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.onclose = () => { dialog.remove(); resolve(given); };
    dialog.showModal();
  });
}

export function askFor(title, { hint, value = "", yes = "OK", empty = false } = {}) {
  const words = hint ? make("p", { id: "hint" }, hint) : null;
  const field = make("input", { value, autocomplete: "off", dir: "auto", required: !empty, maxlength: 128, "aria-label": title, "aria-describedby": hint ? "hint" : null });
  return asked(title, [words, field], { yes, value: () => field.value.trim() });
}

export const sure = (title, words, yes) => asked(title, [make("p", {}, words)], { yes, danger: true });

export const tell = (words) => asked("The bot says", [make("p", { dir: "auto", class: "words" }, words)], { no: null });

// A part of a text: what is marked when the form is sent.
export function markPart(title, text) {
  const area = make("textarea", { readonly: true, rows: Math.min(10, 2 + text.length / 50), dir: "auto", autofocus: true, "aria-label": "The message", "aria-describedby": "hint" });
  area.value = text;
  area.onfocus = () => { area.onfocus = null; area.select(); };
  const part = () => ({ text: text.slice(area.selectionStart, area.selectionEnd), position: area.selectionStart });
  return asked(title, [make("p", { id: "hint" }, "Mark the words that you mean."), area], { yes: "Quote", value: part });
}

// One of many: `items` are { name, what, value }.
export function pick(title, items) {
  let chosen = null;
  const found = make("ul", { class: "choices" });
  const draw = (wanted) => {
    const some = items.filter((item) => item.name.toLowerCase().includes(wanted));
    const row = (item) => make("li", {}, make("button", { type: "submit", onclick: () => { chosen = item.value; } }, make("b", { dir: "auto" }, item.name), make("small", {}, item.what)));
    found.replaceChildren(...(some.length ? some.map(row) : [make("li", { class: "quiet" }, "No chat is called that.")]));
  };
  const search = make("input", { type: "search", placeholder: "Find a chat", "aria-label": "Find a chat", autocomplete: "off", autofocus: true, oninput: () => draw(search.value.trim().toLowerCase()) });
  draw("");
  return asked(title, [search, found], { yes: null, value: () => chosen ?? items.find((item) => item.name.toLowerCase().includes(search.value.trim().toLowerCase()))?.value ?? null });
}
