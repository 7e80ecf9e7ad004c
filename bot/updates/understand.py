"""Translates a raw update into its meaning: a message of a session, a question to the bot, or nothing (pure)."""

import json
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from bot.updates.business import connected, deleted
from bot.updates.buttons import pressed, stopped
from bot.updates.commands import Command, as_written, parse
from bot.updates.content import is_untitled, media_of, text_of
from bot.updates.inline_messages import asked, chosen, summoned
from bot.updates.meaning import (
    AccountChanged,
    AskedInline,
    BotIdentity,
    Ignored,
    Incoming,
    Malformed,
    MalformedValue,
    Meaning,
    Moved,
    TakenBack,
    Understood,
    UpdateReading,
)
from bot.updates.membership import membership
from bot.updates.models import Message
from bot.updates.origin import (
    addressed,
    bots_message,
    forwarded_from,
    not_ours,
    post_of,
    sender_of,
    session_of,
    shows,
    without_call,
)
from bot.updates.parsed import ParsedMessage, command_in, parsed_command, parsed_words
from bot.updates.quotes import quote_of, quoted_of
from bot.updates.reactions import reacted
from bot.updates.update import TelegramUpdate, update_id_of
from tasks.chats.command_names import ADMINS, CONTROL
from tasks.chats.pairing import is_code
from tasks.envelope import Inbound, Sender
from tasks.session import SessionKey

_OF_CUSTOMERS = ("business_message", "edited_business_message")
BUSINESS_UPDATES = (*_OF_CUSTOMERS, "business_connection", "deleted_business_messages")
CHANNEL_UPDATES = ("channel_post", "edited_channel_post")
INLINE_UPDATES = ("inline_query", "chosen_inline_result")
GUEST_UPDATES = ("guest_message",)
"""What we ask for where an operator wants it."""
_OPTIONAL = ("update_id", *BUSINESS_UPDATES, *CHANNEL_UPDATES, *INLINE_UPDATES, *GUEST_UPDATES)
ALLOWED_UPDATES = tuple(name for name in TelegramUpdate.model_fields if name not in _OPTIONAL)
"""The kinds that we always ask Telegram for."""

_EDITABLE_S = 48 * 3600
"""Telegram lets people edit a message for so long; a later edit is Telegram's own, of a link's preview for example."""

RAW_CHARACTERS = 32_768
"""Of an update that was not understood, kept for the operator."""


def understand(update: object, me: BotIdentity, now: float) -> Understood:
    """What an update means; never raises.

    Args:
        update: One element of getUpdates' result, or a webhook's body (https://core.telegram.org/bots/api#update).
        me: The bot.
        now: Seconds since the epoch, for ``Inbound.at``.
    """
    try:
        read = TelegramUpdate.model_validate(update)
        for kind, meaning_of in _KINDS.items():
            if (found := getattr(read, kind)) is not None:
                return _of_a_session(meaning_of(UpdateReading(read.update_id, kind, me, now), found))
        return Ignored(read.update_id, "a kind of update that we do not serve")
    except ValidationError as problem:
        return Malformed(update_id_of(update), _reason(problem), _dump(update))
    except MalformedValue as problem:
        return Malformed(update_id_of(update), str(problem), _dump(update))
    except Exception as problem:  # noqa: BLE001 - one update must never stop the others
        return not_understood(update, problem)


def not_understood(update: object, problem: Exception) -> Malformed:
    """What an update is that a defect of ours cannot read."""
    return Malformed(update_id_of(update), f"not understood: {type(problem).__name__}", _dump(update))


def _of_a_session(meaning: Understood) -> Understood:
    """The meaning, if the sessions that it names can be: no chat, topic or connection that Telegram cannot mean.

    Raises:
        MalformedValue: one cannot.
    """
    match meaning:
        case Incoming():
            sessions = (meaning.inbound.session,)
        case AskedInline():
            sessions = (meaning.heard.inbound.session,)
        case Moved():
            sessions = (str(meaning.old), str(meaning.new))
        case TakenBack():
            sessions = (str(meaning.session),)
        case AccountChanged():
            sessions = (str(SessionKey(meaning.bot, 0, business=meaning.connection)),)
        case _:
            sessions = ()
    if not all(map(SessionKey.is_one, sessions)):
        raise MalformedValue("chat, topic or business connection is none")
    return meaning


_WRONG = {
    "missing": "is missing",
    "model_type": "is no object",
    "int_type": "is no integer",
    "string_type": "is no text",
    "literal_error": "is none that we know",
}


def _reason(problem: ValidationError) -> str:
    """Which field is wrong; never its content."""
    wrong = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    place = [str(name) for name in wrong["loc"]]
    named = ".".join(place[1:] or place) or "the update"
    return f"{named} {_WRONG.get(wrong['type'], wrong['type'])}"


def _dump(update: object) -> str:
    try:
        # ASCII, so that no half of a surrogate pair is in the way.
        return json.dumps(update, default=str)[:RAW_CHARACTERS]
    except (ValueError, TypeError, RecursionError):
        return "(cannot be written down)"


def _message(at: UpdateReading, message: Message) -> Meaning:
    if at.kind in _OF_CUSTOMERS and not at.me.business:
        return at.nothing("a message to a business account")
    business = message.business_connection_id if at.kind in _OF_CUSTOMERS else None
    session = session_of(at.me, message, business)
    if (changed := _changed(at, message, session)) is not None:
        return changed
    sender, said = sender_of(message), text_of(message)
    bare = as_written(without_call(said, at.me), private=message.chat.type == "private")
    posts = at.kind in CHANNEL_UPDATES and at.me.channels
    why = not_ours(message, sender, business, posts=posts) or _not_for_us(at, message, said, bare)
    if why is not None:
        return at.nothing(why)

    group, forwarded = message.chat.type != "private", forwarded_from(message) is not None
    reads = not forwarded and business is None and _commands(message, bare, at.me)
    command = command_in(said, at.me, private=not group) if reads else None
    if command is not None and group and not command.is_for(at.me.username):
        return at.nothing("a command for another bot")
    given = parsed_command(command, message, at.me) if command is not None else None
    if given is None:
        given = parsed_words(message, said, at.me, group=group)
    if given is None:
        return at.nothing("a service message")
    inbound = _inbound(at, message, session, sender, given)
    place = _is_place(at, message)
    own = not (group or inbound.edited or business or forwarded or shows(message))
    return Incoming(
        at.update_id,
        inbound,
        (given.addressed or not group) and not place,
        given.ask,
        place=place,
        code=_code_in(said, command) if own else None,
        sent=message.edit_date or message.date or at.now,
        group=message.chat.title or "",
        post=post_of(message) if at.me.channels else None,
    )


def _not_for_us(at: UpdateReading, message: Message, said: str, bare: str) -> str | None:
    """Why a post or an edit is nothing to us, or None."""
    if at.kind in CHANNEL_UPDATES and not (
        addressed(message, said, at.me) or said.partition(" ")[0].lower().endswith(f"@{at.me.username}")
    ):
        # Its readers are not the bot's: what does not name it is no context either, and no bare command.
        return "a post that does not name the bot"
    if not _is_edit(at):
        return None
    command = parse(bare)
    if command is not None and command.known:
        return "a command is not given by an edit"
    if not _edits(message, said) and not _is_place(at, message):
        return "an edit without words"
    if (message.edit_date or 0) - (message.date or 0) > _EDITABLE_S:
        return "an edit that no person can make"
    return None


def _edits(message: Message, said: str) -> bool:
    """Whether a person may have edited it: a live location moves by itself, polls and games count."""
    counts = message.poll is not None or message.game is not None
    return bool(said or message.rich_message or (media_of(message) and not counts))


def _is_place(at: UpdateReading, message: Message) -> bool:
    """Whether a person's live location has moved, or ended."""
    return at.kind == "edited_message" and message.location is not None


def _is_edit(at: UpdateReading) -> bool:
    return at.kind.startswith("edited_")


def _inbound(
    at: UpdateReading, message: Message, session: SessionKey, sender: Sender | None, given: ParsedMessage
) -> Inbound:
    """The entry of the inbox."""
    quote = quote_of(message, at.me) if given.kind in ("message", "new") else None
    return Inbound(
        v={"undo": 3, "conversation": 4}.get(given.kind, 1),
        last=given.kind == "retry",
        session=str(session),
        update_id=at.update_id,
        at=at.now,
        kind=given.kind,
        message_id=message.message_id,
        sender=sender,
        chat_type=message.chat.type,
        text=given.text,
        media=given.media,
        album=message.media_group_id,
        quote=quote,
        # Admins reply to a person, also where there are no words: "Ben joined the group".
        quoted=quoted_of(message, at.me) if quote or (given.ask and given.ask.name in ADMINS) else None,
        choice=given.choice or {},
        edited=_is_edit(at),
        described=given.described,
        start=given.start,
        untitled=is_untitled(message),
        forwarded_from=forwarded_from(message),
        reply_to=bots_message(message, at.me),
    )


def _code_in(said: str, command: Command | None) -> str | None:
    """The pairing code that a message of a private chat is: alone, or as a deep link sends it."""
    word = command.argument if command is not None and command.name == "start" else said.strip()
    return word if is_code(word) else None


def _commands(message: Message, said: str, me: BotIdentity) -> bool:
    """Whether a text may be a command: a text that is only shown is not, and a caption only if it names the bot.

    In a private chat, where the bot reads every picture, one that comes with a question to the bot is for the agent.
    """
    if not said.startswith("/") or shows(message):
        return False
    found = parse(said) if message.text is None else None
    asks = found is not None and found.name not in CONTROL and message.chat.type == "private"
    return message.text is not None or (found is not None and found.to == me.username and not asks)


def _changed(at: UpdateReading, message: Message, session: SessionKey) -> Moved | Ignored | None:
    """A topic was named, or a group became a supergroup: both say so. (A group that still can has no topics.)"""
    if message.forum_topic_edited is not None:
        named = session if message.forum_topic_edited.name else None
        return Ignored(at.update_id, "a service message", named=named)
    chat = session.chat
    old, new = message.migrate_from_chat_id, message.migrate_to_chat_id
    if old is None and new is None:
        return None
    moved = Moved(at.update_id, SessionKey(at.me.id, old or chat), SessionKey(at.me.id, new or chat))
    if moved.old == moved.new:
        raise MalformedValue("a group that became itself")
    return moved


_KINDS: dict[str, Callable[[UpdateReading, Any], Understood]] = {
    "message": _message,
    "edited_message": _message,
    "channel_post": _message,
    "edited_channel_post": _message,
    "business_message": _message,
    "edited_business_message": _message,
    "business_connection": connected,
    "deleted_business_messages": deleted,
    "callback_query": pressed,
    "stopped_message_generation": stopped,
    "my_chat_member": membership,
    "message_reaction": reacted,
    "inline_query": asked,
    "chosen_inline_result": chosen,
    "guest_message": summoned,
}
