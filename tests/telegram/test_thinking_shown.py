"""What is seen of a model's thoughts."""

import re

import pytest

from tests.telegram.conftest import World
from tests.telegram.stage import Stage, stage_with
from workers.showing import Trace
from workers.telegram.render import growing, render
from workers.thoughts import MOST, Thoughts


@pytest.fixture
async def stage(world: World) -> Stage:
    return stage_with(world)


@pytest.mark.promise("thinking-shown")
@pytest.mark.parametrize(("thinking", "kind"), [("fold", "expandable_blockquote"), ("show", "blockquote")])
async def test_thoughts_grow_in_a_quote_above_the_answer(stage: Stage, thinking: str, kind: str) -> None:
    session = await stage.world.session()
    async with stage.live(session, thinking=thinking) as answer:
        answer.thought("They **greet**")
        await stage.shows(session, "They greet")
        answer.thought(" me.")
        answer.text("**Hello**")
        answer.thought("and what else?")
        message = await stage.shows(session, "They greet me.\n\nHello")
    assert message["entities"] == [
        {"type": kind, "offset": 0, "length": 14},
        {"type": "bold", "offset": 16, "length": 5},
    ]
    trace = Trace(thoughts="They **greet** me.", folds=thinking == "fold")
    (reply,) = stage.delivery.render("**Hello**", edits=answer.message_ids, trace=trace)
    assert (reply.text, list(reply.entities)) == (message["text"], message["entities"])


@pytest.mark.promise("thinking-shown")
async def test_thoughts_are_hidden_unless_chosen(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session) as answer:
        answer.thought("secret")
        answer.text("Hello")
        await stage.shows(session, "Hello")
    assert "secret" not in str(await stage.world.pg.journal(chat=session.chat))


@pytest.mark.promise("recordings-are-heard")
async def test_what_a_recording_says_stands_folded_above_all_from_the_beginning(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session, thinking="show") as answer:
        answer.heard("What is **this**?")
        await stage.shows(session, "What is **this**?")
        answer.thought("A cat.")
        answer.text("A cat")
        answer.text("")
        answer.text("A dog")
        message = await stage.shows(session, "What is **this**?\n\nA dog")
    assert message["entities"] == [{"type": "expandable_blockquote", "offset": 0, "length": 17}]
    trace = Trace(heard="What is **this**?")
    (reply,) = stage.delivery.render("A dog", edits=answer.message_ids, trace=trace)
    assert (reply.text, list(reply.entities)) == (message["text"], message["entities"])


async def test_an_answer_that_is_taken_back_takes_its_thoughts_along(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session, thinking="show") as answer:
        answer.thought("wrong")
        answer.text("Wrong")
        await stage.shows(session, "wrong\n\nWrong")
        answer.text("")
        answer.thought("right")
        await stage.shows(session, "right")


def test_of_long_thoughts_the_last_are_kept_and_said_to_be() -> None:
    thoughts = Thoughts()
    for number in range(10_000):
        thoughts.add(f"{number} ")
    assert thoughts.text.startswith("…")
    assert thoughts.text.endswith(" 9998 9999")
    assert len(thoughts.text) <= MOST + 1
    thoughts.clear()
    thoughts.add("x" * (2 * MOST))
    assert thoughts.text == "…" + "x" * MOST


def test_long_thoughts_and_a_long_answer_are_messages_that_fit() -> None:
    trace = Trace(thoughts="thought " * 370, folds=True)
    replies = render("word " * 2000, trace=trace)
    assert len(replies) == 4
    assert replies[0].text.startswith("thought thought")
    assert all(len(reply.text) <= 4096 for reply in replies)


@pytest.mark.parametrize("folds", [True, False])
def test_marks_in_thoughts_are_not_seen_while_they_are_thought_or_later(folds: bool) -> None:
    source = "I **check** the `facts`, [link](https://a.b) and\n\n- <b>tags</b>\n\n```py\nx = 1\n```\n" * 20
    for end in (*range(1, 90), len(source)):
        trace = Trace(thoughts=source[:end], folds=folds)
        for part in (*growing("", trace=trace), *render("Answer.", trace=trace)):
            assert not re.search(r"\*\*|`|\]\(|<b|^- ", part.text, re.MULTILINE), part.text
            assert {entity["type"] for entity in part.entities} <= {"expandable_blockquote" if folds else "blockquote"}


def test_thoughts_that_are_cut_begin_with_a_word() -> None:
    thoughts = Thoughts()
    thoughts.add("reasoning " * MOST)
    assert thoughts.text.startswith("…reasoning reasoning")
