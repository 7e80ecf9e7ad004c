// One message as a bubble: who, what, when, its buttons and reactions.
import { clock, hue, make, size } from "./dom.js";
import { render } from "./entities.js";
import { plain, rich } from "./rich.js";

const SERVICE = {
  forum_topic_created: (message) => `${message.from.first_name} made the topic “${message.forum_topic_created.name}”`,
  forum_topic_edited: (message) => `${message.from.first_name} named the topic “${message.forum_topic_edited.name}”`,
  forum_topic_closed: () => "The topic was closed",
  forum_topic_reopened: () => "The topic was opened again",
  general_forum_topic_hidden: () => "General was hidden",
  general_forum_topic_unhidden: () => "General is shown again",
  migrate_to_chat_id: () => "This group became a supergroup; it goes on there",
  migrate_from_chat_id: () => "This supergroup was a group before",
};
const MEDIA = ["photo", "voice", "audio", "video", "animation", "video_note", "sticker", "document"];

const TALLEST = { photo: 360, sticker: 180 }; // pixels

// Whether the bot has sent it, in its own name or in that of a business account.
export const byBot = (message) => message.from.is_bot || Boolean(message.sender_business_bot);
export const isService = (message) => Object.keys(SERVICE).some((name) => name in message);
export const serviceText = (message) => SERVICE[Object.keys(SERVICE).find((name) => name in message)](message);

// A message in one line, for lists and quotes.
export function summary(message) {
  if (isService(message)) return serviceText(message);
  const words = (message.rich_message ? message.rich_message.blocks.map(plain).join(" ") : message.text ?? message.caption ?? "").replace(/\s+/g, " ").slice(0, 160);
  const media = MEDIA.find((kind) => kind in message);
  const name = media && (message[media].file_name || media.replace("_", " "));
  return media ? (words ? `${name}: ${words}` : name) : words;
}

function mediaOf(message) {
  const kind = MEDIA.find((name) => name in message);
  if (!kind) return null;
  const file = kind === "photo" ? message.photo.at(-1) : message[kind];
  const source = `/playground/files/${encodeURIComponent(file.file_id)}`;
  if (kind === "photo" || kind === "sticker") {
    // As large as it will be before it is there, so nothing moves when it comes.
    const scale = Math.min(1, TALLEST[kind] / (file.height || 1));
    const size = { width: Math.round(file.width * scale) || null, height: Math.round(file.height * scale) || null };
    return make("img", { class: "photo", src: source, alt: message.caption || kind, ...size, loading: "lazy" });
  }
  if (kind === "animation" && file.mime_type === "image/gif") return make("img", { class: "photo", src: source, alt: message.caption || "GIF", loading: "lazy" });
  if (kind === "voice" || kind === "audio") return make("audio", { src: source, controls: true, preload: "metadata" });
  if (kind !== "document") return make("video", { class: "photo", src: source, controls: true, preload: "none" });
  const ending = (file.file_name || "").split(".").pop().slice(0, 4).toUpperCase();
  return make("a", { class: "file", href: source, download: file.file_name }, make("i", { "aria-hidden": "true" }, ending || "FILE"),
    make("span", {}, make("b", {}, file.file_name || "file"), make("small", {}, size(file.file_size || 0))));
}

function keyboard(message, on) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows) return null;
  const button = (key) => {
    if (/^(https?|tg):/i.test(key.url || "")) {
      return make("a", { href: key.url, target: "_blank", rel: "noopener noreferrer" }, `${key.text} ↗`);
    }
    const copies = key.copy_text?.text;
    if (copies) return make("button", { type: "button", onclick: () => navigator.clipboard.writeText(copies) }, key.text);
    const press = (event) => on.press(message, key.callback_data, event.currentTarget);
    return make("button", { type: "button", disabled: !key.callback_data, onclick: press }, key.text);
  };
  return make("div", { class: "keys" }, ...rows.map((row) => make("div", {}, ...row.map(button))));
}

// A message of another topic: what is told of it.
function elsewhere({ external_reply: told, quote: said }) {
  return told && { message_id: told.message_id, from: told.origin.sender_user, text: said?.text ?? "" };
}

function forwarded({ forward_origin: origin }) {
  const name = origin && (origin.sender_user?.first_name ?? origin.sender_user_name ?? origin.chat?.title ?? origin.sender_chat?.title ?? "someone");
  return name ? make("div", { class: "via" }, "Forwarded from ", make("b", { dir: "auto" }, name)) : null;
}

function quote(message, on) {
  const answered = message.reply_to_message ?? elsewhere(message);
  // In a topic every message replies to the one that opened the topic: that reply is not shown.
  if (!answered || answered.forum_topic_created) return null;
  return make("button", { class: "quote", type: "button", onclick: () => on.goTo(answered.message_id), "aria-label": "To the message that is answered" },
    make("b", {}, answered.from.first_name), make("span", { dir: "auto" }, message.quote ? `“${message.quote.text}”` : summary(answered)));
}

function tools(message, on) {
  const bot = byBot(message);
  return make("div", { class: "tools" },
    make("button", { type: "button", onclick: () => on.reply(message) }, "Reply"),
    bot ? make("button", { type: "button", onclick: () => on.react(message), "aria-label": "React with a thumb" }, "👍") : null,
    !bot && !message.via_bot && "text" in message ? make("button", { type: "button", onclick: () => on.edit(message) }, "Edit") : null,
    make("button", { type: "button", "aria-haspopup": "menu", "aria-label": "More for this message", title: "More (right click, long press)", onclick: (event) => { event.stopPropagation(); on.more(message, event.currentTarget); } }, "⋯"));
}

// `shown`: own (written by who writes here), names (stand above bubbles), first (of several by one sender), reactions (emoji).
// `on`: press(message, data, button), goTo(id), reply(message), edit(message), react(message), more(message, button), command(text).
export function bubble(message, shown, on) {
  if (isService(message)) return make("p", { class: "service", id: `m${message.message_id}` }, serviceText(message));
  const bot = byBot(message);
  const own = shown.own;
  const text = message.text ?? message.caption ?? "";
  const entities = message.entities ?? message.caption_entities;
  const name = shown.names && shown.first
    ? make("div", { class: "from", hue: hue(message.from.id) }, message.from.first_name) : null;
  const writer = message.sender_business_bot;
  const via = message.via_bot || writer ? make("div", { class: "via" }, `${writer ? "by" : "via"} @${(message.via_bot ?? writer).username}`) : null;
  // As in Telegram's apps: an answer that grew is no edited one.
  const when = `${message.edit_date && !bot ? "edited " : ""}${clock(message.date)}`;
  const meta = make("span", { class: "meta" }, when, own ? make("span", { class: "ticks", "aria-hidden": "true" }, "✓✓") : null);
  const bare = !text && !message.rich_message;
  const said = make("div", { class: `said${bare ? " bare" : ""}`, dir: "auto" }, ...(message.rich_message ? [rich(message)] : render(text, entities, on.command)), meta);
  const reactions = shown.reactions?.length
    ? make("div", { class: "reacted", "aria-label": "Reactions" }, ...shown.reactions.map((emoji) => make("span", {}, emoji))) : null;
  return make("article", { class: `msg${own ? " own" : ""}${bot ? " bot" : ""}${shown.first ? " first" : ""}`, id: `m${message.message_id}`, tabindex: -1, "aria-label": `${message.from.first_name}, ${when}` },
    make("div", { class: "bubble" }, name, via, forwarded(message), quote(message, on), mediaOf(message), said),
    keyboard(message, on), reactions, tools(message, on));
}

export function typing(action) {
  const words = { typing: "is writing", upload_document: "is sending a file", upload_photo: "is sending a photo" };
  return make("article", { class: "msg first typing", "aria-label": `The bot ${words[action] || "is busy"}` },
    make("div", { class: "bubble" }, make("i"), make("i"), make("i")));
}

export function draft(one, on) {
  const words = one.text ? render(one.text, one.entities, () => {}) : ["Thinking…"];
  const stop = one.can_stop ? make("button", { class: "stop", type: "button", onclick: () => on.stop(one) }, "■ Stop") : null;
  return make("article", { class: "msg first draft", "aria-label": "The bot is writing" },
    make("div", { class: "bubble" }, make("div", { class: "said" }, ...words)), stop);
}
