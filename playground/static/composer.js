// The place to write: text, attachment, answer or edit, and the commands that "/" offers.
import { kindOf } from "./api.js";
import { $, make } from "./dom.js";

// `send({ text, file, reply, edit })` returns a promise; what was written comes back when it fails.
export class Composer {
  constructor(send) {
    this.send = send;
    this.commands = [];
    this.drafts = new Map();
    this.key = null;
    this.clear();
    $("composer").addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    $("text").addEventListener("input", () => { this.fit(); this.suggest(); });
    $("text").addEventListener("keydown", (event) => this.typed(event));
    $("text").addEventListener("blur", () => setTimeout(() => this.closeList(), 150));
    $("text").addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); this.attach(event.clipboardData.files[0]); } });
    $("attach").onclick = () => $("file").click();
    $("file").onchange = () => { this.attach($("file").files[0]); $("file").value = ""; };
    $("about").querySelector("button").onclick = () => { if (this.edit) $("text").value = ""; this.about({}); };
    const chat = $("chat");
    chat.addEventListener("dragover", (event) => { event.preventDefault(); chat.classList.add("dropping"); });
    chat.addEventListener("dragleave", (event) => { if (!chat.contains(event.relatedTarget)) chat.classList.remove("dropping"); });
    chat.addEventListener("drop", (event) => { event.preventDefault(); chat.classList.remove("dropping"); this.attach(event.dataTransfer.files[0]); });
  }

  clear() {
    $("text").value = "";
    this.about({});
  }

  // Each chat keeps what was begun in it.
  open(key) {
    if (this.key !== null && !this.edit) this.drafts.set(this.key, $("text").value);
    this.key = key;
    this.about({});
    $("text").value = this.drafts.get(key) || "";
    this.fit();
    this.closeList();
    if (matchMedia("(hover: hover)").matches) $("text").focus();
  }

  about({ reply = null, edit = null, file = null }) {
    Object.assign(this, { reply, edit, file });
    const words = file ? `${kindOf(file) === "photo" ? "Photo" : "File"}: ${file.name}`
      : edit ? "You change your message" : reply ? `Answer to ${reply.from.first_name}: ${(reply.text ?? reply.caption ?? "").slice(0, 80)}` : "";
    $("about").hidden = !words;
    $("about").querySelector("span").textContent = words;
    $("text").placeholder = file ? "Add a caption" : "Message";
    this.fit();
  }

  attach(file) {
    if (!file) return;
    this.about({ file, reply: this.reply });
    $("text").focus();
  }

  startReply(message) { this.about({ reply: message, file: this.file }); $("text").focus(); }

  startEdit(message) { this.about({ edit: message }); $("text").value = message.text; this.fit(); $("text").focus(); }

  fit() {
    const text = $("text");
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, 180)}px`;
    $("send").disabled = !text.value.trim() && !this.file;
  }

  async submit(words = $("text").value) {
    const { reply, edit, file } = this;
    if (!words.trim() && !file) return;
    this.clear();
    this.closeList();
    try {
      await this.send({ text: words, reply, edit, file });
    } catch {
      if (!$("text").value) $("text").value = words;
      this.about({ reply, edit, file });
    }
  }

  typed(event) {
    const list = $("commands");
    if (!list.hidden) {
      const items = [...list.children];
      const now = items.findIndex((item) => item.ariaSelected === "true");
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        return this.mark((now + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length);
      }
      if (event.key === "Tab" || event.key === "Enter") { event.preventDefault(); return items[now].onclick(); }
      if (event.key === "Escape") return this.closeList();
    }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.submit(); }
    if (event.key === "Escape") this.about({});
  }

  suggest() {
    const begun = /^\/(\w*)$/.exec($("text").value);
    const found = begun ? this.commands.filter((one) => one.command.startsWith(begun[1].toLowerCase())) : [];
    if (!found.length) return this.closeList();
    $("commands").replaceChildren(...found.map((one, n) => {
      const item = make("li", { role: "option", id: `command${n}` }, make("b", {}, `/${one.command}`), make("span", {}, one.description));
      item.onclick = () => this.submit(`/${one.command}`);
      item.onmousemove = () => this.mark(n);
      return item;
    }));
    $("commands").hidden = false;
    this.mark(0);
  }

  mark(n) {
    [...$("commands").children].forEach((item, index) => { item.ariaSelected = String(index === n); });
    $("text").setAttribute("aria-activedescendant", `command${n}`);
    $("commands").children[n].scrollIntoView({ block: "nearest" });
  }

  closeList() {
    $("commands").hidden = true;
    $("text").removeAttribute("aria-activedescendant");
  }
}
