"""Tools written in Python that know the session they run for: notes and reminders, and what your own need for it.

A card names a function by the path of its file, seen from the card: ``function_tools: ["session_tools.py:remember"]``.
Such a file says ``from cohort import current_session`` and calls it where it needs to know the chat. The
session stands in a ContextVar set in the turn's task, so tools of turns that run at the same time never mix; threads
that fast-agent starts for plain (not async) functions see it too.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from tasks.chats.asking import MOST_CHOICES
from tasks.envelope import Inbound
from tasks.errors import Misconfigured, Terminal
from tasks.reminders.recurrence import Rule, instant_of, local_now
from tasks.reminders.timezones import find_zone, zone_info
from tasks.session import SessionKey
from workers.runtime.askers import askers_of_turn
from workers.runtime.conversation.message_tags import marked
from workers.steps import PersonsAnswer
from workers.tool_stores import Notes, Reminders


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What tools of this worker may use."""

    notes: Notes | None = None
    reminders: Reminders | None = None


session_of_turn: ContextVar[SessionKey] = ContextVar("session_of_turn")
toolbox_of_turn: ContextVar[Toolbox] = ContextVar("toolbox_of_turn")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a turn came from."""

    by: int | None = None
    """The person who wants it."""
    depth: int = 0
    """The depth of a reminder that is set in it."""

    @classmethod
    def of(cls, messages: Sequence[Inbound]) -> Self:
        """With a person's message the chain starts again at 0; a turn of reminders alone is one link further."""
        people = [message for message in messages if message.kind != "reminder"]
        if people:
            return cls(people[-1].person)
        return cls(messages[-1].person, 1 + max(message.depth for message in messages))


origin_of_turn: ContextVar[Origin] = ContextVar("origin_of_turn")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of a turn. Of each try of the turn it is the same call, with the same ``key``.

    ``again``: it may have been carried out already, by a worker that died.
    """

    key: str
    tool: str
    again: bool = False


call_of_turn: ContextVar[Call | None] = ContextVar("call_of_turn", default=None)


def current_call() -> Call:
    """The tool call that this function runs for; give its ``key`` to what must not happen twice.

    Raises:
        Misconfigured: no turn is running here (a tool started by something else than Cohort).
    """
    call = call_of_turn.get()
    if call is None:
        raise Misconfigured("this tool only works inside a turn of Cohort")
    return call


@dataclass(frozen=True, slots=True)
class LoginAsk:
    """A question that waits for a login."""

    begin: Callable[[], Awaitable[tuple[str, str, str]]] | None = None
    """Begins it, when the question was not answered yet: the login's id, the question, the link."""
    given: bool = False
    """Only what was answered already; nothing is asked."""


class AskOfCall(Protocol):
    """Puts a question with its choices; None when there is no person to ask."""

    async def __call__(
        self, text: str, choices: tuple[str, ...], login: LoginAsk | None = None, /
    ) -> PersonsAnswer | None:
        """Ask."""
        ...


ask_of_call: ContextVar[AskOfCall | None] = ContextVar("ask_of_call", default=None)
"""Asks a person from inside the tool call that runs."""

_QUESTION = 2_000
_CHOICE = 200
"""Characters of a question, and of a choice."""


async def ask_user(question: str, choices: Sequence[str] = ()) -> str:
    """Ask the person a question and wait for the answer, however long it takes.

    Args:
        question: What to ask, in full.
        choices: Up to 8 answers to choose from. Leave it empty where any words may be the answer.
    """
    asked = " ".join(str(question).split()) if len(str(question)) > _QUESTION else str(question).strip()
    offered = tuple(dict.fromkeys(str(choice).strip() for choice in choices))
    ask = ask_of_call.get()
    if not asked:
        return "Not asked: the question is empty."
    if len(asked) > _QUESTION:
        return f"Not asked: a question has at most {_QUESTION} characters."
    if len(offered) > MOST_CHOICES:
        return f"Not asked: at most {MOST_CHOICES} choices can be offered. Ask with fewer, or with none."
    if not all(offered) or max(map(len, offered), default=0) > _CHOICE:
        return f"Not asked: a choice has between 1 and {_CHOICE} characters."
    said = await ask(asked, offered) if ask is not None else None
    if said is None:
        return "Not asked: there is no person to ask here."
    if not said.words:
        return "The person did not answer, and did something else."
    if said.pressed is None and not said.plain:
        return f"The question was not answered. This came instead: {said.words}"
    # A tool may use the words as they are, for an address say; a tag would be no part of them.
    return said.plain or said.words


def current_session() -> SessionKey:
    """The session whose turn calls this tool.

    Raises:
        Misconfigured: no turn is running here (a tool started by something else than Cohort).
    """
    try:
        return session_of_turn.get()
    except LookupError:
        raise Misconfigured("this tool only works inside a turn of Cohort") from None


async def remember(topic: str, note: str) -> str:
    """Keep a note about this conversation for later, also after its history was cleared.

    Args:
        topic: A few words to find it by; a note on the same topic replaces the one before.
        note: What to remember. Empty forgets the topic.
    """
    notes = toolbox_of_turn.get(Toolbox()).notes
    if notes is None:
        return "Notes cannot be kept here."
    try:
        await notes.remember(current_session(), topic.strip(), note.strip())
    except Terminal as problem:
        return str(problem)
    return f"I will remember {topic.strip()!r}." if note.strip() else f"I forgot {topic.strip()!r}."


async def recall() -> str:
    """All notes kept about this conversation."""
    notes = toolbox_of_turn.get(Toolbox()).notes
    kept = await notes.recall(current_session()) if notes is not None else {}
    return (
        "\n".join(f"{marked(topic)}: {marked(note)}" for topic, note in sorted(kept.items())) or "There are no notes."
    )


async def _acts_for(origin: Origin) -> int | None:
    """Whose reminder it is: where roles count, that of the person of the turn with the lowest one."""
    askers = askers_of_turn.get()
    return origin.by if askers is None else await askers.least(origin.by)


async def remind_me(about: str, minutes: float = 0, when: str = "", timezone: str = "") -> str:
    """Have this conversation reminded of something later, once.

    Args:
        about: What to be reminded of, in full, as it will be read then.
        minutes: From now ("in 90 minutes").
        when: In place of it a date and time of the person's clocks, as YYYY-MM-DD HH:MM ("tomorrow at nine").
        timezone: An IANA name. Leave it empty unless the person named a place or has just told where they are.
    """
    reminders = toolbox_of_turn.get(Toolbox()).reminders
    if reminders is None:
        return "Reminders cannot be set here."
    try:
        session, origin = current_session(), origin_of_turn.get(Origin())
        by, seconds = await _acts_for(origin), minutes * 60
        # First: a reminder that is set must not be told as one that failed.
        zone = await reminders.zones.look(session.bot, _whose(origin, session)) or "UTC"
        if when.strip():
            zone = await _zone(reminders, session, origin, timezone)
            seconds = instant_of(when, zone) - reminders.now()
            if seconds <= 0:
                return (
                    f"Not set: {when[:32]} ({zone}) is over; it is {local_now(zone, reminders.now()):%Y-%m-%d %H:%M}."
                )
        due = await reminders.add(session, about.strip(), seconds, by=by, depth=origin.depth)
    except Terminal as problem:
        return str(problem)
    local = datetime.fromtimestamp(due, zone_info(zone))
    return f"The reminder is set for {local:%Y-%m-%d %H:%M} {'UTC' if zone == 'UTC' else f'({zone})'}."


def _whose(origin: Origin, session: SessionKey) -> int:
    """In whose time zone times are meant."""
    return origin.by if origin.by is not None else session.chat


async def _zone(reminders: Reminders, session: SessionKey, origin: Origin, said: str) -> str:
    """The zone that a time is meant in: the one that is said, else the person's. The first one is kept.

    Raises:
        Terminal: it is none, or not known yet; the words are for the model.
    """
    person = _whose(origin, session)
    kept = await reminders.zones.look(session.bot, person)
    zone = find_zone(said) if said.strip() else kept
    if zone is None and said.strip():
        raise Terminal(f"Not set: {said[:64]!r} is no time zone. Use an IANA name, for example Europe/Berlin.")
    if zone is None:
        raise Terminal(
            "Not set: the person's time zone is not known yet. Ask in which city or time zone they are, then call this "
            "again with its IANA name as timezone. It is kept, so ask only once."
        )
    if kept is None:
        # Before the reminder: what fails behind it would have it set again.
        await reminders.zones.keep(session.bot, person, zone)
    return zone


_LEFT_OUT = " Months without that day are left out, so tell the person; BYMONTHDAY=-1 is the last day of each."


async def remind_again(about: str, rule: str, at: str = "", timezone: str = "") -> str:
    """Have this conversation reminded of something again and again, until the person cancels it with /reminders.

    Args:
        about: What to be reminded of, in full, as it will be read then.
        rule: When, as an RRULE of RFC 5545: FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR or FREQ=MONTHLY;BYMONTHDAY=1.
        at: The time of day as HH:MM, in the person's time zone.
        timezone: An IANA name. Leave it empty unless the person named a place or has just told where they are.
    """
    reminders = toolbox_of_turn.get(Toolbox()).reminders
    if reminders is None:
        return "Reminders cannot be set here."
    session, origin = current_session(), origin_of_turn.get(Origin())
    try:
        by, zone = await _acts_for(origin), await _zone(reminders, session, origin, timezone)
        first = await reminders.repeat(session, about.strip(), rule, at, zone, by=by, depth=origin.depth)
    except Terminal as problem:
        return str(problem)
    local = datetime.fromtimestamp(first.at, zone_info(zone))
    said = f"The reminder is set; it comes first on {local:%A, %Y-%m-%d at %H:%M} ({zone})."
    return said + (_LEFT_OUT if Rule.parse(rule).leaves_out(local) else "")
