"""A stored history as plain JSON, for who reads or changes it outside of a turn: it needs no fast-agent (pure).

``workers.runtime.conversation.history`` says what stands in it.
"""

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from tasks.envelope import Media
from workers.runtime.conversation.message_tags import person_id

VERSION = 1
"""Of the stored form."""
LEVEL = 6
"""Of zlib: ~1 ms for 100 messages. Higher levels take longer for a few percent."""
MEDIA_KEY = "cohort.media"
"""Key in a block's ``_meta`` for the file that the block was made of: a ``Media`` as JSON, without defaults."""
AUTHORS = "cohort-authors"
"""The channel of a group's message that says whose it is, where the roles of people matter: their numbers."""
ERASED = '<tg-message from="unknown">(erased at this person\'s request)</tg-message>'
QUOTE_ERASED = "<tg-quote>(erased at this person's request)</tg-quote>"

# No tag of ours stands within another's attributes or words, so each character is looked at a few times at most.
_FRAME = re.compile(r"<tg-message [^<>]*>|</tg-message>")
_QUOTE = re.compile(r'<tg-quote (?=[^<>]*\bid="([a-z2-7]{6})")[^<>]*>(?:(?!<tg-quote ).)*?</tg-quote>', re.DOTALL)
_REMINDER = re.compile(r'<tg-reminder by="([a-z2-7]{6})"[^<>]*>(?:(?!<tg-reminder ).)*?</tg-reminder>', re.DOTALL)


def read(stored: bytes | None) -> dict[str, Any] | None:
    """What it holds; None for none, and for one that is damaged or that a newer release wrote."""
    if not stored or stored[0] > VERSION:
        return None
    with suppress(zlib.error, ValueError, RecursionError):
        found: Any = json.loads(zlib.decompress(stored[1:]))
        return cast("dict[str, Any]", found) if isinstance(found, dict) else None
    return None


def written(history: dict[str, Any]) -> bytes:
    """The stored form of what ``read`` gave."""
    return bytes([VERSION]) + zlib.compress(json.dumps(history, ensure_ascii=False).encode(), LEVEL)


def messages_of(history: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All messages: of the conversation, and of the members of a workflow."""
    members: Any = history.get("members")
    lists = [history.get("messages"), *(members.values() if isinstance(members, dict) else ())]
    for messages in lists:
        yield from (message for message in messages or () if isinstance(message, dict))


def media_in(history: dict[str, Any]) -> list[Media]:
    """The files that it names."""
    found: list[Media] = []
    for message in messages_of(history):
        for block in message.get("content") or ():
            about: Any = (block.get("_meta") or {}).get(MEDIA_KEY) if isinstance(block, dict) else None
            with suppress(ValidationError):
                found += [Media.model_validate(about)] if about else []
    return found


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A group's history without one person's messages."""

    history: bytes
    messages: int
    """How many were there."""
    media: list[Media] = field(default_factory=list[Media])
    """The files of those."""


def without(stored: bytes | None, user: int) -> Unwritten | None:
    """Take a person's messages out of a group's history; None when there are none.

    Each message of a group stands in a tag with its author (``workers.runtime.conversation.message_tags``). What
    others, and agents, said of the person stays.
    """
    history = read(stored)
    if history is None or stored is None:
        return None
    name, gone, media, named = person_id(user), 0, list[Media](), False
    for message in messages_of(history):
        if message.get("role") != "user":
            continue
        named = _unnamed(message, user) or named
        blocks = [block for block in message.get("content") or () if isinstance(block, dict)]
        kept, found = _blocks(blocks, name)
        if found:
            left = {id(block) for block in kept}
            media += media_in({"messages": [{"content": [block for block in blocks if id(block) not in left]}]})
            message["content"], gone = kept, gone + found
    return Unwritten(written(history), gone, media) if gone or named else None


def _unnamed(message: dict[str, Any], user: int) -> bool:
    """Take a person out of those whose words a message has; whether they stood there."""
    channels: Any = message.get("channels")
    found: Any = channels.get(AUTHORS) if isinstance(channels, dict) else None
    blocks = [block for block in found or () if isinstance(block, dict) and isinstance(block.get("text"), str)]
    named = [block for block in blocks if str(user) in block["text"].split()]
    for block in named:
        block["text"] = " ".join(number for number in block["text"].split() if number != str(user))
    return bool(named)


def _unquoted(text: str, name: str) -> tuple[str, int]:
    """A text without the quotes of one person's words, and how many there were."""
    theirs = [one for one in _QUOTE.finditer(text) if one[1] == name]
    for one in reversed(theirs):
        text = f"{text[: one.start()]}{QUOTE_ERASED}{text[one.end() :]}"
    return text, len(theirs)


def _blocks(blocks: Sequence[dict[str, Any]], name: str) -> tuple[list[dict[str, Any]], int]:
    """The blocks without the tags of one person, whose files stand between the tag's beginning and its end."""
    kept: list[dict[str, Any]] = []
    inside, gone = False, 0
    for block in blocks:
        text = block.get("text")
        if not isinstance(text, str):
            kept += [] if inside else [block]
            continue
        left: list[str] = []
        place = 0
        for tag in _FRAME.finditer(text):
            if not inside:
                left.append(text[place : tag.start()])
            if inside and tag[0] == "</tg-message>":
                inside = False
            elif not inside and f' id="{name}"' in tag[0]:
                inside, gone = True, gone + 1
                left.append(ERASED)
            elif not inside:
                left.append(tag[0])
            place = tag.end()
        left += [] if inside else [text[place:]]
        said = "".join(left)
        gone += sum(one[1] == name for one in _REMINDER.finditer(said))
        said = _REMINDER.sub(lambda one: "" if one[1] == name else one[0], said)
        said, quotes = _unquoted(said, name)
        gone += quotes
        if said == text:
            kept.append(block)
        elif said.strip():
            kept.append({"type": "text", "text": said})
    return kept, gone
