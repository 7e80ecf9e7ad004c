"""Edits that say the same again: no second turn, and so no second run of a tool."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.envelope import Inbound
from tests.workers.inboxes import TOO_NEW, decide, entry, messages_of, word
from tests.workers.pool import Pool, session
from workers.sessions.planning import edits
from workers.sessions.planning.news import is_news
from workers.sessions.planning.planner import Run, Skip

ONE = session(1)


def edit(update: int, of: int, text: str, **fields: object) -> bytes:
    return entry(update, text, message_id=of, edited=True, **fields)


@pytest.mark.promise("edits-once")
async def test_an_edit_with_the_same_words_is_no_second_turn(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "book it", message_id=7)
    await worker.answer(ONE)
    await pool.say(1, "book it", message_id=7, edited=True)
    assert (await worker.answer(ONE))["turns"] == 0
    assert await pool.idle(ONE)
    assert len(pool.model.calls) == 1
    await pool.say(1, "book two", message_id=7, edited=True)
    await worker.answer(ONE)
    assert pool.model.saw() == [["book it"], ["book two"]]


@pytest.mark.promise("edits-once")
@pytest.mark.parametrize("mode", ["collect", "followup", "interrupt"])
async def test_an_edit_with_the_same_words_leaves_the_running_turn_alone(pool: Pool, mode: str) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE=mode)
    hold = pool.model.hold("book it")
    await pool.say(1, "book it", message_id=7)
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.say(1, "book it", message_id=7, edited=True)
    assert (await worker.answer(ONE))["outcome"] == "joined"
    hold.go.set()
    await turn
    assert len(pool.model.calls) == 1
    assert pool.telegram.texts(ONE) == ["answer to book it"]


async def test_in_interrupt_mode_an_edit_with_other_words_interrupts(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="interrupt")
    hold = pool.model.hold("book it")
    await pool.say(1, "book it", message_id=7)
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.say(1, "book two", message_id=7, edited=True)
    await worker.answer(ONE)
    await turn
    assert pool.telegram.texts(ONE) == ["answer to book two"]


async def test_what_was_said_is_remembered_by_the_session_and_not_by_the_worker(pool: Pool) -> None:
    first = await pool.worker("w-one")
    await pool.say(1, "book it", message_id=7)
    await first.answer(ONE)
    second = await pool.worker("w-two")
    await pool.say(1, "book it", message_id=7, edited=True)
    assert (await second.answer(ONE))["turns"] == 0


async def test_a_message_that_was_stopped_is_not_run_by_an_edit_with_the_same_words(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "book it", message_id=7)
    await pool.say(1, "", kind="stop")
    await worker.answer(ONE)
    await pool.say(1, "book it", message_id=7, edited=True)
    await worker.answer(ONE)
    assert pool.model.calls == []


def test_edits_that_change_nothing_are_left_out_wherever_they_stand() -> None:
    said = _said(7, "a")
    assert isinstance(decide(edit(9, 7, "a"), said=said), Skip)
    assert isinstance(decide(edit(9, 7, "a"), edit(10, 7, "a"), said=said), Skip)
    assert messages_of(decide(edit(9, 7, "a"), entry(10, "b"), said=said)) == ["b"]
    assert messages_of(decide(entry(8, "b"), edit(9, 7, "a"), entry(10, "c"), said=said)) == ["b", "c"]
    assert messages_of(decide(edit(9, 7, "new"), edit(10, 7, "a"), said=said)) == ["a"]
    plan = decide(edit(9, 7, "a"), word(10, "compact"), said=said)
    assert isinstance(plan, Skip)
    assert plan.handled.drop == 1


def test_other_words_other_files_and_messages_not_remembered_are_answered() -> None:
    said = _said(7, "a")
    assert isinstance(decide(edit(9, 7, "a "), said=said), Run)
    assert isinstance(decide(edit(9, 6, "a"), said=said), Run)
    assert isinstance(decide(entry(9, "a", message_id=7), said=said), Run), "not an edit"
    media = [{"kind": "photo", "file_id": "f"}]
    assert isinstance(decide(edit(9, 7, "a", media=media), said=said), Run)


@pytest.mark.promise("edits-once")
async def test_a_reaction_to_an_old_message_starts_no_turn(pool: Pool) -> None:
    """Telegram reports it as an edit, hours later; other words of a message so old are not told apart from that."""
    worker = await pool.worker("w-one")
    for number in range(1, edits.REMEMBERED + 2):
        await pool.say(1, f"message {number}", message_id=number)
        if number % 60 == 0:
            await worker.answer(ONE)
    await worker.answer(ONE)
    before = len(pool.model.calls)
    for number in range(1, edits.REMEMBERED + 2):
        await pool.say(1, f"message {number}", message_id=number, edited=True)
    assert (await worker.answer(ONE))["turns"] == 0
    assert len(pool.model.calls) == before
    await pool.say(1, "other words", message_id=2, edited=True)
    await worker.answer(ONE)
    assert pool.model.saw()[-1] == ["other words"]


def test_an_edit_of_a_message_older_than_all_that_are_remembered_is_ignored() -> None:
    said = dict.fromkeys(range(100, 100 + edits.REMEMBERED), "abcdef")
    assert isinstance(decide(edit(9, 99, "a"), said=said), Skip)
    assert not is_news([edit(9, 99, "a")], said)
    assert isinstance(decide(edit(9, 100, "a"), said=said), Run)
    # Such an edit is not remembered: what came between it and those would count as known.
    assert decide(edit(9, 50, "a"), entry(10, "b"), said=said).handled.said.keys() == {10}
    assert decide(entry(8, "a", message_id=50), edit(9, 50, "b"), said=said).handled.said == _said(50, "b")
    # It was not for the bot before, and names it now.
    del said[120]
    said[99] = "abcdef"
    assert isinstance(decide(edit(9, 120, "a"), said=said), Run)


def test_news_is_whatever_is_not_such_an_edit_and_no_choice() -> None:
    said = _said(7, "a")
    for kind in ("choose", "compact", "conversation", "answer"):
        assert not is_news([entry(9, kind=kind)], said)
        assert is_news([entry(9, kind=kind), entry(10, "b")], said)
    for kind in ("retry", "undo", "stop", "new", "reminder"):
        assert is_news([entry(9, kind=kind)], said)
    assert not is_news([], said)
    assert not is_news([edit(9, 7, "a")], said)
    assert is_news([edit(9, 7, "a"), entry(10, "b")], said)
    assert is_news([TOO_NEW], said)


@given(st.dictionaries(st.integers(1, 2**52), st.text("0123456789abcdef", min_size=6, max_size=6)))
def test_the_newest_are_kept_and_read_back(said: dict[int, str]) -> None:
    kept = edits.read(edits.written(said))
    assert list(kept.items()) == list(said.items())[-edits.REMEMBERED :]


@pytest.mark.parametrize("field", ["", "x", "7", "7:", ":a", "-1:a", "²:a", "7:a b", "\0"])
def test_a_damaged_field_is_an_empty_memory(field: str) -> None:
    assert set(edits.read(field)) <= {7}


def _said(message_id: int, text: str) -> dict[int, str]:
    return edits.said_in([Inbound.from_json(entry(1, text, message_id=message_id))], {})
