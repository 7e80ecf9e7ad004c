"""A worker that has grown too large is replaced while people talk to it, and they do not notice."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ops.up.process import Spec
from tasks.session import SessionKey
from tasks.slots import slot_of
from tasks.store import connect
from tasks.store.processes.membership import View
from tests.harness.checker import check
from tests.harness.processes import ROOT
from tests.harness.scene import BOT, Scene, scene
from tests.harness.supervising import ConsoleSpy, forking, supervising

LIMIT_MIB = 400
"""Twice what a worker has by itself; with what the tool keeps it is above this."""

# In steps: a worker that stands still for longer than its heartbeat lives is another story.
HOARD = f'''
import asyncio

kept = []

async def hoard() -> str:
    """A tool that leaks."""
    while len(kept) < {LIMIT_MIB - 100} // 4:
        kept.append(b"x" * 2**22)
        await asyncio.sleep(0)
    return "done"
'''
CARD = "---\nname: assistant\ndefault: true\nfunction_tools: ['hoard.py:hoard']\n---\nYou are helpful.\n"
TALKERS = 4
"""People who talk without a break, so several turns a second run on both workers."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    patient = {"COHORT_HEARTBEAT_TTL": "10", "COHORT_DRAIN_GRACE": "60", "COHORT_SEND_RATE": "1000"}
    async with scene(tmp_path, **patient, COHORT_SLOTS="64") as running:
        cards = Path(running.harness.environ["COHORT_CARDS"])
        (cards / "hoard.py").write_text(HOARD)
        (cards / "assistant.md").write_text(CARD)
        await running.start(workers=0)
        yield running


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleSpy]:
    logs = tmp_path / "logs"
    logs.mkdir()
    spy = ConsoleSpy(logs)
    with spy.writing():
        yield spy


async def slots_of(stage: Scene, worker: str, wanted: int) -> View:
    """Wait until a worker, by its name, has so many slots."""
    async with asyncio.timeout(60), connect(stage.harness.settings()) as store:
        async for _ in store.members.news():
            seen = await store.members.look()
            if sum(owner.startswith(worker) for owner in seen.slots.values()) == wanted:
                return seen
    raise AssertionError("news never end")


@pytest.mark.soak  # Two workers grow and talk for half a minute: 9 s of processor time.
@pytest.mark.promise("recycled")
@pytest.mark.timeout(240)
async def test_a_worker_above_its_memory_limit_hands_its_slots_over_ends_well_and_is_replaced(
    stage: Scene, console: ConsoleSpy
) -> None:
    stop = asyncio.Event()
    given = {"PYTHONPATH": str(ROOT), **stage.harness.environ}
    async with supervising(console, patience=200) as supervisor:
        with forking(supervisor, "workers.process.preload", given):
            for name, limit in (("worker-1", LIMIT_MIB), ("worker-2", 0)):
                arguments = ("-m", "tests.harness.worker")
                env = {**given, "COHORT_WORKER_MAX_RSS_MIB": str(limit)}
                supervisor.keep(Spec(name, (sys.executable, *arguments), env, forked=arguments, member=True, grace=90))
            before = await slots_of(stage, "worker-1", 32)
            for name in ("worker-1", "worker-2"):
                await console.hear(f"{name}:", "slots.served", "slots=32")
            large = {slot for slot, owner in before.slots.items() if owner.startswith("worker-1")}
            chats = [await stage.chat() for _ in range(TALKERS + 20)]
            held, hoarder = [chat for chat in chats if slot_of(SessionKey(BOT, chat), 64) in large][:2]

            async def talking(chat: int) -> None:
                while not stop.is_set():
                    await stage.answered(chat, await stage.say(chat))

            async with asyncio.TaskGroup() as group:
                for chat in [chat for chat in chats if chat not in (held, hoarder)][:TALKERS]:
                    group.create_task(talking(chat), name=f"chat {chat}")
                long = await stage.say(held, "HOLD:gate")
                await stage.model.held("gate")
                leak = await stage.say(hoarder, "CALL:hoard")
                await stage.answered(hoarder, leak)
                await console.hear("worker-1:", "worker.too_large")
                # The long turn keeps it alive; its slots are the other's by then.
                await slots_of(stage, "worker-2", 64)
                assert not any("worker.ended" in line for line in console.lines)
                await stage.model.release("gate")
                await stage.answered(held, long)
                await console.hear("worker-1 ended after", "starting it again")
                after = await slots_of(stage, "worker-1", 32)
                stop.set()
    assert len({*before.slots.values(), *after.slots.values()}) == 3, "a new incarnation"
    found = check(await stage.told())
    # The checker does not know tools.
    assert [str(one) for one in found.violations if one.rule != "left" and one.session != leak.session] == []
    assert found.doubled.total() == 0
