"""Answers that grow on the screen."""

import asyncio
from dataclasses import replace

import pytest

from tasks.envelope import Reply
from tasks.errors import ClaimLost, StoreUnavailable
from tasks.session import SessionKey
from tests.telegram.conftest import World
from tests.telegram.stage import AT_ONCE, Stage, stage_with
from workers.telegram.render import GOES_ON


@pytest.fixture
async def stage(world: World) -> Stage:
    return stage_with(world)


@pytest.mark.promise("streams")
async def test_the_first_text_creates_a_message_and_later_text_edits_it(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session) as answer:
        answer.text("Once")
        await stage.shows(session, "Once")
        answer.text("Once upon **a time**")
        message = await stage.shows(session, "Once upon a time")
    assert message["entities"] == [{"type": "bold", "offset": 10, "length": 6}]
    assert stage.stored == list(answer.message_ids) == [message["message_id"]]
    assert len(await stage.world.texts(session)) == 1


@pytest.mark.promise("repeat-is-harmless")
async def test_the_message_s_id_is_stored_before_anything_else_is_shown(stage: Stage) -> None:
    session = await stage.world.session()
    storing, go_on = asyncio.Event(), asyncio.Event()

    async def store_slowly(message_id: int) -> None:
        storing.set()
        await go_on.wait()
        stage.stored.append(message_id)

    async with stage.live(session, created=store_slowly) as answer:
        answer.text("one")
        async with asyncio.timeout(60):
            await storing.wait()
        answer.text("one two")
        # Round trips of another client: a frame that did not wait would be there.
        await stage.shows(session, "one")
        before = await stage.world.methods(session)
        go_on.set()
        await stage.shows(session, "one two")
    assert before == ["sendMessage"]


async def test_an_answer_that_cannot_be_stored_grows_no_further_but_keeps_its_message(stage: Stage) -> None:
    session = await stage.world.session()
    refused = asyncio.Event()

    async def store_not(_: int) -> None:
        refused.set()
        raise StoreUnavailable

    async with stage.live(session, created=store_not) as answer:
        answer.text("one")
        async with asyncio.timeout(60):
            await refused.wait()
        answer.text("one two")
    assert await stage.world.texts(session) == ["one"]
    assert answer.message_ids


async def test_an_answer_whose_session_was_lost_is_taken_back(stage: Stage) -> None:
    session = await stage.world.session()

    async def lost(_: int) -> None:
        raise ClaimLost

    async with stage.live(session, created=lost) as answer:
        answer.text("one")
        await stage.called(session, "deleteMessage")
    assert answer.message_ids == ()
    assert await stage.world.texts(session) == []


async def test_a_session_that_another_worker_answers_is_shown_nothing_more(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session) as answer:
        answer.text("one")
        await stage.shows(session, "one")
        stage.doubts = [ClaimLost()]
        answer.text("one two")
        async with asyncio.timeout(60):
            await stage.asked.wait()
        answer.text("one two three")
    assert await stage.world.texts(session) == ["one"]


async def test_while_the_owner_of_a_session_is_unknown_its_frames_wait(world: World) -> None:
    stage = stage_with(world)
    session = await stage.world.session()
    stage.doubts = [StoreUnavailable()]
    async with stage.live(session) as answer:
        answer.text("one")
        await stage.shows(session, "one")
    assert stage.doubts == []


async def test_leaving_waits_for_the_frame_in_flight(stage: Stage) -> None:
    session = await stage.world.session()
    await stage.world.pg.fault("delay", "sendMessage", seconds=0.2)
    async with stage.live(session) as answer, asyncio.timeout(60):
        answer.text("one")
        while (await stage.world.pg.control("GET", "/faults"))["faults"]:
            pass
        assert answer.message_ids == ()
    assert stage.stored == list(answer.message_ids)
    await stage.delivery.deliver(session, Reply(text="final", edit=next(iter(answer.message_ids), None)))
    assert await stage.world.methods(session) == ["sendMessage", "editMessageText"]
    assert await stage.world.texts(session) == ["final"]


async def test_a_message_of_an_earlier_try_is_gone_on_with(stage: Stage) -> None:
    session = await stage.world.session()
    (earlier,) = await stage.delivery.deliver(session, Reply(text="an earlier tr"))
    async with stage.live(session, message_ids=(earlier,)) as answer:
        answer.text("a new try")
        await stage.shows(session, "a new try")
    assert answer.message_ids == (earlier,)
    assert stage.stored == []
    assert len(await stage.world.texts(session)) == 1


async def test_what_was_rolled_back_is_taken_from_the_screen(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session) as answer:
        answer.text("wrong")
        await stage.shows(session, "wrong")
        answer.text("")
        await stage.shows(session, GOES_ON)
        answer.text("right")
        await stage.shows(session, "right")


async def test_a_phrase_is_shown_as_it_is(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session) as answer:
        answer.phase("Another try")
        await stage.shows(session, "→ Another try")


async def test_typing_shows_until_there_is_text_and_does_not_interrupt_text_that_comes(world: World) -> None:
    stage = stage_with(world, replace(AT_ONCE, typing=0.01))
    session = await world.session()
    async with stage.live(session) as answer:
        await stage.called(session, "sendChatAction", 4)
        answer.text("one")
        await stage.shows(session, "one")
    slow = stage_with(world, replace(AT_ONCE, first_typing=60))
    other = await world.session()
    async with slow.live(other) as answer:
        for text in ("one", "one two"):
            answer.text(text)
            await slow.shows(other, text)
    entries = await world.pg.journal(method="sendChatAction")
    assert {(entry["params"]["chat_id"], entry["params"]["action"]) for entry in entries} == {
        (str(session.chat), "typing")
    }


async def test_typing_ends_with_a_turn_that_fails(world: World) -> None:
    stage = stage_with(world, replace(AT_ONCE, typing=0.01))
    session = await world.session()

    async def turn() -> None:
        async with stage.live(session):
            await stage.called(session, "sendChatAction", 2)
            raise RuntimeError("model")

    with pytest.raises(RuntimeError, match="model"):
        await turn()
    before = await world.methods(session)
    await stage.delivery.deliver(session, Reply(text="sorry"))
    assert await world.methods(session) == [*before, "sendMessage"]


async def test_a_cancelled_turn_keeps_its_frame_in_flight_and_stays_cancelled(stage: Stage) -> None:
    session = await stage.world.session()
    storing, go_on = asyncio.Event(), asyncio.Event()

    async def store_slowly(message_id: int) -> None:
        storing.set()
        await go_on.wait()
        stage.stored.append(message_id)

    async def turn() -> None:
        async with stage.live(session, created=store_slowly) as answer:
            answer.text("one")
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(turn(), name="turn")
        async with asyncio.timeout(60):
            await storing.wait()
        task.cancel()
        go_on.set()
    assert task.cancelled()
    assert len(stage.stored) == 1


@pytest.mark.parametrize("kind", ["500", "cut_before", "cut_after", "garbage", "429"])
@pytest.mark.parametrize("method", ["sendChatAction", "sendMessage", "editMessageText"])
async def test_no_fault_of_a_frame_reaches_the_turn(stage: Stage, kind: str, method: str) -> None:
    session = await stage.world.session()
    await stage.world.pg.fault(kind, method, times=2)
    async with stage.live(session) as answer:
        answer.text("one")
        await stage.called(session, "sendMessage")
        answer.text("one two")
    await stage.world.pg.clear_faults()
    stage.world.clock.advance(10)
    await stage.delivery.deliver(session, Reply(text="final", edit=next(iter(answer.message_ids), None)))
    assert (await stage.world.texts(session))[-1] == "final"


async def test_frames_end_with_a_blocked_bot(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session) as answer:
        answer.text("one")
        await stage.shows(session, "one")
        await stage.world.pg.block(session.chat)
        answer.text("one two")
        await stage.called(session, "editMessageText")
        answer.text("one two three")
    edits = await stage.world.pg.journal(method="editMessageText", chat=session.chat)
    assert [entry["code"] for entry in edits] == [403]


async def test_refused_formatting_goes_from_later_frames(stage: Stage) -> None:
    session = await stage.world.session()
    await stage.world.pg.fault("error", "sendMessage", code=400, description="Bad Request: can't parse entities: no")
    async with stage.live(session) as answer:
        answer.text("**one**")
        message = await stage.shows(session, "one")
    assert "entities" not in message


async def test_frames_are_dropped_not_queued_where_they_would_have_to_wait(stage: Stage) -> None:
    session = await stage.world.session()
    await stage.world.store.punish(session.bot, session.chat, 3600)
    before = await stage.asked_for_room()
    async with asyncio.timeout(60), stage.live(session) as answer:
        answer.text("one")
        while await stage.asked_for_room() == before:
            pass
        answer.text("one two")
    assert answer.message_ids == ()
    assert await stage.world.methods(session) == []


async def test_no_second_message_is_created_when_the_first_one_s_answer_was_lost(stage: Stage) -> None:
    session = await stage.world.session()
    await stage.world.pg.fault("cut_after", "sendMessage")
    async with stage.live(session) as answer:
        answer.text("one")
        await stage.called(session, "sendMessage")
        for text in ("one two", "one two three", "one two three four"):
            answer.text(text)
            await stage.world.texts(session)
    assert await stage.world.methods(session) == ["sendMessage"]


async def test_typing_goes_on_while_an_answer_pauses(world: World) -> None:
    stage = stage_with(world, replace(AT_ONCE, typing=0.05))
    session = await world.session()
    (earlier,) = await stage.delivery.deliver(session, Reply(text="an earlier tr"))
    async with stage.live(session, message_ids=(earlier,)) as answer:
        answer.text("a new try")
        await stage.shows(session, "a new try")
        await stage.called(session, "sendChatAction", 2)
    assert (await world.methods(session))[:2] == ["sendMessage", "editMessageText"]


async def test_an_answer_in_a_group_answers_its_question_and_stays_in_its_topic(stage: Stage) -> None:
    chat = (await stage.world.pg.chat("supergroup", topics=["work"]))["id"]
    topic = await stage.world.pg.topic(chat, "play")
    asked = await stage.world.pg.say(chat, "hello", thread=topic)
    session = SessionKey(stage.world.settings.bot_id, chat, topic)
    async with stage.live(session, reply_to=asked.message_id) as answer:
        (typing,) = await stage.called(session, "sendChatAction")
        answer.text("hi")
        message = await stage.shows(session, "hi")
    assert message["message_thread_id"] == topic
    assert message["reply_to_message"]["message_id"] == asked.message_id
    assert typing["params"]["message_thread_id"] == str(topic)
