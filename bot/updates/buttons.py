"""Pressed buttons: those of the bot's messages, and Telegram's own Stop (pure)."""

import re
from dataclasses import dataclass

from bot.updates.commands import Command
from bot.updates.content import answered_by
from bot.updates.inline_messages import wanted
from bot.updates.meaning import Ignored, Incoming, Meaning, UpdateReading
from bot.updates.models import CallbackQuery, GenerationStopped
from bot.updates.origin import author_of, person_of, session_of
from tasks.chats.asking import WORD
from tasks.chats.choices import CHAT_CHOICES, DEFAULT
from tasks.chats.command_names import ADMINS, CHOICES
from tasks.envelope import Inbound, InboundKind, Sender
from tasks.session import SessionKey

WAITS = "waits"
"""Data of the button that an inline message has until its answer takes its place; behind it stands what was asked."""
_NAME = re.compile("[0-9a-f]{16}")
"""Of an exchange (``workers.sessions.commands.again``)."""
_VERSIONS: dict[InboundKind, int] = {"answer": 3, "conversation": 4}
"""An older worker would take these kinds for damage; of an exchange (4), it would take another one back."""


def choice_of(what: str, name: str) -> dict[str, str]:
    """A choice as the worker takes it: the empty name is the default's."""
    # An agent's name has no blanks (``tasks.operator_files.agent_files.Card.name``), whatever its card says.
    spelled = name.replace(" ", "_") if what == "agent" else name
    named = CHAT_CHOICES[what].value_of(name) if what in CHAT_CHOICES else spelled
    return {what: "" if name.lower() == DEFAULT else named}


def pressed(at: UpdateReading, query: CallbackQuery) -> Meaning:
    """A pressed button. Its data says what it does: ``retry``, ``stop``, ``model:NAME`` ..."""
    callback = query.id
    word, _, argument = (query.data or "").partition(":")
    message = query.message
    if word == WAITS:
        return wanted(at, query, argument) or Ignored(
            at.update_id, "a button that only waits", callback, tongue=query.from_user.language_code, waits=True
        )
    if message is None or (message.date == 0 and word not in (WORD, *ADMINS)):
        # Of an inaccessible message (date 0) not even the topic is told. A question may rest for long, and so may a
        # stranger's request; they are known by their ids, so a guess at the session harms nothing.
        return at.nothing("a button whose message is gone", callback, query.from_user.language_code)
    meant = _meant(word, argument)
    if meant is None:
        return at.nothing("a button that we do not know", callback, query.from_user.language_code)
    session = session_of(at.me, message, message.business_connection_id)
    inbound = Inbound(
        v=4 if meant.exchange else _VERSIONS.get(meant.kind, 1),
        session=str(session),
        update_id=at.update_id,
        at=at.now,
        kind=meant.kind,
        message_id=message.message_id,
        sender=person_of(query.from_user),
        chat_type=message.chat.type,
        choice=meant.choice or {},
        pressed=True,
        last=meant.kind == "retry" and bool(meant.exchange),
        exchange=meant.exchange,
    )
    answered = answered_by(message)
    asker = author_of(answered.from_user, answered.sender_chat) if answered is not None else None
    return Incoming(
        at.update_id,
        inbound,
        ask=meant.ask,
        callback=callback,
        sent=at.now,
        # What stands under a message of the bot's own was asked for by a button, and Telegram does not say by whom.
        asker=None if asker is None or asker.id == at.me.id else asker,
    )


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """What a button's data means."""

    kind: InboundKind
    choice: dict[str, str] | None = None
    ask: Command | None = None
    exchange: str = ""


def _meant(word: str, argument: str) -> ButtonPress | None:
    """What ``WORD:ARGUMENT`` means; None where we do not know it."""
    match word:
        case "retry" | "undo" if _NAME.fullmatch(argument):
            return ButtonPress(word, exchange=argument)
        case "retry" | "stop":
            return ButtonPress(word)
        case _ if word in ("reminders", "memory", "forget", "logout", "sessions", *ADMINS) and argument:
            return ButtonPress("message", ask=Command(word, argument))
        case "resume" if argument:
            return ButtonPress("conversation", {word: argument}, Command(word, argument))
        case _ if word == WORD and argument:
            ident, _, verdict = argument.partition(":")
            return ButtonPress("answer", {"ask": ident, "say": verdict})
        case _ if word in CHOICES and argument:
            return ButtonPress("choose", choice_of(word, argument), Command(word, argument))
        case _:
            return None


def stopped(at: UpdateReading, end: GenerationStopped) -> Meaning:
    """The native Stop button of a draft (Bot API 10.3); drafts are shown in private chats only."""
    session = SessionKey(at.me.id, end.chat.id, end.message_thread_id)
    inbound = Inbound(
        session=str(session), update_id=at.update_id, at=at.now, kind="stop", sender=Sender(id=session.chat)
    )
    return Incoming(at.update_id, inbound)
