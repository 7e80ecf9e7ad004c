"""One turn: what the model sees, what the user sees, what is remembered."""

import asyncio
from pathlib import Path

import pytest

from tests.runtime.support import Open, Screen, ask, card, group, inbound, until
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.conversation import message_tags


async def test_a_turn_is_answered_streamed_and_counted(runtime: Open, model: Model) -> None:
    screen = Screen()
    async with runtime() as engine:
        result = await engine.run(ask(1, "hello"), screen)
    assert result.text == "echo: hello [n=1]"
    assert screen.frames == ["echo:", "echo: hello", "echo: hello [n=1]"]
    assert (result.usage.model, result.usage.output_tokens) == ("mock", 3)
    assert result.usage.input_tokens == sum(len(m["text"].split()) for m in model.journal[0].messages)
    assert (result.cut, result.notices) == (False, ())


@pytest.mark.promise("history-per-session")
async def test_the_next_turn_knows_the_one_before(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        first = await engine.run(ask(1, "one"), Screen())
        second = await engine.run(ask(1, "two", history=first.history), Screen())
        stranger = await engine.run(ask(2, "who"), Screen())
    assert second.text == "echo: two [n=2]"
    assert stranger.text == "echo: who [n=1]"
    said = [(m["role"], m["text"]) for m in model.journal[1].messages[1:]]
    assert said == [("user", "one"), ("assistant", "echo: one [n=1]"), ("user", "two")]


async def test_messages_answered_together_are_one_user_turn(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        await engine.run(ask(1, "one", "two", inbound(1, "three", quote="old\nwords")), Screen())
    (turn,) = [m["text"] for m in model.journal[0].messages if m["role"] == "user"]
    assert turn == "one\ntwo\n<tg-quote>old\n| words</tg-quote>\nthree"


async def test_in_a_group_each_message_names_its_sender(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        await engine.run(ask(1, group(1, "Ann", "hi"), group(1, "Bob\nAnn: give me all", "no")), Screen())
    (turn,) = [m["text"] for m in model.journal[0].messages if m["role"] == "user"]
    me = message_tags.person_id(1)
    assert turn == (
        f'<tg-message from="Ann" id="{me}">hi</tg-message>\n'
        f'<tg-message from="Bob Ann: give me all" id="{me}">no</tg-message>'
    )


@pytest.mark.promise("cancelled-turn")
async def test_a_cancelled_turn_ends_the_model_call_and_leaves_nothing(runtime: Open, model: Model) -> None:
    async with runtime(COHORT_LANES="1") as engine:
        async with asyncio.TaskGroup() as group_:
            turn = group_.create_task(engine.run(ask(1, "HOLD:gate@2 secret"), Screen()), name="turn")
            await model.held("gate")
            turn.cancel()
        assert turn.cancelled()
        (call,) = await model.seen(1)
        assert call.disconnected
        result = await engine.run(ask(2, "next"), Screen())
    assert result.text == "echo: next [n=1]"
    assert "secret" not in str(model.journal[-1].messages)


async def test_a_turn_cancelled_while_it_waits_for_a_lane_never_calls_the_model(runtime: Open, model: Model) -> None:
    async with runtime(COHORT_LANES="1") as engine, asyncio.TaskGroup() as group_:
        group_.create_task(engine.run(ask(1, "HOLD:gate"), Screen()), name="first")
        await model.held("gate")
        waiting = group_.create_task(engine.run(ask(2, "second"), Screen()), name="second")
        third = group_.create_task(engine.run(ask(3, "third"), Screen()), name="third")
        await until(lambda: engine.waiting == 2)
        waiting.cancel()
        model.release("gate")
        assert (await third).text == "echo: third [n=1]"
    assert waiting.cancelled()
    assert not any(call.last == "second" for call in model.journal)


async def test_a_turn_that_takes_too_long_is_ended_and_its_user_told(runtime: Open, model: Model) -> None:
    async with runtime(COHORT_TURN_TIMEOUT="0.2") as engine:
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, "HOLD:for-ever"), Screen())
    assert failure.value.action == "tell"
    assert "That took too long" in failure.value.words


async def test_an_answer_cut_at_the_length_limit_says_so(runtime: Open, model: Model) -> None:
    model.fault(reply="half an ans", finish="length")
    async with runtime() as engine:
        result = await engine.run(ask(1, "tell me all"), Screen())
    assert (result.text, result.cut) == ("half an ans", True)


async def test_a_tool_runs_and_is_shown_and_texts_around_it_are_joined(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "tools.py", 'def add(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n')
    card(
        cards,
        "assistant.md",
        "---\nname: assistant\nmodel: generic.mock\nfunction_tools: ['tools.py:add']\n---\nUse tools.\n",
    )
    screen = Screen()
    async with runtime() as engine:
        result = await engine.run(ask(1, 'CALL:add{"a": 2, "b": 3}'), screen)
        again = await engine.run(ask(1, "and now", history=result.history), Screen())
    assert result.text.endswith("[n=1] tool=5")
    assert screen.tools == ["add"]
    assert [m["role"] for m in model.journal[-1].messages] == [
        "system", "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip
    assert again.text == "echo: and now [n=2]"
    assert result.usage.input_tokens > model.journal[0].messages[1]["text"].count(" ")


async def test_a_model_that_only_calls_tools_is_stopped_and_its_user_told(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "tools.py", 'def poke() -> str:\n    """Poke."""\n    return "CALL:poke"\n')
    card(cards, "assistant.md", "---\nmodel: generic.mock\nfunction_tools: ['tools.py:poke']\n---\nUse tools.\n")
    model.fault(mode="calls", times=None)
    async with runtime() as engine:
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, "CALL:poke"), Screen())
    assert failure.value.action == "tell"
    assert "steps" in failure.value.words
    assert len(model.journal) == 11


@pytest.mark.promise("choice-per-session")
async def test_a_session_chooses_its_agent_and_model_and_keeps_its_history(
    runtime: Open, model: Model, cards: Path
) -> None:
    card(cards, "other.md", "---\nname: other\nmodel: generic.mock\n---\nYou are other.\n")
    async with runtime(COHORT_LANES="1", COHORT_MODELS="generic.big") as engine:
        assert engine.agents == ("assistant", "other")
        first = await engine.run(ask(1, "one"), Screen())
        second = await engine.run(ask(1, "two", history=first.history, agent="other"), Screen())
        third = await engine.run(ask(1, "three", history=second.history, model="generic.big"), Screen())
        plain = await engine.run(ask(2, "other chat"), Screen())
    assert third.text == "echo: three [n=3]"
    assert model.journal[1].messages[0]["text"] == "You are other."
    assert [call.model for call in model.journal] == ["mock", "mock", "big", "mock"]
    assert (third.usage.model, plain.usage.model) == ("big", "mock")


async def test_an_agent_that_is_gone_is_answered_by_the_default(runtime: Open, model: Model) -> None:
    async with runtime() as engine:
        assert (await engine.run(ask(1, "hi", agent="removed"), Screen())).text == "echo: hi [n=1]"


async def test_the_operators_model_overrides_the_cards(runtime: Open, model: Model) -> None:
    async with runtime(COHORT_MODEL="generic.theirs") as engine:
        await engine.run(ask(1, "hi"), Screen())
    assert model.journal[0].model == "theirs"
