"""The last exchange of a real history: answered again without its old answer, or taken back whole."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runtime.steps import MemorySteps, told
from tests.runtime.support import Open, Screen, ask, card, inbound
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.conversation import history

RETRY = inbound(1, "", kind="retry", update=9)


def words(stored: bytes) -> list[str]:
    return [message.all_text() for message in history.decode(stored).messages]


@pytest.mark.promise("retry-undo")
async def test_a_retry_sees_the_history_before_its_message_and_its_answer_takes_the_old_ones_place(
    runtime: Open, model: Model
) -> None:
    async with runtime() as engine:
        one = await engine.run(ask(1, "one"), Screen())
        two = await engine.run(ask(1, "two", history=one.history), Screen())
        model.fault(match="two", reply="another answer")
        again = await engine.run(ask(1, RETRY, history=two.history), Screen())
        assert again.text == "another answer"
        assert words(again.history) == ["one", "echo: one [n=1]", "two", "another answer"]
        *_, entry = model.journal
        assert [message["text"] for message in entry.messages if message["role"] == "user"] == ["one", "two"]


@pytest.mark.promise("retry-undo")
async def test_undo_gives_the_history_as_it_was_before_the_exchange(runtime: Open) -> None:
    async with runtime() as engine:
        one = await engine.run(ask(1, "one"), Screen())
        two = await engine.run(ask(1, "two", history=one.history), Screen())
        back = await engine.histories.without_last(two.history)
        assert back is not None
        assert told(back) == told(one.history)
        empty = await engine.histories.without_last(back)
        assert empty == b"", "a conversation in which nothing is left is none"
        assert await engine.histories.without_last(empty) is None
        with pytest.raises(TurnFailed) as nothing:
            await engine.run(ask(1, RETRY, history=empty), Screen())
        assert nothing.value.action == "tell"


@pytest.mark.promise("retry-undo")
async def test_a_session_in_which_nothing_was_said_has_no_history_also_after_a_compaction(runtime: Open) -> None:
    async with runtime() as engine:
        assert (await engine.compact(ask(1, ""))).history == b""
        said = await engine.run(ask(1, "one"), Screen())
        assert await engine.histories.without_last(said.history) == b""


@pytest.mark.promise("retry-undo")
async def test_undo_takes_back_what_the_members_of_a_workflow_said_in_that_turn(runtime: Open, cards: Path) -> None:
    (cards / "assistant.md").unlink()
    for name in ("writer", "editor"):
        card(cards, f"{name}.md", f"---\nname: {name}\ntool_only: true\nmodel: generic.mock\n---\nYou.\n")
    card(cards, "lead.md", "---\nname: lead\ndefault: true\ntype: chain\nsequence: [writer, editor]\n---\n")
    async with runtime() as engine:
        one = await engine.run(replace(ask(1, "one"), steps=MemorySteps(turn="a")), Screen())
        two = await engine.run(replace(ask(1, "two", history=one.history), steps=MemorySteps(turn="b")), Screen())
        back = await engine.histories.without_last(two.history)
        assert back is not None
        assert told(back) == told(one.history)
        assert "two" in json.dumps(told(two.history))


@pytest.mark.promise("retry-undo")
async def test_a_summary_and_a_cards_examples_are_no_exchange(runtime: Open) -> None:
    async with runtime() as engine:
        stored: bytes | None = None
        for text in ("one", "two", "three"):
            stored = (await engine.run(ask(1, text, history=stored), Screen())).history
        short = await engine.compact(ask(1, "", history=stored))
        left, taken = short.history, 0
        while (back := await engine.histories.without_last(left)) is not None:
            left, taken = back, taken + 1
        assert taken < 3
        assert history.decode(left).messages, "the summary stays"
