"""What a message costs in Redis, counted at the server: one more round trip changes a number here."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.rows.cost import spent
from bench.stand import Running
from tasks import store
from tasks.store.connection.redis import script
from tests.harness.processes import ROOT

SCRIPTS = {
    hashlib.sha1(script(path.stem).encode()).hexdigest(): path.stem
    for path in (ROOT / Path(store.__file__).parent / "lua").glob("*.lua")
}
QUICK = ["accept", "claim", "commit", "pace", "delivered", "advance"]
"""accept, with the doorbell in it, is the bot's; each is one round trip."""
FRAME = ["pace", "note"]
"""A growing answer's first text: may it be sent, and the id of its message."""
STREAMED = [*QUICK[:2], *FRAME, *QUICK[2:]]

LAST = QUICK[-1]

TIMED = {
    *("BRPOP", "PUBLISH", "ZRANGE", "ZRANGEBYSCORE", "HGETALL", "EXISTS", "MULTI", "SET", "HSET", "EXEC"),
    *("lease", "ZCARD", "LRANGE", "LPOP", "PING", "CLIENT", "HELLO", "LLEN", "SADD", "EXPIRE", "PEXPIRE", "XADD"),
}
"""What goes on by the clock, or with a new connection or queue, and names no chat; events are published in bundles."""


class Counted:
    """The commands that the server gets for one chat after the other."""

    def __init__(self, running: Running) -> None:
        self._stand = running.stand
        self._chat = 0
        self._names: list[str] = []
        self._news = asyncio.Condition()

    async def watch(self, begun: asyncio.Event) -> None:
        """Note the names of commands; those within scripts are left out."""
        async with self._stand.redis.monitor() as monitor:
            begun.set()
            async for line in monitor.listen():
                words = line["command"].split(" ")
                name = SCRIPTS.get(words[1], words[1]) if words[0] == "EVALSHA" else words[0]
                ours = name not in TIMED or any(str(self._chat) in word for word in words)
                if line["client_type"] != "lua" and ours:
                    async with self._news:
                        self._names.append(name)
                        self._news.notify_all()

    async def ask(self, text: str, last: str) -> list[str]:
        """Have a new chat say it (so that no limit is met) and get its whole answer; what that cost.

        An answer that is held is let go once it shows.
        """
        (self._chat,) = await self._stand.chats(1)
        self._names = []
        await self._stand.people.say(self._chat, text)
        if "HOLD" in text:
            await self._stand.people.wait_for(self._chat, 1)
            await self._stand.model.release(text.partition("HOLD:")[2].partition("@")[0])
        await self._stand.people.wait_for(self._chat, lambda ours: any(last in message["text"] for message in ours))
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: LAST in self._of_this_one())
        return self._of_this_one()

    def _of_this_one(self) -> list[str]:
        """From its update on: the last steps of the message before it may be noted late."""
        return self._names[self._names.index(QUICK[0]) :] if QUICK[0] in self._names else []


async def test_a_message_takes_six_steps_and_two_more_when_its_answer_grows(running: Running) -> None:
    counted, begun = Counted(running), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(counted.watch(begun), name="monitor")
        await begun.wait()
        # The first of each kind sends its scripts; on a busy machine a typing action or a sweep may come between, also
        # several times in a row. What is added to every message is in all of them.
        quick = await until_seen(QUICK, lambda n: counted.ask(f"quick-{n}", f"quick-{n} [n=1]"))
        streamed = await until_seen(STREAMED, lambda n: counted.ask(f"HOLD:g{n}@3 WORDS:5", "word4"))
        watching.cancel()
    assert QUICK in quick
    assert STREAMED in streamed


async def until_seen(wanted: list[str], ask: Callable[[int], Awaitable[list[str]]]) -> list[list[str]]:
    """What messages cost, up to one that costs what is wanted, or of twelve."""
    found: list[list[str]] = []
    while wanted not in found and len(found) < 12:
        found.append(await ask(len(found)))
    return found


async def test_keeping_a_step_takes_one_round_trip_at_most(running: Running) -> None:
    counted, begun = Counted(running), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(counted.watch(begun), name="monitor")
        await begun.wait()
        # The first sends its scripts.
        _, *turns = [await counted.ask("ROUNDS:3 CALL:nothing", "tool=done tool=done tool=done") for _ in range(3)]
        both = [await counted.ask("CALL:nothing CALL:nothing", "tool=done tool=done") for _ in range(2)]
        watching.cancel()
    # Of three tool calls and the three model calls that asked for them; the fourth is the commit's.
    assert max(turn.count("journal") for turn in turns) <= 6
    assert all(turn.count("commit") == 1 for turn in turns)
    # Two marks of one round go together, and two ends in one write or in two.
    assert max(turn.count("journal") for turn in both) <= 3


async def test_a_message_costs_no_more_round_trips_and_bytes_than_before(running: Running) -> None:
    found = await spent(running, messages=30, idle_s=6)
    # The six steps, the answer to BRPOP is none, its next request is one; and a bundle of events twice a second.
    assert found["round trips"] < 8.2
    assert found["scripts"] < 6.5
    assert found["commands"] < 70
    assert found["bytes to Redis"] < 6500
    assert found["bytes from Redis"] < 2000
    # Nothing of it is for a slot that is empty, but one look at all.
    assert found["idle round trips/s"] < 14
