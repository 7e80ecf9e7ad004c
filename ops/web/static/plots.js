// Plots: bars or lines over an hour or a day, with what each bucket holds under the pointer.
import { $, drawn, make, minute } from "./dom.js";

const HIGH = 100;

function nice(value) {
  if (value <= 0) return 1;
  const ten = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * ten).find((step) => step >= value);
}

// series: [{ name, values (null: nothing), colour }]; kind: "bars" (stacked) or "lines".
export function plot({ title, hint, now, buckets, width, series, kind, say }) {
  const total = (n) => series.reduce((sum, one) => sum + (one.values[n] || 0), 0);
  const heights = buckets.map((_, n) => (kind === "bars" ? total(n) : Math.max(0, ...series.map((one) => one.values[n] || 0))));
  const top = nice(Math.max(...heights));
  const y = (value) => HIGH - (value / top) * HIGH;
  const svg = drawn("svg", { viewBox: `0 0 ${buckets.length} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const part of [0, 0.5, 1]) svg.append(drawn("line", { class: "grid-line", x1: 0, x2: buckets.length, y1: part * HIGH, y2: part * HIGH }));
  buckets.forEach((bucket, n) => {
    if (!bucket.workers) svg.append(drawn("rect", { class: "away", x: n, y: 0, width: 1, height: HIGH }));
  });
  (kind === "bars" ? bars : lines)(svg, series, buckets.length, y);
  const pointer = drawn("line", { class: "pointer", y1: 0, y2: HIGH, x1: 0, x2: 0, visibility: "hidden" });
  svg.append(pointer);
  const canvas = make("div", { class: "canvas" }, svg,
    make("span", { class: "y", top: "0" }, say(top)), make("span", { class: "y", top: "50%" }, say(top / 2)), make("span", { class: "y", top: "100%" }, "0"));
  const legend = series.length > 1 || kind === "bars" ? series.map((one) => make("span", {}, make("i", { class: one.colour }), one.name)) : [];
  if (buckets.some((bucket) => !bucket.workers)) legend.push(make("span", {}, make("i", { class: "away c5" }), "no worker"));
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const n = Math.min(buckets.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * buckets.length)));
    pointer.setAttribute("visibility", "visible");
    pointer.setAttribute("x1", n + 0.5);
    pointer.setAttribute("x2", n + 0.5);
    tell(event, [`${minute(buckets[n].at)} – ${minute(buckets[n].at + width)}`,
      ...(buckets[n].workers ? series.map((one) => `${one.name}: ${one.values[n] === null ? "–" : say(one.values[n])}`) : ["no worker"])]);
  });
  canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; pointer.setAttribute("visibility", "hidden"); });
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => make("span", {}, part === 1 ? "now" : minute(buckets[Math.floor(part * (buckets.length - 1))].at)));
  return make("figure", { class: "panel plot", "aria-label": `${title}: ${now}` },
    make("h3", {}, make("span", { class: "now" }, now), title, make("small", {}, hint)), canvas, make("div", { class: "x" }, marks), make("figcaption", { class: "legend" }, legend));
}

function bars(svg, series, length, y) {
  for (let n = 0; n < length; n += 1) {
    let below = 0;
    for (const one of series) {
      const value = one.values[n] || 0;
      if (!value) continue;
      svg.append(drawn("rect", { class: `${one.colour}${n === length - 1 ? " partial" : ""}`, x: n + 0.12, width: 0.76, y: y(below + value), height: y(below) - y(below + value) }));
      below += value;
    }
  }
}

function lines(svg, series, length, y) {
  for (const one of series) {
    let run = [];
    const end = () => {
      if (run.length) {
        const points = run.map((n) => `${n + 0.5},${y(one.values[n])}`);
        if (run.length === 1) points.push(`${run[0] + 0.9},${y(one.values[run[0]])}`);
        if (series.length === 1) svg.append(drawn("polygon", { class: `area ${one.colour}`, points: [`${run[0] + 0.5},${y(0)}`, ...points, `${run.at(-1) + 0.5},${y(0)}`].join(" ") }));
        svg.append(drawn("polyline", { class: `line ${one.colour}`, points: points.join(" ") }));
      }
      run = [];
    };
    for (let n = 0; n < length; n += 1) (one.values[n] === null ? end() : run.push(n));
    end();
  }
}

export function tell(event, rows) {
  const tip = $("tip");
  tip.textContent = rows.join("\n");
  tip.hidden = false;
  tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
}
