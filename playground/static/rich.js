// A rich message's blocks as elements (Bot API, RichBlock).
import { make } from "./dom.js";
import { render } from "./entities.js";

const ENTITY = { url: "text_link" };
// What stands within a line; all else (blocks, rows, cells, items of a list) is apart from what follows.
const STYLES = new Set(["bold", "italic", "underline", "strikethrough", "spoiler", "code", "url"]);
const inline = (one) => typeof one === "string" || STYLES.has(one.type);

// The words of a text, or of blocks.
export function plain(text) {
  if (typeof text === "string") return text;
  if (Array.isArray(text)) return text.map((one) => plain(one) + (inline(one) ? "" : " ")).join("");
  return plain(text?.text ?? text?.expression ?? text?.blocks ?? text?.items ?? text?.cells ?? "");
}

// A tree becomes a text and its entities, so that links and spoilers are made in one place.
function words(text) {
  const entities = [];
  const walk = (part, offset) => {
    if (typeof part === "string") return part.length;
    if (Array.isArray(part)) return part.reduce((length, one) => length + walk(one, offset + length), 0);
    const entity = { ...part, type: ENTITY[part.type] ?? part.type, offset, length: 0 };
    entities.push(entity);
    entity.length = walk(part.text ?? "", offset);
    return entity.length;
  };
  walk(text, 0);
  return render(plain(text), entities);
}

function list(block) {
  const ordered = block.items.some((item) => item.value !== undefined);
  return make(ordered ? "ol" : "ul", {}, ...block.items.map((item) => make("li", item.value === undefined ? {} : { value: String(item.value) },
    item.has_checkbox ? make("span", {}, item.is_checked ? "☑ " : "☐ ") : null, ...item.blocks.map(block_of))));
}

function table(block) {
  const rows = block.cells.map((row) => make("tr", {}, ...row.map((cell) => make(cell.is_header ? "th" : "td", { class: cell.align }, ...words(cell.text ?? "")))));
  return make("div", { class: "scroll", tabindex: "0" }, make("table", {}, ...rows));
}

function block_of(block) {
  switch (block.type) {
    case "heading": return make(`h${Math.min(block.size + 2, 6)}`, {}, ...words(block.text));
    case "pre": return make("div", {}, ...render(plain(block.text), [{ type: "pre", offset: 0, length: plain(block.text).length, language: block.language }]));
    case "list": return list(block);
    case "blockquote": return make("blockquote", {}, ...block.blocks.map(block_of));
    case "expandable_blockquote": return make("div", {}, ...render(plain(block.text), [{ type: "expandable_blockquote", offset: 0, length: plain(block.text).length }]));
    case "table": return table(block);
    case "divider": return make("hr");
    case "mathematical_expression": return make("pre", { class: "math" }, block.expression);
    default: return make("p", {}, ...words(block.text ?? ""));
  }
}

export function rich(message) {
  return make("div", { class: "rich" }, ...message.rich_message.blocks.map(block_of));
}
