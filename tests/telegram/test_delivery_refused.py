"""Telegram refuses, floods or is away: what each refusal costs, as docs/telegram-errors.md has it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from telegram.error import BadRequest

from botapi.errors import ChatMigrated, Undeliverable
from botapi.refusals import TABLE, Refusal, classify
from botapi.shape import Shape, without
from tasks.envelope import Button, Reply
from tasks.errors import ClaimLost
from tasks.phrases import phrase
from tasks.session import SessionKey
from tests.telegram.conftest import World
from workers.telegram.render import render

DOCS = Path(__file__).parents[2] / "docs" / "telegram-errors.md"


async def refuse(world: World, description: str, *, method: str = "*", code: int = 400, **fields: object) -> None:
    await world.pg.fault("error", method, code=code, description=description, **fields)


# -- refusals


@pytest.mark.parametrize(
    "description",
    [
        "Forbidden: bot was blocked by the user",
        "Forbidden: user is deactivated",
        "Forbidden: bot was kicked from the group chat",
    ],
)
async def test_who_does_not_want_the_bot_gets_nothing(world: World, description: str) -> None:
    session = await world.session()
    await refuse(world, description, code=403)
    with pytest.raises(Undeliverable):
        await world.delivery.deliver(session, Reply(text="hi"))


async def test_a_user_who_blocked_the_bot_gets_nothing(world: World) -> None:
    session = await world.session()
    await world.pg.block(session.chat)
    with pytest.raises(Undeliverable, match="blocked"):
        await world.delivery.deliver(session, Reply(text="hi"))


async def test_a_chat_that_is_not_there_gets_nothing(world: World) -> None:
    with pytest.raises(Undeliverable, match="not found"):
        await world.delivery.deliver(SessionKey(world.settings.bot_id, 12345), Reply(text="hi"))


async def test_a_message_that_was_deleted_is_sent_again_instead_of_edited(world: World) -> None:
    session = await world.session()
    (gone,) = await world.delivery.deliver(session, Reply(text="so f"))
    assert gone is not None
    await world.calls.delete(session, gone)
    (new,) = await world.delivery.deliver(session, Reply(text="so far", edit=gone))
    assert new not in (None, gone)
    assert await world.texts(session) == ["so far"]


async def test_a_flood_is_waited_out_and_the_chat_is_held_at_all_workers(world: World) -> None:
    session = await world.session()
    await world.pg.fault("429", "sendMessage", retry_after=17)
    held: list[float] = []

    async def look() -> None:
        world.clock.advance(-17)
        held.append(await world.store.attempt(session.bot, session.chat))
        world.clock.advance(17)

    world.clock.on_sleep = look
    await world.delivery.deliver(session, Reply(text="hi"))
    assert world.clock.slept == [17]
    assert held == [pytest.approx(17)]
    assert await world.texts(session) == ["hi"]


@pytest.mark.promise("no-queue-behind-a-chat")
async def test_other_chats_go_on_while_one_is_held(world: World) -> None:
    held, other = await world.session(), await world.session()
    await world.store.punish(held.bot, held.chat, 300)
    await world.delivery.deliver(other, Reply(text="hi"))
    assert world.clock.slept == []


@pytest.mark.parametrize("kind", ["500", "502", "cut_before", "garbage"])
async def test_an_outage_is_waited_out_with_growing_pauses(world: World, kind: str) -> None:
    session = await world.session()
    await world.pg.fault(kind, "sendMessage", times=6)
    await world.delivery.deliver(session, Reply(text="hi"))
    assert await world.texts(session) == ["hi"]
    assert len(world.clock.slept) == 6
    assert world.clock.slept[-1] > 4 * world.clock.slept[0]


@pytest.mark.promise("repeat-is-harmless")
async def test_an_edit_whose_answer_was_lost_is_made_again_and_shows_once(world: World) -> None:
    session = await world.session()
    (first,) = await world.delivery.deliver(session, Reply(text="so f"))
    await world.pg.fault("cut_after", "editMessageText")
    assert await world.delivery.deliver(session, Reply(text="so far", edit=first)) == (first,)
    assert await world.texts(session) == ["so far"]


async def test_a_send_whose_answer_was_lost_is_made_again_and_counted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    session = await world.session()
    await world.pg.fault("cut_after", "sendMessage")
    await world.delivery.deliver(session, Reply(text="hi"))
    assert await world.texts(session) == ["hi", "hi"]
    assert [record.message for record in caplog.records].count("delivery.perhaps_doubled") == 1


async def test_refused_formatting_costs_the_formatting_not_the_answer(world: World) -> None:
    session = await world.session()
    await refuse(world, "Bad Request: can't parse entities: unsupported")
    (reply,) = render("**hi**")
    await world.delivery.deliver(session, reply)
    (message,) = await world.pg.bot_messages(session.chat)
    assert (message["text"], message.get("entities")) == ("hi", None)


async def test_an_answer_to_a_closed_topic_goes_to_the_chat(world: World) -> None:
    chat = (await world.pg.chat("supergroup", topics=["work"]))["id"]
    topic = await world.pg.topic(chat, "play")
    await world.pg.set_topic(chat, topic, "close")
    await world.delivery.deliver(SessionKey(world.settings.bot_id, chat, topic), Reply(text="hi"))
    (message,) = await world.pg.bot_messages(chat)
    assert "message_thread_id" not in message


async def test_an_answer_to_a_deleted_topic_goes_to_the_chat(world: World) -> None:
    chat = (await world.pg.chat("supergroup", topics=["work"]))["id"]
    topic = await world.pg.topic(chat, "play")
    await world.pg.set_topic(chat, topic, "delete")
    await world.delivery.deliver(SessionKey(world.settings.bot_id, chat, topic), Reply(text="hi"))
    assert await world.texts(SessionKey(world.settings.bot_id, chat)) == ["hi"]


async def test_a_chat_whose_general_topic_is_closed_gets_nothing(world: World) -> None:
    session = await world.session("supergroup")
    await refuse(world, "Bad Request: TOPIC_CLOSED", times=2)
    with pytest.raises(Undeliverable):
        await world.delivery.deliver(session, Reply(text="hi"))


async def test_a_reply_whose_session_was_lost_while_it_waited_is_not_sent(world: World) -> None:
    session = await world.session()
    await world.pg.fault("429", "sendMessage", retry_after=30)
    asked = 0

    async def lost_meanwhile() -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise ClaimLost

    with pytest.raises(ClaimLost):
        await world.delivery.deliver(session, Reply(text="hi"), still_ours=lost_meanwhile)
    assert await world.methods(session) == ["sendMessage"]
    assert await world.texts(session) == []
    assert sum(world.clock.slept) >= 30
    # What others send is their own affair.
    assert await world.delivery.deliver(session, Reply(text="the heir's"))


async def test_a_migrated_group_is_told_by_its_new_id(world: World) -> None:
    session = await world.session("group")
    new = await world.pg.migrate(session.chat)
    with pytest.raises(ChatMigrated) as moved:
        await world.delivery.deliver(session, Reply(text="hi"))
    assert moved.value.chat == new


async def test_a_text_that_is_called_too_long_comes_in_several_messages(world: World) -> None:
    session = await world.session()
    await refuse(world, "Bad Request: MESSAGE_TOO_LONG")
    text = " ".join(f"word{number}" for number in range(400))
    first, *_ = await world.delivery.deliver(session, Reply(text=text, buttons=((Button(text="a", data="b"),),)))
    messages = await world.pg.bot_messages(session.chat)
    assert " ".join(message["text"] for message in messages) == text
    assert messages[0]["message_id"] == first
    assert ["reply_markup" in message for message in messages] == [False] * (len(messages) - 1) + [True]


async def test_a_file_that_may_not_be_sent_comes_as_text(world: World) -> None:
    session = await world.session("group")
    await refuse(world, "Bad Request: not enough rights to send documents to the chat", method="sendDocument")
    await world.delivery.deliver(session, Reply(text="all", file_name="answer.md", file_text="line\n" * 2000))
    assert len(await world.texts(session)) == 3
    assert await world.methods(session) == ["sendDocument", *["sendMessage"] * 3]


async def test_a_message_without_anything_visible_says_so(world: World) -> None:
    session = await world.session()
    await world.delivery.deliver(session, Reply(text=" \n"))
    await refuse(world, "Bad Request: text must be non-empty")
    await world.delivery.deliver(session, Reply(text="\u2800"))
    assert await world.texts(session) == [phrase("no-visible-text")] * 2


async def test_a_refused_token_is_waited_for_because_only_an_operator_can_help(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    session = await world.session()
    await refuse(world, "Unauthorized", code=401, times=3)
    await world.delivery.deliver(session, Reply(text="hi"))
    assert await world.texts(session) == ["hi"]
    assert [record.message for record in caplog.records].count("telegram.token_refused") == 3
    assert world.settings.token not in caplog.text


async def test_an_unknown_refusal_is_tried_bare_then_given_up(world: World) -> None:
    session = await world.session()
    (sent,) = await world.delivery.deliver(session, Reply(text="so f"))
    await refuse(world, "Bad Request: MOON_PHASE_INVALID")
    await world.delivery.deliver(session, Reply(text="so far", edit=sent, buttons=((Button(text="a", data="b"),),)))
    assert await world.texts(session) == ["so f", "so far"]
    await refuse(world, "Bad Request: MOON_PHASE_INVALID")
    with pytest.raises(Undeliverable, match="Moon_phase"):
        await world.delivery.deliver(session, Reply(text="hi"))


async def test_the_worker_may_end_while_it_waits_for_telegram(world: World) -> None:
    session = await world.session()
    await world.pg.fault("500", "sendMessage", times=1000)
    waiting = asyncio.Event()

    async def tell() -> None:
        waiting.set()
        await asyncio.Event().wait()

    world.clock.on_sleep = tell
    async with asyncio.TaskGroup() as group:
        task = group.create_task(world.delivery.deliver(session, Reply(text="hi")), name="delivery")
        async with asyncio.timeout(60):
            await waiting.wait()
        task.cancel()
    assert task.cancelled()


# -- the table


@pytest.mark.promise("refusals")
def test_the_table_of_errors_and_the_code_say_the_same() -> None:
    table = DOCS.read_text(encoding="utf-8").partition("## Growing answers")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| ")]
    told = {(phrase, cells[1].strip(" `")) for cells in rows for phrase in cells[0].split("`")[1::2]}
    told -= {("retry_after", "FLOOD"), ("migrate_to_chat_id", "MOVED")}
    assert told == {(phrase, verdict.name) for phrase, verdict in TABLE}
    assert {cells[1].strip(" `") for cells in rows[1:]} >= {verdict.name for verdict in Refusal}


@pytest.mark.parametrize(("phrase", "verdict"), TABLE)
def test_each_refusal_is_known_by_its_words(phrase: str, verdict: Refusal) -> None:
    assert classify(BadRequest(f"Bad Request: {phrase.upper()} (and more)")) is verdict


@pytest.mark.promise("refusals")
@pytest.mark.parametrize("verdict", Refusal)
@pytest.mark.parametrize(
    "make",
    [
        lambda: Shape(
            "text " * 100, ({"type": "bold", "offset": 0, "length": 4},), 1, 2, 3, ((Button(text="a", data="b"),),)
        ),
        lambda: Shape(
            "caption", ({"type": "bold", "offset": 0, "length": 4},), file_name="a.md", file_text="text " * 9000
        ),
        lambda: Shape("text"),
    ],
)
def test_whatever_is_refused_again_and_again_comes_to_an_end(verdict: Refusal, make: Callable[[], Shape]) -> None:
    waiting, tries = [make()], 0
    while waiting:
        waiting[:1] = without(waiting[0], verdict)
        tries += 1
        assert tries < 1000
