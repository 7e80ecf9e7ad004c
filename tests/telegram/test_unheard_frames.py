"""A running turn hears that Telegram shows no more of it: by its words, and by the typing sign where it shows none."""

import asyncio
from dataclasses import replace

import pytest

from tests.telegram.conftest import World
from tests.telegram.stage import AT_ONCE, stage_with
from workers.showing import Showing


@pytest.mark.parametrize("mode", ["edit", "draft", "off"])
async def test_a_turn_is_told_that_its_person_has_blocked_the_bot(world: World, mode: str) -> None:
    stage = stage_with(world, replace(AT_ONCE, typing=0.01), stream=mode)
    session = await world.session()
    heard: asyncio.Queue[str] = asyncio.Queue()
    live = stage.delivery.live(session, Showing(unheard=heard.put), created=stage.store, still_ours=stage.ask)
    async with live as answer:
        answer.text("Once upon")
        await world.pg.block(session.chat)
        answer.more(" a time")
        async with asyncio.timeout(60):
            assert await heard.get() == "Forbidden: bot was blocked by the user"
