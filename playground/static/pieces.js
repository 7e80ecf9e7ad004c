// A long text as Telegram's apps send it: in messages of 4,096 units, parted at a line's end, else behind a word.
export const LONGEST = 4096;

export function pieces(text, longest = LONGEST) {
  const found = [];
  let rest = text.trim();
  while (rest.length > longest) {
    const head = rest.slice(0, longest + 1);
    const at = [head.lastIndexOf("\n"), head.lastIndexOf(" ")].find((place) => place > longest / 2) ?? longest;
    // Never between the halves of one character.
    const cut = /[\ud800-\udbff]$/.test(rest.slice(0, at)) ? at - 1 : at;
    found.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  return rest ? [...found, rest] : found;
}
