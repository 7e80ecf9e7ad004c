"""What a chat chooses for itself holds in that chat, whatever the deployment's setting is."""

import pytest

from tests.workers.pool import Pool, session
from workers import texts

ONE, TWO = session(1), session(2)


async def test_a_chats_own_queue_mode_holds_in_that_chat_alone(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="collect")
    await pool.say(1, kind="choose", choice={"queue": "followup"})
    await worker.answer(ONE)
    for chat in (1, 2):
        await pool.say_all(chat, {"text": "a"}, {"text": "b"})
        await worker.answer(session(chat))
    assert pool.telegram.texts(ONE)[1:] == ["answer to a", "answer to b"]
    assert pool.telegram.texts(TWO) == ["answer to a b"]
    assert (await pool.state(ONE))["queue"] == "followup"


async def test_a_chat_that_chose_interrupt_is_interrupted(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say(1, kind="choose", choice={"queue": "interrupt"})
    await worker.answer(ONE)
    hold = pool.model.hold("first")
    await pool.say(1, "first")
    turn = worker.doorbell(ONE)
    await hold.reached()
    hold.begun.clear()
    await pool.say(1, "second")
    await worker.answer(ONE)
    await hold.reached()
    hold.go.set()
    await turn
    assert pool.telegram.texts(ONE)[-1] == "answer to first second"


async def test_a_choice_does_not_end_the_answer_at_work_and_a_message_behind_it_does(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="interrupt")
    hold = pool.model.hold("first")
    await pool.say(1, "first")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.say(1, kind="choose", choice={"thinking": "fold"})
    await pool.say(1, kind="conversation", choice={"title": "trip"}, v=4)
    await worker.answer(ONE)
    assert [call.end for call in pool.model.calls] == ["running"]
    hold.go.set()
    await turn
    assert pool.telegram.texts(ONE)[0] == "answer to first"
    assert (await pool.state(ONE))["thinking"] == "fold"

    hold = pool.model.hold("second")
    await pool.say(1, "second")
    turn = worker.doorbell(ONE)
    await hold.reached()
    await pool.say(1, kind="choose", choice={"thinking": "show"})
    await pool.say(1, "third")
    await worker.answer(ONE)
    await turn
    assert pool.telegram.texts(ONE)[-1] == "answer to third"
    assert (await pool.state(ONE))["thinking"] == "show"


async def test_a_pressed_button_edits_its_picker_and_marks_the_value_chosen(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_MODELS="haiku,sonnet")
    for choice, marked in (({"queue": "followup"}, "✓ Queue up"), ({"model": "sonnet"}, "✓ sonnet")):
        await pool.say(1, kind="choose", choice=choice, pressed=True, message_id=55)
        await worker.answer(ONE)
        _, reply = pool.telegram.delivered[-1]
        assert reply.edit == 55
        assert [button.text for row in reply.buttons for button in row if button.text.startswith("✓")] == [marked]
    assert reply.text.splitlines()[-2:] == ["haiku: Maker of haiku", "sonnet: Maker of sonnet"]


@pytest.mark.promise("offered")
async def test_a_picker_goes_on_hiding_what_who_opened_it_may_not_use(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_MODELS="haiku,opus,sonnet")
    await pool.say(1, kind="choose", choice={"model": "haiku"}, pressed=True, message_id=55, hides=("opus",))
    await worker.answer(ONE)
    _, reply = pool.telegram.delivered[-1]
    assert [button.text for row in reply.buttons for button in row] == ["✓ haiku", "sonnet"]
    assert "opus" not in reply.text


async def test_default_goes_back_to_the_deployments_setting(pool: Pool) -> None:
    worker = await pool.worker("w-one", COHORT_QUEUE_MODE="followup")
    for value in ("collect", ""):
        await pool.say(1, kind="choose", choice={"queue": value})
        await worker.answer(ONE)
    await pool.say_all(1, {"text": "a"}, {"text": "b"})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE)[-2:] == ["answer to a", "answer to b"]
    assert "queue" not in await pool.state(ONE)


@pytest.mark.promise("start-payload")
async def test_the_payload_of_a_start_link_holds_for_later_turns_and_after_a_new_beginning(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    for said in ({"text": "/start a", "start": "a"}, {"text": "b"}, {"kind": "new", "text": "c"}):
        await pool.say_all(1, said)
        await worker.answer(ONE)
        assert (await pool.state(ONE))["start"] == "a"
    await pool.say_all(1, {"text": "/start z", "start": "z"})
    await worker.answer(ONE)
    assert (await pool.state(ONE))["start"] == "z"
    assert [call.request.start for call in pool.model.calls] == ["a", "a", "a", "z"]


async def test_what_the_bot_has_told_already_is_carried_out_in_silence(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say_all(
        1,
        {"text": "first"},
        {"kind": "choose", "choice": {"queue": "followup"}, "told": True},
        {"kind": "conversation", "choice": {"title": "trip"}, "v": 4, "told": True},
        {"kind": "choose", "choice": {"steps": "keep"}, "told": True, "pressed": True, "message_id": 9},
        {"text": "second"},
    )
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to first", "answer to second"]
    now = await pool.state(ONE)
    assert (now["queue"], now["steps"]) == ("followup", "keep")
    assert "trip" in now["conversation"]


async def test_a_stop_repeats_no_choice_that_was_told(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    told = {"kind": "choose", "choice": {"queue": "followup"}, "told": True}
    await pool.say_all(1, {"text": "a"}, told, {"kind": "choose", "choice": {"steps": "keep"}}, {"kind": "stop"})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == [f"{texts.stopped(1)} {texts.chosen({'steps': 'keep'})}"]
    now = await pool.state(ONE)
    assert (now["queue"], now["steps"]) == ("followup", "keep")


async def test_a_new_conversation_that_was_told_begins_in_silence_with_its_message(pool: Pool) -> None:
    worker = await pool.worker("w-one")
    await pool.say_all(1, {"text": "a"}, {"kind": "new", "text": "b", "told": True})
    await worker.answer(ONE)
    assert pool.telegram.texts(ONE) == ["answer to b"]
    assert pool.model.calls[-1].history == []
