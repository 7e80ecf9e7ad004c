// The page: which chats there are, which one is open, and what happens in them.
import { Refused, get, listen, post } from "./api.js";
import { connect } from "./business.js";
import { $, hue, initials, make, moment, toast } from "./dom.js";
import { Conversation } from "./conversation.js";
import { faults } from "./faults.js";
import { byBot, isService, summary } from "./message.js";

const SHOWN = 200; // chats in the list; bulk tests make thousands
const chats = new Map();
const unread = new Map();
const busy = new Map();
const conversation = new Conversation({
  changed: (chat) => { chats.set(chat.id, chat); list(); },
  moved: async (id) => { await refresh(); await show(id); },
});

async function attempt(work) {
  try { return await work(); } catch (problem) { toast(problem.message); throw problem; }
}

// -- the list

const stamp = (chat) => (chat.last ? chat.last.date : 0);

function who({ type, last }) {
  if (isService(last)) return "";
  if (type !== "private") return `${last.from.first_name}: `;
  return last.from.is_bot ? "" : "You: ";
}

function row(chat) {
  const open = conversation.chat?.id === chat.id;
  const writes = busy.has(chat.id);
  const last = writes ? "writing…" : chat.last ? who(chat) + summary(chat.last) : "Nothing said yet";
  const count = unread.get(chat.id);
  return make("li", {}, make("button", { type: "button", class: count ? "counted" : null, "aria-current": open ? "true" : null, onclick: () => show(chat.id) },
    make("span", { class: `avatar${chat.type === "private" ? "" : " square"}`, hue: hue(chat.id), "aria-hidden": "true" }, initials(chat.title)),
    make("span", { class: "name", dir: "auto" }, chat.title),
    chat.last ? make("time", {}, moment(chat.last.date)) : make("span"),
    make("span", { class: `last${writes ? " busy" : ""}`, dir: "auto" }, last),
    count ? make("span", { class: "unread", "aria-label": `${count} new` }, count > 99 ? "99+" : String(count)) : null));
}

let drawing = false;
function list() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const wanted = $("search").value.trim().toLowerCase();
    const found = [...chats.values()].filter((chat) => chat.title.toLowerCase().includes(wanted) || String(chat.id).includes(wanted));
    found.sort((a, b) => stamp(b) - stamp(a) || (b.order ?? 0) - (a.order ?? 0));
    $("chats").replaceChildren(...found.slice(0, SHOWN).map(row));
    $("no-chats").hidden = found.length > 0;
    $("no-chats").textContent = chats.size ? "No chat is called that." : "No chats yet. Make one above: each is a conversation of its own with the bot.";
    document.title = [...unread.values()].some(Boolean) ? "● Cohort playground" : "Cohort playground";
  });
}

async function show(id, thread = null) {
  unread.delete(id);
  const place = `#${id}${thread ? `/${thread}` : ""}`;
  // From the list a chat is a step forward, which the browser's Back takes back; from a chat to another it is none.
  if ($("chat").hidden && location.hash !== place) history.pushState({ list: true }, "", place);
  else history.replaceState(history.state, "", place);
  document.body.dataset.open = "";
  $("welcome").hidden = true;
  $("chat").hidden = false;
  await conversation.open(chats.get(id), thread);
  list();
}

function leave() {
  // The list is the step before, where the chat was opened from it.
  if (history.state?.list) return history.back();
  history.replaceState(null, "", location.pathname);
  close();
}

function close() {
  delete document.body.dataset.open;
  conversation.close();
  $("chat").hidden = true;
  $("welcome").hidden = false;
  list();
}

// Back, forward, and another chat's link.
addEventListener("popstate", () => {
  const [id, thread] = location.hash.slice(1).split("/").map(Number);
  if (chats.has(id)) show(id, thread || null).catch(() => {});
  else if (conversation.chat) close();
});

async function makeChat(kind) {
  if (kind === "business") return show((await attempt(() => connect(chats))).id);
  const wish = kind === "topics" ? { type: "supergroup", topics: ["First topic", "Second topic"] } : { type: kind };
  const chat = await attempt(() => post("/chats", wish));
  chats.set(chat.id, chat);
  await show(chat.id, chat.topics[0]?.id ?? null);
}

for (const button of document.querySelectorAll("[data-make]")) button.onclick = () => makeChat(button.dataset.make);
// Of more chats than are listed, those that are found are fetched.
async function find(words) {
  for (const chat of await get(`/chats?${new URLSearchParams({ limit: SHOWN, find: words })}`)) if (!chats.has(chat.id)) chats.set(chat.id, chat);
  list();
}

let seeking = 0;
function seek() {
  list();
  clearTimeout(seeking);
  const wanted = $("search").value.trim();
  if (wanted && chats.size >= SHOWN) seeking = setTimeout(() => attempt(() => find(wanted)), 200);
}
$("search").oninput = seek;
$("back").onclick = leave;

// -- what happens

async function refresh() {
  const [found, info] = await Promise.all([get(`/chats?limit=${SHOWN}`), get("/info")]);
  chats.clear();
  found.forEach((chat, n) => chats.set(chat.id, { ...chat, order: found.length - n }));
  $("model").hidden = !info.model;
  $("model").textContent = `answers: ${info.model}`;
  $("model").title = $("model").textContent;
  $("links").replaceChildren(...(info.links || []).map((link) => make("a", { href: link.url, target: "_blank", rel: "noopener" }, link.label)));
  Object.assign(conversation.composer, { commands: info.commands, bot: info.bot });
  seek();
  const open = conversation.chat?.id ?? Number(location.hash.slice(1).split("/")[0]);
  // One that is open, or that a link names, may not be among the newest.
  if (open && !chats.has(open)) await find(String(open));
  if (chats.has(open)) await show(open, conversation.chat ? conversation.thread : Number(location.hash.split("/")[1]) || null);
  else if (conversation.chat) {
    history.replaceState(null, "", location.pathname);
    close();
    toast("This chat is gone: the playground was started again, and keeps its chats in memory.");
  }
}

let pending = 0;
const refreshSoon = () => { clearTimeout(pending); pending = setTimeout(() => refresh().catch(() => {}), 150); };

function mark(chat, on) {
  clearTimeout(busy.get(chat));
  if (on) busy.set(chat, setTimeout(() => { busy.delete(chat); list(); }, 5200));
  else busy.delete(chat);
}

function heard(event) {
  if (event.kind === "resync" || event.kind === "commands" || (event.chat && !chats.has(event.chat))) return refreshSoon();
  const chat = chats.get(event.chat);
  switch (event.kind) {
    case "message": {
      const { message } = event;
      const isNew = !chat.last || message.message_id > chat.last.message_id;
      if (isNew || message.message_id === chat.last.message_id) chat.last = message;
      if (byBot(message)) {
        mark(chat.id, false);
        if (isNew && (conversation.chat?.id !== chat.id || document.hidden)) unread.set(chat.id, (unread.get(chat.id) || 0) + 1);
      }
      break;
    }
    case "action": mark(chat.id, true); break;
    case "chat": get(`/chats/${event.chat}`).then((fresh) => { chats.set(fresh.id, { ...chat, ...fresh }); conversation.described(chats.get(fresh.id)); list(); }); break;
    default: break;
  }
  conversation.heard(event);
  list();
}

let polls = 0;
async function status() {
  let is = "lost";
  let words = "playground is gone";
  try {
    const queue = await get("/queue");
    const online = queue.waiting > 0 || queue.polls !== polls || Boolean(queue.webhook);
    is = online && !queue.pending ? "online" : queue.polls || queue.pending ? "waiting" : "off";
    words = queue.pending ? `${queue.pending} waiting` : online ? "bot is online" : queue.polls ? "bot is away" : "no bot yet";
    polls = queue.polls;
  } catch (problem) {
    // It answers, but not us: it was started again, and its key is another one now.
    if (problem instanceof Refused) words = problem.message;
  }
  $("status").dataset.is = is;
  $("status").lastElementChild.textContent = words;
  setTimeout(status, 1500);
}

// -- light and dark

const dark = matchMedia("(prefers-color-scheme: dark)");
function scheme() {
  document.documentElement.dataset.scheme = localStorage.getItem("scheme") || (dark.matches ? "dark" : "light");
}
dark.onchange = scheme;
$("scheme").onclick = () => {
  localStorage.setItem("scheme", document.documentElement.dataset.scheme === "dark" ? "light" : "dark");
  scheme();
};
scheme();

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && conversation.chat) { unread.delete(conversation.chat.id); list(); }
});
faults();
listen({ heard, found: () => refresh().catch((problem) => toast(problem.message)), lost: () => { $("status").dataset.is = "lost"; } });
status();
