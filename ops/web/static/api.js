// What the page asks the console for. Each answer comes within three seconds, or is an error with a sentence.

export class Refused extends Error {}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { ...options, signal: AbortSignal.timeout(5000) });
  } catch {
    throw new Refused("the console does not answer");
  }
  const said = await answer.text();
  let given;
  try {
    given = JSON.parse(said);
  } catch {
    throw new Refused(said.trim().slice(0, 200) || `the console answers ${answer.status}`);
  }
  if (!answer.ok) throw new Refused(given.error || `the console answers ${answer.status}`);
  return given;
}

export const get = (path) => ask(`api/${path}`);
export const post = (path) => ask(`api/${path}`, { method: "POST" });
