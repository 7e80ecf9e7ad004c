"""Messages given up on: kept with the reason until an operator retries or drops them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis

from tasks import keys
from tasks.clock import Clock
from tasks.envelope import DeadLetter
from tasks.errors import EnvelopeInvalid, Terminal
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store.connection.erasure_scope import ErasureScope, letter_in
from tasks.store.connection.redis import Script, guard, text
from tasks.store.records.recorded import RecordedBots
from tasks.text import is_unsigned

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead letter and its name: the number of its bot and its id in that bot's stream, ``4242:1700000000000-0``.

    One of no bot that is known, or of an earlier release, has its id in the ``dead`` stream alone.
    """

    id: str
    letter: DeadLetter

    @property
    def bot(self) -> int | None:
        """Its bot; None: it is not known."""
        return bot_of(self.id, self.letter)


def bot_of(name: str, letter: DeadLetter) -> int | None:
    """The bot of a letter: that of its name, or of its session."""
    number, colon, _ = name.partition(":")
    if colon:
        return int(number)
    with suppress(ValueError):
        return SessionKey.parse(letter.session or "").bot
    return None


def is_letter(name: str) -> bool:
    """Whether it has the form of a letter's name: its bot, and two numbers, each of 64 bits."""
    bot, colon, ident = name.rpartition(":")
    first, dash, second = ident.partition("-")
    return (not colon or is_unsigned(bot)) and bool(dash) and is_unsigned(first) and is_unsigned(second)


class DeadStore:
    """The ``dead`` streams: one of each bot, and that of no bot."""

    def __init__(self, redis: Redis, clock: Clock, *, slots: int) -> None:
        self._redis = redis
        self._clock = clock
        self._slots = slots
        self._recorded = RecordedBots(redis)
        self._requeue = Script(redis, "requeue")
        self._purge = Script(redis, "purge")

    async def count(self, bot: int | None = None) -> int:
        """How many there are; ``bot``: of this one."""
        counts = await self.counts()
        if bot is None:
            return sum(counts.values())
        shared = await self._newest(keys.DEAD, None, None) if counts.get(None) else ()
        return counts.get(bot, 0) + sum(dead.bot == bot for dead in shared)

    async def counts(self) -> dict[int | None, int]:
        """Bot -> how many its stream holds; None: that of no bot."""
        streams = await self._streams(None)
        with guard():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in streams:
                    pipe.xlen(name)
                told: list[int] = await pipe.execute()
        return {bot: count for bot, count in zip(streams.values(), told, strict=True) if count}

    async def list(self, limit: int | None = 100, *, bot: int | None = None) -> Sequence[Dead]:
        """The newest ``limit`` letters, oldest first; None: all of them; ``bot``: those of this one."""
        found: list[Dead] = []
        for name, of in (await self._streams(bot)).items():
            # In the stream of no bot there may be letters of any.
            letters = await self._newest(name, of, limit if bot is None or of is not None else None)
            found += [dead for dead in letters if bot is None or dead.bot == bot]
        found.sort(key=lambda dead: _order(dead.id))
        return found if limit is None else found[-limit:]

    async def get(self, letter: str) -> Dead | None:
        """One letter, or None when no letter has that name."""
        stream, ident = _place(letter)
        with guard():
            rows: list[Any] = await cast("Any", self._redis).xrange(stream, min=ident, max=ident) or []
        return next((_read(letter, fields) for _, fields in rows), None)

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
        stream, ident = _place(letter)
        names = [stream, keys.inbox(inbound.session), keys.pending(slot_of(inbound.session, self._slots))]
        return bool(await self._requeue(names, [ident, inbound.session, inbound.to_json(), self._clock.now()]))

    async def drop(self, letter: str) -> bool:
        """Remove it for good; False when there is no such letter."""
        stream, ident = _place(letter)
        with guard():
            return bool(await self._redis.xdel(stream, ident))

    async def forget(self, whose: ErasureScope) -> tuple[int, Sequence[DeadLetter]]:
        """Erase letters; gives how many, and what they were."""
        gone, letters = 0, list[DeadLetter]()
        for stream in await self._streams(whose.within):
            after, theirs = "-", list[str]()
            while True:
                with guard():
                    rows: list[Any] = await self._redis.xrange(stream, min=after, count=_PAGE) or []
                for name, fields in rows:
                    letter = letter_in(fields.get(b"letter", b""))
                    if whose.is_letter(letter):
                        letters.append(letter)
                        theirs.append(text(name))
                if len(rows) < _PAGE:
                    break
                after = f"({text(rows[-1][0])}"
            gone += int(await self._purge([stream], theirs)) if theirs else 0
        return gone, letters

    async def _streams(self, bot: int | None) -> dict[str, int | None]:
        """Streams and whose they are; ``bot``: those that may have letters of this one."""
        bots = await self._recorded.known() if bot is None else [bot]
        return {**{keys.dead(one): one for one in bots}, keys.DEAD: None}

    async def _newest(self, stream: str, bot: int | None, limit: int | None) -> Sequence[Dead]:
        with guard():
            rows: list[Any] = await self._redis.xrevrange(stream, count=limit) or []
        prefix = "" if bot is None else f"{bot}:"
        return [_read(f"{prefix}{text(ident)}", fields) for ident, fields in rows]


def _place(letter: str) -> tuple[str, str]:
    """The stream of a letter's name, and its id there."""
    bot, colon, ident = letter.rpartition(":")
    return (keys.dead(bot) if colon else keys.DEAD), ident


def _order(letter: str) -> tuple[int, int]:
    first, _, second = letter.rpartition(":")[2].partition("-")
    return int(first), int(second)


def _read(name: str, fields: dict[bytes, bytes]) -> Dead:
    raw = fields.get(b"letter", b"")
    try:
        letter = DeadLetter.from_json(raw)
    except EnvelopeInvalid as problem:
        letter = DeadLetter(reason=str(problem), at=0.0, raw=raw.decode(errors="replace"))
    return Dead(name, letter)
