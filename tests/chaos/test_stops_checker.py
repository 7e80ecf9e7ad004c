"""The checker of stopped turns: one whose worker died is stopped in good order, and each broken rule is found."""

from dataclasses import replace

import pytest

from tests.chaos.story import Story, good, rules
from tests.harness import legal
from tests.harness.history import Bubble, Dead, Said, Spoken, Stop

ONE = "1:10"
NAME = "m000001q-1"
pytestmark = pytest.mark.promise("checker-sees")


def stopped(story: Story, *, told: str = "Stopped.", times: int = 1) -> Said:
    """A worker dies in a tool, its person says /stop and is told, and says something else."""
    said = story.say(ONE)
    story.step(said, ("in_python", NAME))
    story.execute("in_python", NAME)
    story.fault("kill-and-stop", 1)
    story.history.stops.append(Stop(ONE, 2, story.now))
    for _ in range(times):
        story.deliver(ONE, told)
    story.now += legal.LINGER + legal.WRITING
    return said


def goes_on(story: Story, said: Said, *, knows: bool = True) -> None:
    later = Said(ONE, 9, "m000009q", story.now)
    story.history.said.append(later)
    before = [Spoken("user", said.word), Spoken("assistant", "stopped")] if knows else []
    call = story.call(later, seen=before)
    story.commit(call, later)
    story.deliver(ONE, call.reply)


def test_a_turn_that_was_stopped_after_its_worker_s_death_passes_beside_others() -> None:
    story = Story()
    goes_on(story, stopped(story))
    story.exchange("1:20")
    assert good(story).stopped == 1


def test_a_turn_that_ended_before_its_stop_is_answered() -> None:
    story = Story()
    said = story.say(ONE)
    call = story.call(said)
    story.history.stops.append(Stop(ONE, 2, story.now))
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    story.deliver(ONE, "There's nothing to stop.")
    goes_on(story, said)
    assert good(story).stopped == 0


@pytest.mark.parametrize("told", ["", "There's nothing to stop."])
def test_a_stop_that_was_not_answered_or_wrongly_is_found(told: str) -> None:
    story = Story()
    goes_on(story, stopped(story, told=told or "hm", times=1))
    assert rules(story) == {"stopped"}


def test_a_stop_that_was_answered_twice_for_no_reason_is_found() -> None:
    story = Story()
    said = stopped(story)
    story.deliver(ONE, "Stopped.")
    story.history.faults.clear()
    goes_on(story, said)
    assert rules(story) == {"stopped"}


@pytest.mark.parametrize("what", ["tool", "model"])
def test_what_runs_on_after_the_stop_is_found(what: str) -> None:
    story = Story()
    said = stopped(story)
    if what == "tool":
        story.execute("in_python", "m000001q-2")
    else:
        story.step(said, ("in_python", "m000001q-2"), results=(f"counted {NAME}",))
    goes_on(story, said)
    assert rules(story) == {"stopped"}


def test_an_answer_to_what_was_stopped_is_found() -> None:
    story = Story()
    said = stopped(story)
    story.history.calls[0] = replace(story.history.calls[0], reply=f"echo: {said.word} [n=1]")
    story.commit(story.history.calls[0], said)
    goes_on(story, said)
    assert rules(story) == {"stopped"}


def test_a_later_message_without_an_answer_or_without_memory_is_found() -> None:
    story = Story()
    goes_on(story, stopped(story), knows=False)
    assert rules(story) == {"stopped"}
    story = Story()
    goes_on(story, stopped(story))
    story.history.bubbles[:] = [one for one in story.history.bubbles if "m000009q" not in one.text]
    assert rules(story) == {"stopped"}
    story.history.dead.append(Dead(ONE, 9, "on purpose"))
    story.history.bubbles.append(Bubble(ONE, 10, 99, "Sorry"))
    good(story)
