"""A message on its way, and what is left of it when Telegram refuses it as it is (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from botapi.refusals import Refusal
from botapi.split import LIMIT, EntityFields, Part, split
from tasks.envelope import Button, OutFile, Reply
from tasks.phrases import listing, phrase
from tasks.pointing import below
from tasks.session import INLINE_MESSAGE, SessionKey
from tasks.text import utf16

CAPTION_LIMIT = 1024
"""UTF-16 units of a caption (Bot API, sendDocument)."""
_SMALLEST = 256
"""A text this short is not too long, whatever Telegram says."""
_PARTS_OF_A_FILE = 10
"""Messages that a refused file may become; the rest of it is not shown."""
_CUT = "\n…"
_OF_ANY_MESSAGE = (Refusal.NEW, Refusal.NO_BUTTONS, Refusal.NO_REPLY, Refusal.NO_TOPIC, Refusal.LOST_TOPIC)
"""What a rich message is refused for as any other; all else may be due to its being rich."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One call to be: an edit of ``edit``, or a file if there is a ``file_text``, or ``files``, else a new message."""

    text: str
    entities: tuple[EntityFields, ...] = ()
    rich: tuple[dict[str, Any], ...] = ()
    """Blocks that are sent instead of the text, which is what is left of them when they are refused."""
    edit: int | None = None
    reply_to: int | None = None
    about: str = ""
    """What it answers, in one line, where it cannot point at it."""
    chat: int = 0
    across: int | None = None
    """The chat, where what it answers stands in another topic of it."""
    topic: int | None = None
    buttons: tuple[tuple[Button, ...], ...] = ()
    file_name: str = ""
    file_text: str | None = None
    files: tuple[OutFile, ...] = ()
    alone: bool = False
    """No second message can follow it: it is cut where it does not fit."""

    @property
    def part(self) -> Part:
        return Part(self.text, self.entities)


_CONTROLS = ("stop", "retry", "undo")
"""What the data of a button begins with that steers a turn."""


def shapes(session: SessionKey, reply: Reply) -> list[Shape]:
    """The calls for a committed reply: one, unless its text does not fit; none for files below an inline message."""
    if reply.file_text is not None or reply.files:
        if session.inline is not None:
            return []
        caption = next(iter(split(reply.text, reply.entities, CAPTION_LIMIT)), Part(""))
        return [
            Shape(
                caption.text,
                caption.entities,
                reply_to=reply.reply_to,
                about=reply.about,
                chat=session.chat,
                topic=session.topic,
                buttons=_buttons(session, reply),
                file_name=reply.file_name or "file.txt",
                file_text=reply.file_text,
                files=reply.files,
            )
        ]
    alone = session.inline is not None
    whole = Shape(
        reply.text,
        reply.entities,
        rich=() if alone else reply.rich,
        edit=INLINE_MESSAGE if alone else reply.edit,
        alone=alone,
        reply_to=reply.reply_to,
        about=reply.about,
        chat=session.chat,
        topic=session.topic,
        buttons=_buttons(session, reply),
    )
    return _divided(whole, split(reply.text, reply.entities) or [_invisible()])


def _buttons(session: SessionKey, reply: Reply) -> tuple[tuple[Button, ...], ...]:
    """The reply's buttons; where people steer no turns, without those that do."""
    if session.takes_controls:
        return reply.buttons
    rows = (tuple(one for one in row if one.data.partition(":")[0] not in _CONTROLS) for row in reply.buttons)
    return tuple(row for row in rows if row)


def _invisible() -> Part:
    """What is sent where there is nothing to see."""
    return Part(phrase("no-visible-text"))


def is_spare(shape: Shape) -> bool:
    """Whether nothing is missing without it: the answer has the link of a picture, and the words of what is spoken."""
    return bool(shape.files) and all(file.url or file.speak for file in shape.files)


def without(shape: Shape, refusal: Refusal) -> list[Shape]:
    """What to send instead of a refused ``shape``; nothing when there is nothing left to leave out.

    Every answer is less than what was refused, so that this ends.
    """
    if shape.rich and refusal not in _OF_ANY_MESSAGE:
        return [replace(shape, rich=())]
    left = _stripped(shape, refusal)
    if left == [shape] and shape.rich:
        return [replace(shape, rich=())]
    return left if left != [shape] else _bare(shape)


def _stripped(shape: Shape, refusal: Refusal) -> list[Shape]:
    """Without what was refused; ``shape`` itself where that is not in it."""
    match refusal:
        case Refusal.NEW:
            return [replace(shape, edit=None)]
        case Refusal.PLAIN:
            return [replace(shape, entities=())]
        case Refusal.NO_BUTTONS:
            return [replace(shape, buttons=())]
        case Refusal.NO_REPLY:
            return _named(shape) if shape.across is not None else [replace(shape, reply_to=None)]
        case Refusal.NO_TOPIC:
            return _outside(shape)
        case Refusal.LOST_TOPIC:
            return _outside(shape, empty=True)
        case Refusal.NO_PHOTO | Refusal.NO_RIGHT | Refusal.NO_FILE:
            return _OF_FILES[refusal](shape)
        case Refusal.SHORTER:
            return _shorter(shape)
        case Refusal.WORDS:
            return [replace(shape, text=_invisible().text, entities=())]
        case _:
            return _named(shape) if shape.across is not None else [shape]


def _outside(shape: Shape, *, empty: bool = False) -> list[Shape]:
    """Outside of its topic: a reply to what it answers there; below its words where that is refused, or is gone."""
    if shape.topic is None:
        return _named(shape) if shape.across is not None else []
    outside = replace(shape, topic=None, edit=None)
    return _named(outside) if empty or shape.reply_to is None else [replace(outside, across=shape.chat)]


def outside_all(waiting: Sequence[Shape], *, empty: bool) -> list[Shape]:
    """What is sent of all that waits once its topic is known to take no messages; ``empty``: all in it is gone, too."""
    left = (_outside(shape, empty=empty) if shape.topic is not None else [shape] for shape in waiting)
    return [shape for some in left for shape in some]


def _named(shape: Shape) -> list[Shape]:
    """The same without a reply mark, with the words of what it answers above it as far as they fit."""
    plain = replace(shape, reply_to=None, across=None, about="")
    text, entities = below(shape.about, shape.text, shape.entities)
    if shape.files or shape.file_text is not None:
        return [replace(plain, text=text, entities=entities) if utf16(text) <= CAPTION_LIMIT else plain]
    return _divided(
        replace(plain, rich=() if shape.about else shape.rich),
        split(text, entities) or [_invisible()],
    )


def _bare(shape: Shape) -> list[Shape]:
    """Nothing but the text, as a last resort."""
    if shape.files:
        return _as_documents(shape)
    bare = replace(shape, entities=(), edit=None, reply_to=None, buttons=())
    if bare != shape:
        return [bare]
    return [] if shape.file_text is None else _as_text(shape, shape.file_text)


def _shorter(shape: Shape) -> list[Shape]:
    if shape.file_text is not None or shape.files:
        return [replace(shape, text="", entities=())]
    if utf16(shape.text) <= _SMALLEST:
        return [shape]
    return _divided(shape, split(shape.text, shape.entities, utf16(shape.text) // 2))


def _divided(shape: Shape, parts: Sequence[Part]) -> list[Shape]:
    """The first keeps the edit and the reply, the last the buttons."""
    if shape.alone and len(parts) > 1:
        first = parts[0]
        room = max(utf16(first.text) - len(_CUT), 1)
        cut = split(first.text, first.entities, room)[0]
        return [replace(shape, text=cut.text + _CUT, entities=cut.entities)]
    last = len(parts) - 1
    return [
        replace(
            shape,
            text=part.text,
            entities=part.entities,
            rich=shape.rich if last == 0 else (),
            edit=shape.edit if place == 0 else None,
            reply_to=shape.reply_to if place == 0 else None,
            about=shape.about if place == 0 else "",
            buttons=shape.buttons if place == last else (),
        )
        for place, part in enumerate(parts)
    ]


def _apart(shape: Shape) -> list[Shape]:
    """An album as single files, each with its caption; the first keeps the reply, and words of the album's own."""
    alone = [replace(shape, files=(file,), text=file.caption, entities=()) for file in shape.files]
    first, *others = alone
    if shape.text:
        first = replace(first, text=shape.text, entities=shape.entities)
    return [first, *(replace(other, reply_to=None, about="") for other in others)]


def _as_documents(shape: Shape) -> list[Shape]:
    """Files as what Telegram does not look into; a document that is refused is named in a line."""
    if len(shape.files) != 1:
        return _apart(shape) if shape.files else [shape]
    return _as_is_taken(shape)


def _as_is_taken(shape: Shape) -> list[Shape]:
    """All as documents; documents are named in a line, and the text of a long answer's file goes out as messages."""
    if is_spare(shape):
        return []
    if any(file.kind != "document" for file in shape.files):
        documents = tuple(file.model_copy(update={"kind": "document"}) for file in shape.files)
        return [replace(shape, files=documents)]
    return _missing(shape) if shape.files else _without_file(shape)


def _without_file(shape: Shape) -> list[Shape]:
    if len(shape.files) > 1:
        return _apart(shape)
    if shape.files:
        return [] if is_spare(shape) else _missing(shape)
    return [shape] if shape.file_text is None else _as_text(shape, shape.file_text)


def _missing(shape: Shape) -> list[Shape]:
    """Words in place of files: their captions, and which they are."""
    names = [file.name for file in shape.files]
    several = len(names) > 1
    said = phrase("files-unsent", names=listing(names)) if several else phrase("file-unsent", name=names[0])
    captions = [file.caption for file in shape.files if several and file.caption != shape.text]
    text = "\n\n".join(filter(None, (shape.text, *captions, said)))
    return _divided(replace(shape, text=text, files=()), split(text, shape.entities))


def _as_text(shape: Shape, text: str) -> list[Shape]:
    parts = split(text, limit=LIMIT - len(_CUT)) or [_invisible()]
    if len(parts) > _PARTS_OF_A_FILE:
        parts = [*parts[: _PARTS_OF_A_FILE - 1], Part(parts[_PARTS_OF_A_FILE - 1].text + _CUT)]
    return _divided(replace(shape, file_name="", file_text=None), parts)


_OF_FILES = {
    Refusal.NO_PHOTO: _as_documents,
    Refusal.NO_RIGHT: _as_is_taken,
    Refusal.NO_FILE: _without_file,
}
"""What is sent in place of refused files."""
