// What can be done in the open chat, beside writing in it.
import { get, post } from "./api.js";
import { accountActions, connectPerson } from "./business.js";
import { askFor, sure } from "./dialog.js";
import { $, toast } from "./dom.js";

export async function addTopic(open) {
  const name = await askFor("New topic", { hint: "What is it called? Left empty, it is as if you had only begun to write.", yes: "Make it", empty: true });
  if (name === null) return;
  const topic = await post(`/chats/${open.chat.id}/topics`, { name });
  const chat = await get(`/chats/${open.chat.id}`);
  open.changed(chat);
  await open.open(chat, topic.message_thread_id);
}

async function addPerson(open) {
  const name = await askFor("Who comes in?", { hint: "You then write as this person. The place to write has the list of all.", yes: "Add" });
  if (!name) return;
  const user = await post("/users", { first_name: name });
  open.described({ ...open.chat, users: [...open.chat.users, user] });
  $("as").querySelector("select").value = String(user.id);
  toast(`You write as ${name} now`);
}

async function deleteTopic(open, topic) {
  if (!await sure(`Delete “${topic.name}”?`, "Its messages go with it.", "Delete")) return;
  await post(`/chats/${open.chat.id}/topics/${topic.id}`, { do: "delete" });
  await open.open(open.chat, null);
}

async function renameTopic(chat, topic) {
  const name = await askFor("What is the topic called?", { value: topic.name, yes: "Rename" });
  if (name) await post(`/chats/${chat.id}/topics/${topic.id}`, { do: "rename", name });
}

const copyId = (chat) => ["Copy the chat's id", () => navigator.clipboard.writeText(String(chat.chat.id))];

// Words and what they do, for the menu of a `Conversation`.
export function actions(open) {
  const { chat } = open;
  if (chat.business) return [...accountActions(open), copyId(chat)];
  const member = (status) => () => post(`/chats/${chat.id}/member`, { status });
  const out = chat.bot_status === "kicked" || chat.bot_status === "left";
  const topic = chat.topics.find((one) => one.id === open.thread);
  const onTopic = (action) => () => post(`/chats/${chat.id}/topics/${topic.id}`, { do: action });
  const general = chat.chat.is_forum && open.thread === null;
  const onGeneral = (action) => () => post(`/chats/${chat.id}/topics/1`, { do: action });
  return [
    chat.type === "private" && [out ? "Unblock the bot" : "Block the bot", member(out ? "member" : "kicked")],
    chat.type !== "private" && ["Add a person", () => addPerson(open)],
    chat.type !== "private" && [out ? "Bring the bot back" : "Remove the bot", member(out ? "member" : "left")],
    chat.type !== "private" && chat.bot_status !== "kicked" && ["Ban the bot", member("kicked")],
    chat.type === "group" && !chat.migrated_to && ["Make it a supergroup", async () => open.moved((await post(`/chats/${chat.id}/migrate`)).chat_id)],
    (chat.chat.is_forum || chat.type === "private") && ["Add a topic", () => addTopic(open)],
    chat.type === "supergroup" && [chat.chat.is_forum ? "Switch topics off" : "Switch topics on", async () => { await post(`/chats/${chat.id}/forum`, { on: !chat.chat.is_forum }); await open.open(chat, null); }],
    general && ["open", "closed"].includes(chat.general) && [chat.general === "open" ? "Close General" : "Open General again", onGeneral(chat.general === "open" ? "close" : "reopen")],
    general && [chat.general === "hidden" ? "Show General" : "Hide General", onGeneral(chat.general === "hidden" ? "unhide" : "hide")],
    topic && [topic.closed ? "Open this topic again" : "Close this topic", onTopic(topic.closed ? "reopen" : "close")],
    topic && ["Rename this topic", () => renameTopic(chat, topic)],
    topic && ["Delete this topic…", () => deleteTopic(open, topic)],
    chat.type === "private" && ["Connect as a business account", () => connectPerson(open)],
    copyId(chat),
  ].filter(Boolean);
}
