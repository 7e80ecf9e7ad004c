// A text and its entities as elements. Offsets count UTF-16 units, and so do JavaScript's strings.
import { make } from "./dom.js";

const SIMPLE = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code" };
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);
// A link with any other scheme could run something.
const SAFE = /^(https?|tg|mailto|tel):/i;

function link(href, children) {
  const full = /^[a-z][a-z0-9+.-]*:/i.test(href) ? href : `https://${href}`;
  if (!SAFE.test(full)) return make("span", {}, ...children);
  return make("a", { href: full, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

function codeBlock(text, language) {
  const copy = make("button", { type: "button" }, "Copy");
  copy.onclick = async () => {
    await navigator.clipboard.writeText(text);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  };
  return make("div", { class: language ? "block" : "block plain" }, make("header", {}, language ? make("span", {}, language) : null, copy),
    make("pre", { tabindex: "0" }, make("code", {}, text)));
}

function spoiler(children) {
  const element = make("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": "Hidden text, press to show" }, ...children);
  const open = () => { element.classList.add("open"); element.removeAttribute("role"); element.removeAttribute("aria-label"); };
  element.onclick = open;
  element.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(); } };
  return element;
}

function longQuote(children) {
  const button = make("button", { type: "button", "aria-expanded": "false" }, "Show more");
  const quote = make("blockquote", { class: "long" }, make("div", {}, ...children), button);
  button.onclick = () => {
    const open = quote.classList.toggle("open");
    button.textContent = open ? "Show less" : "Show more";
    button.setAttribute("aria-expanded", String(open));
  };
  // Only what does not fit in three lines has more to show. Its height is known once it stands in the page.
  new ResizeObserver(([{ target }], observer) => {
    if (quote.classList.contains("open") || !target.clientHeight) return;
    const fits = target.scrollHeight <= target.clientHeight + 1;
    button.hidden = fits;
    quote.classList.toggle("fits", fits);
    if (!target.isConnected) observer.disconnect();
  }).observe(quote.firstElementChild);
  return quote;
}

function wrap(entity, text, children, onCommand) {
  switch (entity.type) {
    case "pre": return codeBlock(text, entity.language);
    case "text_link": return link(entity.url, children);
    case "url": return link(text, children);
    case "email": return link(`mailto:${text}`, children);
    case "spoiler": return spoiler(children);
    case "blockquote": return make("blockquote", {}, ...children);
    case "expandable_blockquote": return longQuote(children);
    case "bot_command": return make("button", { class: "command", type: "button", onclick: () => onCommand(text) }, text);
    case "mention": case "hashtag": case "cashtag": case "text_mention": case "phone_number":
      return make("span", { class: "command" }, ...children);
    default: return SIMPLE[entity.type] ? make(SIMPLE[entity.type], {}, ...children) : make("span", {}, ...children);
  }
}

function build(text, from, to, entities, onCommand) {
  const parts = [];
  let at = from;
  let eatNewline = false;
  const plain = (upto, beforeBlock) => {
    let piece = text.slice(at, upto);
    // A block stands on its own lines already.
    if (eatNewline && piece.startsWith("\n")) piece = piece.slice(1);
    if (beforeBlock && piece.endsWith("\n")) piece = piece.slice(0, -1);
    if (piece) parts.push(piece);
  };
  for (let n = 0; n < entities.length;) {
    const entity = entities[n];
    const start = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    let next = n + 1;
    while (next < entities.length && entities[next].offset < end) next += 1;
    if (end > start) {
      const block = BLOCKS.has(entity.type);
      plain(start, block);
      const inner = build(text, start, end, entities.slice(n + 1, next), onCommand);
      parts.push(wrap(entity, text.slice(start, end), inner, onCommand));
      at = end;
      eatNewline = block;
    }
    n = next;
  }
  plain(to, false);
  return parts;
}

// The nodes of a text; `onCommand` is called with a command that is pressed.
export function render(text, entities, onCommand) {
  const sorted = [...(entities || [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return build(text, 0, text.length, sorted, onCommand);
}
