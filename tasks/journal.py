"""Whose a journal is: the mark in a session's state that names the turn (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2s
from typing import Self
from uuid import uuid4

from tasks.errors import EnvelopeTooNew
from tasks.text import is_digits

VERSION = 2
"""Of the mark and of the entries behind it."""
_RUNNING, _PARKED = 1, 2
"""The version of a turn that runs, and of one that was parked: a release that asks no one must not go on with it.
A turn that messages may have joined has the second one, too."""


class JournalTooNew(EnvelopeTooNew):
    """A turn was begun by a newer release, and its steps are kept; a worker that can read them goes on with it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a session's state says of its journal: which turn it is of. Written as ``version entries turn nonce``."""

    taken: int
    """Entries at the head of the inbox that the turn answers."""
    turn: str
    """``turn_of`` them."""
    nonce: str
    """Tells two journals of one turn apart, of which the first was damaged."""
    version: int = _RUNNING

    @classmethod
    def new(cls, updates: Sequence[int], *, joins: bool = False) -> Self:
        """A journal that begins now, of a turn that answers these updates; ``joins``: messages may join it."""
        return cls(len(updates), turn_of(updates), uuid4().hex[:8], _PARKED if joins else _RUNNING)

    @property
    def may_have_more(self) -> bool:
        """Whether messages may have joined the turn."""
        return self.version == _PARKED

    def again(self) -> Self:
        """A journal of the same turn that begins now, in place of a damaged one."""
        return replace(self, nonce=uuid4().hex[:8])

    def parked(self) -> Self:
        """The same journal, of a turn that waits for a person."""
        return replace(self, version=_PARKED)

    @classmethod
    def parse(cls, written: str) -> Self | None:
        """Read what a state says; None for nothing, and for what is damaged.

        Raises:
            JournalTooNew: a newer release wrote it.
        """
        match written.split(" "):
            case [version, *_] if is_digits(version) and int(version[:9]) > VERSION:
                raise JournalTooNew
            case [("1" | "2") as version, taken, turn, nonce] if is_digits(taken):
                return cls(int(taken[:9]), turn, nonce, int(version))
            case _:
                return None

    def __str__(self) -> str:
        return f"{self.version} {self.taken} {self.turn} {self.nonce}"


def turn_of(updates: Sequence[int]) -> str:
    """A turn's name: the same for each try of it, another one for each other turn of its session."""
    return blake2s(",".join(map(str, updates)).encode(), digest_size=10).hexdigest()
