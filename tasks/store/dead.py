"""Messages given up on: kept with the reason until an operator retries or drops them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.envelope import DeadLetter
from tasks.errors import EnvelopeInvalid, Terminal
from tasks.slots import slot_of
from tasks.store.redis import Script, guard
from tasks.text import is_unsigned


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead letter and the id it is named by in the ``dead`` stream."""

    id: str
    letter: DeadLetter


def is_letter(name: str) -> bool:
    """Whether it has the form of a letter's id: two numbers, each of 64 bits."""
    first, dash, second = name.partition("-")
    return bool(dash) and is_unsigned(first) and is_unsigned(second)


class DeadStore:
    """The ``dead`` stream."""

    def __init__(self, redis: Redis, clock: Clock, *, slots: int) -> None:
        self._redis = redis
        self._clock = clock
        self._slots = slots
        self._requeue = Script(redis, "requeue")

    async def count(self) -> int:
        """How many there are."""
        with guard():
            return int(await self._redis.xlen(keys.DEAD))

    async def list(self, limit: int = 100) -> Sequence[Dead]:
        """The newest ``limit`` letters, oldest first."""
        with guard():
            rows: list[Any] = await self._redis.xrevrange(keys.DEAD, count=limit) or []
        return [self._read(row) for row in reversed(rows)]

    async def get(self, letter: str) -> Dead | None:
        """One letter, or None when no letter has that id."""
        with guard():
            rows: list[Any] = await self._redis.xrange(keys.DEAD, min=letter, max=letter) or []
        return self._read(rows[0]) if rows else None

    async def retry(self, letter: str) -> bool:
        """Put its message back at the end of its session's inbox; False when there is no such letter.

        Raises:
            Terminal: what it holds was never understood, so there is nothing to retry.
        """
        found = await self.get(letter)
        if found is None:
            return False
        if found.letter.inbound is None:
            raise Terminal("this letter holds no readable message; look at it with `cohort dead show`, then drop it")
        inbound = found.letter.inbound
        names = [keys.DEAD, keys.inbox(inbound.session), keys.pending(slot_of(inbound.session, self._slots))]
        return bool(await self._requeue(names, [letter, inbound.session, inbound.to_json(), self._clock.now()]))

    async def drop(self, letter: str) -> bool:
        """Remove it for good; False when there is no such letter."""
        with guard():
            return bool(await self._redis.xdel(keys.DEAD, letter))

    @staticmethod
    def _read(row: tuple[bytes, dict[bytes, bytes]]) -> Dead:
        name, fields = row
        raw = fields.get(b"letter", b"")
        try:
            letter = DeadLetter.from_json(raw)
        except EnvelopeInvalid as problem:
            letter = DeadLetter(reason=str(problem), at=0.0, raw=raw.decode(errors="replace"))
        return Dead(name.decode(), letter)
