"""The form of a message's text as Markdown: links, code, bold, italic, strike-through, spoilers, quotations (pure).

Telegram tells form beside the text, as entities. A model reads text only, and "[this](https://...)" says more than
"this". What a person typed is not escaped, because it is as likely Markdown as not.
"""

from collections.abc import Sequence
from itertools import accumulate

from bot.updates.forms import PAIRS, around_block, around_code, around_link, around_moment
from bot.updates.models import Entity

_QUOTED = ("blockquote", "expandable_blockquote")
_FORMS = frozenset({*PAIRS, *_QUOTED, "text_link", "code", "pre", "date_time"})
_WIDE = "\U00010000"
"""From here on a character takes two UTF-16 units, in which Telegram counts."""


def formatted(text: str, entities: Sequence[Entity]) -> str:
    """The text with its form as Markdown.

    Args:
        text: As Telegram gives it.
        entities: Its entities; those that do not fit the text are left out.
    """
    # Most entities have no form: a mention, a command, an address that is shown.
    formed = [entity for entity in entities if entity.type in _FORMS]
    if not formed:
        return text
    units = _Units(text)
    before: dict[int, list[str]] = {}
    after: dict[int, list[str]] = {}
    # The outer one first: what it opens stands before, and what it closes behind, all that is within.
    for entity in sorted(formed, key=_outer_first):
        span = units.span(entity)
        if span is None:
            continue
        start, end = span
        if entity.type in _QUOTED:
            for place in (start, *(at + 1 for at in range(start, end - 1) if text[at] == "\n")):
                before.setdefault(place, []).append("> ")
            continue
        opened, closed = _marks(entity, text[start:end])
        if entity.type == "pre":
            # A block stands on lines of its own.
            opened = opened if start == 0 or text[start - 1] == "\n" else f"\n{opened}"
            closed = closed if end == len(text) or text[end] == "\n" else f"{closed}\n"
        before.setdefault(start, []).append(opened)
        after.setdefault(end, []).insert(0, closed)
    pieces: list[str] = []
    done = 0
    for place in sorted(before.keys() | after.keys()):
        pieces += text[done:place], *after.get(place, ()), *before.get(place, ())
        done = place
    return "".join([*pieces, text[done:]])


def _outer_first(entity: Entity) -> tuple[int, int, bool]:
    return entity.offset or 0, -(entity.length or 0), entity.type not in _QUOTED


class _Units:
    """Places in a text by UTF-16 units."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._places: dict[int, int] | None = None
        if text and max(text) >= _WIDE:
            ends = accumulate((2 if character >= _WIDE else 1 for character in text), initial=0)
            self._places = {unit: place for place, unit in enumerate(ends)}

    def span(self, entity: Entity) -> tuple[int, int] | None:
        """Where an entity begins and ends, without blanks at its ends: Markdown has no form that begins with one."""
        if entity.offset is None or entity.length is None or entity.offset < 0 or entity.length <= 0:
            return None
        start, end = self._place(entity.offset), self._place(entity.offset + entity.length)
        if start is None or end is None:
            return None
        while start < end and self._text[start].isspace():
            start += 1
        while start < end and self._text[end - 1].isspace():
            end -= 1
        return (start, end) if start < end else None

    def _place(self, unit: int) -> int | None:
        if self._places is not None:
            return self._places.get(unit)
        return unit if unit <= len(self._text) else None


def _marks(entity: Entity, inner: str) -> tuple[str, str]:
    """What stands before and behind the text of an entity; nothing where its form says nothing to a model."""
    match entity.type:
        case "text_link":
            return around_link(entity.url, inner)
        case "code":
            return around_code(inner)
        case "pre":
            return around_block(inner, entity.language)
        case "date_time":
            return around_moment(entity.unix_time)
        case _:
            mark = PAIRS.get(entity.type or "", "")
            return mark, mark
