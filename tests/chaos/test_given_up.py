"""A turn that got on is never dead: by hand, and with workers that die behind each step that they finish."""

import asyncio
from pathlib import Path

import pytest

from tasks.phrases import phrase
from tests.chaos.story import Story, good, rules
from tests.harness import legal
from tests.harness.checker import Verdict, check
from tests.harness.counters import call
from tests.harness.history import Said
from tests.harness.scene import Scene, scene

pytestmark = pytest.mark.promise("checker-sees")

ONE = "1:10"
REASON = "begun 3 times without an end"


def step(story: Story, said: Said, number: int, *, kept: bool = True) -> None:
    """A life runs the turn's ``number``-th tool, is asked further, and dies."""
    results = [f"counted {said.word}-{place}" for place in range(1, number + 1)]
    if number == 1:
        story.step(said, ("in_python", f"{said.word}-1"))
    story.execute("in_python", f"{said.word}-{number}", key=f"k{number}", pid=number)
    story.step(said, ("in_python", f"{said.word}-{number + 1}"), results=tuple(results))
    story.now += legal.WRITING + 1 if kept else 0
    story.fault("kill-worker", number)


def give_up(story: Story, said: Said) -> None:
    story.die(said, REASON)
    story.deliver(ONE, phrase("poison"))


def test_a_message_whose_lives_finish_nothing_is_given_up(story: Story) -> None:
    said = story.say(ONE)
    for pid in (1, 2, 3):
        story.step(said, ("in_python", f"{said.word}-1"))
        story.fault("kill-worker", pid)
    give_up(story, said)
    assert good(story).dead == 1


@pytest.mark.parametrize("lives", [3, 7])
def test_a_message_whose_last_life_finished_a_step_is_found(story: Story, lives: int) -> None:
    said = story.say(ONE)
    for number in range(1, lives + 1):
        step(story, said, number)
    give_up(story, said)
    assert rules(story) == {"given up"}


def test_three_lives_behind_the_last_step_or_eight_that_were_set_back_may_end_it(story: Story) -> None:
    said, other = story.say(ONE), story.say(ONE)
    step(story, said, 1)
    for pid in (2, 3):
        story.now += 1
        story.fault("step-called", pid)
    give_up(story, said)
    for number in range(1, 10):
        step(story, other, number)
    give_up(story, other)
    good(story)


@pytest.mark.parametrize("kind", ["kill-redis", "kill-all"])
def test_what_may_end_several_lives_is_an_excuse(story: Story, kind: str) -> None:
    said = story.say(ONE)
    step(story, said, 1)
    story.fault(kind)
    give_up(story, said)
    good(story)


def test_a_step_that_was_perhaps_not_kept_is_no_step(story: Story) -> None:
    said = story.say(ONE)
    step(story, said, 1, kept=False)
    give_up(story, said)
    good(story)


@pytest.fixture
def story() -> Story:
    return Story()


async def each_life_finishes_a_step(stage: Scene, sabotage: str = "") -> Verdict:
    """Three workers die, each behind a tool call that no earlier one had finished; the fourth one lives."""
    await stage.start(workers=0)
    chat = await stage.chat()
    said = None
    tools = " THEN ".join(call("in_python", f"m000001q-{place}") for place in range(1, 6))
    for _ in range(3):
        # The end of a call is kept before the next one is marked as begun.
        doomed = stage.worker(sabotage, step="begun:2")
        said = said or await stage.say(chat, tools)
        await asyncio.to_thread(doomed.wait_line, "chaos.step")
        doomed.wait()
        stage.fault("step-begun", pids=(doomed.pid,))
    stage.worker(sabotage)
    await stage.at_rest()
    return check(await stage.told())


async def test_a_turn_whose_every_life_finishes_a_step_is_answered(tmp_path: Path) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        found = await each_life_finishes_a_step(stage)
    assert [str(violation) for violation in found.violations] == []
    assert (found.dead, found.steps.executed) == (0, 5)


async def test_tries_that_no_finished_step_sets_back_are_found(tmp_path: Path) -> None:
    async with scene(tmp_path, "--same-ids", tools=True) as stage:
        found = await each_life_finishes_a_step(stage, "tries-stay")
    assert "given up" in {violation.rule for violation in found.violations}
