// The console: which part is shown, asked for again every few seconds, and what is said when Redis is away.
import { get } from "./api.js";
import { $, clock, make } from "./dom.js";
import { feedback } from "./feedback.js";
import { dead, people, questions } from "./lists.js";
import { overview } from "./overview.js";
import { session, sessions } from "./sessions.js";

const EVERY_MS = 2000;
const SERIES_MS = 10000;
let about = { changes: false, text: false, links: {} };
let seen = null;
let series = {};
let seriesAt = 0;
let span = localStorage.getItem("span") === "day" ? "day" : "hour";
let cursor = null;
let bot = sessionStorage.getItem("bot") || "";
let shown = "";
let turn = 0;

const place = () => {
  const [part, ...rest] = location.hash.slice(1).split("/");
  let word = rest.join("/");
  try { word = decodeURIComponent(word); } catch { /* it stays as it was typed */ }
  return { part: part || "overview", word };
};

// Of several bots, the one whose things are shown.
const of = (path) => (bot ? `${path}${path.includes("?") ? "&" : "?"}bot=${bot}` : path);

const parts = {
  overview: async () => {
    if (!series[span] || Date.now() - seriesAt > SERIES_MS) {
      // The figures above the plots are of the last minutes, whatever the plots show.
      for (const name of new Set(["hour", span])) series[name] = await get(`series/${name}`);
      seriesAt = Date.now();
    }
    return overview(seen, series.hour, series[span], span, (name) => { span = name; localStorage.setItem("span", name); refresh(); });
  },
  sessions: async (word) => {
    const query = word ? `?q=${encodeURIComponent(word)}` : cursor === "work" ? "?by=work" : cursor === null ? "" : `?cursor=${cursor}`;
    const go = (to) => () => { cursor = to; if (location.hash === "#sessions") refresh(true); else location.hash = "#sessions"; };
    return sessions({ found: await get(of(`sessions${query}`)), word, shown: cursor === null ? "latest" : cursor === "work" ? "work" : "all", search: (text) => { location.hash = `#sessions/${encodeURIComponent(text.trim())}`; },
      latest: go(null), every: go(0), work: go("work"), more: (next) => go(next)() });
  },
  session: async (word) => session(await get(`sessions/${encodeURIComponent(word)}`)),
  dead: async () => dead(await get(of("dead")), { changes: about.changes, again: () => refresh(true), failed: say }),
  questions: async () => questions(await get(of("questions"))),
  people: async () => people(await get(of("people"))),
  feedback: async () => feedback(await get(of("feedback"))),
};
// These would move away under the reader's hand.
const STILL = new Set(["sessions", "dead", "people", "feedback"]);

async function refresh(asked = false) {
  const mine = (turn += 1);
  const { part, word } = place();
  const fresh = asked || shown !== location.hash;
  let problem = null;
  try {
    seen = await get("overview");
  } catch (caught) {
    problem = caught;
  }
  stand(problem);
  if (seen && (fresh || !STILL.has(part)) && !problem) {
    try {
      const made = await (parts[part] || parts.overview)(word);
      if (mine === turn) show(made);
    } catch (caught) {
      if (mine === turn) show([make("p", { class: "panel empty" }, `${caught.message}.`)]);
    }
  }
}

function show(made) {
  const moved = shown !== location.hash;
  shown = location.hash;
  $("tip").hidden = true;
  $("view").replaceChildren(...made.filter(Boolean));
  if (moved) { document.querySelector("#tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }); scrollTo(0, 0); }
}

function bots(rows) {
  const names = [["", "All bots"], ...rows.map((one) => [String(one.bot), one.name || String(one.bot)]).sort((a, b) => a[1].localeCompare(b[1]))];
  if (!names.some(([number]) => number === bot)) bot = "";
  $("bot").hidden = !rows.length;
  const key = JSON.stringify(names);
  if ($("bot").dataset.has === key) return;
  $("bot").dataset.has = key;
  $("bot").replaceChildren(...names.map(([number, name]) => make("option", { value: number, selected: number === bot }, name)));
}

$("bot").onchange = (event) => {
  bot = event.target.value;
  sessionStorage.setItem("bot", bot);
  if (cursor !== "work") cursor = null;
  refresh(true);
};

function say(words) {
  $("state").dataset.is = "bad";
  $("state-line").textContent = words;
}

function stand(problem) {
  for (const tab of $("tabs").children) {
    const here = tab.getAttribute("href").slice(1);
    const open = place().part === here || (here === "sessions" && place().part === "session");
    if (open) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
  }
  if (seen) bots(seen.by_bot);
  document.body.toggleAttribute("data-stale", Boolean(problem));
  const list = problem || !seen ? [] : seen.problems;
  $("state").dataset.is = problem ? "bad" : list.length ? "warn" : "good";
  $("state-line").textContent = problem ? `${problem.message}.${seen ? ` What stands here is of ${clock(seen.at)}.` : ""}` : list.length ? "This needs a look" : "All is well";
  $("state-list").hidden = !list.length;
  $("state-list").replaceChildren(...list.map((line) => make("li", {}, line)));
  document.title = `${problem || list.length ? "● " : ""}Cohort console`;
  for (const [id, value] of [["n-questions", seen?.parked], ["n-dead", seen?.dead]]) { $(id).hidden = !value; $(id).textContent = value || ""; }
}

async function loop() {
  if (!document.hidden) await refresh();
  setTimeout(loop, EVERY_MS);
}

const dark = matchMedia("(prefers-color-scheme: dark)");
function scheme() { document.documentElement.dataset.scheme = localStorage.getItem("scheme") || (dark.matches ? "dark" : "light"); }
dark.onchange = scheme;
$("scheme").onclick = () => { localStorage.setItem("scheme", document.documentElement.dataset.scheme === "dark" ? "light" : "dark"); scheme(); };
scheme();

addEventListener("hashchange", () => refresh());
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
get("about").then((told) => {
  about = told;
  $("links").replaceChildren(...Object.entries(told.links).map(([label, url]) => make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label)));
}).catch(() => {}).finally(loop);
