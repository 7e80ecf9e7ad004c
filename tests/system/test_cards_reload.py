"""`cohort cards reload` on a running system: all workers take changed cards, or none does."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness.command import cohort
from tests.harness.scene import Scene, scene

CHATS = 12
"""So many that each of two workers has some."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, COHORT_SEND_RATE="1000") as running:
        await running.start(workers=2)
        yield running


def write(stage: Scene, name: str, text: str) -> None:
    (Path(stage.harness.environ["COHORT_CARDS"]) / name).write_text(text)


async def reload(stage: Scene) -> subprocess.CompletedProcess[str]:
    """The operator's command, to its end."""
    home = Path(stage.harness.environ["COHORT_HOME"])
    return await asyncio.to_thread(cohort, "cards", "reload", home=home, **stage.harness.environ)


async def heads(stage: Scene, chats: list[int], text: str) -> set[str]:
    """What the agents of all these chats are told to be."""
    after = len(await stage.model.journal())
    async with asyncio.TaskGroup() as group:
        for chat in chats:
            group.create_task(stage.answered(chat, await stage.say(chat, text)), name=f"chat {chat}")
    return {call["messages"][0]["text"].strip() for call in await stage.model.journal(after)}


@pytest.mark.promise("cards-checked")
@pytest.mark.timeout(240)
async def test_changed_cards_are_let_in_by_every_worker_and_wrong_ones_by_none(stage: Scene) -> None:
    chats = [await stage.chat() for _ in range(CHATS)]
    assert await heads(stage, chats, "one") == {"You are a helpful assistant."}

    write(stage, "assistant.md", "---\nname: assistant\ndefault: true\n---\nYou are changed.\n")
    write(stage, "second.md", "---\nname: second\n---\nYou are second.\n")
    done = await reload(stage)
    assert (done.returncode, done.stderr) == (0, "")
    answers = [line for line in done.stdout.splitlines() if "still waiting" not in line]
    assert sorted(line.partition("@")[0] for line in answers) == [
        f"cohort-{number + 1}" for number in range(len(stage.harness.workers))
    ]
    assert {line.partition(": ")[2] for line in answers} == {"agents: assistant, second"}
    assert await heads(stage, chats, "two") == {"You are changed."}

    write(stage, "assistant.md", "---\nname: assistant\ndefault: true\n---\nYou are wrong.\n")
    write(stage, "second.md", "---\nname: second\nagents: [nobody]\n---\nYou are second.\n")
    done = await reload(stage)
    assert (done.returncode, done.stdout) == (2, "")
    assert "second.md:3: references missing agents: nobody" in done.stderr
    assert await heads(stage, chats, "three") == {"You are changed."}
