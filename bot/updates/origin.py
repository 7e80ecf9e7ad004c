"""The session of a message, its sender, and whether it is meant for the bot (pure)."""

import re

from bot.updates.content import answered_by
from bot.updates.meaning import BotIdentity
from bot.updates.raw import Json, MalformedValue, hint, hint_number, maybe_part, number, parts
from tasks.envelope import Sender
from tasks.session import SessionKey

_SHOWN = ("code", "pre", "blockquote", "expandable_blockquote")
_BUSINESS = re.compile(r"[^:\s]{1,256}")


def session_of(me: BotIdentity, message: Json, chat: Json, business: str | None) -> SessionKey:
    """The session of a message; a thread is a topic only where Telegram says so."""
    if chat.get("type") not in ("private", "group", "supergroup", "channel"):
        raise MalformedValue("chat.type is none that we know")
    if business is not None and not _BUSINESS.fullmatch(business):
        raise MalformedValue("business_connection_id is no id")
    topic = number(message, "message_thread_id") if message.get("is_topic_message") is True else None
    if topic is not None and topic < 0:
        raise MalformedValue("message_thread_id is negative")
    return SessionKey(me.id, number(chat, "id"), topic, business)


def not_ours(message: Json, chat: Json, sender: Sender | None, business: str | None) -> str | None:
    """Why a message is ignored whatever it says, or None."""
    if chat["type"] == "channel":
        return "a channel's post"
    if chat.get("is_direct_messages") is True or "direct_messages_topic" in message:
        # One chat id for many people's conversations, told apart by something other than a topic.
        return "a message to a channel"
    if "ephemeral_message_id" in message or "receiver_user" in message:
        # Seen only by its sender; our answer would be seen by all.
        return "a message that vanishes"
    if business is not None and ("sender_business_bot" in message or sender is None or sender.id != chat["id"]):
        return "said in the owner's name"
    if (
        maybe_part(message, "from") is not None
        and message["from"].get("is_bot") is True
        and "sender_chat" not in message
    ):
        # Two bots that answer each other never end.
        return "a bot said it"
    return None


def sender_of(message: Json) -> Sender | None:
    """The sender: a person, or the group or channel in whose name the message was sent."""
    chat = maybe_part(message, "sender_chat")
    if chat is not None:
        return Sender(id=number(chat, "id"), name=hint(chat, "title") or "", username=hint(chat, "username"))
    person = maybe_part(message, "from")
    return None if person is None else person_of(person)


def person_of(person: Json) -> Sender:
    first, last = hint(person, "first_name"), hint(person, "last_name")
    return Sender(
        id=number(person, "id"),
        name=f"{first} {last}" if first and last else first or last or "",
        username=hint(person, "username"),
        language=hint(person, "language_code"),
    )


def forwarded_from(message: Json) -> str | None:
    """Who wrote a forwarded message first, by name; "" where Telegram hides it, None when it was not forwarded.

    ``forward_origin`` is one of four (Bot API, ``MessageOrigin``); a channel's post in its discussion group has it too.
    """
    origin = maybe_part(message, "forward_origin")
    if origin is None:
        return _forwarded_before(message)
    person = maybe_part(origin, "sender_user")
    if person is not None:
        return person_of(person).name
    chat = maybe_part(origin, "sender_chat") or maybe_part(origin, "chat")
    return (hint(chat, "title") if chat is not None else hint(origin, "sender_user_name")) or ""


def _forwarded_before(message: Json) -> str | None:
    """The same in the fields that a Bot API server before 7.0 sends."""
    if message.get("is_automatic_forward") is not True and not any(name.startswith("forward_") for name in message):
        return None
    chat, person = maybe_part(message, "forward_from_chat"), maybe_part(message, "forward_from")
    if chat is not None:
        return hint(chat, "title") or ""
    return person_of(person).name if person is not None else hint(message, "forward_sender_name") or ""


def shows(message: Json) -> bool:
    """Whether the text is shown rather than said: ``/new`` in code or in a quotation is not given as a command.

    What a person sends through an inline bot (``via_bot``) is that bot's text.
    """
    return "via_bot" in message or any(
        hint(entity, "type") in _SHOWN and hint_number(entity, "offset") == 0 for entity in parts(message, "entities")
    )


def addressed(message: Json, said: str, me: BotIdentity) -> bool:
    """Whether a message in a group is meant for the bot: it names it, or answers it."""
    if "@" in said and me.mention.search(said):
        return True
    answered = answered_by(message)
    if answered is not None and (maybe_part(answered, "from") or {}).get("id") == me.id:
        return True
    entities = message.get("entities") or message.get("caption_entities")
    # People without a username are mentioned by an entity; so may the bot be.
    return bool(entities) and any(
        (maybe_part(entity, "user") or {}).get("id") == me.id
        for name in ("entities", "caption_entities")
        for entity in parts(message, name)
    )


def without_mention(said: str, me: BotIdentity, *, keep: bool) -> str:
    """The text without the bot's name at its start or end; in the middle it is part of the sentence.

    A text of nothing else stays (``keep``) where it is all there is to answer.
    """
    if "@" not in said:
        return said
    bare = said
    if (found := me.mention.match(bare.lstrip())) is not None:
        bare = bare.lstrip()[found.end() :].lstrip(" \t\n,:;-")
    trimmed = bare.rstrip()
    for found in me.mention.finditer(trimmed):
        if found.end() == len(trimmed):
            bare = trimmed[: found.start()].rstrip()
    return bare or (said if keep else "")
