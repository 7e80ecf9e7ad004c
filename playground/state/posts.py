"""Making Message objects and putting them into chats, for people and for the bot alike."""

from typing import Any

from playground.state.chats import Chat
from playground.state.world import State

type Json = dict[str, Any]


def quoted(message: Json) -> Json:
    """A message as it stands inside another one: without what it answers itself."""
    return {key: value for key, value in message.items() if key != "reply_to_message"}


def post(  # noqa: PLR0913 - the fields of a message
    state: State,
    chat: Chat,
    sender: Json,
    content: Json,
    *,
    thread: int | None = None,
    reply_to: Json | None = None,
) -> Json:
    """Put a new message into a chat and tell those who watch.

    Args:
        state: where the chat lives.
        chat: where it goes.
        sender: the user or the bot.
        content: the fields that make up what is said (``text``, ``photo``, ``caption``, ``reply_markup`` ...).
        thread: a topic's id; its existence was checked.
        reply_to: the message that is answered.

    Returns:
        The Message object, which the chat keeps.
    """
    message: Json = {"message_id": chat.next_message_id()}
    topic = chat.topics.get(thread) if thread is not None else None
    if topic is not None:
        message["message_thread_id"] = topic.id
    elif reply_to is not None and chat.kind == "supergroup" and not chat.forum:
        # A reply opens a thread in a plain supergroup too: the number is there, but it is no topic.
        message["message_thread_id"] = reply_to.get("message_thread_id", reply_to["message_id"])
    message |= {"from": sender, "chat": chat.info, "date": state.now()}
    if topic is not None:
        message["is_topic_message"] = True
        if reply_to is None and topic.id in chat.messages:
            # In a topic, what answers nothing answers the message that opened the topic.
            reply_to = chat.messages[topic.id]
    if reply_to is not None:
        message["reply_to_message"] = quoted(reply_to)
    message |= content
    chat.put(message)
    if sender["is_bot"]:
        chat.from_bot += 1
        chat.action = None
        chat.drafts.clear()
    state.events.tell("message", chat=chat.id, message=message)
    return message


def replace(state: State, chat: Chat, message: Json, fields: Json, *, drop: tuple[str, ...] = ()) -> Json:
    """An edited message takes the place of the old one; updates that hold the old one keep it."""
    new = {key: value for key, value in message.items() if key not in fields and key not in drop} | fields
    chat.messages[message["message_id"]] = new
    chat.changed()
    state.events.tell("message", chat=chat.id, message=new)
    return new


def remove(state: State, chat: Chat, message_id: int) -> None:
    """A message goes."""
    del chat.messages[message_id]
    chat.reactions.pop(message_id, None)
    chat.changed()
    state.events.tell("deleted", chat=chat.id, message_id=message_id)
