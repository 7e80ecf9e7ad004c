"""Workers that die or sleep in a step; then the same with durable turns broken on purpose, which the checker finds."""

import signal
from pathlib import Path

import pytest

from tasks import keys
from tasks.session import SessionKey
from tasks.slots import queue_of, slot_of
from tasks.store import connect
from tests.harness.checker import Verdict, check
from tests.harness.counters import call
from tests.harness.scene import BOT, Scene, scene
from tests.support.redis_of import redis_of
from tests.support.until import until

pytestmark = pytest.mark.promise("checker-sees")


async def verdict(stage: Scene) -> Verdict:
    await stage.at_rest()
    return check(await stage.told())


def rules(found: Verdict) -> set[str]:
    return {violation.rule for violation in found.violations}


async def paused_in_a_tool(stage: Scene, *, notices: bool) -> None:
    """A worker sleeps in a tool call, another takes over and comes to the next one, the first wakes up."""
    chat = await stage.chat()
    first, second = call("in_python", "m000001q-1", gate="one"), call("in_python", "m000001q-2", gate="two")
    said = await stage.say(chat, f"{first} THEN {second}")
    await stage.executed("m000001q-1")
    sleeper = await stage.owner(chat)
    since = stage.clock.now()
    sleeper.signal(signal.SIGSTOP)
    await stage.executed("m000001q-1", times=2)
    stage.open_gate("one")
    await stage.executed("m000001q-2")
    before = len(sleeper.lines)
    sleeper.signal(signal.SIGCONT)
    stage.fault("stop-worker", since=since, pids=(sleeper.pid,))
    if notices:
        sleeper.wait_line("claim.lost", after=before)
    else:
        await stage.executed("m000001q-2", times=2)
    stage.open_gate("two")
    await stage.answered(chat, said)


async def killed_after_a_mark(stage: Scene, sabotage: str = "") -> None:
    """A worker dies when its second tool call is marked as begun and has not begun; another takes over."""
    doomed = stage.worker(sabotage, step="begun:2")
    await stage.start(workers=0)
    chat = await stage.chat()
    tools = [call("in_python", f"m000001q-{number}") for number in (1, 2)]
    said = await stage.say(chat, " THEN ".join(tools))
    doomed.wait_line("chaos.step")
    doomed.wait()
    stage.fault("step-begun", pids=(doomed.pid,))
    stage.worker(sabotage)
    await stage.answered(chat, said)


async def test_a_worker_that_wakes_up_in_a_tool_call_comes_to_no_other_one(tmp_path: Path) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        await stage.start(workers=2)
        await paused_in_a_tool(stage, notices=True)
        found = await verdict(stage)
    assert [str(violation) for violation in found.violations] == []
    assert (found.steps.calls, found.steps.executed, dict(found.steps.again)) == (2, 2, {"stop-worker": 1})


async def test_without_the_journal_s_fence_a_sleeper_s_further_tool_call_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        await stage.start(workers=2, worker="no-journal-fence")
        await paused_in_a_tool(stage, notices=False)
        assert "executed" in rules(await verdict(stage))


async def test_a_call_that_was_marked_and_did_not_begin_is_made_by_the_heir(tmp_path: Path) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        await killed_after_a_mark(stage)
        found = await verdict(stage)
    assert [str(violation) for violation in found.violations] == []
    assert (found.steps.calls, found.steps.executed, found.steps.models, found.steps.twice) == (2, 2, 3, 0)


async def test_calls_whose_ends_were_not_kept_run_again_with_their_keys_or_are_told_to_be_unknown(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        doomed = stage.worker(step="called:1")
        await stage.start(workers=0)
        chat = await stage.chat()
        soon, late = call("over_http", "m000001q-1"), call("over_stdio", "m000001q-2", seconds=3)
        said = await stage.say(chat, f"{soon} {late} {call('in_python', 'm000001q-3', seconds=3)}")
        doomed.wait_line("chaos.step")
        doomed.wait()
        stage.fault("step-called", pids=(doomed.pid,))
        stage.worker()
        await stage.answered(chat, said)
        found = await verdict(stage)
    assert [str(violation) for violation in found.violations] == []
    steps = found.steps
    assert (steps.calls, steps.executed, steps.again.total(), steps.unknown) == (3, 3, 2, 1)
    assert (steps.models, steps.twice) == (2, 0)


async def test_a_replay_without_digests_takes_one_call_for_another_and_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        await killed_after_a_mark(stage, "replay-without-digest")
        assert "result" in rules(await verdict(stage))


async def another_person_presses(stage: Scene, *, counts: bool = False) -> None:
    """A turn in a group asks; who did not write its message allows it. If that does not count, the author denies."""
    chat = (await stage.people.chat("supergroup"))["id"]
    said = await stage.say(chat, f"@cohort_playground_bot {call('approved', 'm000001q-1')}")
    question = await stage.question(chat)
    await stage.press(question, "once", user=(await stage.people.user())["id"])
    if not counts:
        await stage.press(question, "no")
    await stage.answered(chat, said)


async def test_another_person_s_word_allows_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        await stage.start()
        await another_person_presses(stage)
        found = await verdict(stage)
    assert [str(violation) for violation in found.violations] == []
    assert (found.steps.executed, found.steps.allowed, found.steps.denied) == (0, 0, 1)


async def test_without_a_look_at_who_presses_the_wrong_person_s_word_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        await stage.start(bot="no-presser-check", worker="no-presser-check")
        await another_person_presses(stage, counts=True)
        assert "approved" in rules(await verdict(stage))


async def test_a_parked_turn_outlives_all_processes_and_a_restart_of_redis(tmp_path: Path) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        await stage.start()
        chat = await stage.chat()
        said = await stage.say(chat, f"{call('in_python', 'm000001q-1')} THEN {call('approved', 'm000001q-2')}")
        question = await stage.question(chat)
        for process in (*stage.harness.bots, *stage.harness.workers.values()):
            process.kill()
        stage.fault("kill-all")
        await stage.valkey.again(stage.valkey.kill())
        await stage.start()
        await stage.press(question, "once")
        await stage.answered(chat, said)
        found = await verdict(stage)
    assert [str(violation) for violation in found.violations] == []
    steps = found.steps
    assert (steps.calls, steps.executed, steps.again.total(), steps.models, steps.twice) == (2, 2, 0, 3, 0)


async def one_joins(stage: Scene) -> None:
    """A message joins a turn; then another one is answered."""
    chat = await stage.chat()
    await stage.say(chat, call("in_python", "m000001q-1", gate="one"))
    await stage.executed("m000001q-1")
    second = await stage.say(chat)
    async with connect(stage.harness.settings()) as store:
        session = SessionKey(BOT, chat)
        queue = queue_of(slot_of(session, stage.harness.settings().slots))

        async def heard() -> bool:
            return await redis_of(store).llen(keys.inbox(session)) > 1 and not await redis_of(store).llen(queue)

        await until(heard)
    stage.open_gate("one")
    await stage.answered(chat, second)
    await stage.answered(chat, await stage.say(chat))


@pytest.mark.parametrize("way", ["", "joined-stays"])
async def test_a_message_that_joins_a_turn_is_answered_once_and_one_that_stays_in_the_inbox_is_found(
    tmp_path: Path, way: str
) -> None:
    async with scene(tmp_path, "--same-ids", tools=True, COHORT_QUEUE_MODE="steer") as stage:
        await stage.start(worker=way)
        await one_joins(stage)
        found = await verdict(stage)
    if way:
        assert "doubled" in rules(found)
    else:
        assert [str(violation) for violation in found.violations] == []
        assert found.joined == 1
