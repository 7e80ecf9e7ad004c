"""What is seen of a turn's steps while it runs."""

from dataclasses import replace

import pytest

from tasks.envelope import Reply
from tests.telegram.conftest import World
from tests.telegram.stage import AT_ONCE, Stage, stage_with
from workers.sessions.turns.tracked_answer import without_settled
from workers.showing import Step
from workers.telegram.render import GOES_ON


@pytest.fixture
async def stage(world: World) -> Stage:
    return stage_with(world)


@pytest.mark.promise("steps-shown")
async def test_a_turn_shows_its_steps_before_its_first_text_and_below_text_that_stands(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session) as answer:
        answer.step(Step("1", "web__fetch_page"))
        await stage.shows(session, "→ Fetch page")
        answer.step(Step("1", "web__fetch_page", done=3, total=10))
        await stage.shows(session, "→ Fetch page · 3\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}10")
        answer.step(Step("1", "web__fetch_page", "done"))
        await stage.shows(session, "✓ Fetch page\n→ Thinking")
        answer.text("It **says**")
        await stage.shows(session, "It says\n\n✓ Fetch page")
        answer.step(Step("2", "set_alarm"))
        message = await stage.shows(session, "It says\n\n✓ Fetch page\n→ Set alarm")
    assert message["entities"] == [
        {"type": "bold", "offset": 3, "length": 4},
        {"type": "blockquote", "offset": 9, "length": 24},
    ]
    await stage.delivery.deliver(session, Reply(text="It says so.", edit=answer.message_ids[0]))
    assert await stage.world.texts(session) == ["It says so."]


@pytest.mark.promise("steps-shown")
async def test_seconds_go_on_without_a_word_of_the_turn(world: World) -> None:
    stage = stage_with(world, replace(AT_ONCE, private_tick=2.5))
    session = await world.session()
    async with stage.live(session) as answer:
        answer.step(Step("1", "slow"))
        await stage.shows(session, "→ Slow · 2\N{NO-BREAK SPACE}s")


async def test_an_answer_that_was_taken_back_leaves_the_steps_standing(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session) as answer:
        answer.step(Step("1", "search"))
        answer.step(Step("1", "search", "done"))
        answer.text("wrong")
        await stage.shows(session, "wrong\n\n✓ Search")
        answer.text("")
        await stage.shows(session, "✓ Search\n→ Thinking")


async def test_steps_that_do_not_fit_below_the_text_are_left_out_and_the_text_stays(stage: Stage) -> None:
    session = await stage.world.session()
    text = "x" * 4090
    async with stage.live(session) as answer:
        answer.step(Step("1", "search"))
        await stage.shows(session, "→ Search")
        answer.text(text)
        await stage.shows(session, text)


async def test_a_person_who_deletes_the_growing_message_sees_typing_until_the_answer_comes(world: World) -> None:
    stage = stage_with(world, replace(AT_ONCE, typing=0.05))
    session = await world.session()
    async with stage.live(session) as answer:
        answer.text("one")
        message = await stage.shows(session, "one")
        await world.bot.delete_message(session.chat, message["message_id"])
        typed = len(await world.pg.journal(method="sendChatAction", chat=session.chat))
        answer.text("one two")
        await stage.called(session, "editMessageText")
        await stage.called(session, "sendChatAction", typed + 3)
    await stage.delivery.deliver(session, Reply(text="one two three", edit=answer.message_ids[0]))
    assert await world.texts(session) == ["one two three"]


async def test_tool_names_of_a_server_cannot_format_or_hide_anything(stage: Stage) -> None:
    session = await stage.world.session()
    async with stage.live(session) as answer:
        answer.step(Step("1", "**bold** [x](https://evil.example)\u202e\n/stop"))
        message = await stage.shows(session, "→ **bold** [x](https evil example) stop")
    assert message["entities"] == [{"type": "blockquote", "offset": 0, "length": len(message["text"])}]


class TestStopButton:
    """Under a message that grows by edits."""

    async def test_a_turn_that_takes_long_has_a_stop_button_that_goes_with_its_end(self, world: World) -> None:
        stage = stage_with(world, replace(AT_ONCE, stop=0.0))
        session = await world.session()
        async with stage.live(session) as answer:
            answer.text("one")
            message = await stage.shows(session, "one")
            (row,) = message["reply_markup"]["inline_keyboard"]
            assert [(button["text"], button["callback_data"]) for button in row] == [("Stop", "stop")]
        await stage.delivery.deliver(session, Reply(text="one two", edit=answer.message_ids[0]))
        message = await stage.shows(session, "one two")
        assert "reply_markup" not in message

    async def test_it_comes_when_the_turn_has_lasted_although_nothing_else_changes(self, world: World) -> None:
        stage = stage_with(world, replace(AT_ONCE, stop=0.2))
        session = await world.session()
        async with stage.live(session) as answer:
            answer.text("one")
            await world.pg.wait_for(session.chat, lambda found: bool(found and found[-1].get("reply_markup")))

    async def test_only_the_last_message_of_an_answer_has_it(self, world: World) -> None:
        stage = stage_with(world, replace(AT_ONCE, stop=0.0))
        session = await world.session()
        async with stage.live(session) as answer:
            answer.text("word " * 100)
            await stage.shows(session, ("word " * 100).strip())
            answer.text("word " * 1000)
            first, second = await world.pg.wait_for(session.chat, lambda found: len(found) == 2)
        assert ("reply_markup" in first, "reply_markup" in second) == (False, True)

    async def test_a_draft_has_telegram_s_own(self, world: World) -> None:
        stage = stage_with(world, replace(AT_ONCE, stop=0.0), stream="draft")
        session = await world.session()
        async with stage.live(session) as answer:
            answer.text("one")
            (entry,) = await stage.called(session, "sendMessageDraft")
        assert "reply_markup" not in entry["params"]
        assert entry["params"]["can_stop"] == "true"

    async def test_one_that_a_dead_worker_left_goes_and_the_words_stay(self, world: World) -> None:
        stage = stage_with(world, replace(AT_ONCE, stop=0.0))
        session = await world.session()
        async with stage.live(session) as answer:
            answer.text("one")
            await world.pg.wait_for(session.chat, lambda found: bool(found and found[-1].get("reply_markup")))
        for _ in range(2):
            await stage.delivery.deliver(session, Reply(text="Stopped.", disarms=answer.message_ids))
        first, *_ = await world.pg.bot_messages(session.chat)
        assert first["text"] == "one"
        assert "reply_markup" not in first

    async def test_where_buttons_are_refused_the_answer_grows_without(self, world: World) -> None:
        stage = stage_with(world, replace(AT_ONCE, stop=0.0))
        session = await world.session()
        await world.pg.fault("error", "sendMessage", code=400, description="Bad Request: BUTTON_DATA_INVALID")
        async with stage.live(session) as answer:
            answer.text("one")
            message = await stage.shows(session, "one")
        assert "reply_markup" not in message


class TestLongAnswers:
    """An answer that grows over several messages."""

    @pytest.mark.promise("long-answers")
    async def test_an_answer_goes_on_growing_in_the_next_message_when_one_is_full(self, stage: Stage) -> None:
        session = await stage.world.session()
        async with stage.live(session) as answer:
            for length in (100, 900, 1700, 2500):
                answer.text("word " * length)
                await stage.world.pg.wait_for(
                    session.chat, lambda found, length=length: sum(len(m["text"].split()) for m in found) == length
                )
        messages = await stage.world.pg.bot_messages(session.chat)
        assert [message["message_id"] for message in messages] == stage.stored == list(answer.message_ids)
        assert len(messages) == 4
        final = stage.delivery.render("word " * 2500, edits=answer.message_ids)
        assert [answer.settled(reply) for reply in final] == [True, True, True, True]
        (left,) = without_settled(final, answer)
        assert left == final[-1].model_copy(update={"shown": tuple(stage.stored[:-1])})
        for reply in final:
            await stage.delivery.deliver(session, reply)
        assert await stage.world.texts(session) == [reply.text for reply in final]

    @pytest.mark.promise("long-answers")
    async def test_a_message_whose_last_call_may_still_take_effect_is_not_taken_for_settled(self, stage: Stage) -> None:
        session = await stage.world.session()
        async with stage.live(session) as answer:
            answer.text("one")
            await stage.shows(session, "one")
            await stage.world.pg.fault("cut_after", "editMessageText")
            answer.text("one two")
            await stage.called(session, "editMessageText", 2)
            answer.text("one two three")
            await stage.shows(session, "one two three")
        (reply,) = stage.delivery.render("one two three", edits=answer.message_ids)
        assert not answer.settled(reply)

    async def test_past_its_last_message_an_answer_says_that_it_goes_on(self, world: World) -> None:
        stage = stage_with(world, file_after=2)
        session = await world.session()
        async with stage.live(session) as answer:
            answer.text("word " * 4000)
            _, last = await world.pg.wait_for(session.chat, lambda found: len(found) == 2)
        assert last["text"].endswith(f"word{GOES_ON}")
        for reply in stage.delivery.render("word " * 4000, edits=answer.message_ids):
            await stage.delivery.deliver(session, reply)
        *texts, file = await world.pg.bot_messages(session.chat)
        assert len(texts) == 2
        assert file["document"]["file_name"] == "answer.md"

    async def test_a_shorter_answer_in_the_end_takes_back_the_messages_it_does_not_need(self, stage: Stage) -> None:
        session = await stage.world.session()
        async with stage.live(session) as answer:
            answer.text("word " * 2000)
            await stage.world.pg.wait_for(session.chat, lambda found: len(found) == 3)
            answer.text("")
            await stage.shows(session, GOES_ON)
        assert len(answer.message_ids) == 3
        for reply in stage.delivery.render("short", edits=answer.message_ids):
            await stage.delivery.deliver(session, reply)
        assert await stage.world.texts(session) == ["short"]

    async def test_a_message_that_cannot_be_taken_back_holds_nothing_up(self, stage: Stage) -> None:
        session = await stage.world.session()
        (sent,) = await stage.delivery.deliver(session, Reply(text="one"))
        await stage.world.pg.fault(
            "error", "deleteMessage", code=400, description="Bad Request: message can't be deleted"
        )
        assert await stage.delivery.deliver(session, Reply(text="two", drops=(sent,)))
        assert await stage.world.texts(session) == ["one", "two"]

    async def test_in_drafts_a_full_message_is_sent_and_the_next_part_is_the_draft(self, world: World) -> None:
        stage = stage_with(world, stream="draft")
        session = await world.session()
        async with stage.live(session) as answer:
            answer.text("word " * 1000)
            await stage.called(session, "sendMessageDraft")
        assert len(answer.message_ids) == 1
        (message,) = await world.pg.bot_messages(session.chat)
        assert message["text"] == ("word " * 819).strip()
