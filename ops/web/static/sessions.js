// Sessions: found, listed, and one of them with the timeline of its turns.
import { ago, chip, clock, count, make, panel, seconds, sessionLink, table, when } from "./dom.js";

const HEADS = [{ title: "Session" }, { title: "Last turn" }, { title: "Turns", class: "n" }, { title: "Tokens", class: "n wide" }, { title: "Waiting", class: "n" }, { title: "Agent, model", class: "wide" }, { title: "On", class: "wide" }];

export function sessions({ found, word, shown, search, latest, every, work, more }) {
  const field = make("input", { type: "search", id: "search", value: word, placeholder: "Chat, session, update, task, reference (Ref 1a2b3c), or a hash from a log", autocomplete: "off", "aria-label": "Find sessions" });
  const form = make("form", { class: "row", onsubmit: (event) => { event.preventDefault(); search(field.value); } }, field, make("button", { class: "button" }, "Find"),
    make("button", { class: "button", type: "button", "aria-pressed": String(!word && shown === "latest"), onclick: latest }, "Active last"),
    make("button", { class: "button", type: "button", "aria-pressed": String(!word && shown === "work"), title: "Chats whose message has waited longest for its answer, and what they wait for", onclick: work }, "Oldest work"),
    make("button", { class: "button", type: "button", "aria-pressed": String(!word && shown === "all"), onclick: every }, "All"));
  const now = Date.now() / 1000;
  const rows = found.sessions.map((one) => ({
    open: () => { location.hash = `#session/${encodeURIComponent(one.session)}`; },
    row: [[sessionLink(one.session), one.moved ? make("div", { class: "soft" }, `goes on as ${one.moved}`) : null, one.why ? make("div", { class: "why" }, chip(`for ${seconds(one.for_s)}`, one.for_s > 60 ? "warn" : undefined), ` ${one.why}`) : null], make("span", { title: when(one.touched) }, ago(one.touched, now)), count(one.turns), count(one.input_tokens + one.output_tokens),
      one.waiting ? chip(String(one.waiting), "warn") : "0", [one.agent, one.model].filter(Boolean).join(", ") || make("span", { class: "soft" }, "default"), one.owner || ""] }));
  const nothing = word ? "Nothing is known of it. Turns of about a week are kept by reference and update." : shown === "all" ? "No sessions." : shown === "work" ? "No chat has work." : "No turn has ended yet.";
  return [form, make("section", { class: "panel" }, rows.length ? table(HEADS, rows) : make("p", { class: "empty" }, nothing)),
    !word && shown === "work" && rows.length ? make("p", { class: "note" }, "To end a chat's turn: ", make("code", {}, "cohort sessions stop SESSION"), " (its person reads “Stopped.”). To keep it from the next one: ", make("code", {}, "cohort pause turns SESSION"), ".") : null,
    found.complete ? null : make("p", { class: "note" }, "Not all of it: there are more keys than one look reads. Name the session whole."),
    found.next ? make("div", { class: "row" }, make("button", { class: "button", type: "button", onclick: () => more(found.next) }, "Next page")) : null];
}

export function session(one) {
  const fact = (name, value) => make("div", {}, make("dt", {}, name), make("dd", {}, value));
  const now = Date.now() / 1000;
  return [
    make("div", { class: "row" }, make("a", { href: "#sessions" }, "← Sessions")),
    panel("Session", one.session, make("dl", { class: "facts" },
      fact("Now", one.owner ? chip(`on ${one.owner}`, "good") : one.waiting ? chip("waits", "warn") : one.question ? chip("asks a person", "warn") : chip("rests")),
      fact("Last turn", one.touched ? `${ago(one.touched, now)} (${when(one.touched)})` : "–"), fact("Turns", count(one.turns)), fact("Tokens in", count(one.input_tokens)), fact("Tokens out", count(one.output_tokens)),
      fact("Agent", one.agent || "default"), fact("Model", one.model || "default"), fact("Waiting", String(one.waiting)), fact("Undelivered", String(one.undelivered)), fact("Notes", String(one.notes)), fact("Steps kept", String(one.steps)), fact("History", `${count(one.history_bytes)} bytes`))),
    one.question ? panel("It asks", null, question(one.question)) : null,
    one.inbox.length ? panel("Waiting messages", String(one.inbox.length), make("ol", {}, one.inbox.slice(0, 50).map((entry, n) => make("li", {}, `${n + 1}. update ${entry.update}, accepted ${ago(entry.at, now)} (${when(entry.at)})`)))) : null,
    one.outbox.length ? panel("Undelivered replies", String(one.outbox.length)) : null,
    panel("Turns", "the newest first; of about a week", legend(), one.records.length ? make("ol", { class: "turns" }, one.records.map(turn)) : make("p", { class: "empty" }, "No turn of it is kept.")),
    one.text ? panel("What was said", "the end of its history", make("ol", { class: "said" }, one.text.map((part) => make("li", { "data-role": part.role }, part.text)))) : null,
  ];
}

const PARTS = [["waited", "waited", "c2"], ["thought", "until the first text", "c1"], ["wrote", "until the commit", "c0"], ["sent", "until the last edit at Telegram", "c3"]];
const legend = () => make("p", { class: "times" }, PARTS.map(([, words, colour]) => make("span", {}, make("i", { class: colour }), words)));

function turn(record) {
  const first = record.first ?? record.committed;
  const marks = [record.accepted, record.begun, first, record.committed, record.delivered].map((at, n, all) => at ?? all.slice(0, n).findLast((one) => one !== null) ?? record.accepted);
  const whole = Math.max(0.001, marks.at(-1) - marks[0], ...[...record.steps, ...record.calls].map((step) => (step.ended ?? step.begun) - marks[0]));
  const share = (value) => `${Math.max(0, Math.min(1, value / whole)) * 100}%`;
  const parts = PARTS.map(([name, words], n) => ({ name, words, took: Math.max(0, marks[n + 1] - marks[n]) }));
  const is = record.outcome === "answered" ? "good" : record.outcome === "parked" ? "warn" : record.outcome === "set_aside" ? undefined : "bad";
  return make("li", {},
    make("div", { class: "row" }, make("b", {}, when(record.accepted)), chip(record.outcome || "?", is), make("b", {}, seconds(whole)), make("span", { class: "soft" }, parts.filter((part) => part.took >= 0.05).map((part) => `${seconds(part.took)} ${part.words}`).join(", "))),
    make("div", { class: "course" }, parts.filter((part) => part.took > 0).map((part) => make("i", { class: part.name, width: share(part.took), title: `${part.words}: ${seconds(part.took)}` }))),
    record.calls.length ? make("ul", { class: "tools models" }, record.calls.map((call) => make("li", { "data-is": call.failed ? "failed" : undefined },
      make("i", { left: share(call.begun - marks[0]), width: share(call.ended - call.begun) }), make("b", { width: share(call.begun - marks[0]) }), make("span", {},
        `${call.model || "model"}${new Set(record.calls.map((one) => one.agent)).size > 1 ? ` (${call.agent})` : ""}: ${seconds(call.ended - call.begun)}${call.input_tokens + call.output_tokens ? `, ${count(call.input_tokens)} in, ${count(call.output_tokens)} out` : ""}${call.failed ? ", failed" : ""}`)))) : null,
    record.steps.length ? make("ul", { class: "tools" }, record.steps.map((step) => make("li", { "data-is": step.failed ? "failed" : undefined },
      make("i", { left: share(step.begun - marks[0]), width: share((step.ended ?? marks[3]) - step.begun) }), make("b", { width: share(step.begun - marks[0]) }), make("span", {}, `${step.tool}: ${step.ended === null ? "did not end" : seconds(step.ended - step.begun)}${step.failed ? ", failed" : ""}`)))) : null,
    record.committed !== null && record.delivered === null && record.outcome !== "set_aside" ? make("p", {}, chip("its delivery was broken off", "warn")) : null,
    make("small", { class: "soft" }, `update ${record.updates.join(", ")}; ref ${record.references.join(", ")}; ${record.worker}; committed ${record.committed ? clock(record.committed) : "never"}`));
}

const KINDS = { approve: "A person is asked whether a tool may run.", doubt: "A person is asked whether a call may run again.", ask: "A tool asks a person." };
export function question(one) {
  const kinds = [...new Set(one.kinds)].map((kind) => KINDS[kind] || kind).join(" ") || "What it asks cannot be read.";
  return make("p", {}, `${kinds} `, one.about ? make("b", {}, one.about.join("; ")) : null, make("span", { class: "soft" }, ` Without an answer it is given up at ${when(one.ends)}.`));
}
