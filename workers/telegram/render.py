"""An answer's Markdown as Telegram messages, and as what is shown of it while it grows (pure)."""

from tasks.envelope import Reply
from workers.telegram.clean import clean
from workers.telegram.markdown import to_entities
from workers.telegram.split import LIMIT, Entity, Part, split, utf16

MAX_PARTS = 4
"""Messages that an answer may take; a longer one is its beginning and a file."""
FILE_NAME = "answer.md"
EMPTY = "(empty answer)"
GOES_ON = "…"

_READ_WHOLE = 40_000
"""Characters converted as a whole; what is longer becomes a file anyway, and its conversion would hold up the loop."""
BEGINNING = 12_000
"""Characters that hold a message's worth of text, links and markup included."""
_SEE_FILE = "The whole answer is in the file below."
_CAPTION = "The whole answer"


def render(markdown: str, *, edit: int | None, reply_to: int | None) -> tuple[Reply, ...]:
    """The messages of an answer; the first is the edit of ``edit``, or answers ``reply_to``."""
    parts = split(*to_entities(markdown)) if len(markdown) <= _READ_WHOLE else []
    if len(markdown) > _READ_WHOLE or len(parts) > MAX_PARTS:
        return _with_file(markdown, edit, reply_to)
    first, *rest = parts or [Part(EMPTY)]
    return (_reply(first, edit=edit, reply_to=reply_to), *(_reply(part) for part in rest))


def growing(markdown: str) -> Part:
    """What one message shows of an answer so far; blank text shows that something is to come."""
    text, entities = to_entities(markdown[:BEGINNING])
    parts = split(text, entities)
    if not parts:
        return Part(GOES_ON)
    if len(parts) == 1 and len(markdown) <= BEGINNING:
        return parts[0]
    return _with_end(text, entities, GOES_ON)


def _with_file(markdown: str, edit: int | None, reply_to: int | None) -> tuple[Reply, ...]:
    beginning = _with_end(*to_entities(markdown[:BEGINNING]), f"{GOES_ON}\n\n{_SEE_FILE}")
    return (
        _reply(beginning, edit=edit, reply_to=reply_to),
        Reply(text=_CAPTION, file_name=FILE_NAME, file_text=clean(markdown)),
    )


def _with_end(text: str, entities: list[Entity], end: str) -> Part:
    """The first message's worth of a longer text, and ``end`` behind it."""
    first = next(iter(split(text, entities, LIMIT - utf16(end) - 1)), Part(""))
    in_code = any(
        entity["type"] == "pre" and entity["offset"] + entity["length"] == utf16(first.text)
        for entity in first.entities
    )
    return Part(first.text + ("\n" if in_code else "") + end, first.entities)


def _reply(part: Part, *, edit: int | None = None, reply_to: int | None = None) -> Reply:
    return Reply(text=part.text, entities=part.entities, edit=edit, reply_to=reply_to)
