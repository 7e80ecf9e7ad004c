"""/stop of a turn whose worker stands still, in real processes: the others carry it out while its heartbeat stands."""

import asyncio
import signal
from pathlib import Path

import pytest

from tasks.store import connect
from tests.harness.scene import scene

STOP = "Stopped"


@pytest.mark.promise("stop-after-death")
async def test_stop_reaches_a_person_whose_worker_stands_still_and_that_worker_finds_its_session_taken(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, COHORT_HEARTBEAT_TTL="60") as stage:
        await stage.start(workers=2)
        chat = await stage.chat()
        await stage.say(chat, "HOLD:long@2 tell")
        await stage.model.held("long")
        await stage.people.wait_for(chat, 1)
        await stage.harness.text_is_known(chat)
        owner = await stage.owner(chat)
        owner.signal(signal.SIGSTOP)
        await stage.people.say(chat, "/stop")
        ours = await stage.people.wait_for(chat, lambda ours: any(STOP in one["text"] for one in ours), timeout=60)
        # Not by the end of its heartbeat, which comes after a minute.
        assert any("takeover.freed" in line for worker in stage.harness.workers.values() for line in worker.lines)
        assert len(ours) == 2  # the text that was shown, and the line
        partial = ours[0]["text"]
        lines = len(owner.lines)
        owner.signal(signal.SIGCONT)
        await stage.model.release("long")
        await asyncio.to_thread(owner.wait_line, "claim.lost", after=lines)
        assert [one["text"] for one in await stage.people.wait_for(chat, 2)] == [partial, ours[1]["text"]]


@pytest.mark.promise("stop-after-death")
async def test_where_the_only_worker_died_the_bot_says_so_and_the_next_worker_does_not_run_the_turn(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, COHORT_HEARTBEAT_TTL="60") as stage:
        await stage.start(workers=1)
        chat = await stage.chat()
        await stage.say(chat, "HOLD:long@2 tell")
        await stage.model.held("long")
        await stage.people.wait_for(chat, 1)
        await stage.harness.text_is_known(chat)
        owner = await stage.owner(chat)
        owner.signal(signal.SIGKILL)
        await stage.people.say(chat, "/stop")
        partial, told = (one["text"] for one in await stage.people.wait_for(chat, 2, timeout=60))
        assert told == "Stopped."
        # Until its death is known, it keeps its share of the slots, and this session's may be among them.
        async with connect(stage.harness.settings()) as store:
            await store.members.report_death(owner.name)
        stage.worker()
        await stage.say(chat, "next")
        ours = await stage.people.wait_for(chat, 3, timeout=60)
        assert [one["text"] for one in ours[:2]] == [partial, told]
        # The history has what was stopped, and the model is asked for it no more.
        assert "[n=2]" in ours[2]["text"]
        assert sum("HOLD" in call["last"] for call in await stage.model.journal()) == 1
