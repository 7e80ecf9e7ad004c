"""The session of a message, its sender, and whether it is meant for the bot (pure)."""

import re

from bot.updates.content import answered_by
from bot.updates.meaning import BotIdentity, MalformedValue
from bot.updates.models import Message, NamedChat, User
from tasks.envelope import Sender
from tasks.session import SessionKey
from tasks.text import utf16

_NO_NAMES = ("code", "pre", "url", "email", "text_link")
_SHOWN = ("code", "pre", "blockquote", "expandable_blockquote")
_BETWEEN = " \t\n,:;-\u2013\u2014\uff0c\uff1a"
"""What people write between the bot's name and what they say to it."""
_BUSINESS = re.compile(r"[^:\s~][^:\s]{0,255}")
"""A key with a tilde is one of an inline message (``tasks.session``)."""


def session_of(me: BotIdentity, message: Message, business: str | None) -> SessionKey:
    """The session of a message; a thread is a topic only where Telegram says so.

    Raises:
        MalformedValue: the topic or the business connection is none that Telegram can mean.
    """
    if business is not None and not _BUSINESS.fullmatch(business):
        raise MalformedValue("business_connection_id is no id")
    topic = message.message_thread_id if message.is_topic_message else None
    if message.is_topic_message and topic is None:
        raise MalformedValue("message_thread_id is missing")
    if topic is not None and topic < 0:
        raise MalformedValue("message_thread_id is negative")
    return SessionKey(me.id, message.chat.id, topic, business)


def not_ours(message: Message, sender: Sender | None, business: str | None, *, posts: bool = False) -> str | None:
    """Why a message is ignored whatever it says, or None; ``posts``: those of channels are not."""
    if message.chat.type == "channel" and not posts:
        return "a channel's post"
    if message.chat.is_direct_messages or message.direct_messages_topic:
        # One chat id for many people's conversations, told apart by something other than a topic.
        return "a message to a channel"
    if message.ephemeral_message_id or message.receiver_user:
        # Seen only by its sender; our answer would be seen by all.
        return "a message that vanishes"
    if business is not None and (message.sender_business_bot or sender is None or sender.id != message.chat.id):
        return "said in the owner's name"
    if message.from_user is not None and message.from_user.is_bot and message.sender_chat is None:
        # Two bots that answer each other never end.
        return "a bot said it"
    return None


def sender_of(message: Message) -> Sender | None:
    """The sender: a person, or the group or channel in whose name the message was sent."""
    sender, signature = author_of(message.from_user, message.sender_chat), message.author_signature
    if sender is None or message.sender_chat is None or not signature:
        return sender
    # Several people write in one chat's name.
    return sender.model_copy(update={"name": f"{sender.name} ({signature})"})


def author_of(person: User | None, chat: NamedChat | None) -> Sender | None:
    """A person, or the chat in whose name the person wrote."""
    if chat is not None:
        return Sender(id=chat.id, name=chat.title or "", username=chat.username)
    return None if person is None else person_of(person)


def person_of(person: User) -> Sender:
    """A person as the sender of a message."""
    return Sender(id=person.id, name=person.name, username=person.username, language=person.language_code)


def forwarded_from(message: Message) -> str | None:
    """Who wrote a forwarded message first, by name; "" where Telegram hides it, None when it was not forwarded.

    A channel's post in its discussion group has an origin, too.
    """
    if message.forward_origin is not None:
        return message.forward_origin.name
    chat, person = message.forward_from_chat, message.forward_from
    if chat is not None:
        return chat.title or ""
    if person is not None:
        return person.name
    if message.forward_sender_name is not None:
        return message.forward_sender_name
    return "" if message.forward_date or message.is_automatic_forward else None


def post_of(message: Message) -> tuple[int, int] | None:
    """The channel and the number of the post that Telegram has forwarded into the channel's discussion group."""
    origin = message.forward_origin
    if not message.is_automatic_forward or origin is None or origin.chat is None or origin.message_id is None:
        return None
    return origin.chat.id, origin.message_id


def shows(message: Message) -> bool:
    """Whether the text is shown rather than said: ``/new`` in code or in a quotation is not given as a command.

    What a person sends through an inline bot (``via_bot``) is that bot's text.
    """
    return message.via_bot is not None or any(
        entity.type in _SHOWN and entity.offset == 0 for entity in message.entities
    )


def bots_message(message: Message, me: BotIdentity) -> int | None:
    """The message of the bot that a message answers."""
    answered = answered_by(message)
    if answered is None or answered.from_user is None or answered.from_user.id != me.id:
        return None
    return answered.message_id


def addressed(message: Message, said: str, me: BotIdentity) -> bool:
    """Whether a message in a group is meant for the bot: it names it, or answers it."""
    if "@" in said and _names(message, said, me):
        return True
    answered = answered_by(message)
    if answered is not None and answered.from_user is not None and answered.from_user.id == me.id:
        return True
    # People without a username are mentioned by an entity; so may the bot be. A word may be a link to it, too.
    return any(
        (entity.user is not None and entity.user.id == me.id) or (entity.url is not None and me.is_at(entity.url))
        for entity in (*message.entities, *message.caption_entities)
    )


def _names(message: Message, said: str, me: BotIdentity) -> bool:
    """Whether the text names the bot: in code and in an address its name means something else."""
    shown = [
        (entity.offset, entity.offset + entity.length)
        for entity in (*message.entities, *message.caption_entities)
        if entity.type in _NO_NAMES and entity.offset is not None and entity.length is not None
    ]
    places = (utf16(said[: found.start()]) for found in me.mention.finditer(said))
    return any(not any(begin <= place < end for begin, end in shown) for place in places)


def without_call(said: str, me: BotIdentity) -> str:
    """The text without the bot's name in front: ``@bot /new`` is a command as ``/new@bot`` is."""
    found = me.mention.match(said.lstrip()) if "@" in said else None
    bare = said.lstrip()[found.end() :].lstrip(_BETWEEN) if found is not None else said
    return bare if bare.startswith("/") else said


def without_mention(said: str, me: BotIdentity, *, keep: bool) -> str:
    """The text without the bot's name at its start or end; in the middle it is part of the sentence.

    A text of nothing else stays (``keep``) where it is all there is to answer.
    """
    if "@" not in said:
        return said
    bare = said
    if (found := me.mention.match(bare.lstrip())) is not None:
        bare = bare.lstrip()[found.end() :].lstrip(_BETWEEN)
    trimmed = bare.rstrip()
    for found in me.mention.finditer(trimmed):
        if found.end() == len(trimmed):
            bare = trimmed[: found.start()].rstrip()
    return bare or (said if keep else "")
