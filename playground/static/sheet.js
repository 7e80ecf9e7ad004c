// What stands in a list of elements. What did not change stays as it is, with its focus, its selection and what plays in it.

const OPENS = ".long, .spoiler"; // what a person opens in a message

// Makes the children of `parent` those of `wanted`, and moves none that stands right already.
function settle(parent, wanted) {
  const stay = new Set(wanted);
  for (const child of [...parent.children]) if (!stay.has(child)) child.remove();
  wanted.forEach((child, n) => { if (parent.children[n] !== child) parent.insertBefore(child, parent.children[n] ?? null); });
}

// A message that is drawn again, because it grows, keeps open what its reader opened.
function keepOpen(old, fresh) {
  const before = [...old.querySelectorAll(OPENS)];
  fresh.querySelectorAll(OPENS).forEach((part, n) => {
    if (!before[n]?.classList.contains("open") || before[n].className.split(" ")[0] !== part.className.split(" ")[0]) return;
    if (part.classList.contains("spoiler")) part.onclick();
    else part.querySelector(":scope > button").onclick();
  });
}

export class Sheet {
  constructor(parent) {
    this.parent = parent;
    this.made = new Map();
  }

  // `parts`: { key, of, make }, or { key, parts, make } of what holds others. What is of equal `of` is not made again.
  draw(parts) {
    const now = new Map();
    this.focused = null;
    settle(this.parent, this.elements(parts, now));
    this.made = now;
    // What had the focus and is made again has it again.
    this.focused?.focus({ preventScroll: true });
  }

  elements(parts, now) {
    return parts.map(({ key, of, make, parts: inner }) => {
      const said = inner ? null : JSON.stringify(of ?? null);
      const before = this.made.get(key);
      const same = before && before.said === said;
      const element = same ? before.element : make();
      if (before && !same && !inner) {
        keepOpen(before.element, element);
        if (before.element.contains(document.activeElement)) this.focused = element;
      }
      if (inner) settle(element, this.elements(inner, now));
      now.set(key, { element, said });
      return element;
    });
  }

  empty() {
    this.made.clear();
    this.parent.replaceChildren();
  }
}
