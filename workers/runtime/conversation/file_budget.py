"""How many files, and how much of them, a turn and a worker hold open: each byte of a file is some six bytes of memory.

A file becomes base64, a part of a message, a part of a body, and bytes on their way; a model call with 20 MiB of files
needs some 120 MiB while it runs. Turns with large files run one after another, those with small ones beside them.
"""

import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from workers.byte_budget import Weights

FILES_A_TURN = 10
"""As many as an album has."""
_SMALL = 2 * 2**20
"""Bytes of a turn whose files are small: pictures as phones send them."""
_SMALL_ONES = 12 * 2**20
"""Bytes of all such turns of a worker that run at once."""
_ROUNDING = 2**16
"""Bytes by which the size that a sender told may be wrong."""
_PIECE = 3 * 2**18
"""Bytes encoded at once; a multiple of three. Encoding holds the interpreter: some two milliseconds for this."""


class FileAllowance:
    """What one turn may open."""

    def __init__(self, size: int, most: int) -> None:
        """``size``: bytes that are held for it; ``most``: what it could have had."""
        self._bytes = size
        self._most = most
        self._files = FILES_A_TURN

    def try_one(self, size: int) -> bool:
        """Fetch a file that is said to have that size, if there is room; each try counts as a file."""
        if self._files <= 0 or size > self._bytes:
            return False
        self._files -= 1
        return True

    def take(self, size: int) -> bool:
        """Open a file of that size, if there is room."""
        if size > self._bytes:
            return False
        self._bytes -= size
        return True

    @property
    def why_not(self) -> str:
        """For the user, where there is no room."""
        return (
            f"I can open {FILES_A_TURN} files and {self._most // 2**20} MiB at once, so I left out the others. "
            "Send them in smaller groups."
        )


class FileBudget:
    """What a worker holds open; ``most``: bytes of one turn."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._large = Weights(most)
        self._small = Weights(_SMALL_ONES)
        self._encoding = Weights(1)

    @asynccontextmanager
    async def share(self, size: int, parties: tuple[str, ...] = ()) -> AsyncGenerator[FileAllowance]:
        """A turn's share, for files of ``size`` bytes in all; waits until the worker has room for them.

        ``parties``: whose turn it is (``fair_queue``): many files of one chat or person hold up no others' for long.
        """
        if not size:
            yield FileAllowance(0, self.most)
            return
        size = min(size + _ROUNDING, self.most)
        weights = self._small if size <= _SMALL else self._large
        async with weights.hold(size, parties):
            yield FileAllowance(size, self.most)

    @asynccontextmanager
    async def encoding(self) -> AsyncGenerator[None]:
        """One file at a time."""
        async with self._encoding.hold(1):
            yield


def encoded(path: Path) -> str:
    """A file's base64 (in a thread), in pieces between which others run."""
    pieces: list[str] = []
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            pieces.append(base64.b64encode(piece).decode("ascii"))
    return "".join(pieces)
