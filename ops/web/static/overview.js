// The overview: what to know at a glance, an hour or a day as plots, the pool.
import { chip, count, make, panel, seconds, table } from "./dom.js";
import { plot, tell } from "./plots.js";

const LATE_S = 60;
const MODELS = 5;

export function overview(now, hour, series, span, choose) {
  const pick = (name, words) => make("button", { class: "button", type: "button", "aria-pressed": String(span === name), onclick: () => choose(name) }, words);
  return [tiles(now, hour), make("div", { class: "row", role: "group", "aria-label": "What the plots show" }, pick("hour", "Last hour"), pick("day", "Last day")),
    plots(series), pool(now)];
}

function tile(name, value, unit, below, is) {
  return make("dl", { class: "tile", "data-is": is }, make("dt", {}, name), make("dd", {}, value, unit ? make("small", {}, ` ${unit}`) : null), make("dd", { class: "below" }, below));
}

function tiles(now, hour) {
  const open = now.models.filter((model) => model.open);
  const share = now.lanes ? now.running / now.lanes : 0;
  const last = hour.buckets.slice(-6, -1);
  const turns = last.reduce((sum, bucket) => sum + turned(bucket), 0) / 5;
  const first = last.map((bucket) => bucket.first_half_s).filter((value) => value !== null).sort((a, b) => a - b);
  const running = tile("Running turns", String(now.running), `of ${now.lanes} lanes`, now.load === null ? "no lanes" : `load ${now.load.toFixed(2)}`, now.load > 1 ? "warn" : undefined);
  running.append(make("dd", { class: "below lanes" }, make("i", { width: `${Math.min(1, share) * 100}%` })));
  return make("div", { class: "tiles" },
    tile("Chats waiting", String(now.waiting), null, now.waiting ? `the oldest for ${seconds(now.oldest_s)}` : "nothing waits", now.oldest_s > LATE_S ? "warn" : undefined),
    running,
    tile("Turns", count(Math.round(turns * 10) / 10), "a minute", "last five minutes"),
    tile("First text after", first.length ? seconds(first[Math.floor(first.length / 2)]) : "–", null, first.length ? "half of the turns, last five minutes" : "no turn in five minutes"),
    tile("Model", open.length ? "away" : now.models.length ? "fails" : now.workers.length ? "ok" : "–", null,
      now.models.map((model) => `${model.name} for ${seconds(model.since_s)}${model.reason ? `: ${model.reason}` : ""}`).join(", ") || (now.workers.length ? "no faults" : "no worker says"), open.length ? "bad" : now.models.length ? "warn" : undefined),
    tile("Telegram", count(now.telegram.sent), "a minute", now.telegram.refused ? `${now.telegram.refused} refused (429)` : "nothing refused", now.telegram.refused ? "warn" : undefined),
    tile("Questions open", String(now.parked), null, now.parked ? "turns wait for people" : "no turn waits for people"),
    tile("Dead letters", String(now.dead), null, now.dead ? "messages given up on" : "nothing was given up on", now.dead ? "warn" : undefined));
}

const turned = (bucket) => Object.values(bucket.turns).reduce((sum, value) => sum + value, 0);

function plots({ buckets, width_s: width }) {
  const per = width / 60;
  const of = (bucket, ...outcomes) => outcomes.reduce((sum, name) => sum + (bucket.turns[name] || 0), 0) / per;
  const good = ["answered", "parked", "set_aside"];
  const bad = (bucket) => turned(bucket) / per - of(bucket, ...good);
  const whole = buckets.slice(0, -1);
  const used = new Map();
  for (const bucket of buckets) for (const [model, tokens] of Object.entries(bucket.tokens)) used.set(model, (used.get(model) || 0) + tokens);
  const models = [...used.keys()].sort((a, b) => used.get(b) - used.get(a));
  const others = models.slice(MODELS);
  const shown = models.slice(0, MODELS).map((model, n) => ({ name: model, colour: `c${n}`, values: buckets.map((bucket) => bucket.tokens[model] || 0) }));
  if (others.length) shown.push({ name: "others", colour: "c5", values: buckets.map((bucket) => others.reduce((sum, model) => sum + (bucket.tokens[model] || 0), 0)) });
  const there = (value) => (bucket) => (bucket.workers ? value(bucket) : null);
  const last = buckets.findLast((bucket) => bucket.first_half_s !== null);
  const most = Math.max(0, ...buckets.map((bucket) => bucket.oldest_s));
  return make("div", { class: "two" },
    plot({ title: "Oldest wait", hint: "how long the first in line has waited", now: `${seconds(most)} at most`, buckets, width, kind: "lines", say: seconds,
      series: [{ name: "oldest wait", colour: "c2", values: buckets.map(there((bucket) => bucket.oldest_s)) }] }),
    plot({ title: "Turns a minute", hint: "answered, and not", now: count(Math.round((whole.reduce((sum, bucket) => sum + turned(bucket), 0) / per / whole.length) * 10) / 10) + " on average", buckets, width, kind: "bars", say: (value) => count(Math.round(value * 10) / 10),
      series: [{ name: "answered", colour: "c0", values: buckets.map((bucket) => of(bucket, ...good)) }, { name: "failed, refused or given up", colour: "cbad", values: buckets.map((bucket) => Math.max(0, bad(bucket))) }] }),
    plot({ title: "First text after", hint: "from a turn's begin", now: last ? `${seconds(last.first_half_s)} for half` : "–", buckets, width, kind: "lines", say: seconds,
      series: [{ name: "half of the turns", colour: "c1", values: buckets.map((bucket) => bucket.first_half_s) }, { name: "95 of 100", colour: "c2", values: buckets.map((bucket) => bucket.first_most_s) }] }),
    plot({ title: "Tokens a minute", hint: "by model, in and out", now: `${count([...used.values()].reduce((a, b) => a + b, 0))} in all`, buckets, width, kind: "bars", say: (value) => count(Math.round(value)),
      series: shown.map((one) => ({ ...one, values: one.values.map((value) => value / per) })) }));
}

function pool(now) {
  const heads = [{ title: "Worker" }, { title: "Turns running, of lanes" }, { title: "Queued", class: "n" }, { title: "Slots", class: "n" }, { title: "Turns in all", class: "n wide" }, { title: "Process", class: "n wide" }];
  const rows = now.workers.map((worker) => ({ row: [
    [make("b", {}, now.names[worker.incarnation] || worker.incarnation), worker.servers_down.length ? make("div", {}, chip(`MCP away: ${worker.servers_down.join(", ")}`, "warn")) : null],
    [`${Math.max(0, worker.at_work - worker.queued)} of ${worker.lanes}`, make("div", { class: "lanes" },
      make("i", { width: `${(Math.max(0, worker.at_work - worker.queued) / worker.lanes) * 100}%` }), make("i", { class: "queued", width: `${(worker.queued / worker.lanes) * 100}%` }))],
    worker.queued ? `${worker.queued} (${seconds(worker.queued_s)})` : "0", String(worker.slots), worker.turns === null ? "–" : count(worker.turns), String(worker.pid)] }));
  const bounds = now.ages.bounds;
  const labels = [`under ${seconds(bounds[0])}`, ...bounds.slice(1).map((bound, n) => `${seconds(bounds[n])} – ${seconds(bound)}`), `over ${seconds(bounds.at(-1))}`];
  const most = Math.max(1, ...now.ages.counts);
  const cells = now.pool.map((slot) => {
    const is = slot.owner === null ? "alone" : slot.oldest_s > LATE_S ? "late" : slot.sessions ? "busy" : undefined;
    const words = [`slot ${slot.slot}`, slot.owner === null ? "no worker serves it" : now.names[slot.owner], slot.sessions ? `${slot.sessions} with work, the oldest for ${seconds(slot.oldest_s)}` : "no work"];
    return make("li", { "data-is": is, "aria-label": words.join(": "), onpointermove: (event) => tell(event, words), onpointerleave: () => { document.getElementById("tip").hidden = true; } }, slot.sessions ? String(slot.sessions) : "");
  });
  return make("div", { class: "two" },
    panel("Workers", now.workers.length ? `${now.workers.length}` : "", now.workers.length ? table(heads, rows) : make("p", { class: "empty" }, "No worker runs: messages are kept until one starts."),
      ...now.gone.map((name) => make("p", {}, chip(`${name}: its heartbeat stopped`, "bad"))),
      ...byBot(now.by_bot),
      make("ul", {}, now.bot_lines.map((line) => make("li", {}, line.good ? line.text : chip(line.text, "warn"))))),
    make("div", { class: "panel" }, make("h2", {}, "Chats with work", make("small", {}, "by the age of their oldest message, running turns included")),
      make("div", { class: "ages" }, labels.flatMap((label, n) => [make("small", { class: "soft" }, label), make("span", { class: n > 2 ? "old" : "" }, make("i", { width: `${(now.ages.counts[n] / most) * 100}%` })), make("b", {}, String(now.ages.counts[n]))])),
      make("h2", {}, "Slots", make("small", {}, `${now.slots}, with the number of chats with work in each`)), make("ul", { class: "pool" }, cells)));
}

function byBot(bots) {
  const heads = [{ title: "Bot" }, { title: "Number", class: "n wide" }, { title: "Chats with work", class: "n" }, { title: "The oldest for", class: "n" }];
  const rows = bots.map((bot) => ({ row: [make("b", {}, bot.name || "no process"), String(bot.bot), count(bot.waiting), bot.waiting ? seconds(bot.oldest_s) : "–"] }));
  return bots.length ? [table(heads, rows)] : [];
}
