"""Tags around what people write and around the names they choose, so that a model can tell who said what (pure).

A private chat has one author, so the text stands as it was typed. Where several people write, each message has a tag:

    <tg-message from="Ann" id="k3x9qa">first line
    | every further line</tg-message>

Nothing that a person chooses can leave its tag. ``<tg-`` cannot be written by a person: its ``<`` becomes ``&lt;``.
Every line in a tag but the first begins with a bar, so a forged line never stands at the start of a line. Names are
attributes: one line, escaped. Two people of one name differ by ``id``, which stays the same for a person.
"""

import re
import unicodedata
from base64 import b32encode
from hashlib import blake2s

from tasks.envelope import Inbound, Media, OverheardMessage, Quoted, Sender

_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols, says Unicode, that show nothing."""


def _like(letter: str, others: str) -> str:
    """A letter in all its shapes that Unicode holds for the same, and some that look like it."""
    shapes = map(chr, (*range(0x1D400, 0x1D6A4), *range(0xFF21, 0xFF5B)))
    return others + "".join(shape for shape in shapes if unicodedata.normalize("NFKC", shape).lower() == letter)


_OPENERS = re.compile("[<＜﹤‹〈⟨❬❮˂ᐸ]")
_GAP = rf"[\W_{_BLANKS}]"
_RESERVED = re.compile(
    rf"(?<!{_GAP}){_GAP}++(?=[t{_like('t', 'тτ')}]{_GAP}*+[g{_like('g', 'ɡɢց')}]{_GAP})", re.IGNORECASE
)
"""What stands before a name like one of our tags', or like it to a model. Each character is looked at twice at most."""

_OURS = re.compile(r"<(?=\s*+(?:/\s*+)?tg-(?:message|quote|file|shared|start|reminder|user)\b)", re.IGNORECASE)
"""A tag of ours, where other tags are left alone: ``<tg-spoiler>`` is Telegram's."""

USER_TAG = "<tg-user "
"""A text of the history that begins so, begins with an introduction: a person cannot write it."""

_INLINE_NOTE = "asks from a chat of other people: the answer is one message there, so keep it short; nothing follows it"
_NAME_CHARACTERS = 64
_FILE_NAME_CHARACTERS = 128
"""Longer names are cut: Telegram allows first and last names of 64 each, and a file's sender names it."""

_CAPTION_CHARACTERS = 1024
"""Telegram's limit for a caption."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a name does without: a mark that turns the text around, a zero-width space."""

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "＜": "&lt;", "＞": "&gt;", "＂": "&quot;"}
)


def escaped(text: str) -> str:
    """The text without anything that could be taken for one of our tags."""
    if _OPENERS.search(text) is None:
        return text
    return _RESERVED.sub(lambda before: _OPENERS.sub("&lt;", before[0]), text)


def untagged(text: str) -> str:
    """A tool's result, without our tags: a page that it read may hold what looks like a person's message."""
    return _OURS.sub("&lt;", text)


def marked(text: str) -> str:
    """The text for the inside of a tag: each line but the first begins with a bar."""
    return "\n| ".join(escaped(text).splitlines())


def attribute(value: str, limit: int = _NAME_CHARACTERS) -> str:
    """Make an attribute's value of a name that a person chose: one line, without invisible characters, escaped."""
    line = " ".join(value.split())
    if not (line.isascii() and line.isprintable()):
        line = "".join(character for character in line if _shows(character))
    return line[:limit].translate(_ESCAPES)


def _shows(character: str) -> bool:
    return character not in _BLANKS and unicodedata.category(character) not in _INVISIBLE


def person_id(sender: int) -> str:
    """Six characters that tell people of one name apart: the same for a person in every chat, not their Telegram id."""
    return b32encode(blake2s(str(sender).encode(), digest_size=5).digest()).decode().lower()[:6]


def introduction(inbound: Inbound) -> str:
    """Who writes in a private chat, or for an inline message, which is a conversation of one message and says so.

    Empty where it is not told, and in groups, where each message has its author.
    """
    sender = inbound.sender
    if inbound.chat_type != "private" or sender is None:
        return ""
    told = {"name": sender.name, "language": sender.language or ""}
    about = {key: shown for key, value in told.items() if (shown := attribute(value))}
    if inbound.key.inline is not None:
        about["note"] = _INLINE_NOTE
    return f"{USER_TAG}{_joined(about)}/>" if about else ""


def overheard(inbound: Inbound) -> str:
    """What people in the group wrote to one another before the message: a tag each, marked."""
    if inbound.chat_type == "private":
        return ""
    return "".join(map(_overheard, inbound.overheard))


def _overheard(one: OverheardMessage) -> str:
    about = _whose(one.sender) | _role(guest=one.guest) | {"overheard": "true"}
    return f"<tg-message {_joined(about)}>{marked(one.text)}</tg-message>\n"


def opening(inbound: Inbound) -> str:
    """The tag's first line, or nothing where the message needs no tag."""
    about = _attributes(inbound)
    return f"<tg-message {about}>" if about else ""


def closing(inbound: Inbound) -> str:
    """What ends the tag that ``opening`` begins."""
    return "</tg-message>" if _attributes(inbound) else ""


def body(inbound: Inbound) -> str:
    """What was said, with what it answers before it."""
    tagged = bool(_attributes(inbound))
    text = marked(inbound.text) if tagged else escaped(inbound.text)
    if inbound.kind == "reminder":
        # In a group it is one person's wish; what it says of another is not that other's word.
        by = f'by="{person_id(inbound.set_by)}" ' if inbound.set_by is not None and inbound.key.chat < 0 else ""
        note = f"asked for earlier, due now: pass it on{f'; {attribute(inbound.note, 300)}' if inbound.note else ''}"
        text = f'<tg-reminder {by}note="{note}">{marked(inbound.text)}</tg-reminder>'
    elif inbound.start is not None:
        note = "came by a link that has this payload; anybody can write one"
        text = f'<tg-start payload="{attribute(inbound.start)}" note="{note}"/>'
    elif inbound.described and inbound.text:
        text = f"<tg-shared>{marked(inbound.text)}</tg-shared>"
    if not inbound.quote:
        return text
    # Behind the quote the text begins a line of its own.
    between = "\n| " if tagged and text else "\n"
    about = _joined(_author(inbound.quoted)) if inbound.quoted is not None else ""
    opened = f"<tg-quote {about}>" if about else "<tg-quote>"
    return f"{opened}{marked(inbound.quote)}</tg-quote>{between}{text}"


def _author(quoted: Quoted) -> dict[str, str]:
    """Who wrote what is answered. A name is never taken for the model's own: that is another attribute."""
    about: dict[str, str] = {}
    if quoted.ours:
        about["yours"] = "true"
    elif quoted.sender is not None:
        about |= {"from": _called(quoted.sender), "id": person_id(quoted.sender.id)}
    elif quoted.name:
        about["from"] = attribute(quoted.name) or "unknown"
    about |= _role(guest=quoted.guest)
    if quoted.chat is not None:
        about["chat"] = attribute(quoted.chat) or "unknown"
    if quoted.forwarded_from is not None:
        about["forwarded-from"] = attribute(quoted.forwarded_from) or "unknown"
    return about


def label(media: Media, **more: str) -> str:
    """A file by its name: ``<tg-file kind="document" name="report.pdf"/>``."""
    return f"<tg-file {_file(media, more)}/>"


def text_file(media: Media, content: str, *, cut: bool) -> str:
    """A text file with its content."""
    about = _file(media, {"cut": "true"} if cut else {})
    return f"<tg-file {about}>\n{escaped(content)}\n</tg-file>"


def transcript(media: Media, words: str) -> str:
    """A recording with what it says."""
    return f"<tg-file {_file(media, {'note': 'a machine wrote down what it says'})}>\n{escaped(words)}\n</tg-file>"


def _file(media: Media, more: dict[str, str]) -> str:
    about = {"kind": media.kind.replace("_", " ")}
    if media.name:
        about["name"] = attribute(media.name, _FILE_NAME_CHARACTERS)
    if media.caption:
        about["caption"] = attribute(media.caption, _CAPTION_CHARACTERS)
    return _joined(about | more)


def _attributes(inbound: Inbound) -> str:
    about: dict[str, str] = {}
    if inbound.chat_type != "private" and inbound.kind != "reminder":
        about |= _whose(inbound.sender) | _role(guest=inbound.guest)
    if inbound.forwarded_from is not None:
        about["forwarded-from"] = attribute(inbound.forwarded_from) or "unknown"
    if inbound.edited:
        about |= {"edited": "true", "note": "corrects an earlier message"}
    return _joined(about)


def _whose(sender: Sender | None) -> dict[str, str]:
    about = {"from": _called(sender)}
    return about if sender is None else about | {"id": person_id(sender.id)}


def _role(*, guest: bool) -> dict[str, str]:
    """Told of guests alone: their words stay in the conversation when others ask for what they may not."""
    return {"role": "guest"} if guest else {}


def _called(sender: Sender | None) -> str:
    names = (sender.name, sender.username) if sender is not None else ()
    return next((called for name in names if name and (called := attribute(name))), "unknown")


def _joined(about: dict[str, str]) -> str:
    return " ".join(f'{name}="{value}"' for name, value in about.items())
