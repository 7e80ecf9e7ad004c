"""A slot that moves between workers that are well holds its sessions up for no sweep and for no heartbeat."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tasks.session import SessionKey
from tasks.slots import assign, slot_of
from tasks.store import connect
from tasks.store.processes.membership import View
from tests.harness.checker import check
from tests.harness.history import Said, words_in
from tests.harness.scene import BOT, Scene, scene

SLOW = {"COHORT_HEARTBEAT_TTL": "60", "COHORT_SWEEP_INTERVAL": "20"}
"""What a session would wait for that no one hands over. A hand-over takes a tenth of a second on a quiet machine."""
PAUSE = 5.0
"""Seconds that a move may add between a message and the model's hearing of it."""
TIMES = 3
"""Tries: what a busy machine adds, it does not add each time."""
CHATS = 4
"""Of sessions that move, and as many of others. Each has a turn a second, as Telegram takes one answer a second."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    """Two workers; in the end the history must hold."""
    async with scene(tmp_path, **SLOW, COHORT_SEND_RATE="1000", COHORT_SLOTS="64") as running:
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


async def excess(stage: Scene, said: dict[int, list[Said]], before: View, since: float) -> float:
    """By how many seconds sessions whose slots moved waited longer than, in the same moments, those of others."""
    after = await view(stage)
    moved = {chat for chat in said if before.slots[place(chat)] != after.slots[place(chat)]}
    took = await pauses(stage, said, since)
    assert 0 < len(moved) < len(said)
    return max(took[chat] for chat in moved) - max(took[chat] for chat in said if chat not in moved)


def place(chat: int) -> int:
    return slot_of(SessionKey(BOT, chat), 64)


async def on_both_sides(stage: Scene, before: View, members: Iterable[str]) -> list[int]:
    """Chats whose slots move when these are the workers, and chats whose slots stay."""
    later = assign(len(before.slots), [*members], before.slots)
    chats: dict[bool, list[int]] = {True: [], False: []}
    while min(map(len, chats.values())) < CHATS:
        chat = await stage.chat()
        chats[later[place(chat)] != before.slots[place(chat)]].append(chat)
    return [chat for side in chats.values() for chat in side[:CHATS]]


async def a_worker_leaves(stage: Scene) -> float:
    before = await view(stage)
    leaver = stage.harness.workers[min(before.members)]
    chats = await on_both_sides(stage, before, {*before.members} - {leaver.name})
    async with talk(stage, chats) as said:
        since = stage.clock.now()
        leaver.signal(signal.SIGTERM)
        assert await asyncio.to_thread(leaver.wait) == 0
    return await excess(stage, said, before, since)


async def a_worker_joins(stage: Scene) -> float:
    before = await view(stage)
    # Which slots a further worker gets does not depend on its name.
    chats = await on_both_sides(stage, before, [*before.members, "joiner"])
    async with talk(stage, chats) as said:
        since = stage.clock.now()
        joiner = stage.worker()
        await asyncio.to_thread(joiner.wait_line, "slots.served")
    return await excess(stage, said, before, since)


@pytest.mark.soak
@pytest.mark.promise("drain")
@pytest.mark.timeout(400)
async def test_a_session_waits_for_no_sweep_when_its_slot_moves_to_or_from_a_worker_that_is_well(
    stage: Scene,
) -> None:
    joining, leaving = [], []
    for _ in range(TIMES):
        joining.append(await a_worker_joins(stage))
        leaving.append(await a_worker_leaves(stage))
        if min(joining) < PAUSE and min(leaving) < PAUSE:
            return
    pytest.fail(f"longer by so many seconds: {joining} when one joins, {leaving} when one leaves")
