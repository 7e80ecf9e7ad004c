// What can be done with one message: a menu by its button, a right click, a long press or the menu key.
import { get, post } from "./api.js";
import { markPart, pick, sure } from "./dialog.js";
import { byBot } from "./message.js";
import { $, make, shut, toast, walk } from "./dom.js";

const EMOJI = ["👍", "👎", "❤", "🔥", "🎉", "🤔", "😢"];
const HELD_MS = 450;
const STILL_PX = 10; // a finger that moves further scrolls
const BROWSERS = "a, audio, video, input, textarea"; // keep the browser's own menu

export class Handling {
  // `open`: the conversation.
  constructor(open) {
    this.open = open;
    this.list = make("div", { id: "act", class: "menu", role: "menu", "aria-label": "What can be done with this message", hidden: true });
    document.body.append(this.list);
    shut(this.list, () => this.hide(true));
    this.list.addEventListener("keydown", (event) => walk(this.list, event, () => this.hide(true)));
    const log = $("log");
    for (const name of ["wheel", "touchmove"]) log.addEventListener(name, () => this.hide(), { passive: true });
    log.addEventListener("contextmenu", (event) => {
      if (event.target.closest(BROWSERS) || !this.of(event)) return;
      event.preventDefault();
      // The menu key gives no place: then it opens below what has the focus.
      this.show(this.of(event), event.detail === 0 && event.button !== 2 ? null : event);
    });
    log.addEventListener("pointerdown", (event) => { if (event.pointerType === "touch" && this.of(event)) this.press(event); });
    for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => this.release());
    document.addEventListener("pointermove", (event) => { if (this.from && Math.hypot(event.clientX - this.from.x, event.clientY - this.from.y) > STILL_PX) this.release(); });
    // The finger that opened the menu presses nothing when it is lifted.
    log.addEventListener("touchend", (event) => { if (this.held) event.preventDefault(); this.held = false; });
  }

  of(event) {
    const id = Number(event.target.closest?.(".msg[id]")?.id.slice(1));
    return this.open.messages.get(id);
  }

  press(event) {
    this.from = { x: event.clientX, y: event.clientY };
    this.held = false;
    this.waits = setTimeout(() => { this.held = true; this.show(this.of(event), event); }, HELD_MS);
  }

  release() {
    clearTimeout(this.waits);
    this.from = null;
  }

  // `at`: the event that says where, or the button, or nothing.
  show(message, at) {
    this.message = message;
    this.marked = this.selected(message);
    const { open } = this;
    const item = ([words, run, danger]) => make("button", { type: "button", role: "menuitem", class: danger ? "danger" : null, onclick: () => { this.hide(true); open.attempt(run); } }, words);
    const given = open.reactions[message.message_id] || [];
    const face = (emoji) => make("button", {
      type: "button", role: "menuitemcheckbox", "aria-checked": String(given.includes(emoji)), "aria-label": `React with ${emoji}`,
      onclick: () => { this.hide(true); open.attempt(() => this.react(message, emoji)); },
    }, emoji);
    this.list.replaceChildren(make("div", { class: "faces", role: "group", "aria-label": "Reactions" }, ...EMOJI.map(face)), ...this.items(message).map(item));
    this.list.hidden = false;
    this.place(at);
    this.list.querySelector("[role=menuitem]").focus({ preventScroll: true });
  }

  place(at) {
    const point = at?.clientX || at?.clientY ? { left: at.clientX, top: at.clientY, bottom: at.clientY } : null;
    const beside = point ?? (at instanceof Element ? at : $(`m${this.message.message_id}`).querySelector(".bubble")).getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.list;
    const below = beside.bottom + height + 8 <= innerHeight ? beside.bottom : beside.top - height;
    this.list.style.left = `${Math.max(8, Math.min(beside.left, innerWidth - width - 8))}px`;
    this.list.style.top = `${Math.max(8, Math.min(below, innerHeight - height - 8))}px`;
  }

  hide(back = false) {
    if (this.list.hidden) return;
    this.list.hidden = true;
    if (back) $(`m${this.message.message_id}`)?.focus({ preventScroll: true });
  }

  // What of this message is marked on the page, if its text has it so.
  selected(message) {
    const selection = getSelection();
    const words = selection.toString().trim();
    const inside = selection.anchorNode && $(`m${message.message_id}`)?.contains(selection.anchorNode);
    const position = words && inside ? (message.text ?? message.caption ?? "").indexOf(words) : -1;
    return position < 0 ? null : { text: words, position };
  }

  items(message) {
    const { open, marked } = this;
    const text = message.text ?? message.caption;
    const { composer, chat } = open;
    const bot = byBot(message);
    const own = message.from.id === (open.writer() ?? chat.users[0]?.id);
    const deletes = own || chat.type === "private" || chat.business || (open.writer() ?? chat.users[0]?.id) === chat.users[0]?.id;
    return [
      ["Reply", () => composer.startReply(message)],
      text && marked && ["Reply to the marked words", () => composer.startReply(message, marked)],
      text && !marked && ["Reply to a part…", async () => this.quote(message, await markPart("Which part do you answer?", text))],
      text && ["Copy the text", () => navigator.clipboard.writeText(text).then(() => toast("Copied"))],
      text && !bot && !message.via_bot && ["Edit", () => composer.startEdit(message)],
      ["Forward…", () => this.forward(message)],
      deletes && ["Delete…", () => this.remove(message), true],
    ].filter(Boolean);
  }

  quote(message, part) {
    if (part) this.open.composer.startReply(message, part.text.trim() ? part : null);
  }

  react(message, emoji) {
    const { open } = this;
    const wanted = (open.reactions[message.message_id] || []).includes(emoji) ? [] : [emoji];
    return post(`/chats/${open.chat.id}/messages/${message.message_id}/react`, { emoji: wanted, user: open.writer() });
  }

  async forward(message) {
    const { chat, thread } = this.open;
    const from = `/chats/${chat.id}/messages/${message.message_id}/forward`;
    const chats = await get("/chats?limit=200");
    const places = chats.filter((one) => !one.migrated_to).flatMap((one) => [
      { name: one.title, what: one.id === chat.id ? "this chat" : one.type === "private" ? "private chat" : one.type, value: { to: one.id } },
      ...one.topics.map((topic) => ({ name: `${one.title} › ${topic.name}`, what: "topic", value: { to: one.id, thread: topic.id } })),
    ]);
    const where = await pick("Forward to", places);
    if (!where) return;
    // As who writes here, or in another chat as its first person.
    await post(from, { ...where, user: where.to === chat.id ? this.open.writer() : undefined });
    const here = where.to === chat.id && (where.thread ?? null) === thread;
    toast(here ? "Forwarded" : `Forwarded to ${places.find((one) => one.value === where).name}`);
  }

  async remove(message) {
    const { open } = this;
    const about = byBot(message) ? "The bot’s message goes" : "The message goes";
    const told = open.chat.business ? "Of a business account’s chats the bot is told: a message without its answer gets none." : "Telegram does not tell bots, so the agent still remembers it.";
    if (!await sure("Delete this message?", `${about} for all. ${told}`, "Delete")) return;
    await post(`/chats/${open.chat.id}/messages/${message.message_id}/delete`, { user: open.writer() });
    $("log").focus({ preventScroll: true });
  }
}
