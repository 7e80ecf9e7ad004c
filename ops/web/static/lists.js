// Dead letters, open questions, people.
import { post } from "./api.js";
import { chip, count, make, panel, sessionLink, table, when } from "./dom.js";
import { question } from "./sessions.js";

export function dead({ count: all, letters }, { changes, again, failed }) {
  const act = (verb, id) => async (event) => {
    const button = event.currentTarget;
    if (verb === "drop" && !button.dataset.sure) { button.dataset.sure = "yes"; button.textContent = "Really drop?"; return; }
    button.disabled = true;
    try { await post(`dead/${id}/${verb}`); } catch (problem) { failed(problem.message); }
    await again();
  };
  const heads = [{ title: "When" }, { title: "Session" }, { title: "Why it was given up", class: "words" }, { title: "" }];
  const rows = letters.map((letter) => ({ row: [make("div", { class: "pair" }, make("div", {}, when(letter.at)), make("small", { class: "soft mono" }, letter.id)), letter.session ? sessionLink(letter.session) : "–", letter.reason,
    changes ? make("div", { class: "row acts" }, letter.retryable ? make("button", { class: "button", type: "button", onclick: act("retry", letter.id) }, "Retry") : chip("no readable message"), make("button", { class: "button danger", type: "button", onclick: act("drop", letter.id) }, "Drop")) : ""] }));
  return [
    make("p", { class: "note" }, "A message becomes a dead letter after three tries that ended with the death of their worker, after three defects, or when it cannot be understood. Retry puts it back to the end of its session's inbox. ",
      changes ? "" : "This console only shows: set COHORT_CONSOLE_AUTH, or use `cohort dead retry ID` and `cohort dead drop ID`."),
    panel("Dead letters", all > letters.length ? `the newest ${letters.length} of ${all}` : String(all), letters.length ? table(heads, rows) : make("p", { class: "empty" }, "Nothing was given up on.")),
  ];
}

export function questions({ questions: open }) {
  return [
    make("p", { class: "note" }, "These turns rest until a person in the chat answers. Nothing else of the system waits for them."),
    panel("Open questions", String(open.length), open.length ? make("ol", { class: "turns" }, open.map((one) => make("li", {}, sessionLink(one.session), question(one)))) : make("p", { class: "empty" }, "No turn waits for a person.")),
  ];
}

export function people({ people: found, count: all, days, complete }) {
  const heads = [{ title: "Person" }, { title: "Role" }, { title: "Last day" }, ...days.map((day, n) => ({ title: `${new Date(`${day}T12:00`).toLocaleDateString([], { day: "numeric", month: "short" })}`, class: n > 2 ? "n wide" : "n" }))];
  const rows = found.map((one) => ({ row: [make("a", { class: "mono", href: `#sessions/${one.user}` }, one.name ? `${one.name} (${one.user})` : String(one.user)), one.role ? chip(one.role, one.role === "denied" ? "bad" : one.role === "owner" || one.role === "admin" ? "good" : undefined) : "–", one.last || "–", ...one.tokens.map((tokens) => (tokens ? count(tokens) : make("span", { class: "soft" }, "–")))] }));
  return [
    make("p", { class: "note" }, "Who used the bot lately or has a role, by Telegram's number, and the tokens of each day (UTC). A group has a number below 0."),
    panel("People", `${all}${complete ? "" : " or more"}`, found.length ? table(heads, rows) : make("p", { class: "empty" }, "No person has a role, and no tokens were used yet.")),
  ];
}
