"""Stop, new, choices and interrupts at a session that works: what runs ends, what was shown stays."""

import pytest

from tasks.phrases import phrase
from tasks.stopping import new_conversation
from tests.workers.cable import Fate, all_is_well
from tests.workers.fakes import Hold
from tests.workers.pool import Pool, session
from tests.workers.test_loop import ONE
from workers import texts

# -- control words


@pytest.mark.promise("control-words")
async def test_stop_ends_the_running_turn_and_keeps_what_it_showed(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("long")
    pool.model.partial["long"] = "Once upon a time"
    updates = [await pool.say(1, "long"), await pool.say(1, "and this")]
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: bool(pool.telegram.chat(ONE).shown))
    updates.append(await pool.say(1, kind="stop"))
    worker.scheduler.interrupt(ONE)
    await turn

    assert [call.end for call in pool.model.calls] == ["CancelledError"]
    assert list(pool.telegram.chat(ONE).shown.values()) == [f"Once upon a time\n\n{texts.stopped(2)}"]
    assert pool.telegram.answered(ONE) == updates
    assert await pool.idle(ONE)
    await pool.say(1, "next")
    await worker.answer(ONE)
    assert pool.model.calls[-1].history == ["long", "and this", "Once upon a time [stopped]"]


async def test_an_interrupt_that_comes_late_does_not_end_the_turn_after_its_control_word(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("hello")
    updates = await pool.say_all(1, {"kind": "new"}, {"text": "hello"})
    turn = worker.doorbell(ONE)
    await hold.reached()
    worker.scheduler.interrupt(ONE)
    hold.go.set()
    await turn
    assert pool.model.saw() == [["hello"]]
    assert pool.telegram.answered(ONE) == updates


async def test_a_second_stop_does_not_tear_up_the_first_ones_end(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    frame = pool.telegram.answers_late = Hold()
    pool.model.partial["long"] = "Once upon"
    hold = pool.model.hold("long")
    await pool.say(1, "long")
    turn = worker.doorbell(ONE)
    await frame.reached()
    await pool.say(1, kind="stop")
    worker.scheduler.interrupt(ONE)
    await pool.model.changes.until(lambda: pool.model.calls[0].end == "CancelledError")
    # The message is on the screen, and the turn waits to be told its id.
    worker.scheduler.interrupt(ONE)
    await pool.say(1, kind="stop")
    frame.go.set()
    await turn
    assert not hold.go.is_set()
    assert list(pool.telegram.chat(ONE).shown.values()) == [f"Once upon\n\n{texts.stopped(1)}"]


async def test_stop_reaches_a_turn_that_waits_for_a_lane(pool: Pool) -> None:
    worker = await pool.worker("w-one", lanes=1)
    hold = pool.model.hold("first")
    await pool.say(2, "first")
    other = worker.doorbell(session(2))
    await hold.reached()
    await pool.say(1, "waits")
    turn = worker.doorbell(ONE)
    await worker.runtime.waiting.until(lambda: worker.runtime.wanted == 2)
    await pool.say(1, kind="stop")
    worker.scheduler.interrupt(ONE)
    await turn
    hold.go.set()
    await other

    assert pool.model.saw() == [["first"]]
    assert pool.telegram.texts(ONE) == [texts.stopped(1)]


async def test_a_stop_accepted_between_the_look_and_the_start_is_seen_before_the_turn(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say_all(1, {"text": "a"}, {"text": "b"})

    async def just_then(sent: bytes) -> Fate:
        # The loop has read two messages and says so; their user is quicker.
        if b"together" in sent:
            worker.cable.heard = all_is_well
            await pool.say(1, kind="stop")
            worker.scheduler.interrupt(ONE)
        return "passes"

    worker.cable.heard = just_then
    await worker.answer(ONE)

    assert worker.cable.heard is all_is_well
    assert pool.model.calls == []
    assert pool.telegram.texts(ONE) == [texts.stopped(2)]


async def test_a_stop_behind_more_messages_than_are_read_ahead_is_found(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("m0")
    updates = [await pool.say(1, "m0")]
    turn = worker.doorbell(ONE)
    await hold.reached()
    updates += await pool.say_all(1, *({"text": f"m{number}"} for number in range(1, 100)), {"kind": "stop"})
    worker.scheduler.interrupt(ONE)
    await turn

    assert pool.telegram.texts(ONE) == [texts.stopped(100)]
    assert pool.telegram.answered(ONE) == updates


async def test_new_during_a_turn_forgets_the_history_and_closes_what_was_shown(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "before")
    await worker.answer(ONE)
    hold = pool.model.hold("long")
    pool.model.partial["long"] = "Once upon"
    await pool.say(1, "long")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.telegram.changes.until(lambda: len(pool.telegram.chat(ONE).shown) == 2)
    await pool.say(1, kind="new")
    worker.scheduler.interrupt(ONE)
    await turn
    await pool.say(1, "after")
    await worker.answer(ONE)

    shown = list(pool.telegram.chat(ONE).shown.values())
    assert shown == [
        "answer to before",
        "Once upon\n\nStopped.",
        f"{new_conversation(1)} {phrase('new-set-aside')}",
        "answer to after",
    ]
    assert pool.model.calls[-1].history == []


async def test_what_was_chosen_holds_for_the_turns_behind_it(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "a")
    await pool.say(1, kind="choose", choice={"model": "small", "agent": "poet"})
    await pool.say(1, "b")
    await pool.say(1, kind="choose", choice={"model": ""})
    await pool.say(1, "c")
    await worker.answer(ONE)

    asked = [(call.request.model, call.request.agent) for call in pool.model.calls]
    assert asked == [(None, None), ("small", "poet"), (None, "poet")]
    assert pool.telegram.texts(ONE)[1] == "Switched to poet. Switched to small."


@pytest.mark.promise("choice-gone")
async def test_what_can_no_longer_be_chosen_is_said_once_and_no_longer_asked_for(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, kind="choose", choice={"model": "small", "agent": "poet"})
    pool.model.dropped["first"] = {"model": "small is no more."}
    for text in ("first", "second"):
        await pool.say(1, text)
        await worker.answer(ONE)

    asked = [(call.request.model, call.request.agent) for call in pool.model.calls]
    assert asked == [("small", "poet"), (None, "poet")]
    assert pool.telegram.texts(ONE)[1:] == ["answer to first\n\nsmall is no more.", "answer to second"]


async def test_compacting_takes_its_turn_and_changes_the_history(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say_all(1, {"text": "a"}, {"kind": "compact"}, {"text": "b"})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to a", "compacted", "answer to b"]
    assert pool.model.calls[-1].history == ["summary"]


async def test_what_is_said_with_new_is_answered_in_the_new_conversation(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "before")
    await worker.answer(ONE)
    await pool.say_all(1, {"text": "a"}, {"text": "hello", "kind": "new"}, {"text": "b"})

    await worker.answer(ONE)

    assert pool.telegram.texts(ONE)[1:] == [
        f"{new_conversation(1)} {phrase('new-set-aside')}",
        "answer to hello b",
    ]
    assert pool.model.calls[-1].history == []
    # Each has one reply that answers it.
    assert pool.telegram.answered(ONE) == [1, 2, 3, 4]
    assert await pool.idle(ONE)


async def test_in_interrupt_mode_a_new_message_ends_the_turn_and_is_answered_with_it(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="interrupt")
    hold = pool.model.hold("first")
    await pool.say(1, "first")
    turn = worker.doorbell(ONE)
    await hold.reached()
    hold.begun.clear()
    # The doorbell of the message at work, come late, changes nothing.
    assert (await worker.answer(ONE))["outcome"] == "joined"
    assert [call.end for call in pool.model.calls] == ["running"]
    await pool.say(1, "second")
    assert (await worker.answer(ONE))["outcome"] == "joined"
    await hold.reached()
    hold.go.set()
    await turn

    assert [(call.texts, call.end) for call in pool.model.calls][-1] == (["first", "second"], "answered")
    assert len(pool.model.calls) == 2
    assert pool.telegram.texts(ONE) == ["answer to first second"]
    # Neither was a try of a message that kills.
    assert "tries" not in await pool.state(ONE)


async def test_a_turn_set_aside_by_its_user_is_no_try(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="interrupt")
    hold = pool.model.hold("again")
    await pool.say(1, "again")
    turn = worker.doorbell(ONE)
    for number in range(6):
        await hold.reached()
        hold.begun.clear()
        await pool.say(1, f"and {number}")
        await worker.answer(ONE)
    await hold.reached()
    assert (await pool.state(ONE))["tries"] == "1"
    hold.go.set()
    await turn
    assert len(pool.telegram.delivered) == 1
    assert await pool.store.dead.count() == 0
