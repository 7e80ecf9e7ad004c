// Thumbs at answers: how many, by day, by agent and model, and the newest with the way to their turn.
import { ago, chip, make, panel, sessionLink, table, when } from "./dom.js";

const THUMBS = [{ title: "Up", class: "n" }, { title: "Down", class: "n" }, { title: "Share up", class: "share" }];

export function feedback(told) {
  const all = told.up + told.down;
  const now = Date.now() / 1000;
  const days = told.days.map((one) => ({ row: [one.day, ...counts(one)] }));
  const answerers = told.answerers.map((one) => ({ row: [one.agent || "–", make("span", { class: "mono" }, one.model || "–"), ...counts(one)] }));
  const newest = told.newest.map((one) => ({ open: () => { location.hash = `#session/${encodeURIComponent(one.session)}`; },
    row: [make("span", { title: when(one.at) }, ago(one.at, now)), one.thumb === "up" ? chip("up", "good") : chip("down", "bad"), sessionLink(one.session), make("span", { class: "mono" }, one.reference),
      one.agent === null ? make("span", { class: "soft" }, "no longer known") : [one.agent, one.model].filter(Boolean).join(", ") || "–", make("span", { class: "mono" }, String(one.person))] }));
  const nothing = make("p", { class: "empty" }, "No answer has a thumb. People put 👍 or 👎 at an answer as a reaction.");
  return [
    make("p", { class: "note" }, `Thumbs that people put at answers within ${told.days_back} days; days are in UTC. Who answered is known for about a week, as the turns are.`),
    panel("Feedback", `${told.up} up, ${told.down} down`, all ? table([{ title: "Day" }, ...THUMBS], days) : nothing),
    all ? panel("By agent and model", told.unknown ? `without ${told.unknown} whose turn is no longer known` : null,
      answerers.length ? table([{ title: "Agent" }, { title: "Model" }, ...THUMBS], answerers) : make("p", { class: "empty" }, "The turns of these answers are no longer known.")) : null,
    all ? panel("The newest", all > newest.length ? `${newest.length} of ${all}` : null,
      table([{ title: "When" }, { title: "Thumb" }, { title: "Session" }, { title: "Ref" }, { title: "Agent, model", class: "wide" }, { title: "Person", class: "wide" }], newest)) : null,
  ];
}

function counts({ up, down }) {
  const share = (100 * up) / (up + down);
  return [String(up), String(down), make("span", { class: "thumbs", title: `${share.toFixed(0)} % up` }, make("i", { width: `${share}%` }))];
}
