"""The agent cards that come with Cohort, as people meet them: every agent answers, notes last, reminders come."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness.processes import ROOT
from tests.harness.scene import Scene, scene
from tests.support.ports import free_port


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, COHORT_CARDS=str(ROOT / "agent-cards"), COHORT_SEND_RATE="1000") as running:
        await running.start()
        yield running


async def ask(stage: Scene, chat: int, text: str, *answer: str) -> str:
    """Say something and wait for a new message that has all these words."""
    before = len(await stage.people.bot_messages(chat))
    await stage.people.say(chat, text)
    ours = await stage.people.wait_for(
        chat, lambda ours: len(ours) > before and all(part in ours[-1]["text"] for part in answer)
    )
    return ours[-1]["text"]


@pytest.mark.promise("notes-per-session")
@pytest.mark.timeout(180)
async def test_the_assistant_keeps_notes_reminds_and_tells_the_time_and_the_others_answer(stage: Scene) -> None:
    mine, other = await stage.chat(), await stage.chat()
    note = '{"topic": "dog", "note": "is called Rex"}'
    await ask(stage, mine, f"CALL:remember{note}", "I will remember 'dog'.")
    await ask(stage, mine, "/new")
    await ask(stage, mine, "CALL:recall", "[n=1]", "dog: is called Rex")
    await ask(stage, other, "CALL:recall", "[n=1]", "There are no notes.")

    await ask(stage, other, 'CALL:remind_me{"about": "tea is ready", "minutes": 2}', "The reminder is set for")
    await ask(stage, mine, 'CALL:current_time{"timezone": "Asia/Tokyo"}', "JST (UTC+0900)")

    for agent in ("article", "translator"):
        await ask(stage, mine, f"/agent {agent}", agent)
        await ask(stage, mine, f"good morning, {agent}", f"good morning, {agent}", "[n=")
    heads = {message["text"] for call in await stage.model.journal() for message in call["messages"][:1]}
    for begin in ("You are a friendly, capable assistant", "You are a translator", "You draft", "You are a strict"):
        assert any(head.startswith(begin) for head in heads), begin


async def pressed(stage: Scene, chat: int, label: str) -> None:
    """Press a button of the newest question, once it is there."""
    ours = await stage.people.wait_for(chat, lambda ours: "reply_markup" in ours[-1] and label in str(ours[-1]))
    rows = ours[-1]["reply_markup"]["inline_keyboard"]
    data = next(button["callback_data"] for row in rows for button in row if button["text"] == label)
    await stage.people.press(chat, ours[-1]["message_id"], data)


@pytest.mark.promise("ask-user")
@pytest.mark.timeout(180)
async def test_the_concierge_asks_and_books_what_was_allowed_though_its_worker_died_meanwhile(tmp_path: Path) -> None:
    port = free_port()
    cards = {"COHORT_CARDS": str(ROOT / "agent-cards"), "COHORT_SEND_RATE": "1000"}
    async with scene(tmp_path, COHORT_MODEL="generic.demo.script", **cards) as stage:
        script = stage.harness.start("script", ["-m", "ops.up.script_server", str(port)])
        stage.harness.environ["GENERIC_BASE_URL"] = f"http://127.0.0.1:{port}/v1"
        await stage.start()
        chat = await stage.chat()
        await ask(stage, chat, "good evening", "a script, not a model", "/agent concierge")
        await ask(stage, chat, "/agent concierge", "concierge")
        await stage.people.say(chat, "A table for tonight, please")
        await pressed(stage, chat, "4")
        await pressed(stage, chat, "20:30")
        asked = await stage.people.wait_for(chat, lambda ours: "Allow once" in str(ours[-1]))
        assert "book_table" in asked[-1]["text"]
        for worker in stage.harness.workers.values():
            worker.kill()
        await asyncio.to_thread(stage.worker().wait_line, "slots.served")
        await pressed(stage, chat, "Allow once")
        # Frames of the growing answer have less of it.
        booked = "Booked: a table for 4 at 20:30. Reservation "
        await stage.people.wait_for(chat, lambda ours: ours[-1]["text"].startswith(booked))
        assert script.alive
