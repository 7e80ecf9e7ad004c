"""Hooks of cards that raise: told at once, to the user in plain words and to the operator in detail."""

from pathlib import Path

import pytest

from tasks.phrases import phrase
from tests.runtime.support import Open, Screen, StillClock, ask, card
from tests.support.model import Model
from workers.interfaces import TurnFailed

HOOKS = """
from pathlib import Path

async def breaks(ctx):
    raise {error}

def shout(text: str = "") -> str:
    "Say it loudly."
    (Path(__file__).parent / "called").touch()
    return "LOUD"
"""
ERRORS = {
    "plain": 'ValueError("no such ledger")',
    "like-a-network": 'TimeoutError("read timed out")',
    "like-a-long-context": 'RuntimeError("maximum context length exceeded")',
    "like-a-key": 'RuntimeError("invalid api key")',
}
CALLS = {"before_llm_call": 0, "after_llm_call": 1, "before_tool_call": 1, "after_turn_complete": 2}
"""Kind of hook -> model calls of a turn with one tool until it raises."""


def hooked(cards: Path, kind: str, error: str = ERRORS["plain"]) -> None:
    card(cards, "hooks.py", HOOKS.format(error=error))
    head = f"tool_hooks:\n  {kind}: hooks.py:breaks\nfunction_tools: [hooks.py:shout]\n"
    card(cards, "helper.md", f"---\nname: helper\nmodel: generic.mock\n{head}---\nYou.\n")


@pytest.mark.promise("broken-hooks")
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("kind", CALLS)
async def test_a_hook_that_raises_ends_its_turn_and_is_for_the_operator_to_mend(
    runtime: Open, model: Model, cards: Path, kind: str, error: str
) -> None:
    hooked(cards, kind, ERRORS[error])
    async with runtime(COHORT_LANES="1") as engine:
        screen = Screen()
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, "CALL:shout", agent="helper"), screen)
        assert (failure.value.action, failure.value.words) == ("operator", phrase("fault-broken"))
        assert failure.value.detail.startswith(f"hook {kind} (hooks.py:breaks) raised ")
        assert (screen.frames or [""])[-1] == "", "nothing of the turn stays on the screen"
        assert len(model.journal) == CALLS[kind]
        assert (cards / "called").exists() == (kind == "after_turn_complete")
        assert (await engine.run(ask(1, "hello"), Screen())).text == "echo: hello [n=1]"


async def test_a_hook_after_a_tool_that_raises_changes_nothing_and_is_logged(
    runtime: Open, model: Model, cards: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hooked(cards, "after_tool_call")
    async with runtime(COHORT_LANES="1") as engine:
        answer = await engine.run(ask(1, "CALL:shout", agent="helper"), Screen())
    assert "tool=LOUD" in answer.text
    assert [record.hook for record in caplog.records if record.message == "hook.failed"] == ["after_tool_call"]


@pytest.mark.promise("broken-hooks")
@pytest.mark.parametrize("broken", ["raise ValueError('at import')", "def (:", "import nothing_of_this_name", ""])
async def test_a_function_tool_that_broke_since_the_start_is_told_at_once(
    runtime: Open, model: Model, cards: Path, clock: StillClock, broken: str
) -> None:
    card(cards, "tools.py", 'def shout(text: str = "") -> str:\n    "Loudly."\n    return "LOUD"\n')
    card(cards, "helper.md", "---\nname: helper\nmodel: generic.mock\nfunction_tools: [tools.py:shout]\n---\nYou.\n")
    async with runtime(COHORT_LANES="1") as engine:
        assert "LOUD" in (await engine.run(ask(1, "CALL:shout", agent="helper"), Screen())).text
        card(cards, "tools.py", broken)
        # Lanes are replaced on another day.
        clock.seconds += 86_400
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, "hello", agent="helper"), Screen())
        assert (failure.value.action, failure.value.words) == ("operator", phrase("fault-broken"))
        assert "tools.py" in failure.value.detail


@pytest.mark.promise("broken-hooks")
async def test_hooks_of_start_and_end_that_raise_are_named_to_the_operator(
    runtime: Open, model: Model, cards: Path, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    card(cards, "hooks.py", "async def calm(ctx): pass\nasync def breaks(ctx): raise ValueError('no')\n")
    text = "---\nname: helper\nmodel: generic.mock\nlifecycle_hooks:\n  on_shutdown: hooks.py:breaks\n---\nYou.\n"
    card(cards, "helper.md", text)
    async with runtime(COHORT_LANES="1") as engine:
        assert (await engine.run(ask(1, "hello", agent="helper"), Screen())).text == "echo: hello [n=1]"
    assert [record.hook for record in caplog.records if record.message == "hook.failed"] == ["on_shutdown"]
    card(cards, "helper.md", text.replace("on_shutdown: hooks.py:breaks", "on_start: hooks.py:calm"))
    async with runtime(COHORT_LANES="1") as engine:
        card(cards, "hooks.py", "async def calm(ctx): raise ValueError('not today')\n")
        clock.seconds += 86_400
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, "hello", agent="helper"), Screen())
    assert failure.value.action == "operator"
    assert "hook on_start (hooks.py:calm) raised ValueError" in failure.value.detail


@pytest.mark.promise("broken-hooks")
async def test_what_is_broken_in_a_card_is_not_said_of_the_model_that_a_session_chose(
    runtime: Open, model: Model, cards: Path, clock: StillClock
) -> None:
    hooked(cards, "after_llm_call")
    async with runtime(COHORT_LANES="1", COHORT_MODELS="generic.other") as engine:
        with pytest.raises(TurnFailed) as hook:
            await engine.run(ask(1, "hello", agent="helper", model="generic.other"), Screen())
        card(cards, "hooks.py", "def (:")
        clock.seconds += 86_400
        with pytest.raises(TurnFailed) as lane:
            await engine.run(ask(1, "hello", model="generic.other"), Screen())
    assert (
        (hook.value.words, hook.value.cause)
        == (lane.value.words, lane.value.cause)
        == (phrase("fault-broken"), "model")
    )
    assert hook.value.detail.startswith("hook after_llm_call")
    assert "hooks.py" in lane.value.detail
