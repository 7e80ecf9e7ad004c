"""Says in words what a reply answers, where it cannot point at the message by Telegram's means (pure)."""

from typing import Any

from tasks.envelope import Inbound, Reply
from tasks.text import on_one_line, utf16, within

_WORDS = 80
"""UTF-16 units of the message's words: enough to know it by."""
_NAME = 40


def line_about(inbound: Inbound) -> str:
    """A message in one line: in a group who wrote it, and how it begins."""
    name = inbound.sender.name if inbound.sender is not None and inbound.chat_type != "private" else ""
    told = (within(on_one_line(name), _NAME), within(on_one_line(inbound.text), _WORDS))
    return ": ".join(part for part in told if part)


def below(line: str, text: str, entities: tuple[dict[str, Any], ...]) -> tuple[str, tuple[dict[str, Any], ...]]:
    """A reply's text and entities with a quoted line above them; as they are where there is no line."""
    if not line:
        return text, entities
    above = utf16(line) + 1
    moved = ({**entity, "offset": entity["offset"] + above} for entity in entities)
    return f"{line}\n{text}", ({"type": "blockquote", "offset": 0, "length": above - 1}, *moved)


def elsewhere(reply: Reply) -> Reply:
    """A reply for another chat than it was made for: the message ids in it mean other messages there."""
    changed: dict[str, Any] = {"edit": None, "reply_to": None, "about": ""}
    if reply.about:
        changed["text"], changed["entities"] = below(reply.about, reply.text, reply.entities)
        changed["rich"] = ()
    return reply.model_copy(update=changed)
