"""Private answers as drafts, and no growing at all where it is off."""

import json
from dataclasses import replace

import pytest

from tests.telegram.conftest import World
from tests.telegram.stage import AT_ONCE, stage_with
from workers.showing import Step


@pytest.mark.parametrize("rich", ["off", "on"])
async def test_drafts_show_private_answers_without_a_message(world: World, rich: str) -> None:
    stage = stage_with(world, stream="draft", rich=rich)
    session = await world.session()
    async with stage.live(session) as answer:
        answer.text("# **one**")
        (entry,) = await stage.called(session, "sendMessageDraft")
    assert (entry["params"]["text"], "bold" in json.dumps(entry["params"]["entities"])) == ("one", True)
    assert entry["code"] == 200
    assert answer.message_ids == ()


async def test_a_draft_is_shown_again_before_it_fades(world: World) -> None:
    stage = stage_with(world, replace(AT_ONCE, draft=0.01), stream="draft")
    session = await world.session()
    async with stage.live(session) as answer:
        answer.text("one")
        entries = await stage.called(session, "sendMessageDraft", 3)
    assert len({entry["params"]["draft_id"] for entry in entries}) == 1


async def test_a_turn_that_another_worker_goes_on_with_grows_in_the_same_draft(world: World) -> None:
    session, drafts = await world.session(), list[int]()
    for number, turn in enumerate(("1,2", "1,2", "3"), 1):
        stage = stage_with(world, stream="draft")
        async with stage.live(session, turn=turn) as answer:
            answer.text(f"word {number}")
            entries = await stage.called(session, "sendMessageDraft", number)
        drafts.append(int(entries[-1]["params"]["draft_id"]))
    assert drafts[0] == drafts[1] != drafts[2]


async def test_where_drafts_are_refused_the_answer_grows_in_a_message(world: World) -> None:
    stage = stage_with(world, stream="draft")
    session, group = await world.session(), await world.session("group")
    await world.pg.fault("error", "sendMessageDraft", code=404, description="Not Found")
    async with stage.live(session) as answer, stage.live(group) as other:
        answer.text("one")
        other.text("two")
        await stage.shows(session, "one")
        await stage.shows(group, "two")
    assert await world.pg.journal(method="sendMessageDraft", chat=group.chat) == []


async def test_without_streaming_only_typing_shows(world: World) -> None:
    stage = stage_with(world, replace(AT_ONCE, typing=0.01), stream="off")
    session = await world.session()
    async with stage.live(session) as answer:
        answer.text("one")
        answer.step(Step("1", "time"))
        await stage.called(session, "sendChatAction", 3)
    assert set(await world.methods(session)) == {"sendChatAction"}
    assert answer.message_ids == ()
