"""Methods about chats and what people did in them: getChat, answerCallbackQuery, setMessageReaction."""

from playground import Json
from playground.bot_api.call import ApiCall
from playground.errors import bad_request
from playground.state.reactions import checked, react
from playground.state.rights import administrator
from playground.state.topics import rename_topic

PRESS_SECONDS = 150.0
"""About this long Telegram waits for the answer to a pressed button (measured, docs/facts.md)."""
MOST_OF_A_NAME = 128
"""Characters of a topic's name."""
_GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")


def get_chat(call: ApiCall) -> Json:
    """https://core.telegram.org/bots/api#getchat"""
    chat = call.chat(write=False)
    full: Json = chat.info | {
        "accent_color_id": abs(chat.id) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(_GIFTS, False),
    }
    if chat.kind != "private":
        full["permissions"] = chat.permissions
    return full


def get_chat_administrators(call: ApiCall) -> list[Json]:
    """https://core.telegram.org/bots/api#getchatadministrators; the person who came first has made the group."""
    chat = call.chat(write=False)
    if chat.kind == "private":
        raise bad_request("there are no administrators in the private chat")
    users = call.state.book.users
    made = [{"status": "creator", "user": users[member], "is_anonymous": False} for member in chat.members[:1]]
    ours = [call.bot.user] if chat.bot_status == "administrator" else []
    return made + [administrator(user) for user in [*(users[member] for member in chat.admins), *ours]]


def answer_callback_query(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#answercallbackquery"""
    press = call.bot.presses.get(call.text("callback_query_id"))
    if press is None or call.state.clock.now() - press.at > PRESS_SECONDS:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    press.answer = {"text": call.text("text"), "show_alert": call.flag("show_alert"), "url": call.text("url")}
    press.wakeup.wake_all()
    call.state.events.tell("press", callback_query_id=call.text("callback_query_id"), answer=press.answer)
    return True


def set_message_reaction(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#setmessagereaction"""
    chat = call.chat()
    message = chat.messages.get(call.number("message_id"))
    if message is None:
        raise bad_request("message to react not found")
    wanted = checked(call.params.get("reaction", []))
    if len(wanted) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    react(call.state, chat, message["message_id"], call.bot.id, wanted)
    return True


def edit_forum_topic(call: ApiCall) -> bool:
    """https://core.telegram.org/bots/api#editforumtopic; in a forum the bot has to be an admin."""
    chat = call.chat()
    if not chat.has_topics:
        raise bad_request("the chat is not a forum")
    if chat.kind != "private" and chat.bot_status != "administrator":
        raise bad_request("not enough rights to manage topics")
    topic = chat.topics.get(call.number("message_thread_id") or 0)
    if topic is None:
        raise bad_request("TOPIC_ID_INVALID")
    name = call.text("name")
    if len(name) > MOST_OF_A_NAME:
        raise bad_request("topic name is too long")
    if not name or name == topic.name:
        raise bad_request("TOPIC_NOT_MODIFIED")
    rename_topic(call.state, chat, topic, name, call.bot.user)
    return True
