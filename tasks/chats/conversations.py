"""Conversations of a session: the one that goes on, and earlier ones that are kept (pure)."""

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tasks.chats import pages
from tasks.chats.pages import turning
from tasks.envelope import Button
from tasks.phrases import phrase
from tasks.text import is_digits, on_one_line

KEPT_BYTES = 4 * 1024 * 1024
"""Of a session's earlier conversations in all, as stored."""
TITLE_CHARACTERS = 60
_BUTTON_CHARACTERS = 40
_PAGE = 8


class Conversation(BaseModel):
    """An earlier conversation, as the index names it; its history stands beside that, under its number.

    The one that goes on may stand there, too, as it was when it was set aside last.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    """Given once: a button under an old list means the same conversation for ever."""
    title: str = ""
    by: int | None = None
    """The person whose words the title is."""
    at: float = 0.0
    """When it was set aside, seconds since the epoch."""
    size_bytes: int = 0


class Current(BaseModel):
    """The conversation that goes on (``StateField.conversation``)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int = 1
    last: int = 1
    """The highest number that was given."""
    title: str = ""
    by: int | None = None


_INDEX = TypeAdapter(tuple[Conversation, ...])


def read_index(raw: bytes | None) -> tuple[Conversation, ...]:
    """The earlier conversations, the last one first; of a damaged index nothing."""
    with suppress(ValidationError):
        found = _INDEX.validate_json(raw) if raw else ()
        return tuple(sorted(found, key=lambda one: one.at, reverse=True))
    return ()


def written(index: Sequence[Conversation]) -> str:
    """The stored form; empty when none is kept."""
    return _INDEX.dump_json(tuple(index), exclude_defaults=True).decode() if index else ""


def read_current(raw: bytes | None, index: Sequence[Conversation] = ()) -> Current:
    """The conversation that goes on. Where nothing is stored, an older release began it, or it is new."""
    with suppress(ValidationError):
        if raw:
            return Current.model_validate_json(raw)
    last = max((one.number for one in index), default=0) + 1
    return Current(number=last, last=last)


def fitting(index: Sequence[Conversation], *, most: int) -> tuple[Conversation, ...]:
    """As many as may be kept, the last ones first: the last one always, so that /new and /resume lose no long one."""
    kept: list[Conversation] = []
    left = KEPT_BYTES
    for one in sorted(index, key=lambda one: one.at, reverse=True)[:most]:
        left -= one.size_bytes
        if left < 0 and kept:
            break
        kept.append(one)
    return tuple(kept)


def title_of(text: str) -> str:
    """The first words of a text, on one line, without characters that hide or reorder others."""
    line = on_one_line(text)
    if len(line) <= TITLE_CHARACTERS:
        return line
    cut = line[:TITLE_CHARACTERS]
    words = cut.rpartition(" ")[0]
    return f"{words if len(words) > TITLE_CHARACTERS // 2 else cut}…"


# -- what people read

RESUME, LIST = "resume", "sessions"
"""The first words of what the list's buttons carry."""


def named(number: int, title: str) -> str:
    """A conversation in a sentence or on a button."""
    return title or phrase("conversation-untitled", number=str(number))


def now_called(title: str) -> str:
    """What is said after /title, by a worker or by the bot in its place."""
    return phrase("conversation-titled", title=title)


def _numbered(one: Conversation) -> str:
    return f"{one.number}. {named(one.number, one.title)}"


def others(current: Current, index: Sequence[Conversation]) -> tuple[Conversation, ...]:
    """The earlier ones without the one that goes on."""
    return tuple(one for one in index if one.number != current.number)


def titled(words: str, index: Sequence[Conversation]) -> tuple[Conversation, ...]:
    """Those whose titles have the words in them, whole words first; none for a number, or no words."""
    wanted = " ".join(words.split()).casefold()
    whole = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
    found = [(one, named(one.number, one.title).casefold()) for one in index]
    having = sorted((whole.search(title) is None, place) for place, (_, title) in enumerate(found) if wanted in title)
    return () if is_digits(wanted) or not wanted else tuple(index[place] for _, place in having)


HOWS = ("title", "resume")
"""Commands of which the list says how they are used, to who may use them."""


def list_text(
    current: Current,
    index: Sequence[Conversation],
    page: int = 0,
    head: str = "",
    *,
    hows: Collection[str] = HOWS,
) -> str:
    """What /sessions answers.

    Args:
        current: The conversation that goes on.
        index: The earlier ones.
        page: The number of the page, from 0.
        head: A line above it.
        hows: Of ``HOWS``: what the reader may use.
    """
    if not index and not head:
        return phrase("conversations-none")
    name = named(current.number, current.title)
    lines = [phrase("conversation-now", number=str(current.number), title=name)] if page == 0 else []
    lines += [phrase("conversation-kept", name=_numbered(one), date=_day(one.at)) for one in _shown(index, page)]
    further = len(index) - (page + 1) * _PAGE
    more = [phrase("and-more", count=further)] if further > 0 else []
    naming = [phrase("conversations-how")] if "title" in hows else []
    finding = [phrase("conversations-find")] if index and "resume" in hows else []
    how = ["", *naming, *finding] if page == 0 and (naming or finding) else []
    return "\n".join([head or phrase("conversations"), "", *lines, *more, *how])


def _day(at: float) -> str:
    day = datetime.fromtimestamp(at, UTC)
    return phrase("date", year=day.year, month=day.month, day=day.day)


def list_buttons(index: Sequence[Conversation], page: int = 0, *, turn: bool = True) -> tuple[tuple[Button, ...], ...]:
    """A button for each earlier conversation, and those that turn the page."""
    rows = [(Button(text=_short(_numbered(one)), data=f"{RESUME}:{one.number}"),) for one in _shown(index, page)]
    return (*rows, *(turning(LIST, page, -(-len(index) // _PAGE)) if turn else ()))


def page_of(argument: str, index: Sequence[Conversation]) -> int:
    """The page that an argument names, counted from 0."""
    return pages.page_of(argument, -(-len(index) // _PAGE))


def _shown(index: Sequence[Conversation], page: int) -> Sequence[Conversation]:
    return index[page * _PAGE : (page + 1) * _PAGE]


def _short(label: str) -> str:
    return label if len(label) <= _BUTTON_CHARACTERS else f"{label[: _BUTTON_CHARACTERS - 1]}…"
