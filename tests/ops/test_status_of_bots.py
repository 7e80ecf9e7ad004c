"""`cohort status` and `cohort health` where COHORT_BOTS names several bots."""

import pytest

from ops.commands.status_read import among, look
from ops.commands.status_text import health_problems, render
from tasks.bot_status import BotStatus
from tasks.bots import ServedBot
from tasks.bots_file import BotEntry
from tasks.clock import SystemClock
from tasks.store import Store


@pytest.mark.promise("status-true")
async def test_a_bot_without_a_process_is_told_and_one_that_is_paused_is_well(store: Store) -> None:
    now = SystemClock().now()
    await store.bots.beat("h-1", BotStatus(bot=101, username="one", host="h", leads=True, polled_at=now))
    await store.bots.beat("h-2", BotStatus(bot=202, username="two", host="h", leads=True, polled_at=now - 3600))
    seen = await look(store, SystemClock(), slots=64)
    assert among(seen, ()) == seen, "one bot, and no file of bots"
    assert any("@two" in line for line in health_problems(seen, "bot", "h")), "it fetches no updates"

    bots = [
        ServedBot(BotEntry("one", "ONE"), "101:t"),
        ServedBot(BotEntry("two", "TWO", paused=True), "202:t"),
        ServedBot(BotEntry("three", "THREE"), "303:t"),
    ]
    several = among(seen, bots)
    assert health_problems(several, "bot", "h") == [], "each machine's probe asks for its own"
    assert "bot three: no process of it takes updates" in health_problems(several, "all", "")
    assert "bot @two on h, pid 0: paused in COHORT_BOTS" in render(several)
    assert several.to_json()["resting"] == [202]
