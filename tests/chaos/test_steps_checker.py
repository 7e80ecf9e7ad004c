"""The checker of steps: a turn with tools passes, and each broken promise about tools is found, and named."""

from dataclasses import replace

import pytest

from tests.chaos.story import Story, good, rules
from tests.harness import legal
from tests.harness.history import Call, Press, Said
from tests.harness.steps import DENIED, UNKNOWN

ONE = "1:10"
NAME = "m000001q-1"
pytestmark = pytest.mark.promise("checker-sees")


@pytest.fixture
def story() -> Story:
    return Story()


def ending(story: Story, said: Said, *results: str) -> Call:
    """The model has all results, and answers; the answer is committed and delivered."""
    call = story.step(said, results=results, text=f"echo: {said.word} [n=1] tool={' tool='.join(results)}")
    story.commit(call, said)
    story.deliver(ONE, call.reply)
    return call


def test_a_turn_with_a_tool_passes(story: Story) -> None:
    said = story.say(ONE)
    story.step(said, ("in_python", NAME))
    story.execute("in_python", NAME)
    ending(story, said, f"counted {NAME}")
    steps = good(story).steps
    assert (steps.calls, steps.executed, steps.models, steps.twice, steps.unknown) == (1, 1, 2, 0, 0)


def test_a_call_executed_twice_for_no_reason_is_found(story: Story) -> None:
    said = story.say(ONE)
    story.step(said, ("in_python", NAME))
    story.execute("in_python", NAME)
    story.execute("in_python", NAME)
    ending(story, said, f"counted {NAME}")
    assert rules(story) == {"executed"}


def test_a_call_in_doubt_that_runs_again_is_counted(story: Story) -> None:
    said = story.say(ONE)
    story.step(said, ("in_python", NAME))
    story.execute("in_python", NAME, pid=7)
    story.fault("kill-worker", 7)
    story.execute("in_python", NAME, pid=8)
    ending(story, said, f"counted {NAME}")
    assert good(story).steps.again == {"kill-worker": 1}


@pytest.mark.parametrize("late", [False, True])
def test_the_end_of_another_worker_or_one_that_came_late_is_no_reason(story: Story, late: bool) -> None:
    said = story.say(ONE)
    story.step(said, ("in_python", NAME))
    story.execute("in_python", NAME, pid=7)
    story.now += legal.WRITING + 1 if late else 0
    story.fault("kill-worker", 7 if late else 9)
    story.execute("in_python", NAME, pid=8)
    ending(story, said, f"counted {NAME}")
    assert rules(story) == {"executed"}


def test_a_call_that_must_not_run_again_and_does_is_found(story: Story) -> None:
    said = story.say(ONE)
    story.step(said, ("over_http", NAME))
    story.execute("over_http", NAME, pid=0)
    story.fault("kill-worker", 7)
    story.execute("over_http", NAME, pid=0)
    ending(story, said, f"counted {NAME}")
    assert rules(story) == {"executed"}


def test_an_unknown_outcome_is_counted_where_a_worker_died(story: Story) -> None:
    said = story.say(ONE)
    story.step(said, ("over_http", NAME))
    story.execute("over_http", NAME, pid=0)
    story.fault("kill-worker", 7)
    ending(story, said, f"{UNKNOWN}: and so on")
    assert good(story).steps.unknown == 1


@pytest.mark.parametrize("tool", ["over_http", "in_python"])
def test_an_unknown_outcome_for_no_reason_is_found(story: Story, tool: str) -> None:
    said = story.say(ONE)
    story.step(said, (tool, NAME))
    story.execute(tool, NAME)
    ending(story, said, f"{UNKNOWN}: and so on")
    assert rules(story) == {"result"}


def joined_and_begun_again(story: Story, *, killed: bool, again: bool = True) -> Story:
    """Seed 1127: a call's worker dies, a message joins the heir's turn, that dies, and the turn begins once more."""
    said = story.say(ONE)
    story.step(said, ("over_http", NAME))
    story.execute("over_http", NAME, pid=0)
    if killed:
        story.fault("kill-in-step", 7)
    story.now += legal.WRITING + 1
    joined = (story.say(ONE),)
    told = f"{UNKNOWN}: and so on"
    if again:
        story.step(said, results=(told,), text="echo", joined=joined)
        story.now += legal.WRITING + 1
        story.fault("kill-worker", 8)
        story.now += legal.WRITING + 1
        story.step(said, ("over_http", NAME), joined=joined)
        story.execute("over_http", NAME, pid=0, key="other")
        told = f"counted {NAME}"
    call = story.step(
        said, results=(told,), text=f"echo: {said.word} {joined[0].word} [n=1] tool={told}", joined=joined
    )
    story.commit(call, said, *joined)
    story.deliver(ONE, call.reply)
    return story


def test_an_unknown_outcome_belongs_to_the_call_before_it_though_a_message_joined_and_the_turn_began_again(
    story: Story,
) -> None:
    steps = good(joined_and_begun_again(story, killed=True)).steps
    assert (steps.calls, steps.unknown) == (2, 1)


@pytest.mark.parametrize("again", [False, True])
def test_an_unknown_outcome_for_no_reason_is_found_where_a_message_joined(story: Story, again: bool) -> None:
    assert rules(joined_and_begun_again(story, killed=False, again=again)) == {"result"}


def test_results_that_no_model_call_asked_for_are_found(story: Story) -> None:
    said = story.say(ONE)
    story.step(said, ("in_python", NAME))
    story.execute("in_python", NAME)
    ending(story, said, f"counted {NAME}", f"counted {NAME}")
    assert rules(story) == {"result"}


def test_a_result_of_a_call_that_was_not_made_is_found(story: Story) -> None:
    said = story.say(ONE)
    story.step(said, ("in_python", NAME))
    ending(story, said, f"counted {NAME}")
    assert rules(story) == {"result"}


def test_a_result_of_another_call_is_found(story: Story) -> None:
    said = story.say(ONE)
    story.step(said, ("in_python", NAME), ("in_python", "m000001q-2"))
    for number in (1, 2):
        story.execute("in_python", f"m000001q-{number}", key=f"k{number}")
    ending(story, said, f"counted {NAME}", f"counted {NAME}")
    assert rules(story) == {"result"}


@pytest.mark.parametrize("key", ["other", ""])
def test_two_keys_of_one_call_and_a_call_without_one_are_found(story: Story, key: str) -> None:
    said = story.say(ONE)
    story.step(said, ("in_python", NAME))
    story.execute("in_python", NAME, pid=7)
    story.fault("kill-worker", 7)
    story.execute("in_python", NAME, key=key, pid=8)
    ending(story, said, f"counted {NAME}")
    assert rules(story) == {"key"}


@pytest.mark.parametrize("kind", ["kill-worker", ""])
def test_a_finished_model_call_made_again_is_counted_at_a_worker_s_end_and_else_found(story: Story, kind: str) -> None:
    said = story.say(ONE)
    story.step(said, ("in_python", NAME))
    if kind:
        story.fault(kind, 7)
    story.step(said, ("in_python", NAME))
    story.execute("in_python", NAME)
    ending(story, said, f"counted {NAME}")
    if kind:
        assert good(story).steps.twice == 1
    else:
        assert rules(story) == {"model call"}


def test_a_model_call_that_was_broken_on_purpose_is_made_again(story: Story) -> None:
    said = story.say(ONE)
    story.step(said, ("in_python", NAME))
    story.history.calls[-1] = replace(story.history.calls[-1], fault="malformed")
    story.step(said, ("in_python", NAME))
    story.execute("in_python", NAME)
    ending(story, said, f"counted {NAME}")
    assert good(story).steps.models == 2


def test_another_session_s_words_in_a_result_are_found(story: Story) -> None:
    other = story.exchange("1:20")
    said = story.say(ONE)
    story.step(said, ("in_python", "m000002q-1"))
    story.execute("in_python", "m000002q-1")
    ending(story, said, f"counted {other.asked[0]}-1")
    assert {"foreign", "result"} <= rules(story)


def asked(story: Story, *presses: Press, runs: int, result: str) -> Story:
    """A call that a person has to allow."""
    said = story.say(ONE)
    story.step(said, ("approved", NAME))
    story.history.presses += presses
    story.now += 10
    for _ in range(runs):
        story.execute("approved", NAME, pid=7)
        story.fault("kill-worker", 7)
    ending(story, said, result)
    return story


def pressed(verdict: str, *, question: str = "q1", rightful: bool = True) -> Press:
    return Press(question, NAME, verdict, rightful, 2.0)


def test_a_call_that_was_allowed_is_executed_and_one_that_was_denied_is_not(story: Story) -> None:
    found = good(asked(story, pressed("once"), runs=1, result=f"counted {NAME}"))
    assert (found.steps.allowed, found.steps.denied) == (1, 0)
    story = Story()
    found = good(asked(story, pressed("no"), pressed("once"), runs=0, result=f"{DENIED} And so on."))
    assert (found.steps.allowed, found.steps.denied) == (0, 1)


@pytest.mark.parametrize(
    "presses", [[pressed("once", rightful=False)], [pressed("no")], [pressed("no"), pressed("once")], []]
)
def test_a_call_that_no_one_allowed_who_may_is_found(story: Story, presses: list[Press]) -> None:
    asked(story, *presses, runs=1, result=f"counted {NAME}")
    assert rules(story) == {"approved"}


def test_an_approval_is_used_up_by_one_execution(story: Story) -> None:
    asked(story, pressed("once"), runs=2, result=f"counted {NAME}")
    assert rules(story) == {"approved"}
    again = asked(Story(), pressed("once"), pressed("once", question="q2"), runs=2, result=f"counted {NAME}")
    assert good(again).steps.again == {"kill-worker": 1}


def test_a_call_that_is_said_to_be_denied_and_was_not_is_found(story: Story) -> None:
    asked(story, pressed("once"), runs=0, result=f"{DENIED} And so on.")
    assert rules(story) == {"approved"}
