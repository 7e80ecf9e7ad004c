// Things to break, and then watch whether anything is lost.
import { get, post } from "./api.js";
import { $, make, menu, toast } from "./dom.js";

const fault = (kind, method, more) => () => post("/faults", { kind, method, ...more });

const ACTIONS = [
  ["Flood control on the next message", "429: come back in 5 seconds", fault("429", "sendMessage", { retry_after: 5 })],
  ["Server error on the next message", "500, nothing is sent", fault("500", "sendMessage")],
  ["Lose the answer to the next message", "It is sent, but the bot never hears so", fault("cut_after", "sendMessage")],
  ["Cut the next edit", "The connection ends, nothing is edited", fault("cut_before", "editMessageText")],
  ["Hand out the last 20 updates twice", "A bot that is not careful answers twice", () => post("/redeliver", { count: 20 })],
  ["An update that makes no sense", "It must not stop the others", () => post("/updates", { update: { message: { from: "no object" } } })],
];

async function show() {
  const { flood, inline, privacy } = await get("/faults");
  const item = (name, what, action) => make("button", { type: "button", role: "menuitem", onclick: () => run(name, action) }, make("b", {}, name), make("small", {}, what));
  const limits = ["Flood limits " + (flood.on ? "off" : "on"), "Like Telegram's: 1 a second in a chat, 20 a minute in a group", () => post("/flood", { on: !flood.on })];
  const feedback = ["Inline feedback " + (inline.feedback ? "off" : "on"), "As BotFather's /setinlinefeedback: is the bot told what people send of its offers?", () => post("/inline", { feedback: !inline.feedback })];
  const seen = ["Privacy mode " + (privacy.on ? "off" : "on"), "As BotFather's /setprivacy: does the bot see only what is meant for it in groups?", () => post("/privacy", { on: !privacy.on })];
  $("faults").replaceChildren(make("p", {}, "Break something, and watch it hold"), ...[...ACTIONS, limits, feedback, seen].map((action) => item(...action)));
  $("faults").hidden = false;
  $("break").setAttribute("aria-expanded", "true");
  $("faults").querySelector("button").focus();
}

function hide() {
  $("faults").hidden = true;
  $("break").setAttribute("aria-expanded", "false");
}

async function run(name, action) {
  hide();
  try { await action(); toast(`Ordered: ${name.toLowerCase()}`); } catch (problem) { toast(problem.message); }
}

export function faults() {
  menu($("faults"), $("break"), { show: () => show().catch((problem) => toast(problem.message)), hide });
}
