"""The limiter and the playground's flood limits, on one clock: what has a permit is not refused, and all are served."""

import heapq
from collections import Counter
from collections.abc import Callable, Generator
from random import Random

import pytest
from redis.asyncio import Redis

from playground.errors import ApiError
from playground.state.flood import Flood
from tasks.store.pacing import PaceStore, Place
from tests.telegram.fakes import FakeClock

BOT = 4242
LATE = 0.15
"""Seconds that a call takes to Telegram after its permit, at most."""
WRITES = 20.0
"""Seconds that a model writes."""

type Life = Generator[tuple[str, object], object, None]


class Crowd:
    """Chats that ask at the same moment, four workers that answer, and Telegram."""

    def __init__(self, redis: Redis, chats: list[int]) -> None:
        self.clock, self.random = FakeClock(), Random(7)
        self.flood = Flood(self.clock)
        self.flood.set({"on": True, "penalty": 30})
        self.workers = [PaceStore(redis, self.clock) for _ in range(4)]
        self.chats = chats
        self.began = self.clock.now()
        self.frames, self.refused = Counter[int](), 0
        self.finals = dict[int, float]()
        self.commands = list[float]()
        self._events = list[tuple[float, int, Callable[[], object]]]()
        self._count = 0

    def at(self, moment: float, do: Callable[[], object]) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, do))

    async def run(self) -> None:
        for chat in self.chats:
            self.at(self.began + 0.3, lambda chat=chat: self.frame(chat, None, first=True))
            self.at(self.began + WRITES, lambda chat=chat: self.final(chat, self.clock.now(), taken=False))
        for second in range(1, 30):
            self.at(self.began + second, lambda second=second: self.command(10_000 + second))
        while self._events:
            moment, _, do = heapq.heappop(self._events)
            self.clock.advance(max(0, moment - self.clock.now()))
            if (more := do()) is not None:
                await more  # type: ignore[misc]

    def call(self, chat: int, permit: float, done: Callable[[float], object] = lambda _: None) -> None:
        """A call that goes out at a moment and arrives a little later."""

        def arrives() -> None:
            try:
                self.flood.check(chat)
            except ApiError:
                self.refused += 1
            else:
                done(self.clock.now())

        self.at(permit + self.random.random() * LATE, arrives)

    async def frame(self, chat: int, place: Place | None, *, first: bool) -> None:
        now = self.clock.now()
        if now >= self.began + WRITES:
            return
        room = await self.workers[chat % 4].frame(BOT, chat, first=first, place=place)
        if room.granted:
            self.call(chat, now + room.seconds)
            self.frames[chat] += 1
        again = now + (max(1.0, room.seconds) if room.granted else room.seconds)
        self.at(again, lambda: self.frame(chat, room.place, first=first and not room.granted))

    async def final(self, chat: int, ended: float, *, taken: bool) -> None:
        got = await self.workers[chat % 4].reserve(BOT, chat, chat_taken=taken)
        due = self.clock.now() + got.seconds
        if got.what == "all":
            self.call(chat, due, lambda when: self.finals.update({chat: when - ended}))
        else:
            self.at(due, lambda: self.final(chat, ended, taken=got.what == "chat"))

    async def command(self, chat: int) -> None:
        now = self.clock.now()
        assert await self.workers[0].command(BOT, chat) == 0
        self.call(chat, now, lambda when: self.commands.append(when - now))


@pytest.mark.promise("final-texts-first")
async def test_a_crowd_that_streams_meets_no_flood_limit_and_each_screen_moves(redis: Redis) -> None:
    crowd = Crowd(redis, [*range(1, 91), *range(-10, 0)])
    await crowd.run()
    assert crowd.refused == 0
    assert set(crowd.finals) == set(crowd.chats), "no final text is lost"
    assert max(crowd.finals.values()) < len(crowd.chats) / 18 + LATE, "all of them want to be sent at the same moment"
    assert min(crowd.frames[chat] for chat in crowd.chats) >= 2
    assert len(crowd.commands) == 29
    assert max(crowd.commands) <= LATE, "commands wait for no final text"


async def test_a_few_that_stream_are_held_up_by_nothing(redis: Redis) -> None:
    crowd = Crowd(redis, [1, 2, 3])
    await crowd.run()
    assert crowd.refused == 0
    assert min(crowd.frames[chat] for chat in crowd.chats) >= WRITES - 2, "a frame a second"
    assert max(crowd.finals.values()) <= LATE


@pytest.mark.parametrize("chats", [[-5], [5], [-5, -6, 7, 8], list(range(1, 13))])
async def test_albums_count_as_their_files_and_what_follows_them_waits(redis: Redis, chats: list[int]) -> None:
    """Each chat gets as much as it may, as early as it may: texts with albums of all sizes between them."""
    clock, random = FakeClock(), Random(11)
    flood, pace = Flood(clock), PaceStore(redis, clock)
    flood.set({"on": True, "penalty": 30})
    due = [(0.0, chat, 1 if place else 10, False) for place, chat in enumerate(chats)]
    heapq.heapify(due)
    began, sent = clock.now(), Counter[int]()
    while due:
        at, chat, count, chat_taken = heapq.heappop(due)
        clock.advance(max(0.0, began + at - clock.now()))
        taken = await pace.reserve(BOT, chat, chat_taken=chat_taken, count=count)
        at = clock.now() - began + taken.seconds
        if taken.what != "all":
            heapq.heappush(due, (at, chat, count, taken.what == "chat"))
            continue
        clock.advance(taken.seconds)
        flood.check(chat, count)
        sent[chat] += count
        if at < 200:
            heapq.heappush(due, (at, chat, random.choice([1, 1, 1, 2, 5, 10]), False))
    assert min(sent.values()) >= 40
