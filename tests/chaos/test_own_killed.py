"""Chats with a process of their own, over real processes: that process is killed in a turn, then its host is."""

import os
import signal
from pathlib import Path

import pytest

from tasks.session import SessionKey
from tasks.store import connect
from tests.harness.checker import check
from tests.harness.processes import Process
from tests.harness.product import CARD
from tests.harness.scene import BOT, Scene, scene
from tests.support.until import until


def host(stage: Scene) -> Process:
    """A machine that runs such processes."""
    return stage.harness.start("own host", ["-m", "ops.entry", "worker", "--own"])


async def there(stage: Scene) -> None:
    """Until such a machine says that it starts processes: a chat before that is told to wait."""
    async with connect(stage.harness.settings()) as store:

        async def said() -> bool:
            return bool(await store.own.hosts())

        await until(said)


async def its_process(stage: Scene, chat: int) -> int:
    """The process id of the chat's own process, which runs its turn."""
    async with connect(stage.harness.settings()) as store:
        owner = (await store.sessions.glance(SessionKey(BOT, chat))).running_on
        assert owner is not None
        assert owner.startswith("own-")
        return (await store.own.statuses([owner]))[owner].pid


@pytest.mark.promise("own-process")
@pytest.mark.timeout(240)
async def test_a_chat_whose_own_process_or_its_host_is_killed_in_a_turn_is_answered_once_and_in_order(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:
        card = Path(stage.harness.environ["COHORT_CARDS"]) / "assistant.md"
        card.write_text(CARD.replace("type: agent", "type: agent\nisolation: process"))
        await stage.start()
        machine = host(stage)
        await there(stage)
        chat = await stage.chat()
        await stage.answered(chat, await stage.say(chat))

        held = await stage.say(chat, "HOLD:process")
        await stage.model.held("process")
        victim = await its_process(stage, chat)
        os.kill(victim, signal.SIGKILL)
        stage.fault("kill-worker", pids=(victim,))
        await stage.model.release("process")
        await stage.answered(chat, held)

        held = await stage.say(chat, "HOLD:host")
        await stage.model.held("host")
        victim = await its_process(stage, chat)
        machine.kill()
        stage.fault("kill-supervisor", pids=(machine.pid, victim))
        await stage.model.release("host")
        machine = host(stage)
        await stage.answered(chat, held)
        await stage.answered(chat, await stage.say(chat))
        await stage.at_rest()
        machine.end()
        found = check(await stage.told())
    assert [str(one) for one in found.violations] == []
    assert found.messages == 4
