// What stands behind "@bot" in the place to write: a question that the bot answers with what can be sent.
const PAUSE_MS = 350; // of typing, before the bot is asked
const MOST = 256; // characters of a question (Bot API, InlineQuery)

// "@name" begun, "@name words", or neither.
export function behindName(text, username) {
  const said = /^@(\w*)(?:\s([^]*))?$/.exec(text);
  if (!said || !username) return {};
  const [, name, words] = said;
  if (words === undefined) return { begun: name !== username && username.toLowerCase().startsWith(name.toLowerCase()) };
  return { words: name.toLowerCase() === username.toLowerCase() ? words : undefined };
}

// Whether a message calls the bot by its name.
export const names = (text, username) => Boolean(username) && new RegExp(`(^|\\W)@${username}(?!\\w)`, "i").test(text);

// `ask(words)` gives { query, update_id, results }. Only what the newest question brought is shown.
export class Inline {
  constructor(ask) {
    this.ask = ask;
    this.turn = 0;
  }

  stop() {
    this.turn += 1;
    clearTimeout(this.pause);
  }

  // Calls show({ query, results }), show({ note }) or, where the bot takes no questions, show({}).
  begin(words, show) {
    this.stop();
    const mine = this.turn;
    const tell = (found) => { if (mine === this.turn) show(found); };
    if ([...words].length > MOST) return tell({ note: `A question has ${MOST} characters at most. Enter sends this as a message.` });
    this.pause = setTimeout(() => this.fetch(words, tell), PAUSE_MS);
  }

  async fetch(words, tell) {
    try {
      const { query, update_id: update, results } = await this.ask(words);
      if (update === null) tell({});
      else if (!results) tell({ note: "The bot has not answered. Enter sends this as a message." });
      else if (results.length) tell({ query, results });
      else tell(words.trim() ? { note: "The bot offers nothing for this. Enter sends it as a message." } : {});
    } catch (problem) {
      tell({ note: problem.message });
    }
  }
}
