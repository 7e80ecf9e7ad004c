"""Message objects: made and put into chats, for people and for the bot."""

from playground import Json
from playground.state.chats import Chat
from playground.state.privacy import hidden
from playground.state.world import State


def quoted(message: Json) -> Json:
    """A message as it is quoted in another one: without the message that it replies to."""
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
    """Add a new message to a chat and tell the open pages.

    Args:
        state: where the chat lives.
        chat: where it goes.
        sender: the user or the bot.
        content: the message's content fields (``text``, ``photo``, ``caption``, ``reply_markup`` ...).
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
        # A reply opens a thread in a plain supergroup too: it has a thread id, but it is not a topic.
        message["message_thread_id"] = reply_to.get("message_thread_id", reply_to["message_id"])
    account = state.business.of(chat)
    message |= {"from": sender, "chat": chat.info, "date": state.now()}
    if account is not None:
        message["business_connection_id"] = account.id
        if sender["is_bot"]:
            message |= {"from": account.owner, "sender_business_bot": sender}
    if topic is not None:
        message["is_topic_message"] = True
        if reply_to is None and topic.id in chat.messages:
            # In a topic, a message that is not a reply replies to the message that opened the topic.
            reply_to = chat.messages[topic.id]
    if reply_to is not None:
        message["reply_to_message"] = quoted(reply_to)
    message |= content
    _put(state, chat, message, by_bot=sender["is_bot"])
    return message


def _put(state: State, chat: Chat, message: Json, *, by_bot: bool) -> None:
    """Put a message into a chat and tell the open pages."""
    chat.put(message)
    if by_bot:
        chat.from_bot += 1
        chat.action = None
        chat.drafts.clear()
    state.events.tell("message", chat=chat.id, message=message)
    if by_bot and state.business.of(chat) is not None:
        # The bot is told of what it has sent itself, too (NousResearch/hermes-agent issue 42400).
        told(state, chat, "message", message)


def told(state: State, chat: Chat, kind: str, payload: Json) -> int | None:
    """Tell the bot what a person did to a message of a chat.

    Args:
        state: where the chat lives.
        chat: which chat.
        kind: ``message`` or ``edited_message``; of a business account's chat it is told as one of those.
        payload: the message.

    Returns:
        The update's id; None where the bot is not told.
    """
    account = state.business.of(chat)
    if account is not None:
        kind = {"message": "business_message", "edited_message": "edited_business_message"}[kind]
        return state.bot.queue.add(kind, payload, chat.id) if account.enabled else None
    if chat.bot_status in ("left", "kicked") or hidden(state.bot, chat, payload):
        return None
    return state.bot.queue.add(kind, payload, chat.id)


def replace(state: State, chat: Chat, message: Json, fields: Json, *, drop: tuple[str, ...] = ()) -> Json:
    """Replace a message by its edited version; updates that hold the old version keep it."""
    new = {key: value for key, value in message.items() if key not in fields and key not in drop} | fields
    chat.messages[message["message_id"]] = new
    chat.changed()
    state.events.tell("message", chat=chat.id, message=new)
    return new


def remove(state: State, chat: Chat, message_id: int) -> None:
    """Delete a message."""
    del chat.messages[message_id]
    chat.reactions.pop(message_id, None)
    chat.changed()
    state.events.tell("deleted", chat=chat.id, message_id=message_id)
