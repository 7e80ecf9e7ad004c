"""Edits that change nothing (pure).

Telegram reports a link's preview and a reaction as an edit with the same words; a reaction comes up to two days later.
The state of a session keeps a fingerprint of each of the last messages that left its inbox. An edit with the same
fingerprint is dropped, because it would run the turn and its tools a second time. An edit of a message that is older
than all fingerprints is dropped as well: what that message said is not known any more.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2s

from tasks.envelope import Inbound
from tasks.text import is_digits

REMEMBERED = 64
"""How many messages: as many as one turn can answer. Each commit writes the whole list (about 1,000 bytes)."""

type MessagePrints = Mapping[int, str]
"""Message id -> fingerprint of its words and files."""


def said_in(entries: Iterable[Inbound], before: MessagePrints) -> dict[int, str]:
    """Fingerprint the messages among ``entries``; the last version of a message counts.

    The edit of a forgotten message is left out: it would make the oldest number smaller, and all messages behind that
    number would count as remembered.

    Args:
        entries: Entries that leave the inbox.
        before: The fingerprints until now.
    """
    found: dict[int, str] = {}
    for entry in entries:
        if entry.kind not in ("message", "new") or entry.message_id is None:
            continue
        if entry.message_id in found or not _of_one_forgotten(entry, before):
            found[entry.message_id] = _fingerprint(entry)
    return found


def changes_nothing(entry: Inbound, said: MessagePrints) -> bool:
    """Whether ``entry`` is an edit that leaves its message as it was, or the edit of a forgotten message."""
    if not entry.edited or entry.message_id is None:
        return False
    return said.get(entry.message_id) == _fingerprint(entry) or _of_one_forgotten(entry, said)


def _of_one_forgotten(entry: Inbound, said: MessagePrints) -> bool:
    return (
        entry.edited
        and entry.message_id is not None
        and len(said) >= REMEMBERED
        and entry.message_id not in said
        and entry.message_id < min(said)
    )


def joined(said: MessagePrints, newer: MessagePrints) -> dict[int, str]:
    """Both, with the newer ones last."""
    return {number: mark for number, mark in said.items() if number not in newer} | dict(newer)


def written(said: MessagePrints) -> str:
    """The newest fingerprints as a field of the state: ``12:9f3a1c 13:...``."""
    return " ".join(f"{number}:{mark}" for number, mark in list(said.items())[-REMEMBERED:])


def read(field: str) -> dict[int, str]:
    """Read such a field; damaged parts are left out."""
    pairs = (pair.partition(":") for pair in field.split())
    return {int(number): mark for number, _, mark in pairs if is_digits(number) and mark}


def _fingerprint(entry: Inbound) -> str:
    files = (file.unique_id or file.file_id for file in entry.media)
    return blake2s("\0".join((entry.text, *files)).encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()
