"""What is asked of the bot in chats that are not its own: inline queries, and messages that call it as a guest (pure).

Both end in an inline message. It is a session of its own, of the person who asks, and its number is its id.
"""

import re
from dataclasses import replace
from hashlib import blake2s

from bot.updates.content import formatted_text_of, media_of
from bot.updates.meaning import AskedInline, Incoming, MalformedValue, Meaning, UpdateReading
from bot.updates.models import CallbackQuery, Message
from bot.updates.origin import not_ours, person_of, without_mention
from bot.updates.quotes import quote_of, quoted_files, quoted_of
from bot.updates.update import ChosenInlineResult, InlineQuery
from tasks.envelope import Inbound, Sender
from tasks.session import SessionKey

_OFFERED = re.compile(r"\d{1,16}:[0-9a-f]{16}", re.ASCII)
"""A person's id, and the name of what they typed (``tasks.store.records.typed``)."""
_BELOW_UPDATES = -(2**32) - 1
"""Numbers that no update has: theirs are positive, and what has no id is counted down from -1 by a CRC."""
_ID = re.compile(r"[\w-]{1,128}", re.ASCII)
_VERSION = 6
"""An older worker would answer it in the person's private chat."""


def asked(at: UpdateReading, query: InlineQuery) -> Meaning:
    """A person types; what they send in the end is told by ``chosen``."""
    if not at.me.inline:
        return at.nothing("an inline query")
    # What is offered has one page: behind it there is nothing.
    said = "" if query.offset else query.query.strip()
    inbound = _inbound(at, person_of(query.from_user), said)
    return AskedInline(at.update_id, query.id, Incoming(at.update_id, inbound, sent=at.now), "typed")


def chosen(at: UpdateReading, result: ChosenInlineResult) -> Meaning:
    """A person has sent the result: it is a message now, and its question begins a turn."""
    said = result.query.strip()
    if not at.me.inline or not said:
        return at.nothing("a chosen result")
    if result.inline_message_id is None:
        return at.nothing("a chosen result without a message: it had no button")
    inbound = _inbound(at, person_of(result.from_user), said)
    return in_message(Incoming(at.update_id, inbound, sent=at.now), result.inline_message_id)


def summoned(at: UpdateReading, message: Message) -> Meaning:
    """A message in a chat of which the bot is no member, that names it or answers what it said there."""
    if not at.me.guests or message.guest_query_id is None:
        return at.nothing("a message to a guest")
    why = not_ours(message, None, None)
    if message.from_user is None or why is not None:
        return at.nothing(why or "a guest's message of no person")
    quote = quote_of(message, at.me)
    said = without_mention(formatted_text_of(message), at.me, keep=quote is None)
    media = media_of(message) or quoted_files(message, at.me)
    if not said and not quote and not media:
        return at.nothing("a guest's message without words")
    inbound = _inbound(at, person_of(message.from_user), said).model_copy(
        update={
            "message_id": message.message_id,
            "quote": quote,
            "quoted": quoted_of(message, at.me) if quote else None,
            "media": media,
        }
    )
    heard = Incoming(at.update_id, inbound, sent=message.date or at.now)
    return AskedInline(at.update_id, message.guest_query_id, heard, "called")


def wanted(at: UpdateReading, query: CallbackQuery, argument: str) -> AskedInline | None:
    """A person presses the button of an inline message that waits; None: the button names no question.

    Where Telegram tells of no message that was sent (BotFather's /setinlinefeedback), this alone tells of it.
    """
    if not at.me.inline or query.inline_message_id is None or _OFFERED.fullmatch(argument) is None:
        return None
    heard = Incoming(at.update_id, _inbound(at, person_of(query.from_user), ""), callback=query.id, sent=at.now)
    return AskedInline(at.update_id, argument, in_message(heard, query.inline_message_id), "pressed")


def in_message(heard: Incoming, inline: str) -> Incoming:
    """What is asked, as a message of the inline message's session.

    Raises:
        MalformedValue: the id is none.
    """
    if not _ID.fullmatch(inline):
        raise MalformedValue("inline_message_id is no id")
    old = heard.inbound.key
    session = SessionKey(old.bot, old.chat, inline=inline)
    inbound = heard.inbound.model_copy(update={"session": str(session)})
    number = int.from_bytes(blake2s(inline.encode(), digest_size=7).digest())
    return replace(heard, inbound=inbound, once=_BELOW_UPDATES - number)


def _inbound(at: UpdateReading, person: Sender, said: str) -> Inbound:
    return Inbound(
        v=_VERSION,
        session=str(SessionKey(at.me.id, person.id)),
        update_id=at.update_id,
        at=at.now,
        sender=person,
        chat_type="private",
        text=said,
    )
