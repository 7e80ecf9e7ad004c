// Business accounts: an owner connects the bot, customers write, and the bot answers in the owner's name.
import { get, post } from "./api.js";
import { askFor } from "./dialog.js";
import { $, toast } from "./dom.js";

const RIGHTS = [["can_reply", "answer"], ["can_read_messages", "mark messages as read"], ["can_delete_sent_messages", "delete what it sent"]];

const UNTOLD = "The bot is not told: it answers customers of business accounts with COHORT_BUSINESS=on";

const told = (update) => { if (update === null) toast(UNTOLD); };

const customer = (connection, given = {}) => post(`/business/${connection}/chats`, given);

// Opens the chat, and writes there as the customer; the person of the chat before may be its owner.
async function openAs(open, chat) {
  await open.moved(chat.id);
  $("as").querySelector("select").value = String(chat.users[0].id);
  open.draw();
}

// A new owner with a customer, and the chat of both.
export async function connect(chats) {
  const connection = await post("/business");
  const chat = await customer(connection.id);
  chats.set(chat.id, chat);
  told(connection.update_id);
  return chat;
}

// The person of a private chat becomes the owner.
export async function connectPerson(open) {
  const [person] = open.chat.users;
  const known = (await get("/business")).find((one) => one.user.id === person.id && one.is_enabled);
  const connection = known ?? await post("/business", { user: person.id });
  await openAs(open, await customer(connection.id));
  told(known ? undefined : connection.update_id);
}

// What stands below the chat's name.
export function standing({ business, users }) {
  const may = business.rights.can_reply ? "the bot answers" : "the bot may not answer";
  const now = !business.is_enabled ? "not connected" : business.told ? may : "the bot is not told";
  return ` · ${now} · ${users[0].first_name} writes to ${business.user.first_name}`;
}

export const emptyWords = ({ business, users }) => `${users[0].first_name} is a customer of ${business.user.first_name}, whose account has connected the bot. The bot answers the customer in the owner’s name. Beside the place to write you choose which of the two you are.${business.told ? "" : ` ${UNTOLD}.`}`;

export function accountActions(open) {
  const { business } = open.chat;
  const change = (given) => async () => told((await post(`/business/${business.id}`, given)).update_id);
  return [
    ["Another customer", async () => {
      const name = await askFor("Who writes to the account?", { hint: "Left empty, the customer gets some name.", yes: "Add", empty: true });
      if (name !== null) await openAs(open, await customer(business.id, name ? { first_name: name } : {}));
    }],
    ...RIGHTS.map(([right, words]) => [`${business.rights[right] ? "Forbid" : "Let"} the bot ${business.rights[right] ? "to " : ""}${words}`, change({ rights: { [right]: !business.rights[right] } })]),
    [business.is_enabled ? "Disconnect the bot" : "Connect the bot again", change({ enabled: !business.is_enabled })],
  ];
}
