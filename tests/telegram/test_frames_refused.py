"""A frame of a growing answer is refused: what each row of "Growing answers" in docs/telegram-errors.md says."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from telegram.error import TimedOut

from botapi.split import Part
from tasks.envelope import Reply
from tasks.session import SessionKey
from tests.telegram.conftest import World
from tests.telegram.stage import AT_ONCE, Stage, stage_with
from workers.showing import Showing
from workers.telegram.screen import Frame, Screen

DOCS = Path(__file__).parents[2] / "docs" / "telegram-errors.md"

TYPES = replace(AT_ONCE, typing=0.01)

type Row = Callable[[World], Awaitable[None]]


async def refuse(world: World, method: str, description: str, code: int = 400) -> None:
    await world.pg.fault("error", method, code=code, description=description)


async def asked(world: World, session: SessionKey, method: str) -> list[dict[str, Any]]:
    return await world.pg.journal(method=method, chat=session.chat)


async def only_types_on(stage: Stage, session: SessionKey, method: str) -> None:
    """The refused frame was the last one, and the typing sign goes on."""
    signs = await asked(stage.world, session, "sendChatAction")
    await stage.called(session, "sendChatAction", len(signs) + 3)
    assert len(await asked(stage.world, session, method)) == 1


async def a_flood(world: World) -> None:
    stage, session = stage_with(world), await world.session()
    await world.pg.fault("429", "sendMessage", retry_after=1)
    async with stage.live(session) as answer:
        answer.text("one")
        await stage.called(session, "sendMessage")
        assert await world.store.attempt(session.bot, session.chat) == pytest.approx(1)
        world.clock.advance(1)
        await stage.shows(session, "one")


async def nothing_new(world: World) -> None:
    stage, session = stage_with(world), await world.session()
    async with stage.live(session) as answer:
        answer.text("one")
        await stage.shows(session, "one")
        await refuse(world, "editMessageText", "Bad Request: message is not modified: the same")
        answer.text("one two")
        await stage.called(session, "editMessageText")
        answer.text("one two three")
        await stage.shows(session, "one two three")
    assert [entry["code"] for entry in await asked(world, session, "editMessageText")] == [400, 200]


async def entities(world: World) -> None:
    stage, session = stage_with(world), await world.session()
    await refuse(world, "sendMessage", "Bad Request: can't parse entities: no")
    async with stage.live(session) as answer:
        for text in ("one", "one two"):
            answer.text(f"**{text}**")
            assert "entities" not in await stage.shows(session, text)
    assert ["entities" in entry["params"] for entry in await asked(world, session, "sendMessage")] == [True, False]


async def buttons(world: World) -> None:
    stage, session = stage_with(world, replace(AT_ONCE, stop=0)), await world.session()
    await refuse(world, "sendMessage", "Bad Request: BUTTON_DATA_INVALID")
    async with stage.live(session) as answer:
        for text in ("one", "one two"):
            answer.text(text)
            assert "reply_markup" not in await stage.shows(session, text)
    assert ["reply_markup" in entry["params"] for entry in await asked(world, session, "sendMessage")] == [True, False]


async def an_edit_is_cut(world: World) -> None:
    stage, session = stage_with(world), await world.session()
    async with stage.live(session) as answer:
        answer.text("one")
        await stage.shows(session, "one")
        await world.pg.fault("cut_before", "editMessageText")
        answer.text("one two")
        await stage.shows(session, "one two")
    screen = Screen(world.calls, session, world.clock, None, list(answer.message_ids), stage.store)
    assert screen.after(Frame((Part("one two three"),)), TimedOut(), 1.5) == 3


async def a_creation_is_cut(world: World) -> None:
    stage, session = stage_with(world, TYPES), await world.session()
    await world.pg.fault("cut_after", "sendMessage")
    async with stage.live(session) as answer:
        answer.text("one")
        await stage.called(session, "sendMessage")
        answer.text("one two")
        await only_types_on(stage, session, "sendMessage")
    assert await world.texts(session) == ["one"]


async def a_draft(world: World) -> None:
    stage, session = stage_with(world, stream="draft"), await world.session()
    await refuse(world, "sendMessageDraft", "Not Found", 404)
    async with stage.live(session) as answer:
        for text in ("one", "one two"):
            answer.text(text)
            await stage.shows(session, text)
    assert len(await asked(world, session, "sendMessageDraft")) == 1


async def what_is_left_behind(world: World) -> None:
    session = await world.session()
    (one,) = await world.delivery.deliver(session, Reply(text="so f"))
    (two,) = await world.delivery.deliver(session, Reply(text="so far, and"))
    assert one is not None
    assert two is not None
    await refuse(world, "deleteMessage", "Bad Request: message can't be deleted")
    await refuse(world, "editMessageReplyMarkup", "Bad Request: MOON_PHASE_INVALID")
    await world.delivery.deliver(session, Reply(text="so far", edit=one, drops=(two,), disarms=(one,)))
    assert await world.texts(session) == ["so far", "so far, and"]
    for method in ("deleteMessage", "editMessageReplyMarkup"):
        assert [entry["code"] for entry in await asked(world, session, method)] == [400]


async def a_closed_chat(world: World) -> None:
    for stream, code, said in (
        ("edit", 403, "Forbidden: bot was blocked by the user"),
        ("edit", 403, "Forbidden: bot was kicked from the group chat"),
        ("draft", 400, "Bad Request: chat not found"),
        ("off", 400, "Bad Request: not enough rights to send text messages to the chat"),
    ):
        stage, session = stage_with(world, TYPES, stream=stream), await world.session()
        heard: asyncio.Queue[str] = asyncio.Queue()
        live = stage.delivery.live(session, Showing(unheard=heard.put), created=stage.store, still_ours=stage.ask)
        await world.pg.fault("error", "*", code=code, description=said, times=1000)
        async with asyncio.timeout(60), live as answer:
            answer.text("one")
            assert (await heard.get()).lower() == said.removeprefix("Bad Request: ").lower()
        await world.pg.clear_faults()


async def a_deleted_message(world: World) -> None:
    stage, session = stage_with(world, TYPES), await world.session()
    async with stage.live(session) as answer:
        answer.text("one")
        gone = (await stage.shows(session, "one"))["message_id"]
        await world.calls.delete(session, gone)
        answer.text("one two")
        await stage.called(session, "editMessageText")
        answer.text("one two three")
        await only_types_on(stage, session, "editMessageText")
    (new,) = await stage.delivery.deliver(session, Reply(text="all", edit=gone))
    assert new not in (None, gone)
    assert await world.texts(session) == ["all"]


async def anything_else(world: World) -> None:
    stage, session = stage_with(world, TYPES), await world.session()
    async with stage.live(session) as answer:
        answer.text("one")
        await stage.shows(session, "one")
        await refuse(world, "editMessageText", "Bad Request: MOON_PHASE_INVALID")
        answer.text("one two")
        await stage.called(session, "editMessageText")
        answer.text("one two three")
        await only_types_on(stage, session, "editMessageText")
    await stage.delivery.deliver(session, Reply(text="all", edit=answer.message_ids[0]))
    assert await world.texts(session) == ["all"]


ROWS: dict[str, Row] = {
    "429": a_flood,
    "`message is not modified`": nothing_new,
    "entities refused": entities,
    "buttons refused": buttons,
    "timeout or cut connection while editing": an_edit_is_cut,
    "timeout or cut connection while creating the message": a_creation_is_cut,
    "a draft is refused": a_draft,
    "a message that the final text no longer needs, or a used button, cannot be taken away": what_is_left_behind,
    "the chat is closed to the bot (blocked, kicked, deleted, no right to write), also said of the typing sign": (
        a_closed_chat
    ),
    "the growing message was deleted": a_deleted_message,
    "anything else": anything_else,
}


@pytest.mark.promise("refusals")
@pytest.mark.parametrize("row", ROWS)
async def test_a_refused_frame_costs_what_the_table_says(
    world: World, row: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "cohort.delivery")
    await ROWS[row](world)
    logged = [record.message for record in caplog.records].count("delivery.not_tidied")
    assert logged == (2 if ROWS[row] is what_is_left_behind else 0)


@pytest.mark.promise("refusals")
def test_each_row_of_the_table_of_growing_answers_is_tried() -> None:
    table = DOCS.read_text(encoding="utf-8").partition("## Growing answers")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    assert rows[0] == "Telegram says"
    assert rows[1:] == list(ROWS)
