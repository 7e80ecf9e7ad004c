"""Has changed agent cards read as they are saved, for people who write them beside a running ``cohort up``.

``cohort cards reload`` runs as a process of its own, so that what it loads is gone again afterwards, and what a tool's
file does when it is imported cannot harm the supervisor. With a wrong card the old ones stay, as after that command.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from tasks.operator_files import kept_cards
from tasks.status.worker import older_cards
from tasks.store import Store

LOOK_EVERY_S = 1.0

type FileStamps = frozenset[tuple[str, int, int]]
"""Path, time and size of each file."""


def look(directory: Path) -> FileStamps:
    """What the directory and its folders hold, without hidden files and what editors write beside a file."""
    found = set[tuple[str, int, int]]()
    for path in kept_cards.files(directory):
        with suppress(OSError):
            state = path.stat()
            found.add((str(path), state.st_mtime_ns, state.st_size))
    return frozenset(found)


async def stand_ins(store: Store) -> tuple[str, ...]:
    """What the banner warns of: workers that go on with kept cards, as those of the directory cannot be used.

    Raises:
        StoreUnavailable: Redis is away.
    """
    view = await store.members.look()
    return older_cards(status.cards_kept for status in view.members.values())


class CardWatch:
    """Looks at a directory of cards again and again."""

    def __init__(self, directory: Path, read: Callable[[], Awaitable[None]], *, every: float = LOOK_EVERY_S) -> None:
        """What stands there now is taken as read.

        Args:
            directory: Of the cards.
            read: Has the workers read them.
            every: Seconds between two looks.
        """
        self._directory = directory
        self._read = read
        self._every = every
        self._seen = look(directory)

    async def follow(self) -> None:
        """Have the cards read when they have changed, and rest; never returns."""
        while True:
            await asyncio.sleep(self._every)
            changed = await asyncio.to_thread(look, self._directory)
            while changed != self._seen:
                # A save may be several writes, and several files may be saved together.
                await asyncio.sleep(self._every / 2)
                again = await asyncio.to_thread(look, self._directory)
                if again == changed:
                    self._seen = changed
                    await self._read()
                changed = again
