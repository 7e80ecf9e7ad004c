// The open chat: its messages as they come, its topics, and what can be done in it.
import { albums, get, post, upload, kindOf } from "./api.js";
import { tell } from "./dialog.js";
import { Handling } from "./handling.js";
import { Composer } from "./composer.js";
import { names } from "./inline.js";
import { actions, addTopic } from "./actions.js";
import { emptyWords, standing } from "./business.js";
import { $, day, hue, initials, make, menu, toast } from "./dom.js";
import { Sheet } from "./sheet.js";
import { pieces } from "./pieces.js";
import { bubble, byBot, draft, isService, typing } from "./message.js";

const SHOWN = 400; // messages drawn at once
const ASKED_S = 10; // that the bot may take to offer something
const IDEAS = ["Hello! What can you do?", "What time is it in Tokyo?", "Tell me a short story."];

const topicOf = (message) => (message.is_topic_message ? message.message_thread_id : null);

export class Conversation {
  constructor({ changed, moved }) {
    this.changed = changed;
    this.moved = moved;
    this.chat = this.thread = this.since = null; // `since`: what came while the chat's messages are asked for
    this.messages = new Map();
    this.reactions = {};
    Object.assign(this, { news: new Set(), presses: new Map(), early: new Map() });
    this.sheet = new Sheet($("log"));
    this.composer = new Composer({
      last: () => this.lastOwn(),
      send: (what) => this.attempt(() => this.say(what)),
      ask: (text) => post(`/chats/${this.chat.id}/inline`, { text, ...this.here(), timeout: ASKED_S }),
      choose: (query, result) => this.attempt(() => post(`/inline/${query}/choose`, { result }).then(() => this.toEnd())),
    });
    const handling = new Handling(this);
    this.on = {
      press: (message, data, button) => this.attempt(() => this.press(message, data, button)),
      goTo: (id) => this.goTo(id),
      reply: (message) => this.composer.startReply(message),
      edit: (message) => this.composer.startEdit(message),
      react: (message) => this.attempt(() => handling.react(message, "👍")),
      more: (message, button) => handling.show(message, button),
      command: (text) => this.attempt(() => this.say({ text })),
      stop: (one) => this.attempt(() => post(`/chats/${this.chat.id}/stop`, { draft_id: one.draft_id })),
    };
    $("down").onclick = () => this.toEnd();
    Object.assign(this, { stuck: true, missed: 0 });
    $("log").onscroll = () => { this.stuck = this.atEnd(); this.below(); };
    const hold = () => { if (this.stuck) this.toEnd(); };
    new ResizeObserver(hold).observe($("log"));
    $("log").addEventListener("load", hold, true);
    $("as").onchange = () => this.draw();
    menu($("menu"), $("more"), { show: () => this.menu(true), hide: () => this.menu(false) });
  }

  async attempt(work) {
    try { return await work(); } catch (problem) { toast(problem.message); throw problem; }
  }

  async open(chat, thread = null) {
    const same = this.chat?.id === chat.id && this.thread === thread;
    const stay = same && !this.atEnd();
    Object.assign(this, { chat, thread });
    this.news.delete(`${chat.id}/${thread}`);
    if (!same) {
      // What is typed from now on is for this chat, however slow its messages are.
      this.composer.open(`${chat.id}/${thread}`);
      this.fill({ messages: [], reactions: {}, drafts: [] });
    }
    this.described(chat);
    const since = (this.since = []);
    const content = await this.attempt(() => get(`/chats/${chat.id}/messages`));
    if (this.since !== since) return; // it was opened again, or left
    this.since = null;
    this.fill(content);
    for (const event of since) this.heard(event); // they may be newer than the answer
    this.draw();
    if (!stay) this.toEnd();
  }

  fill({ messages, reactions, drafts, action }) {
    if (!messages.length) this.sheet.empty();
    this.messages = new Map(messages.map((message) => [message.message_id, message]));
    Object.assign(this, { reactions, doing: action?.action ?? null, drafting: drafts[0] ?? null });
  }

  close() { this.chat = this.thread = this.since = null; }

  described(chat) {
    if (this.chat?.id !== chat.id) return;
    this.chat = chat;
    const kind = { private: "private chat", group: "group", supergroup: "supergroup", business: "business chat" }[chat.type];
    const blocked = chat.bot_status === "kicked" ? (chat.type === "private" ? " · you blocked the bot" : " · the bot was banned") : chat.bot_status === "left" ? " · the bot is no member" : "";
    const people = chat.type === "private" ? "" : chat.business ? standing(chat) : ` · ${chat.users.map((user) => user.first_name).join(", ")}${blocked ? "" : " and the bot"}`;
    $("title").textContent = chat.title;
    $("subtitle").textContent = `${kind}${people}${blocked} · id ${chat.chat.id}`;
    $("avatar").textContent = initials(chat.title);
    $("avatar").style.setProperty("--hue", hue(chat.id));
    $("avatar").classList.toggle("square", chat.type !== "private");
    this.drawTopics();
    const choice = $("as").querySelector("select");
    const now = choice.value;
    choice.replaceChildren(...chat.users.map((user) => make("option", { value: user.id }, user.first_name)));
    if (chat.users.some((user) => String(user.id) === now)) choice.value = now;
    $("as").hidden = chat.users.length < 2;
  }

  drawTopics() {
    const { chat } = this;
    $("topics").hidden = !chat.topics.length && !chat.chat.is_forum;
    const news = (id) => this.news.has(`${chat.id}/${id}`) && this.thread !== id;
    const tab = (id, name, closed) => make("button", { type: "button", class: closed ? "closed" : null, "aria-current": this.thread === id ? "true" : null, onclick: () => { history.replaceState(history.state, "", `#${chat.id}${id ? `/${id}` : ""}`); this.open(chat, id); } },
      name, news(id) ? make("i", { class: "new", role: "img", "aria-label": "New messages" }) : null);
    $("topics").replaceChildren(tab(null, chat.type === "private" ? "No topic" : "General", chat.general !== "open"), ...chat.topics.map((topic) => tab(topic.id, topic.name, topic.closed)),
      make("button", { type: "button", class: "add", onclick: () => this.attempt(() => addTopic(this)) }, "+ Topic"));
    $("topics").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // -- drawing

  mine(message) { return topicOf(message) === this.thread || (this.chat.type === "supergroup" && !this.chat.chat.is_forum); }

  // What the bot says in a topic that is not open.
  noteTopic(chat, message) {
    if (chat === this.chat?.id && this.mine(message)) return;
    this.news.add(`${chat}/${topicOf(message)}`);
    if (chat === this.chat?.id) this.drawTopics();
  }

  shown(message, before) {
    const first = !before || isService(before) || before.from.id !== message.from.id || byBot(before) !== byBot(message) || message.date - before.date > 300;
    const own = !byBot(message) && message.from.id === (this.writer() ?? this.chat.users[0]?.id ?? message.from.id);
    return { own, first, names: this.chat.type !== "private", reactions: this.reactions[message.message_id] };
  }

  draw() {
    const parts = [];
    let before = null;
    const line = (kind, words) => ({ key: `${kind} ${words}`, of: words, make: () => make("p", { class: kind }, words) });
    const mine = [...this.messages.values()].filter((message) => this.mine(message));
    if (mine.length > SHOWN) parts.push(line("service", `${mine.length - SHOWN} earlier messages are not shown`));
    for (const message of mine.slice(-SHOWN)) {
      if (!before || day(before.date) !== day(message.date)) parts.push(line("day", day(message.date)));
      const shown = this.shown(message, before);
      const one = { key: message.message_id, of: [message, shown], make: () => bubble(message, shown, this.on) };
      const album = message.media_group_id && ("photo" in message || "video" in message) ? `album ${message.media_group_id}` : null;
      if (album && parts.at(-1)?.key === album) parts.at(-1).parts.push(one);
      else parts.push(album ? { key: album, parts: [one], make: () => make("div", { class: `album${shown.own ? " own" : ""}` }) } : one);
      before = message;
    }
    if (mine.every(isService)) parts.push({ key: "nothing", of: [this.chat.bot_status, this.composer.commands], make: () => this.nothing() });
    if (this.drafting && this.drafting.thread === this.thread) parts.push({ key: "draft", of: this.drafting, make: () => draft(this.drafting, this.on) });
    else if (this.doing) parts.push({ key: "doing", of: this.doing, make: () => typing(this.doing) });
    this.sheet.draw(parts);
  }

  nothing() {
    const name = `@${this.composer.bot.username}`;
    const starters = this.chat.business ? [] : this.composer.commands.slice(0, 2).map((one) => `/${one.command}`);
    const said = (text) => (this.chat.type === "private" || this.chat.business || text.startsWith("/") ? text : `${name} ${text}`);
    const ideas = [...IDEAS, ...starters].map((text) => make("button", { type: "button", onclick: () => this.attempt(() => this.say({ text: said(text) })) }, text));
    const words = this.chat.business ? emptyWords(this.chat) : this.chat.type === "private" ? "Write to the bot below. Its answer grows here while it is written."
      : this.chat.bot_status === "left" ? `The bot is no member here. ${name} in a message calls it as a guest, if it takes such calls.`
      : `In a group the bot answers what names it (${name}), what replies to it, and commands. Add people from the menu above and write as any of them.`;
    return make("div", { class: "empty" }, make("h3", {}, "Say something"), make("p", {}, words), make("div", {}, ...ideas));
  }

  atEnd() { const log = $("log"); return log.scrollHeight - log.scrollTop - log.clientHeight < 60; }

  toEnd() {
    $("log").scrollTop = $("log").scrollHeight;
    this.stuck = true;
    this.below();
  }

  // The way down, and how many messages came while someone reads further up.
  below() {
    if (this.stuck) this.missed = 0;
    $("down").hidden = this.stuck;
    $("missed").hidden = !this.missed;
    $("missed").textContent = this.missed > 99 ? "99+" : String(this.missed);
    $("down").setAttribute("aria-label", `To the newest message${this.missed ? `, ${this.missed} new` : ""}`);
  }

  goTo(id) {
    const element = $(`m${id}`);
    if (!element) return toast("This message is not here any more");
    element.scrollIntoView({ block: "center", behavior: "smooth" });
    element.classList.add("flash");
    setTimeout(() => element.classList.remove("flash"), 1500);
  }

  // -- what happens

  heard(event) {
    if (event.kind === "press") return this.answered(event);
    if (event.kind === "message" && byBot(event.message)) this.noteTopic(event.chat, event.message);
    if (!this.chat || event.chat !== this.chat.id) return;
    this.since?.push(event);
    const stick = this.atEnd();
    switch (event.kind) {
      case "message": {
        const known = this.messages.has(event.message.message_id);
        this.messages.set(event.message.message_id, event.message);
        if (byBot(event.message) && !known) { this.doing = null; this.drafting = null; }
        if (!known && !stick && this.mine(event.message)) this.missed += 1;
        this.draw();
        break;
      }
      case "deleted": this.messages.delete(event.message_id); this.draw(); break;
      case "reaction": this.reactions[event.message_id] = event.reactions; this.draw(); break;
      case "action":
        if ((event.thread ?? null) !== this.thread) return;
        this.doing = event.action;
        clearTimeout(this.still);
        this.still = setTimeout(() => { this.doing = null; if (this.chat) this.draw(); }, 5200);
        this.draw();
        break;
      case "draft": this.drafting = event.draft; this.draw(); break;
      default: return;
    }
    if (stick) this.toEnd();
    else this.below();
  }

  answered({ callback_query_id: id, answer }) {
    const button = this.presses.get(id);
    // A quick bot answers before this page knows the number of its press.
    if (!button) return this.early.set(id, answer);
    this.presses.delete(id);
    button.removeAttribute("aria-busy");
    if (answer.text && answer.show_alert) tell(answer.text);
    else if (answer.text) toast(answer.text);
  }

  // -- what people do

  async say({ text, files = [], reply = null, quote = null, edit = null }) {
    const { chat } = this;
    if (edit) return post(`/chats/${chat.id}/messages/${edit.message_id}/edit`, { text });
    const how = { ...this.here(), reply_to: reply?.message_id, quote: quote ?? undefined };
    if (!files.length && this.guest(text, reply)) return this.summon({ ...how, text });
    if (!files.length) for (const piece of pieces(text)) await post(`/chats/${chat.id}/messages`, { ...how, text: piece });
    const items = await Promise.all(files.map(async (file) => ({ [kindOf(file)]: (await upload(file)).file_id })));
    // The words stand below the first.
    if (items.length) items[0].caption = text;
    for (const album of albums(items)) {
      if (album.length > 1) await post(`/chats/${chat.id}/album`, { ...how, items: album });
      else await post(`/chats/${chat.id}/messages`, { ...how, ...album[0] });
    }
    this.toEnd();
  }

  // Who writes, and in which topic.
  here() { return { user: this.writer(), thread: this.thread }; }

  // Whether a message calls the bot, which is no member, as a guest: by its name, or as an answer to it.
  guest(text, reply) {
    return this.chat.bot_status === "left" && (names(text, this.composer.bot.username) || Boolean(reply?.from.is_bot));
  }

  async summon(message) {
    const said = await post(`/chats/${this.chat.id}/guest`, message);
    this.toEnd();
    if (said.update_id === null) toast("The bot is not told: it takes calls of guests with COHORT_GUESTS=on");
    return said;
  }

  // The newest text of who writes here, to change it.
  lastOwn() {
    const mine = [...this.messages.values()].filter((message) => this.mine(message) && this.shown(message, null).own);
    return mine.at(-1) && "text" in mine.at(-1) && !mine.at(-1).via_bot ? mine.at(-1) : null;
  }

  writer() {
    const chosen = Number($("as").querySelector("select").value);
    return this.chat.users.some((user) => user.id === chosen) ? chosen : undefined;
  }

  async press(message, data, button) {
    button.setAttribute("aria-busy", "true");
    const pressed = await post(`/chats/${this.chat.id}/messages/${message.message_id}/press`, { data, user: this.writer() })
      .catch((problem) => { button.removeAttribute("aria-busy"); throw problem; });
    const id = pressed.callback_query_id;
    this.presses.set(id, button);
    if (this.early.has(id)) this.answered({ callback_query_id: id, answer: this.early.get(id) });
    this.early.clear();
    setTimeout(() => { if (this.presses.delete(id)) button.removeAttribute("aria-busy"); }, 15000);
  }

  menu(open) {
    $("menu").hidden = !open || !this.chat;
    $("more").setAttribute("aria-expanded", String(open));
    if ($("menu").hidden) return;
    $("menu").replaceChildren(...actions(this).map(([words, action]) => make("button", {
      type: "button", role: "menuitem", onclick: () => { this.menu(false); $("more").focus(); this.attempt(action); },
    }, words)));
    $("menu").firstElementChild.focus();
  }
}
