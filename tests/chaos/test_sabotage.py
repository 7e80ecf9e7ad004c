"""The product broken on purpose, in ways that the guarantees are about: the checker finds each of them."""

import signal
from pathlib import Path

import pytest

from tests.harness.checker import Verdict, check
from tests.harness.scene import Scene, scene

pytestmark = pytest.mark.promise("checker-sees")


async def verdict(stage: Scene) -> Verdict:
    return check(await stage.told())


def rules(found: Verdict) -> set[str]:
    return {violation.rule for violation in found.violations}


async def paused_past_its_heartbeat(stage: Scene) -> None:
    """A worker sleeps in the middle of a turn, another takes over, the first wakes up."""
    chat = await stage.chat()
    said = await stage.say(chat, "HOLD:nap")
    await stage.model.held("nap")
    sleeper = await stage.owner(chat)
    sleeper.signal(signal.SIGSTOP)
    await stage.model.held("nap", count=2)
    await stage.model.release("nap")
    await stage.answered(chat, said)
    stage.fault("stop-worker")
    before = len(sleeper.lines)
    sleeper.signal(signal.SIGCONT)
    if stage.harness.environ.get("EXPECT") == "fence":
        sleeper.wait_line("claim.lost", after=before)
    else:
        await stage.answered(chat, said, times=2)


async def test_the_product_as_it_is_passes_where_the_broken_one_does_not(tmp_path: Path) -> None:
    async with scene(tmp_path, EXPECT="fence") as stage:
        await stage.start(workers=2)
        await paused_past_its_heartbeat(stage)
        chat = await stage.chat()
        said = await stage.say(chat)
        await stage.answered(chat, said)
        await stage.people.redeliver(50)
        again = await stage.say(chat)
        await stage.answered(chat, again)
        found = await verdict(stage)
    assert [str(violation) for violation in found.violations if violation.rule != "left"] == []


@pytest.mark.promise("checker-sees")
async def test_without_the_fence_a_sleeper_s_commit_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.start(workers=2, worker="no-fence")
        await paused_past_its_heartbeat(stage)
        assert "doubled" in rules(await verdict(stage))


@pytest.mark.promise("checker-sees")
async def test_without_dedupe_a_message_that_comes_again_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.start(bot="no-dedupe")
        chat = await stage.chat()
        said = await stage.say(chat)
        await stage.answered(chat, said)
        await stage.people.wait_confirmed()
        assert await stage.people.redeliver(1) == 1
        await stage.answered(chat, said, times=2)
        assert {"accepted", "doubled"} <= rules(await verdict(stage))


@pytest.mark.promise("checker-sees")
async def test_an_inbox_emptied_before_the_commit_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.start(worker="ack-before-commit")
        chat = await stage.chat()
        await stage.say(chat, "HOLD:end")
        await stage.model.held("end")
        (await stage.owner(chat)).kill()
        stage.fault("kill-worker")
        await stage.model.release("end")
        stage.worker()
        after = await stage.say(chat)
        await stage.answered(chat, after)
        assert "answered" in rules(await verdict(stage))


@pytest.mark.promise("checker-sees")
async def test_another_session_s_history_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.start(worker="foreign-history")
        for _ in range(2):
            chat = await stage.chat()
            await stage.answered(chat, await stage.say(chat))
        assert "foreign" in rules(await verdict(stage))


async def test_a_turn_without_its_session_s_history_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.start(worker="forgetting")
        chat = await stage.chat()
        for _ in range(2):
            await stage.answered(chat, await stage.say(chat))
        assert "memory" in rules(await verdict(stage))


async def test_an_inbox_read_from_the_wrong_end_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path, COHORT_QUEUE_MODE="followup") as stage:
        await stage.start(bot="newest-first")
        chat = await stage.chat()
        said = [await stage.say(chat, "HOLD:first")]
        await stage.model.held("first")
        said += [await stage.say(chat), await stage.say(chat)]
        await stage.people.wait_confirmed()
        await stage.model.release("first")
        await stage.people.wait_for(chat, len(said))
        assert "order" in rules(await verdict(stage))
