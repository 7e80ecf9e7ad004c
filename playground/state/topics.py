"""Topics of a forum, or of a private chat that has topics: made, closed, reopened, deleted."""

from playground.errors import ControlError
from playground.state.chats import Chat, Topic
from playground.state.people import speaker
from playground.state.posts import post, remove
from playground.state.world import State

_COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)
"""Colours of topic icons (Bot API, createForumTopic)."""


def add_topic(state: State, chat: Chat, name: str) -> tuple[Topic, int | None]:
    """A person makes a topic; its id is that of the service message about it.

    Returns:
        The topic and the id of the message's update.

    Raises:
        ControlError: this chat has no topics.
    """
    if not chat.forum and chat.kind != "private":
        raise ControlError("only forums (supergroups made with topics) and private chats have topics")
    color = _COLORS[len(chat.topics) % len(_COLORS)]
    made = {"forum_topic_created": {"name": name, "icon_color": color}}
    message = post(state, chat, speaker(state, chat, None), made)
    topic = Topic(message["message_id"], name, color)
    chat.topics[topic.id] = topic
    message |= {"message_thread_id": topic.id, "is_topic_message": True}
    state.events.tell("chat", chat=chat.id)
    return topic, state.bot.queue.add("message", message, chat.id)


def set_topic(state: State, chat: Chat, number: int, action: str) -> int | None:
    """A person closes, reopens or deletes a topic.

    Returns:
        The id of the update; a deletion has none.

    Raises:
        ControlError: no such topic, or no such action.
    """
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
    if action not in ("close", "reopen"):
        raise ControlError("do must be close, reopen or delete")
    topic.closed = action == "close"
    said = {"forum_topic_closed": {}} if topic.closed else {"forum_topic_reopened": {}}
    message = post(state, chat, speaker(state, chat, None), said, thread=number)
    state.events.tell("chat", chat=chat.id)
    return state.bot.queue.add("message", message, chat.id)
