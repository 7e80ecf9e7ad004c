// The place to write: text, attachment, answer or edit, and the commands that "/" offers.
import { kindOf } from "./api.js";
import { $, make } from "./dom.js";
import { Drafts } from "./drafts.js";
import { Inline, behindName } from "./inline.js";

// `send({ text, files, reply, quote, edit })` and `choose(query, result)` return promises; what was written comes back when they
// fail. `ask(words)` is what the bot offers for a question behind its name, `last()` the message to change.
export class Composer {
  constructor({ send, ask, choose, last }) {
    this.send = send;
    this.choose = choose;
    this.last = last;
    this.inline = new Inline(ask);
    this.commands = [];
    this.bot = {};
    this.drafts = new Drafts();
    this.key = null;
    this.clear();
    $("composer").addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    $("text").addEventListener("input", () => { this.keep(); this.fit(); this.suggest(); });
    $("text").addEventListener("keydown", (event) => this.typed(event));
    // Who is back in the meantime may have asked already.
    $("text").addEventListener("blur", () => setTimeout(() => { if (document.activeElement !== $("text")) this.closeList(); }, 150));
    $("text").addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); this.attach(event.clipboardData.files); } });
    // What is pressed in the list leaves the focus in the text, so a slow finger finds the list still open.
    $("commands").addEventListener("mousedown", (event) => event.preventDefault());
    $("attach").onclick = () => $("file").click();
    $("file").onchange = () => { this.attach([...$("file").files]); $("file").value = ""; };
    $("about").querySelector("button").onclick = () => { if (this.edit) $("text").value = ""; this.about({}); };
    const chat = $("chat");
    chat.addEventListener("dragover", (event) => { event.preventDefault(); chat.classList.add("dropping"); });
    chat.addEventListener("dragleave", (event) => { if (!chat.contains(event.relatedTarget)) chat.classList.remove("dropping"); });
    chat.addEventListener("drop", (event) => { event.preventDefault(); chat.classList.remove("dropping"); this.attach(event.dataTransfer.files); });
  }

  clear() {
    $("text").value = "";
    this.keep();
    this.about({});
  }

  keep() { if (this.key !== null && !this.edit) this.drafts.keep(this.key, $("text").value); }

  // Each chat keeps what was begun in it.
  open(key) {
    this.keep();
    this.key = key;
    this.about({});
    $("text").value = this.drafts.of(key);
    this.fit();
    this.closeList();
    if (matchMedia("(hover: hover)").matches) $("text").focus();
  }

  about({ reply = null, quote = null, edit = null, files = [] }) {
    Object.assign(this, { reply, quote, edit, files });
    const [file] = files;
    const words = files.length > 1 ? `${files.length} files: ${files.map((one) => one.name).join(", ")}`
      : file ? `${kindOf(file) === "photo" ? "Photo" : "File"}: ${file.name}`
      : edit ? "You change your message" : quote ? `Answer to ${reply.from.first_name}: “${quote.text.slice(0, 80)}”` : reply ? `Answer to ${reply.from.first_name}: ${(reply.text ?? reply.caption ?? "").slice(0, 80)}` : "";
    $("about").hidden = !words;
    $("about").querySelector("span").textContent = words;
    $("text").placeholder = file ? "Add a caption" : "Message";
    this.fit();
  }

  // What was attached before stays.
  attach(files) {
    if (!files.length) return;
    this.about({ files: [...this.files, ...files], reply: this.reply, quote: this.quote });
    $("text").focus();
  }

  startReply(message, quote = null) { this.about({ reply: message, quote, files: this.files }); $("text").focus(); }

  startEdit(message) { this.about({ edit: message }); $("text").value = message.text ?? message.caption; this.fit(); $("text").focus(); }

  fit() {
    const text = $("text");
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, 180)}px`;
    $("send").disabled = !text.value.trim() && !this.files.length;
  }

  async submit(words = $("text").value) {
    if (!words.trim() && !this.files.length) return;
    const { reply, quote, edit, files } = this;
    return this.sent(words, () => this.send({ text: words, reply, quote, edit, files }));
  }

  // Empties the place to write, and gives back what stood there if the work fails.
  async sent(words, work) {
    const { key, reply, quote, edit, files } = this;
    this.clear();
    this.closeList();
    try {
      await work();
    } catch {
      // Another chat may be open by now: the words belong to theirs.
      if (this.key !== key) return this.drafts.keep(key, this.drafts.of(key) || words);
      if (!$("text").value) $("text").value = words;
      this.about({ reply, quote, edit, files });
      this.keep();
    }
  }

  typed(event) {
    const items = [...$("commands").querySelectorAll("[role=option]:not([aria-disabled])")];
    if (!$("commands").hidden) {
      const now = items.findIndex((item) => item.ariaSelected === "true");
      if (items.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
        event.preventDefault();
        const next = event.key === "ArrowDown" ? now + 1 : now < 0 ? items.length - 1 : now - 1;
        return this.mark((next + items.length) % items.length);
      }
      if (now >= 0 && (event.key === "Tab" || event.key === "Enter") && !event.isComposing) { event.preventDefault(); return items[now].onclick(); }
      if (event.key === "Escape") return this.closeList();
    }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.submit(); }
    if (event.key === "ArrowUp" && !$("text").value && !this.edit && !this.files.length) {
      const message = this.last();
      if (message) { event.preventDefault(); this.startEdit(message); }
    }
    if (event.key === "Escape") { if (this.edit) $("text").value = ""; this.about({}); }
  }

  suggest() {
    const text = $("text").value;
    this.inline.stop();
    const begun = /^\/(\w*)$/.exec(text);
    if (begun) {
      const found = this.commands.filter((one) => one.command.startsWith(begun[1].toLowerCase()));
      return this.offer(found.map((one) => ({ head: `/${one.command}`, words: one.description, run: () => this.submit(`/${one.command}`) })));
    }
    const { begun: name, words } = this.edit || this.files.length ? {} : behindName(text, this.bot.username);
    if (name) return this.offer([{ head: `@${this.bot.username}`, words: this.bot.first_name, run: () => this.complete(`@${this.bot.username} `) }]);
    // An answer to a message is sent as it is written.
    if (words === undefined || this.reply) return this.closeList();
    // What was offered for the words before stays until there is something newer.
    if (!this.asked) this.closeList();
    this.inline.begin(words, (found) => this.offered(found, text));
  }

  offered({ query, results = [], note }, text) {
    if (note) return this.offer([{ words: note }], -1, true);
    // Nothing is marked: Enter sends what stands there, as a message that names the bot.
    this.offer(results.map((one) => ({ head: one.title, words: one.description || "", run: () => this.sent(text, () => this.choose(query, one.id)) })), -1, true);
  }

  complete(text) {
    $("text").value = text;
    this.fit();
    this.suggest();
  }

  // What can be chosen, { head, words, run }; without `run` it is only read.
  offer(items, marked = 0, asked = false) {
    if (!items.length) return this.closeList();
    this.asked = asked;
    $("commands").replaceChildren(...items.map(({ head, words, run }, n) => {
      const item = make("li", { role: "option", id: `command${n}`, "aria-disabled": run ? null : "true" }, head ? make("b", {}, head) : null, make("span", {}, words));
      if (run) { item.onclick = run; item.onmousemove = () => this.mark(n); }
      return item;
    }));
    $("commands").hidden = false;
    $("text").setAttribute("aria-expanded", "true");
    this.mark(marked);
  }

  mark(n) {
    [...$("commands").children].forEach((item, index) => { item.ariaSelected = String(index === n); });
    if (n < 0) return $("text").removeAttribute("aria-activedescendant");
    $("text").setAttribute("aria-activedescendant", `command${n}`);
    $("commands").children[n].scrollIntoView({ block: "nearest" });
  }

  closeList() {
    this.inline.stop();
    this.asked = false;
    $("commands").hidden = true;
    $("text").setAttribute("aria-expanded", "false");
    $("text").removeAttribute("aria-activedescendant");
  }
}
