// What was begun in each chat of this tab and not sent: it stays over a reload.
const KEPT = "drafts";

function read() {
  try { return new Map(JSON.parse(sessionStorage.getItem(KEPT) || "[]")); } catch { return new Map(); }
}

export class Drafts {
  constructor() { this.texts = read(); }

  of(key) { return this.texts.get(key) || ""; }

  keep(key, text) {
    if (key === null || text === this.of(key)) return;
    if (text) this.texts.set(key, text);
    else this.texts.delete(key);
    // A storage that is full, or that the browser forbids, costs the drafts of a reload and no more.
    try { sessionStorage.setItem(KEPT, JSON.stringify([...this.texts])); } catch { /* they stay in this page */ }
  }
}
