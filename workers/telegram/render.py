"""An answer's Markdown as Telegram messages, and as what is shown of it while it grows (pure)."""

from collections.abc import Sequence
from itertools import zip_longest

from botapi.split import LIMIT, MAX_ENTITIES, EntityFields, Part, split
from tasks.envelope import Reply
from tasks.phrases import answer_file, phrase
from tasks.session import INLINE_MESSAGE
from tasks.text import utf16
from workers import texts
from workers.showing import NO_TRACE, Trace
from workers.telegram.clean import clean
from workers.telegram.markdown.document import to_entities
from workers.telegram.markdown.foreign_blocks import plain_blocks
from workers.telegram.markdown.rich import Block, rich_blocks, top_lines

type FormattedText = tuple[str, list[EntityFields]]

FILE_AFTER = 4
"""Messages that an answer may take, where no setting says otherwise."""
GOES_ON = "…"

BEGINNING = 12_000
"""Characters that hold a message's worth of text, links and markup included."""
_LONGEST_END = 1_500
"""UTF-16 units that what is said below the beginning of a long answer may take."""
_PIECE = 3_600
"""Characters of Markdown that make about one message."""
_THOUGHTS_IN = {"hide": (), "fold": ("expandable_blockquote",), "show": ("expandable_blockquote", "blockquote")}
"""What a quote above the words may be, by how the chat sees thoughts."""
_SHORT = 3
"""Lines that a folded quote shows anyway."""


def render(  # noqa: PLR0913 - what `Delivery.render` is given, and the setting
    markdown: str,
    *,
    edits: Sequence[int] = (),
    reply_to: int | None = None,
    notes: Sequence[str] = (),
    trace: Trace = NO_TRACE,
    most: int = FILE_AFTER,
    rich: bool = False,
) -> tuple[Reply, ...]:
    """The messages of an answer; the first are the edits of ``edits``, or the first one answers ``reply_to``.

    Notes and steps are put to the finished text: in its Markdown they would stand within a block of code or a link that
    was not ended.

    Args:
        markdown: The answer.
        edits: The messages that are edited.
        reply_to: The message that it answers.
        notes: Plain sentences of our own below it, in italics.
        trace: Steps stand below the notes; what was heard and the thoughts stand above it all.
        most: Messages that it may take; a longer one is a file.
        rich: Messages whose form entities cannot show are rich ones, too.
    """
    below = [_note(note) for note in notes if note.strip()]
    if trace.steps:
        below.append(_quoted(trace.steps, folds=len(trace.steps) > _SHORT))
    read = markdown[: BEGINNING * most]
    if rich and read == markdown and (made := _rich(clean(markdown), below, trace, most)):
        replies = _replies([part for part, _ in made], edits, reply_to)
        formed = [reply.model_copy(update={"rich": blocks}) for reply, (_, blocks) in zip(replies, made, strict=True)]
        return _with_drops(tuple(formed), edits[len(made) :])
    body = _below_quotes(trace, to_entities(read))
    parts = split(*_joined(body, *below)) or [Part(phrase("empty-answer"))]
    file: tuple[Reply, ...] = ()
    if len(parts) > most or read != markdown:
        parts = _beginning(split(*body), most, _end(below))
        file = (Reply(text=phrase("whole-answer"), file_name=answer_file(), file_text=clean(markdown)),)
    return _with_drops((*_replies(parts, edits, reply_to), *file), edits[len(parts) :])


def alone_in_one(markdown: str, *, notes: Sequence[str] = (), trace: Trace = NO_TRACE) -> tuple[Reply, ...]:
    """An answer where it is one message for good: the end of a longer one is left out, and a line says so."""
    read = markdown[:BEGINNING]
    below = [_note(note) for note in notes if note.strip()]
    body = _below_quotes(trace, to_entities(read))
    parts = split(*_joined(body, *below)) or [Part(phrase("empty-answer"))]
    if len(parts) > 1 or read != markdown:
        end = _joined((GOES_ON, []), _note(phrase("inline-cut")), *below)
        parts = _beginning(split(*body), 1, split(*end, _LONGEST_END)[0])
    return (Reply(text=parts[0].text, entities=parts[0].entities, edit=INLINE_MESSAGE),)


def growing(markdown: str, most: int = FILE_AFTER, trace: Trace = NO_TRACE) -> list[Part]:
    """What is shown of an answer so far, a part a message; nothing of a blank one. Of ``trace``: the thoughts."""
    read = markdown[: BEGINNING * most]
    parts = split(*_below_quotes(trace, to_entities(read, grows=True)))
    return parts if len(parts) <= most and read == markdown else _beginning(parts, most, Part(GOES_ON))


def with_lines(parts: Sequence[Part], lines: Sequence[str]) -> list[Part]:
    """Parts with lines about the turn below the last one: as many as fit there, the last ones first."""
    *before, last = parts or [Part("")]
    for place in range(len(lines)):
        text, entities = _joined((last.text, list(last.entities)), _quoted(lines[place:]))
        if utf16(text) <= LIMIT and len(entities) <= MAX_ENTITIES:
            return [*before, Part(text, tuple(entities))]
    return list(parts)


def without_lines(part: Part) -> Part:
    """A message's words without the lines about the turn below them; of a message that only said "…", nothing."""
    whole, last = part.text, part.entities[-1] if part.entities else None
    if last is not None and last["type"] == "blockquote" and last["offset"] + last["length"] == utf16(whole):
        lines = whole[_place(whole, last["offset"]) :]
        if lines.rpartition("\n")[2].startswith(texts.STEP_MARKS):
            text = whole[: -len(lines)].rstrip()
            return Part(text, tuple(one for one in part.entities[:-1] if one["offset"] < utf16(text)))
    return Part("") if whole.strip() == GOES_ON else part


def words_of(part: Part, thinking: str) -> str:
    """What an answer's first message says, without the lines below it, and what was heard and thought above it.

    ``thinking``: how the chat sees thoughts. Where it is ``show``, they look as a quote with which an answer begins.
    """
    part, end = without_lines(part), 0
    for entity in sorted(part.entities, key=lambda one: one["offset"]):
        between = part.text[_place(part.text, end) : _place(part.text, entity["offset"])]
        if entity["type"] in _THOUGHTS_IN[thinking] and not between.strip():
            end = entity["offset"] + entity["length"]
    return part.text[_place(part.text, end) :].lstrip("\n")


def _place(text: str, units: int) -> int:
    return len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore"))


def _replies(parts: Sequence[Part], edits: Sequence[int], reply_to: int | None) -> list[Reply]:
    answering = [reply_to] + [None] * (len(parts) - 1)
    return [
        Reply(text=part.text, entities=part.entities, edit=edit, reply_to=answered)
        for part, edit, answered in zip_longest(parts, edits[: len(parts)], answering)
    ]


def _with_drops(replies: tuple[Reply, ...], left: Sequence[int]) -> tuple[Reply, ...]:
    if not left:
        return replies
    return (*replies[:-1], replies[-1].model_copy(update={"drops": tuple(left)}))


def _rich(source: str, below: Sequence[FormattedText], trace: Trace, most: int) -> list[tuple[Part, tuple[Block, ...]]]:
    """The messages of an answer, and the blocks of those that are rich; nothing where none is, or where it is too long.

    Each message fits without its blocks, too, so that a refused one is still one message.
    """
    made: list[tuple[Part, tuple[Block, ...]]] = []
    pieces = _divided(plain_blocks(source))
    for place, piece in enumerate(pieces):
        above = trace if place == 0 else NO_TRACE
        under = below if place == len(pieces) - 1 else ()
        parts = split(*_joined(_below_quotes(above, to_entities(piece)), *under))
        blocks = rich_blocks(piece) if len(parts) == 1 else ()
        if blocks:
            quotes = [_apart(text) for text in _quotes(above)]
            blocks = (*quotes, *blocks, *map(_apart, under))
        made += [(part, blocks) for part in parts]
    return made if len(made) <= most and any(blocks for _, blocks in made) else []


def _divided(source: str) -> list[str]:
    """A text in pieces of whole blocks, each of which is about a message at most."""
    if len(source) <= _PIECE:
        return [source]
    lines = source.split("\n")
    pieces: list[str] = []
    begun = ended = 0
    for line in [*top_lines(source)[1:], len(lines)]:
        if ended > begun and sum(len(text) + 1 for text in lines[begun:line]) > _PIECE:
            pieces.append("\n".join(lines[begun:ended]))
            begun = ended
        ended = line
    return [*pieces, "\n".join(lines[begun:])]


def _apart(text: FormattedText) -> Block:
    """What is said about the turn, as a block."""
    words, (entity, *_) = text
    match entity["type"]:
        case "italic":
            return {"type": "paragraph", "text": {"type": "italic", "text": words}}
        case "blockquote":
            return {"type": "blockquote", "blocks": [{"type": "paragraph", "text": words}]}
        case _:
            return {"type": "expandable_blockquote", "text": words}


def _note(note: str) -> FormattedText:
    text = clean(note).strip()
    return text, [{"type": "italic", "offset": 0, "length": utf16(text)}]


def _below_quotes(trace: Trace, body: FormattedText) -> FormattedText:
    return _joined(*_quotes(trace), body)


def _quotes(trace: Trace) -> list[FormattedText]:
    # What a model thinks is Markdown. Its marks would be seen raw, and its formats are too many for one message.
    thoughts = to_entities(trace.thoughts, grows=True)[0] if trace.thoughts else ""
    quotes = ((trace.heard, True), (thoughts, trace.folds))
    return [_quoted([text], folds=folds) for text, folds in quotes if text.strip()]


def _quoted(lines: Sequence[str], *, folds: bool = False) -> FormattedText:
    """Lines about the turn, set apart from the answer."""
    text = "\n".join(clean(line).strip() for line in lines)
    kind = "expandable_blockquote" if folds else "blockquote"
    return text, [{"type": kind, "offset": 0, "length": utf16(text)}]


def _joined(*pieces: FormattedText) -> FormattedText:
    """Below each other, blank ones left out."""
    whole, entities = "", list[EntityFields]()
    for text, found in pieces:
        if text.strip():
            whole += "\n\n" if whole else ""
            start = utf16(whole)
            entities += [{**entity, "offset": entity["offset"] + start} for entity in found]
            whole += text
    return whole, entities


def _end(notes: Sequence[FormattedText]) -> Part:
    return split(*_joined((f"{GOES_ON}\n\n{phrase('see-file')}", []), *notes), _LONGEST_END)[0]


def _beginning(parts: Sequence[Part], most: int, end: Part) -> list[Part]:
    """The first ``most`` parts of a longer text, and ``end`` behind them."""
    if not parts:
        return [end]
    *before, last = parts[:most]
    first = next(iter(split(last.text, last.entities, LIMIT - utf16(end.text) - 1)), Part(""))
    in_code = any(
        entity["type"] == "pre" and entity["offset"] + entity["length"] == utf16(first.text)
        for entity in first.entities
    )
    text = first.text + ("\n" if in_code else "")
    below = [{**entity, "offset": entity["offset"] + utf16(text)} for entity in end.entities]
    return [*before, Part(text + end.text, (*first.entities[: MAX_ENTITIES - len(below)], *below))]
