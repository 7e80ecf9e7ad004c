"""A slot that moves between workers that are well holds its sessions up for less than a second."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store import connect
from tasks.store.membership import View
from tests.chaos.checker import check
from tests.chaos.history import Said, words_in
from tests.chaos.scene import BOT, Scene, scene

PAUSE = 1.0
"""Seconds that a move may add between a message and the model's hearing of it."""
CHATS = 24
"""About as many turns a second: Telegram takes one answer a second in a chat, and nobody speaks before it came."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    """Two workers with the default heartbeat and sweep; in the end the history must hold."""
    fast = {"COHORT_HEARTBEAT_TTL": "5", "COHORT_SWEEP_INTERVAL": "2", "COHORT_SEND_RATE": "1000"}
    async with scene(tmp_path, **fast) as running:
        await running.start(workers=2)
        yield running
        found = check(await running.told())
        assert [str(one) for one in found.violations if one.rule != "left"] == []


@asynccontextmanager
async def talk(stage: Scene, chats: Iterable[int]) -> AsyncIterator[dict[int, list[Said]]]:
    """While inside, all of them talk without a break; what they said grows in the result, and is answered then."""
    said: dict[int, list[Said]] = {chat: [] for chat in chats}
    enough = asyncio.Event()

    async def chatting(chat: int) -> None:
        while not enough.is_set():
            said[chat].append(await stage.say(chat))
            await stage.answered(chat, said[chat][-1])

    async with asyncio.TaskGroup() as group:
        for chat in said:
            group.create_task(chatting(chat), name=f"chat {chat}")
        await rounds(stage, said, 2)
        yield said
        await rounds(stage, said, 3)
        enough.set()


async def rounds(stage: Scene, said: dict[int, list[Said]], count: int) -> None:
    """Wait until everybody has said so much more, and been answered."""
    wanted = {chat: len(theirs) + count for chat, theirs in said.items()}
    for chat, there in wanted.items():
        await stage.people.wait_for(chat, there, timeout=60)


async def view(stage: Scene) -> View:
    async with connect(stage.harness.settings()) as store:
        return await store.members.look()


async def pauses(stage: Scene, said: dict[int, list[Said]], since: float) -> dict[int, float]:
    """For each chat, the longest time from a message (said after ``since``) to the first model call that saw it."""
    heard: dict[str, float] = {}
    for call in await stage.model.journal():
        for word in words_in(call["last"]):
            heard.setdefault(word, call["at"])
    return {
        chat: max(heard[one.word] - one.at for one in theirs if one.at >= since - PAUSE)
        for chat, theirs in said.items()
    }


async def judge(stage: Scene, said: dict[int, list[Said]], before: View, after: View, since: float) -> None:
    """Sessions whose slots moved waited no second longer than, in the same moments, those whose slots did not."""
    moved = {chat for chat in said if before.slots[place(chat)] != after.slots[place(chat)]}
    took = await pauses(stage, said, since)
    stayed = max(took[chat] for chat in said if chat not in moved)
    assert moved
    assert max(took[chat] for chat in moved) < stayed + PAUSE


def place(chat: int) -> int:
    return slot_of(SessionKey(BOT, chat), 64)


@pytest.mark.promise("drain")
async def test_a_session_s_pause_is_under_a_second_when_its_worker_leaves(stage: Scene) -> None:
    leaver = next(iter(stage.harness.workers.values()))
    before = await view(stage)
    async with talk(stage, [await stage.chat() for _ in range(CHATS)]) as said:
        since = stage.clock.now()
        leaver.signal(signal.SIGTERM)
        assert await asyncio.to_thread(leaver.wait) == 0
    await judge(stage, said, before, await view(stage), since)


@pytest.mark.promise("drain")
async def test_a_session_s_pause_is_under_a_second_when_another_worker_joins(stage: Scene) -> None:
    before = await view(stage)
    async with talk(stage, [await stage.chat() for _ in range(CHATS)]) as said:
        since = stage.clock.now()
        newcomer = stage.worker()
        await asyncio.to_thread(newcomer.wait_line, "slots.served")
    await judge(stage, said, before, await view(stage), since)
