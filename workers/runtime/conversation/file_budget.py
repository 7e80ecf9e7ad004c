"""Bounds the files that a turn and a worker hold open: each byte of a file takes some six bytes of memory.

A file becomes base64, a part of a message, a part of a request, and bytes being sent. A model call with 20 MiB of files
needs some 120 MiB while it runs. Turns with large files run one after another; turns with small files run beside them.
"""

import base64
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path

from workers import texts
from workers.byte_budget import Weights

FILES_A_TURN = 10
"""As many as a Telegram album holds."""
_SMALL = 2 * 2**20
"""Up to so many bytes a turn's files are small: photos as phones send them."""
_SMALL_ONES = 12 * 2**20
"""Bytes of all turns with small files that run at once in a worker."""
_ROUNDING = 2**16
"""Bytes by which a stated size may be too small."""
_PIECE = 3 * 2**18
"""Bytes encoded at once; a multiple of three. Encoding holds the GIL, some two milliseconds for this many."""


class FileAllowance:
    """What one turn may open."""

    def __init__(self, size: int, most: int) -> None:
        """Allow ``size`` bytes.

        Args:
            size: Bytes that are held for the turn.
            most: Bytes that a turn may have at most, for the notice.
        """
        self._bytes = size
        self._most = most
        self._files = FILES_A_TURN

    def try_one(self, size: int) -> bool:
        """Whether a file of this stated size may be fetched; each try counts as a file."""
        if self._files <= 0 or size > self._bytes:
            return False
        self._files -= 1
        return True

    def take(self, size: int) -> bool:
        """Whether a file of this size may be opened; its bytes are taken off the allowance."""
        if size > self._bytes:
            return False
        self._bytes -= size
        return True

    def why_not(self, size: int) -> str:
        """The notice for the user about a file of this size that was skipped: it alone is too large, or all are."""
        if size > self._most:
            return texts.file_too_large(size / 2**20, self._most // 2**20)
        return texts.too_many_files(FILES_A_TURN, self._most // 2**20)


class FileBudget:
    """What a worker holds open."""

    def __init__(self, most: int) -> None:
        self.most = most
        """Bytes that one turn may open."""
        self._large = Weights(most)
        self._small = Weights(_SMALL_ONES)
        self._encoding = Weights(1)

    def share(self, size: int, parties: tuple[str, ...] = ()) -> AbstractAsyncContextManager[FileAllowance]:
        """Wait until the worker has room for a turn's files.

        Args:
            size: Bytes of all files of the turn, as stated.
            parties: Whose turn it is (``lanes.fair_queue``): one chat's many files must not hold up others for long.

        Yields:
            What the turn may open.
        """
        return self._share(size, parties) if size else nullcontext(FileAllowance(0, self.most))

    @asynccontextmanager
    async def _share(self, size: int, parties: tuple[str, ...]) -> AsyncGenerator[FileAllowance]:
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
    """Encode a file as base64, in pieces between which other threads run. Blocking: call it in a thread."""
    pieces: list[str] = []
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            pieces.append(base64.b64encode(piece).decode("ascii"))
    return "".join(pieces)
