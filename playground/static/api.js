// Requests to the control API, and the stream of what happens.

export class Refused extends Error {}

async function answer(path, init) {
  // The browser's own words for it ("Failed to fetch") say nothing to people.
  const response = await fetch(`/playground${path}`, init).catch(() => { throw new Error("The playground does not answer. Is `cohort up` still running?"); });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.error || `the playground answered ${response.status}`);
  return body;
}

export async function get(path) {
  return answer(path);
}

export async function post(path, body = {}) {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return answer(path, init);
}

// What a file is sent as, by its type: as Telegram's apps do when one picks "photo or video".
export function kindOf(file) {
  if (/^image\/(png|jpeg|webp)$/.test(file.type)) return "photo";
  if (/^audio\/(ogg|opus|webm)/.test(file.type)) return "voice";
  if (file.type.startsWith("audio/")) return "audio";
  if (file.type.startsWith("video/")) return "video";
  return "document";
}

// As Telegram's apps part what is sent at once: pictures and films together, documents, music; ten at most, voices alone.
export function albums(items) {
  const group = (item) => ("photo" in item || "video" in item ? "seen" : "voice" in item ? null : "audio" in item ? "heard" : "read");
  const found = [];
  for (const item of items) {
    const last = found.at(-1);
    if (last && group(item) && group(item) === group(last[0]) && last.length < 10) last.push(item);
    else found.push([item]);
  }
  return found;
}

export async function upload(file) {
  const query = new URLSearchParams({ name: file.name, kind: kindOf(file) });
  if (file.type) query.set("mime", file.type);
  return answer(`/files?${query}`, { method: "POST", body: file });
}

// Calls `heard` with each event, `found` on every connection (earlier events are lost, so the page reloads), `lost` when it breaks.
export function listen({ heard, found, lost }) {
  const source = new EventSource("/playground/events");
  source.onopen = found;
  source.onerror = lost;
  source.onmessage = (event) => heard(JSON.parse(event.data));
}
