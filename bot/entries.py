"""An update on its way through the intake, and what is stored that no person wrote (pure)."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.updates.commands import Command
from bot.updates.meaning import AskedInline, Ignored, Incoming, Malformed, Meaning, Moved
from tasks.chats import choices as chat_choices
from tasks.envelope import DeadLetter, Inbound, Reply
from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.store.intake import Accept
from tasks.telemetry.tracing import NO_SPAN, TraceSpan
from tasks.text import is_digits
from tasks.turn_record import reference

log = logging.getLogger("cohort.bot")

_TOAST = 200
"""Characters (Bot API, "answerCallbackQuery")."""
_RAW = 32_768
"""Characters of an update that was not decided, kept for the operator."""
_DECIDES = frozenset({"allow", "deny"})
_SHOWS = frozenset({"reminders", "forget", "logout"}) | _DECIDES
"""Commands whose button changes the list under which it stands: the first line says what changed."""


@dataclass(slots=True)
class Item:
    """An update on its way: its meaning, what the store keeps of it, and what follows once it is accepted."""

    meaning: Meaning
    accept: Accept
    stranger: Incoming | None = None
    rated: Incoming | None = None
    """The message, where its person has sent too many."""
    crowded: Inbound | None = None
    """The message, where the bot has answered too many of its session."""
    sorry: Inbound | None = None
    """The message, where the bot failed to answer it."""
    press: str | None = None
    press_says: str | None = None
    span: TraceSpan = NO_SPAN

    @property
    def inbound(self) -> Inbound | None:
        return self.accept.inbound

    @staticmethod
    def entries(items: "Iterable[Item]") -> list[Inbound]:
        """What items bring to inboxes, in their order."""
        return [item.inbound for item in items if item.inbound is not None]


@dataclass(slots=True)
class After:
    """What an accepted batch leads to."""

    interrupt: list[Inbound] = field(default_factory=list[Inbound])
    typing: list[SessionKey] = field(default_factory=list[SessionKey])
    strangers: list[Incoming] = field(default_factory=list[Incoming])
    full: list[Inbound] = field(default_factory=list[Inbound])
    rated: list[Incoming] = field(default_factory=list[Incoming])
    crowded: list[Inbound] = field(default_factory=list[Inbound])
    sorry: list[Inbound] = field(default_factory=list[Inbound])

    def refuse(self, item: Item) -> None:
        """Note who is told why an update was not taken."""
        if item.stranger is not None:
            self.strangers.append(item.stranger)
        if item.rated is not None:
            self.rated.append(item.rated)
        if item.crowded is not None:
            self.crowded.append(item.crowded)
        if item.sorry is not None:
            self.sorry.append(item.sorry)


def tongue_of(meaning: Meaning) -> str | None:
    """The language of the person whose update it is, if told."""
    match meaning:
        case Incoming():
            return meaning.inbound.tongue
        case Ignored():
            return meaning.tongue
        case AskedInline():
            return meaning.heard.inbound.tongue
        case _:
            return None


def note(meaning: Meaning) -> None:
    """Log what an update meant, where no message says it."""
    match meaning:
        case Malformed(update_id, reason, _):
            log.error("update.dead", extra={"update_id": update_id, "reason": reason})
        case Moved(_, old, new):
            log.info("chat.moved", extra={"session": str(old), "renamed": str(new)})
        case Ignored(update_id, why):
            log.debug("update.ignored", extra={"update_id": update_id, "why": why})
        case _:
            pass


def moved_entry(moved: Moved, now: float) -> Inbound:
    """A control word behind the messages that wait in the old group."""
    return Inbound(
        v=2,
        session=str(moved.old),
        update_id=moved.update_id,
        at=now,
        kind="moved",
        chat_type="group",
        moved_to=moved.new.chat,
    )


def told(heard: Incoming, reply: Reply, says: str | None) -> Item:
    """The bot answers it itself; ``says``: what is read for a moment by who pressed a button.

    A sentence that changes no message is of use to that person alone, and no line in the chat; that of a login that
    was deleted stays to be read.
    """
    lasts = reply.edit is not None or reply.buttons or len(reply.text) > _TOAST
    if heard.callback is not None and not lasts and (heard.ask is None or heard.ask.name != "logout"):
        return Item(heard, Accept(heard.update_id), press=heard.callback, press_says=reply.text)
    return Item(heard, Accept(heard.update_id, reply=reply), press=heard.callback, press_says=says)


def crowded(heard: Incoming) -> Item:
    """The bot would answer it itself, and has done so too often in its session."""
    pressed, nothing = heard.callback, Accept(heard.update_id)
    return Item(heard, nothing, press=pressed, press_says=phrase("rate"), crowded=None if pressed else heard.inbound)


def buried(item: Accept, problem: Exception, now: float) -> Accept:
    """The item as a dead letter, in ASCII: the store may be unable to take the item's own content."""
    reason = f"could not be stored: {type(problem).__name__}"
    raw, session = ascii(item.inbound or item.reply or item.dead), item.inbound.session if item.inbound else None
    letter = DeadLetter(reason=reason, at=now, session=session, update_id=item.update_id, raw=raw)
    return Accept(item.update_id, dead=letter)


def undecided(meaning: Meaning, problem: Exception, now: float) -> Item:
    """What a defect kept from being decided. It is not known whose it is, so no one is told."""
    reason = f"could not be decided: {type(problem).__name__}"
    letter = DeadLetter(reason=reason, at=now, update_id=meaning.update_id, raw=ascii(meaning)[:_RAW])
    number = -1 if meaning.update_id is None else meaning.update_id
    return Item(Ignored(number, reason), Accept(number, dead=letter))


def failed(heard: Incoming, problem: Exception, now: float) -> Item:
    """What the bot failed to answer. Its person is told so, with the reference that the log and the letter have."""
    inbound, pressed = heard.inbound, heard.callback
    ref = reference(inbound.key.bot, heard.update_id)
    ask = heard.ask.name if heard.ask is not None else inbound.kind
    log.error("answer.failed", exc_info=problem, extra={"session": inbound.session, "ask": ask, "ref": ref})
    says = phrase("reference", words=phrase("defect"), ref=ref) if pressed else None
    letter = buried(Accept(heard.update_id, inbound=inbound), problem, now)
    return Item(heard, letter, press=pressed, press_says=says, sorry=None if pressed else inbound)


def ended(pressed: Ignored) -> str:
    """What a person reads for a moment whose press asks for nothing."""
    return phrase("inline-waits") if pressed.waits else phrase("too-old")


def toast(ask: Command | None, inbound: Inbound, reply: Reply | None) -> str | None:
    """What a person reads for a moment who pressed a button: what it changed. None: there is nothing to say.

    Args:
        ask: What the button asks for; None where it is a word for the session's worker.
        inbound: The press.
        reply: The bot's own answer; None where the session's worker carries it out.
    """
    if not inbound.pressed:
        return None
    if inbound.kind == "choose" and reply is None:
        (what, value), *_ = inbound.choice.items()
        said = chat_choices.switched_later if inbound.told else chat_choices.switched
        return said(what, value)[:_TOAST]
    if ask is None:
        return None
    turns = is_digits(ask.argument) and ask.name not in _DECIDES
    return reply.text.partition("\n")[0][:_TOAST] if reply is not None and ask.name in _SHOWS and not turns else None
