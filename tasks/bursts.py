"""Which messages belong to one burst: a paste that a client split, a text and the forward or file behind it (pure)."""

from tasks.envelope import Inbound
from tasks.text import utf16

NEAR_S = 1.0
"""Messages that are no further apart are written at once by a client, and not one after the other by a person."""

PIECE_UNITS = 4_000
"""Telegram's clients cut a long text at 4,096 UTF-16 units, or a little before, where a line ends."""


def goes_on(last: Inbound, entry: Inbound) -> bool:
    """Whether ``entry``, which came right behind ``last``, is surely more of the same burst."""
    # A late part of an album that is complete already is no reason to begin again.
    plain = entry.kind == "message" and not entry.edited and (entry.album is None or entry.album != last.album)
    # No person finds a file within a second of what they wrote: an app sent both.
    by_app = entry.forwarded_from is not None or bool(entry.media)
    return plain and near(last, entry) and (by_app or expects_more(last))


def near(last: Inbound, entry: Inbound) -> bool:
    """Whether one person said both, at once."""
    same = (last.session, last.person, last.kind) == (entry.session, entry.person, entry.kind)
    return same and abs(entry.at - last.at) <= NEAR_S


def expects_more(message: Inbound) -> bool:
    """Whether a text announces what follows, or may be a piece of one that a client cut."""
    if message.kind != "message" or message.forwarded_from is not None:
        return False
    return message.text.rstrip()[-1:] in (":", "\N{FULLWIDTH COLON}") or is_piece(message.text)


def is_piece(text: str) -> bool:
    """Whether it is so long that a client may have cut it."""
    # A character is two units at most.
    return len(text) * 2 >= PIECE_UNITS and utf16(text) >= PIECE_UNITS
