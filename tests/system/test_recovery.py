"""By what the pool goes on after a death, and how a worker leaves it: over real processes."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.phrases import phrase
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store import connect
from tests.harness.checker import check
from tests.harness.history import Said
from tests.harness.processes import Process
from tests.harness.scene import BOT, SLOTS, Scene, scene
from tests.support.until import until
from workers.sessions.planning.planner import MAX_TRIES

NEVER = {"COHORT_HEARTBEAT_TTL": "3600", "COHORT_SWEEP_INTERVAL": "3600"}
"""No heartbeat ends and no sweep comes while a test runs, however slow the machine is."""
LATE = 3.0
"""Seconds for which Telegram holds a call; long enough for another worker to answer meanwhile."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    """Nothing runs yet; in the end the history must hold."""
    async with scene(tmp_path, COHORT_HEARTBEAT_TTL="5", COHORT_SWEEP_INTERVAL="2") as running:
        yield running
        await running.people.wait_confirmed()
        found = check(await running.told())
        assert [str(one) for one in found.violations if one.rule != "left"] == []


@dataclass
class Held:
    """A turn that the model holds, of a chat's message, and the worker that runs it."""

    stage: Scene
    chat: int
    said: Said
    owner: Process

    async def runs_elsewhere(self) -> None:
        """Wait until it, the only turn there is, was begun once more."""
        await self.stage.model.begun(2, 60)

    async def ends(self) -> None:
        """Let go, it is answered."""
        await self.stage.model.release("turn")
        await self.stage.answered(self.chat, self.said)


async def held_turn(stage: Scene) -> Held:
    """With two workers, one of them at work."""
    await stage.start(workers=2)
    chat = await stage.chat()
    said = await stage.say(chat, "HOLD:turn")
    await stage.model.held("turn")
    return Held(stage, chat, said, await stage.owner(chat))


async def killed_as_reported(stage: Scene, victim: Process) -> None:
    """Its supervisor sees it die."""
    stage.fault("report-worker")
    victim.kill()
    async with connect(stage.harness.settings()) as store:
        await store.members.report_death(victim.name)


@pytest.mark.promise("recovery")
@pytest.mark.promise("worker-killed")
async def test_a_killed_worker_s_turns_run_elsewhere_by_the_report_of_its_death_alone(stage: Scene) -> None:
    stage.harness.environ |= NEVER
    held = await held_turn(stage)
    await killed_as_reported(stage, held.owner)
    await held.runs_elsewhere()
    await held.ends()


@pytest.mark.promise("recovery")
@pytest.mark.promise("worker-killed")
async def test_a_killed_worker_s_turns_run_elsewhere_when_its_heartbeat_has_ended(stage: Scene) -> None:
    held = await held_turn(stage)
    stage.fault("kill-worker")
    held.owner.kill()
    await held.runs_elsewhere()
    await held.ends()


@pytest.mark.promise("worker-killed")
async def test_a_dead_worker_s_last_frame_that_telegram_carries_out_late_does_not_stay_over_the_answer(
    stage: Scene,
) -> None:
    await stage.start(workers=2)
    chat = await stage.chat()
    said = await stage.say(chat, "HOLD:first@1 HOLD:last@4 WORDS:9")
    await stage.model.held("first")
    await stage.people.wait_for(chat, 1)
    await stage.people.fault("delay", "editMessageText", chat=chat, seconds=LATE)
    await stage.model.release("first")
    await stage.model.held("last")

    async def on_its_way() -> bool:
        return not (await stage.people.control("GET", "/faults"))["faults"]

    await until(on_its_way)
    victim = await stage.owner(chat)
    await killed_as_reported(stage, victim)
    await stage.model.release("last")
    await stage.answered(chat, said)
    after = await stage.say(chat)
    await stage.people.wait_journal(1, method="editMessageText", fault="delay")
    await stage.answered(chat, after)
    await stage.answered(chat, said)


@pytest.mark.promise("one-poller")
async def test_a_second_bot_takes_over_and_never_fights_the_first(stage: Scene) -> None:
    await stage.start(bots=2)
    first, second = stage.harness.bots
    if "lease.held" not in first.output:
        first, second = second, first
    chat = await stage.chat()
    await stage.answered(chat, await stage.say(chat))
    first.kill()
    said = await stage.say(chat)
    await asyncio.to_thread(second.wait_line, "lease.held")
    await stage.answered(chat, said)
    # Telegram answers 409 to one of two that poll at the same time; the dead one's long poll may cost one at most.
    assert len(await stage.people.journal(method="getUpdates", code=409)) <= 1


@pytest.mark.promise("drain")
async def test_a_worker_that_is_told_to_end_finishes_its_turn_and_begins_no_other(stage: Scene) -> None:
    held = await held_turn(stage)
    held.owner.signal(signal.SIGTERM)
    await asyncio.to_thread(held.owner.wait_line, "worker.draining")
    other = await stage.chat()
    await stage.answered(other, await stage.say(other))
    await held.ends()
    assert await asyncio.to_thread(held.owner.wait) == 0
    calls = [call for call in await stage.model.journal() if held.said.word in call["last"]]
    assert len(calls) == 1  # no worker ran it again
    await stage.answered(held.chat, await stage.say(held.chat))


@pytest.mark.promise("drain")
async def test_a_turn_beyond_the_grace_is_handed_back_and_answered_once_by_another_worker(stage: Scene) -> None:
    stage.harness.environ["COHORT_DRAIN_GRACE"] = "1"
    held = await held_turn(stage)
    held.owner.signal(signal.SIGTERM)
    await asyncio.to_thread(held.owner.wait_line, "drain.handed_back")
    assert await asyncio.to_thread(held.owner.wait) == 0
    await held.runs_elsewhere()
    await held.ends()


async def test_a_second_signal_ends_a_worker_at_once_and_its_turn_runs_elsewhere(stage: Scene) -> None:
    stage.harness.environ["COHORT_DRAIN_GRACE"] = "3600"
    held = await held_turn(stage)
    stage.fault("kill-worker")
    held.owner.signal(signal.SIGTERM)
    await asyncio.to_thread(held.owner.wait_line, "worker.draining")
    held.owner.signal(signal.SIGTERM)
    assert await asyncio.to_thread(held.owner.wait) == 128 + signal.SIGTERM
    await held.runs_elsewhere()
    await held.ends()


@pytest.mark.promise("drain")
async def test_a_third_worker_takes_its_share_of_slots_under_load_and_nothing_is_lost(stage: Scene) -> None:
    await stage.start(workers=2)
    chats = [await stage.chat() for _ in range(12)]
    said = {chat: [await stage.say(chat)] for chat in chats}
    joiner = stage.worker()
    while "slots.served" not in joiner.output:
        for chat in chats:
            said[chat].append(await stage.say(chat))
            await stage.answered(chat, said[chat][-1])
    async with connect(stage.harness.settings()) as store:
        view = await store.members.look()
    assert sorted(len(view.of(name)) for name in view.members) == [5, 5, 6]
    # A session of a slot that moved is the new worker's now.
    more = [*chats, *[await stage.chat() for _ in range(20)]]
    moved = next(chat for chat in more if slot_of(SessionKey(BOT, chat), int(SLOTS)) in view.of(joiner.name))
    held = await stage.say(moved, "HOLD:moved")
    await stage.model.held("moved")
    assert (await stage.owner(moved)).name == joiner.name
    await stage.model.release("moved")
    await stage.answered(moved, held)


@pytest.mark.promise("poison-message")
async def test_a_message_that_ends_its_worker_three_times_is_set_aside_and_its_chat_goes_on(stage: Scene) -> None:
    await stage.start(workers=0)
    chat = await stage.chat()
    poison = await stage.say(chat)
    async with connect(stage.harness.settings()) as store:
        for _ in range(MAX_TRIES):
            victim = stage.worker(step="ran:1")
            await asyncio.to_thread(victim.wait)
            assert victim.lines[-1] == "chaos.step ran"
            stage.fault("step-ran")
            await store.members.report_death(victim.name)
        stage.worker()
        await stage.people.wait_for(chat, lambda ours: any(phrase("poison") in one["text"] for one in ours), timeout=60)
        (dead,) = await store.dead.list()
        assert (dead.letter.update_id, dead.letter.session) == (poison.update_id, poison.session)
    await stage.answered(chat, await stage.say(chat))
