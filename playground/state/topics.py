"""Topics of a forum, or of a private chat that has topics: made, closed, reopened, deleted."""

from playground import Json
from playground.errors import ControlError
from playground.state.chats import Chat, Topic
from playground.state.people import speaker
from playground.state.posts import post, remove
from playground.state.world import State

_COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)
"""Colours of topic icons (Bot API, createForumTopic)."""

GENERAL = 1
_UNNAMED = "New Chat"


def rename_topic(state: State, chat: Chat, topic: Topic, name: str, sender: Json) -> Json:
    """A person or the bot gives a topic another name; returns the service message about it."""
    topic.name = name
    message = post(state, chat, sender, {"forum_topic_edited": {"name": name}}, thread=topic.id)
    state.events.tell("chat", chat=chat.id)
    return message


def add_topic(state: State, chat: Chat, name: str) -> tuple[Topic, int | None]:
    """A person makes a topic, without a ``name`` by writing only; its id is that of the service message about it.

    Returns:
        The topic and the id of the message's update.

    Raises:
        ControlError: this chat has no topics.
    """
    if not chat.has_topics:
        raise ControlError("only forums (supergroups made with topics) and private chats have topics")
    color = _COLORS[len(chat.topics) % len(_COLORS)]
    # As an app does it where a person only writes: the name is made up, and says so.
    made: Json = {"forum_topic_created": {"name": name or _UNNAMED, "icon_color": color}}
    if not name:
        made["forum_topic_created"]["is_name_implicit"] = True
    message = post(state, chat, speaker(state, chat, None), made)
    topic = Topic(message["message_id"], name or _UNNAMED, color)
    chat.topics[topic.id] = topic
    message |= {"message_thread_id": topic.id, "is_topic_message": True}
    state.events.tell("chat", chat=chat.id)
    return topic, state.bot.queue.add("message", message, chat.id)


def set_forum(state: State, chat: Chat, *, on: bool) -> None:
    """A person switches a supergroup's topics on or off; Telegram tells bots nothing of it.

    Raises:
        ControlError: this chat can have none.
    """
    if chat.kind != "supergroup":
        raise ControlError("only supergroups become forums")
    # What was said before keeps the chat as it was.
    chat.info = {key: value for key, value in chat.info.items() if key != "is_forum"} | (
        {"is_forum": True} if on else {}
    )
    chat.changed()
    state.events.tell("chat", chat=chat.id)


def set_general(state: State, chat: Chat, action: str) -> int | None:
    """A person closes, reopens, hides or shows a forum's General topic; a hidden one is closed, too.

    Returns:
        The id of the update.

    Raises:
        ControlError: no such action, or the chat is no forum.
    """
    said = {
        "close": "forum_topic_closed",
        "reopen": "forum_topic_reopened",
        "hide": "general_forum_topic_hidden",
        "unhide": "general_forum_topic_unhidden",
    }.get(action)
    if said is None or not chat.forum:
        raise ControlError("of a forum's General topic, do must be close, reopen, hide or unhide")
    chat.general = "closed" if action == "close" else "hidden" if action == "hide" else "open"
    message = post(state, chat, speaker(state, chat, None), {said: {}})
    state.events.tell("chat", chat=chat.id)
    return state.bot.queue.add("message", message, chat.id)


def set_topic(state: State, chat: Chat, number: int, action: str, name: str = "") -> int | None:
    """A person closes, reopens, deletes or renames a topic; topic 1 is a forum's General.

    Returns:
        The id of the update; a deletion has none.

    Raises:
        ControlError: no such topic, or no such action.
    """
    if number == GENERAL and chat.forum:
        return set_general(state, chat, action)
    topic = chat.topics.get(number)
    if topic is None:
        raise ControlError(f"no topic {number} in chat {chat.id}", 404)
    if action == "delete":
        del chat.topics[number]
        for message in list(chat.messages.values()):
            if message.get("message_thread_id") == number:
                remove(state, chat, message["message_id"])
        state.events.tell("chat", chat=chat.id)
        return None
    if action == "rename" and name:
        return state.bot.queue.add(
            "message", rename_topic(state, chat, topic, name, speaker(state, chat, None)), chat.id
        )
    if action not in ("close", "reopen"):
        raise ControlError("do must be close, reopen, delete, or rename with a name")
    topic.closed = action == "close"
    said = {"forum_topic_closed": {}} if topic.closed else {"forum_topic_reopened": {}}
    message = post(state, chat, speaker(state, chat, None), said, thread=number)
    state.events.tell("chat", chat=chat.id)
    return state.bot.queue.add("message", message, chat.id)
