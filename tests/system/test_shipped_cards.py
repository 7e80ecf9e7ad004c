"""The agent cards that come with Cohort, as people meet them: every agent answers, notes last, reminders come."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness.processes import ROOT
from tests.harness.scene import Scene, scene


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
