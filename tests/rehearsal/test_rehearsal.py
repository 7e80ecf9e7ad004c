"""Three machines: one is cut off, one is killed, workers are scaled from two to six and back. Nothing is lost."""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.harness.checker import check
from tests.harness.history import Fault, Said
from tests.harness.scene import Scene, scene
from tests.rehearsal.machines import Machine, machines

CHATS = 24


class Talk:
    """Each chat says something, waits for its answer, and goes on."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._ending = asyncio.Event()
        self._answer = asyncio.Condition()
        self._answers: Counter[int] = Counter()

    async def run(self) -> None:
        """All chats, until ``end``."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CHATS):
                group.create_task(self._chat(await self._scene.chat()))

    async def _chat(self, chat: int) -> None:
        while not self._ending.is_set():
            said: Said = await self._scene.say(chat, "WORDS:12")
            await self._scene.answered(chat, said, wait=90)
            async with self._answer:
                self._answers[chat] += 1
                self._answer.notify_all()

    async def rounds(self, count: int) -> None:
        """Wait until each chat has so many answers more."""
        wanted = {chat: self._answers[chat] + count for chat in self._answers}
        async with self._answer, asyncio.timeout(120):
            await self._answer.wait_for(
                lambda: (
                    len(self._answers) == CHATS
                    and all(self._answers[chat] >= wanted.get(chat, count) for chat in self._answers)
                )
            )

    def end(self) -> None:
        """Answers that are waited for still come."""
        self._ending.set()


async def started(machine: Machine, *services: str) -> None:
    """Start services of the compose file; ready when this returns."""
    begun = [(service, machine.start(service)) for service in services]
    for service, process in begun:
        await asyncio.to_thread(process.wait_line, "bot.ready" if service == "bot" else "slots.served")


async def drained(machine: Machine, count: int) -> Sequence[int]:
    """End so many of a machine's workers as compose does; their exit statuses."""
    workers = [process for process in machine.processes if "-worker-" in process.name and process.alive][-count:]
    for process in workers:
        process.signal(signal.SIGTERM)
    return [await asyncio.to_thread(process.wait) for process in workers]


@pytest.mark.promise("machines")
@pytest.mark.timeout(480)
async def test_three_machines_lose_nothing_when_one_is_cut_off_one_is_killed_and_workers_come_and_go(
    tmp_path: Path,
) -> None:
    async with (
        scene(tmp_path, COHORT_SLOTS="64", COHORT_HISTORY_MESSAGES="2000", COHORT_HEARTBEAT_TTL="5") as stage,
        machines(stage, 3) as (first, second, third),
    ):
        await started(first, "bot", "worker")
        await started(second, "bot", "worker")
        await started(third, "worker")
        talk = Talk(stage)
        async with asyncio.TaskGroup() as group:
            group.create_task(talk.run())
            await talk.rounds(2)

            at = stage.clock.now()
            await third.cut()
            await talk.rounds(3)
            await third.join()
            stage.history.faults.append(Fault("late-worker", at, stage.clock.now()))
            await talk.rounds(2)

            at = stage.clock.now()
            first.kill()
            await talk.rounds(3)
            stage.history.faults.append(Fault("kill-worker", at, stage.clock.now()))

            await started(second, "worker", "worker")
            await started(third, "worker", "worker")
            await talk.rounds(2)
            assert [*await drained(second, 2), *await drained(third, 2)] == [0, 0, 0, 0]
            await talk.rounds(2)
            talk.end()
        history = await stage.told()
        verdict = check(history)
        assert not verdict.violations, "\n".join(str(one) for one in verdict.violations)
        assert verdict.messages >= 14 * CHATS
