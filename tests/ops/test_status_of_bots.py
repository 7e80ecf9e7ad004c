"""`cohort status`, `health` and `pause` where COHORT_BOTS names several bots."""

import asyncio
from pathlib import Path

import pytest

from ops.commands.status.read import among, look
from ops.commands.status.text import health_problems, render
from ops.web.scrape import scrape
from tasks.bots import ServedBot
from tasks.chats.access import Person
from tasks.clock import SystemClock
from tasks.config.settings import Settings
from tasks.envelope import DeadLetter
from tasks.operator_files.bots_file import BotEntry
from tasks.status.bot import BotStatus
from tasks.store import Store
from tasks.store.intake import Accept
from tests.harness.command import cohort


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


@pytest.mark.promise("paused")
async def test_one_bot_is_paused_by_command_and_status_and_metrics_say_so(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    bots = tmp_path / "bots.yaml"
    bots.write_text("bots:\n  one: {token: $ONE}\n  two: {token: $TWO}\n")
    environ = {"REDIS_URL": settings.redis, "COHORT_BOTS": str(bots), "ONE": "101:t", "TWO": "202:t"}

    async def said(*words: str) -> str:
        done = await asyncio.to_thread(cohort, *words, home=tmp_path, **environ)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    assert "0 intake of bot 202 is paused since" in await said("pause", "intake", "--bot", "two")
    assert (await store.pauses.look()).takes_none(202)
    unknown = await said("pause", "turns", "--bot", "303")
    assert "2 cohort: 303: nothing is kept of such a bot; there are one (101), two (202)" in unknown
    await store.people.put(303, 7, Person(role="member", name="Ann"))
    assert "turns of bot 303 are paused" in await said("pause", "turns", "--bot", "303"), "one that was taken out"
    seen = await look(store, SystemClock(), slots=64)
    assert "intake of bot 202 is paused since" in render(seen)
    assert "two  202  -  no process; intake paused by command" in await said("bots")
    page = await scrape(store, SystemClock(), slots=64)
    assert 'cohort_paused{what="intake",bot="202"} 1' in page
    assert 'cohort_paused{what="turns",bot=""} 0' in page
    assert "three: there is no such bot; there are one (101), two (202)" in await said(
        "pause", "turns", "--bot", "three"
    )
    assert "name a session or a bot" in await said("pause", "turns", "101:7", "--bot", "one")
    assert "intake of bot 101: not paused" in await said("resume", "intake", "--bot", "one")
    assert "turns of bot 303 are paused" in await said("resume", "intake", "--bot", "two")
    assert "nothing is paused" in await said("resume", "turns", "--bot", "303")


@pytest.mark.promise("paused")
@pytest.mark.parametrize("bot", [None, 202])
async def test_a_bot_whose_intake_is_paused_for_long_is_well(store: Store, bot: int | None) -> None:
    long_ago = SystemClock().now() - 3600
    await store.bots.beat("h-1", BotStatus(bot=202, username="two", host="h", leads=True, polled_at=long_ago))
    await store.pauses.pause("intake", bot)
    seen = await look(store, SystemClock(), slots=64)
    assert health_problems(seen, "bot", "h") == [], "a probe must not end it"
    assert "bot @two on h, pid 0: paused by `cohort pause`" in render(seen)
    await store.pauses.resume("intake", bot)
    seen = await look(store, SystemClock(), slots=64)
    assert len(health_problems(seen, "bot", "h")) == 1


@pytest.mark.promise("many-bots")
async def test_the_metrics_count_each_bot_s_dead_letters(store: Store) -> None:
    await store.bots.beat("h-1", BotStatus(bot=101, username="one", host="h", name="one", leads=True))
    for update, bot in enumerate((101, 202, 202)):
        await store.intake.accept(bot, [Accept(update, dead=DeadLetter(reason="why", at=1.0, update_id=update))])
    page = await scrape(store, SystemClock(), slots=64)
    assert [line for line in page.splitlines() if "dead_letters" in line and not line.startswith("#")] == [
        "cohort_dead_letters 3",
        'cohort_bot_dead_letters{bot="202"} 2',
        'cohort_bot_dead_letters{bot="101"} 1',
    ]
