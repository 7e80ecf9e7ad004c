"""An answer's Markdown as Telegram messages, and as what is shown of it while it grows (pure)."""

from collections.abc import Sequence

from botapi.split import LIMIT, MAX_ENTITIES, Entity, Part, split, utf16
from tasks.envelope import Reply
from workers import texts
from workers.telegram.clean import clean
from workers.telegram.markdown.document import to_entities

type Text = tuple[str, list[Entity]]

MAX_PARTS = 4
"""Messages that an answer may take; a longer one is its beginning and a file."""
FILE_NAME = "answer.md"
EMPTY = "(empty answer)"
GOES_ON = "…"

_READ_WHOLE = 40_000
"""Characters converted as a whole; what is longer becomes a file anyway, and its conversion would hold up the loop."""
BEGINNING = 12_000
"""Characters that hold a message's worth of text, links and markup included."""
_LONGEST_END = 1_500
"""UTF-16 units that what is said below the beginning of a long answer may take."""
_CAPTION = "The whole answer"


def render(markdown: str, *, edit: int | None, reply_to: int | None, notes: Sequence[str] = ()) -> tuple[Reply, ...]:
    """The messages of an answer; the first is the edit of ``edit``, or answers ``reply_to``.

    ``notes``: plain sentences of our own below it, in italics. They are put to the finished text: in its Markdown they
    would stand within a block of code or a link that was not ended.
    """
    below = [_note(note) for note in notes if note.strip()]
    whole = _joined(to_entities(markdown), *below) if len(markdown) <= _READ_WHOLE else ("", [])
    parts = split(*whole)
    if len(markdown) > _READ_WHOLE or len(parts) > MAX_PARTS:
        return _with_file(markdown, edit, reply_to, below)
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
    return _with_end(text, entities, Part(GOES_ON))


def _note(note: str) -> Text:
    text = clean(note).strip()
    return text, [{"type": "italic", "offset": 0, "length": utf16(text)}]


def _joined(*pieces: Text) -> Text:
    """Below each other, blank ones left out."""
    whole, entities = "", list[Entity]()
    for text, found in pieces:
        if text.strip():
            whole += "\n\n" if whole else ""
            start = utf16(whole)
            entities += [{**entity, "offset": entity["offset"] + start} for entity in found]
            whole += text
    return whole, entities


def _with_file(markdown: str, edit: int | None, reply_to: int | None, notes: Sequence[Text]) -> tuple[Reply, ...]:
    end = split(*_joined((f"{GOES_ON}\n\n{texts.SEE_FILE}", []), *notes), _LONGEST_END)[0]
    beginning = _with_end(*to_entities(markdown[:BEGINNING]), end)
    return (
        _reply(beginning, edit=edit, reply_to=reply_to),
        Reply(text=_CAPTION, file_name=FILE_NAME, file_text=clean(markdown)),
    )


def _with_end(text: str, entities: list[Entity], end: Part) -> Part:
    """The first message's worth of a longer text, and ``end`` behind it."""
    first = next(iter(split(text, entities, LIMIT - utf16(end.text) - 1)), Part(""))
    in_code = any(
        entity["type"] == "pre" and entity["offset"] + entity["length"] == utf16(first.text)
        for entity in first.entities
    )
    before = first.text + ("\n" if in_code else "")
    below = [{**entity, "offset": entity["offset"] + utf16(before)} for entity in end.entities]
    return Part(before + end.text, (*first.entities[: MAX_ENTITIES - len(below)], *below))


def _reply(part: Part, *, edit: int | None = None, reply_to: int | None = None) -> Reply:
    return Reply(text=part.text, entities=part.entities, edit=edit, reply_to=reply_to)
