"""A session's turns: answered once, in order, over the real store."""

import asyncio
from datetime import timedelta

import pytest

from tasks.envelope import Inbound
from tasks.phrases import phrase
from tests.workers.cable import Fate, all_is_well
from tests.workers.fakes import Hold, ScriptedRuntime, without_reference
from tests.workers.pool import Pool, session
from workers import texts
from workers.interfaces import Sink, TurnFailed, TurnRequest, TurnResult

ONE = session(1)


def outage() -> TurnFailed:
    return TurnFailed("retry", "busy", "503")


def refusal() -> TurnFailed:
    return TurnFailed("tell", "I cannot answer that.", "content filter")


async def test_a_message_is_answered_once_and_its_session_let_go(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    update = await pool.say(1, "hello")

    report = await worker.answer(ONE)

    assert report == {"outcome": "answered", "turns": 1, "messages": 1, "tokens": 15, "seconds": 0.0}
    assert pool.telegram.texts(ONE) == ["answer to hello"]
    assert pool.telegram.answered(ONE) == [update]
    assert await pool.idle(ONE)
    assert (await worker.answer(ONE))["outcome"] == "idle"
    assert len(pool.model.calls) == 1


async def test_each_turn_goes_on_from_the_history_of_the_one_before(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    for text in ("one", "two", "three"):
        await pool.say(1, text)
        await worker.answer(ONE)
    await pool.say(2, "elsewhere")
    await worker.answer(session(2))

    assert [call.history for call in pool.model.calls] == [[], ["one"], ["one", "two"], []]
    glance = await pool.store.sessions.glance(ONE)
    assert (glance.usage_in, glance.usage_out) == (30, 15)


async def test_messages_that_come_while_a_turn_runs_are_taken_next_and_together(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    hold = pool.model.hold("first")
    updates = [await pool.say(1, "first")]
    turn = worker.doorbell(ONE)
    await hold.reached()
    for text in ("second", "third"):
        updates.append(await pool.say(1, text))
        assert (await worker.answer(ONE))["outcome"] == "joined"
    hold.go.set()

    # Two that come within a second of each other are a burst, which is over when 0.8 s brought no third.
    assert await turn == {"outcome": "answered", "turns": 2, "messages": 3, "tokens": 30, "seconds": 0.8}
    assert pool.model.saw() == [["first"], ["second", "third"]]
    assert pool.telegram.answered(ONE) == updates


@pytest.mark.promise("in-order")
async def test_ten_quick_messages_are_answered_one_after_the_other_in_order(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    updates = await pool.say_all(1, *({"text": f"m{number}"} for number in range(10)))
    doorbells = [worker.doorbell(ONE) for _ in updates]
    for doorbell in doorbells:
        await doorbell

    assert pool.telegram.texts(ONE) == [f"answer to m{number}" for number in range(10)]
    assert pool.telegram.answered(ONE) == updates
    assert pool.model.calls[-1].history == [f"m{number}" for number in range(9)]


async def test_an_albums_parts_that_come_one_by_one_are_one_turn(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    photo = {"album": "a", "media": [{"kind": "photo", "file_id": "f"}]}
    await pool.say(1, "look", **photo)
    pool.naps.awake.clear()
    turn = worker.doorbell(ONE)
    await pool.naps.changes.until(lambda: bool(pool.naps.taken))
    await pool.say(1, **photo)
    pool.naps.awake.set()
    await turn

    (call,) = pool.model.calls
    assert len(call.request.messages[0].media) == 2
    assert len(pool.naps.taken) == 2
    assert len(pool.telegram.delivered) == 1


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
        f"{texts.new_conversation(1)} {phrase('new-set-aside')}",
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
        f"{texts.new_conversation(1)} {phrase('new-set-aside')}",
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


# -- turns that fail


async def test_a_passing_fault_is_tried_again_and_its_user_sees_one_answer(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", outage(), outage())
    await pool.say(1, "hello")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to hello"]
    assert [call.end for call in pool.model.calls] == ["TurnFailed", "TurnFailed", "answered"]


async def test_a_permanent_fault_is_told_at_once_and_leaves_the_history_as_it_was(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("bad", refusal())
    for text in ("good", "bad", "good again"):
        await pool.say(1, text)
        await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to good", "I cannot answer that.", "answer to good again"]
    assert pool.model.calls[-1].history == ["good"]


async def test_an_outage_ends_in_a_retry_button_that_runs_the_message_again(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", *(outage() for _ in range(5)))
    await pool.say(1, "hello", quote="context")
    await worker.answer(ONE)
    (_, apology), *_ = pool.telegram.delivered
    assert without_reference(apology.text) == f"{phrase('outage')} {phrase('press-retry')}"
    assert apology.buttons[0][0].data == texts.RETRY_DATA

    # Something else is said and answered in between; that takes no promise back.
    await pool.say(1, "meanwhile")
    await worker.answer(ONE)
    await pool.say_all(1, {"kind": "retry"}, {"kind": "retry"})
    await worker.answer(ONE)
    await pool.say(1, kind="retry")
    await worker.answer(ONE)

    assert pool.telegram.texts(ONE)[1:] == ["answer to meanwhile", "answer to hello", phrase("nothing-to-retry")]
    assert pool.model.calls[-1].request.messages[0].quote == "context"
    assert pool.model.calls[-1].history == ["meanwhile"]
    assert "failed" not in await pool.state(ONE)


async def test_retry_answers_every_message_that_failed_in_an_outage(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    for text in ("one", "two"):
        pool.model.fail(text, *(outage() for _ in range(5)))
        await pool.say(1, text)
        await worker.answer(ONE)
    await pool.say(1, kind="retry")
    await worker.answer(ONE)
    assert pool.model.calls[-1].texts == ["one", "two"]
    assert pool.telegram.texts(ONE)[-1] == "answer to one two"


async def test_a_retry_that_fails_again_can_be_retried_again(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", *(outage() for _ in range(10)))
    await pool.say(1, "hello")
    for _ in range(3):
        await worker.answer(ONE)
        await pool.say(1, kind="retry")
    assert pool.telegram.texts(ONE) == [f"{phrase('outage')} {phrase('press-retry')}"] * 2 + ["answer to hello"]


async def test_a_new_conversation_forgets_what_could_be_retried(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    pool.model.fail("hello", *(outage() for _ in range(5)))
    await pool.say(1, "hello")
    await worker.answer(ONE)
    await pool.say_all(1, {"kind": "new"}, {"kind": "retry"})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == phrase("nothing-to-retry")


class SlowToEnd(ScriptedRuntime):
    """Its turns end at their limit, but one that ignores its cancellation takes twice as long again."""

    async def run(self, request: TurnRequest, sink: Sink) -> TurnResult:
        self.wanted += 1
        ended = asyncio.Event()
        asyncio.get_running_loop().call_later(3 * LIMIT_S, ended.set)
        await ended.wait()
        raise TurnFailed("tell", SLOW, "turn longer than its limit")


LIMIT_S = 0.02
SLOW = "This took longer than I am allowed to work on one message."


async def test_a_turn_that_takes_too_long_is_ended_once_by_the_runtime_which_knows_when_it_began(pool: Pool) -> None:
    runtime = SlowToEnd(pool.model, "w-one")
    worker = await pool.worker("w-one", real=runtime, COHORT_TURN_TIMEOUT=str(LIMIT_S))
    await pool.say(1, "endless")
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [SLOW]
    assert (runtime.wanted, pool.naps.taken) == (1, [])
    assert await pool.idle(ONE)


# -- what it may cost


@pytest.mark.promise("budgets")
@pytest.mark.parametrize("budget", ["COHORT_BUDGET_USER", "COHORT_BUDGET_CHAT"])
async def test_a_used_up_budget_is_told_and_starts_again_at_midnight(pool: Pool, budget: str) -> None:
    worker = await pool.worker("w-one", **{budget: "20"})
    sender = {"id": 77}
    for text in ("one", "two", "three"):
        await pool.say(1, text, sender=sender)
        await worker.answer(ONE)
    assert [call.texts for call in pool.model.calls] == [["one"], ["two"]]
    assert pool.telegram.texts(ONE)[-1].endswith("reached today's limit. It resets at midnight UTC.")

    # A user's budget follows them to another chat, a chat's does not.
    await pool.say(2, "elsewhere", sender=sender)
    await worker.answer(session(2))
    assert (pool.telegram.texts(session(2)) == ["answer to elsewhere"]) == (budget == "COHORT_BUDGET_CHAT")

    pool.clock.advance(timedelta(days=1).total_seconds())
    await pool.say(1, "tomorrow", sender=sender)
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-1] == "answer to tomorrow"


async def test_in_a_group_the_answer_names_the_message_it_is_for(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "private", message_id=31)
    await pool.say(2, "in a group", message_id=32, chat_type="supergroup")
    for chat in (1, 2):
        await worker.answer(session(chat))
    assert [reply.reply_to for _, reply in pool.telegram.delivered] == [None, 32]


async def test_a_message_put_back_by_an_operator_is_answered(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, "hello")
    (raw,) = await pool.raw_inbox(ONE)
    assert Inbound.from_json(raw).text == "hello"
    pool.model.fail("hello", *(ValueError("a defect") for _ in range(3)))
    await worker.answer(ONE)
    (letter,) = await pool.store.dead.list()
    assert await pool.store.dead.retry(letter.id)
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [phrase("defect"), "answer to hello"]
