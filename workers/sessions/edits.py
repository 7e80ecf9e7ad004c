"""Edits that change nothing (pure).

Telegram reports a link's preview and a reaction as an edit with the same words, the reaction up to two days later. The
state of a session keeps a fingerprint of each of the last messages that left its inbox. An edit with the fingerprint of
the message that it edits is dropped: it would run the turn, and its tools, a second time. So is an edit of a message
older than all of them, as what that message said is not known any more.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2s

from tasks.envelope import Inbound

REMEMBERED = 64
"""Messages: as many as a turn can answer together. Each commit writes the whole list (some 1,000 bytes)."""

type Said = Mapping[int, str]
"""Message id -> fingerprint of its words and files."""


def said_in(entries: Iterable[Inbound], before: Said) -> dict[int, str]:
    """What the messages among ``entries`` say; the last version of a message counts. ``before``: what was said then.

    The edit of a forgotten message is left out: with it, all messages after that one would count as remembered.
    """
    found: dict[int, str] = {}
    for entry in entries:
        if entry.kind not in ("message", "new") or entry.message_id is None:
            continue
        if entry.message_id in found or not _of_one_forgotten(entry, before):
            found[entry.message_id] = _fingerprint(entry)
    return found


def changes_nothing(entry: Inbound, said: Said) -> bool:
    """Whether ``entry`` edits a message into what it said already, or one that is forgotten."""
    if not entry.edited or entry.message_id is None:
        return False
    return said.get(entry.message_id) == _fingerprint(entry) or _of_one_forgotten(entry, said)


def _of_one_forgotten(entry: Inbound, said: Said) -> bool:
    return (
        entry.edited
        and entry.message_id is not None
        and len(said) >= REMEMBERED
        and entry.message_id not in said
        and entry.message_id < min(said)
    )


def joined(said: Said, newer: Said) -> dict[int, str]:
    """Both, the newer ones last."""
    return {number: mark for number, mark in said.items() if number not in newer} | dict(newer)


def written(said: Said) -> str:
    """The newest of them for a field of the state: ``12:9f3a1c 13:...``."""
    return " ".join(f"{number}:{mark}" for number, mark in list(said.items())[-REMEMBERED:])


def read(field: str) -> dict[int, str]:
    """The reverse; what is damaged is left out."""
    pairs = (pair.partition(":") for pair in field.split())
    return {int(number): mark for number, _, mark in pairs if number.isdecimal() and number.isascii() and mark}


def _fingerprint(entry: Inbound) -> str:
    files = (file.unique_id or file.file_id for file in entry.media)
    return blake2s("\0".join((entry.text, *files)).encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()
