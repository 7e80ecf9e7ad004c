"""Tokens of several bots in a worker: one that is revoked, one that is missing, and a bot that was taken out."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from botapi.client import connected
from tasks.config.settings import Settings, load
from tasks.envelope import Inbound, Reply
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.intake import Accept
from tasks.telemetry import metrics
from tests.support.several_bots import several_bots
from tests.telegram.fakes import FakeClock
from tests.workers.fakes import PATIENCE_S
from tests.workers.pool import Pool
from workers.process.served_bots import ServedBots, watched_bots
from workers.sessions.reminders import admission
from workers.sessions.scheduler import SessionScheduler

ONE, TWO = "4242:one-token", "202:two-token"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    (tmp_path / "bots.yaml").write_text("bots:\n  one: {token: $ONE}\n  two: {token: $TWO}\n")
    path = tmp_path / "tokens"
    path.write_text(f"ONE={ONE}\nTWO={TWO}\n")
    return path


def written(path: Path, text: str) -> None:
    path.write_text(text)


@pytest.fixture
def settings(redis_url: str, tokens: Path) -> Settings:
    file = tokens.with_name("bots.yaml")
    given = {"REDIS_URL": redis_url, "COHORT_BOTS": str(file), "COHORT_BOTS_ENV": str(tokens), "COHORT_ALLOW": "5"}
    return load(given)


@pytest.mark.promise("bots-live")
async def test_an_answer_waits_while_its_bot_s_token_is_revoked_and_goes_out_by_the_next_one(
    settings: Settings, store: Store, tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written(tokens, f"ONE={ONE}\nTWO=202:revoked\n")
    watched, refused, go_on = watched_bots(settings), asyncio.Event(), asyncio.Event()
    async with several_bots(ONE, TWO) as telegram, connected(ONE, telegram.url, connections=8) as connection:
        served = ServedBots(settings, watched, connection, store.pace, FakeClock())
        one, two = [SessionKey(bot, (await people.chat())["id"]) for bot, people in telegram.people.items()]

        async def sleep(_: float) -> None:
            refused.set()
            await go_on.wait()

        async def said(session: SessionKey) -> list[str]:
            return [message["text"] for message in await telegram.people[session.bot].bot_messages(session.chat)]

        def deliver(session: SessionKey, text: str):
            return served._of(session.bot).delivery.deliver(session, Reply(text=text, session=str(session)))

        served._of(two.bot).delivery._sleep = sleep
        refused_before = metrics.TOKENS_REFUSED.labels("202")._value.get()
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            waiting = group.create_task(deliver(two, "of two"), name="answer")
            await refused.wait()
            assert await deliver(one, "of one"), "other bots go on"
            assert (await said(one), await said(two)) == (["of one"], [])
            # First other settings, then the token: an answer that waits is of the settings before both.
            for about, token in (("{token: $TWO, budget_chat: 7}", "202:revoked"), ("{token: $TWO}", TWO)):
                written(tokens.with_name("bots.yaml"), f"bots:\n  one: {{token: $ONE}}\n  two: {about}\n")
                written(tokens, f"ONE={ONE}\nTWO={token}\n")
                assert watched.look()
                served._take()
            go_on.set()
            assert await waiting
        assert await said(two) == ["of two"]
        told = [vars(record)["bot"] for record in caplog.records if record.message == "telegram.token_refused"]
        assert told == [202], "which bot it is"
        assert metrics.TOKENS_REFUSED.labels("202")._value.get() == refused_before + 1, "so that an alert names it"


@pytest.mark.promise("bots-live")
async def test_messages_and_reminders_of_a_bot_that_is_not_served_wait_until_its_token_is_there(
    pool: Pool, settings: Settings, tokens: Path
) -> None:
    worker, file = await pool.worker("w-one"), tokens.with_name("bots.yaml")
    watched = watched_bots(settings)
    three = SessionKey(303, 7)
    async with connected(ONE, "http://127.0.0.1:1", connections=8) as connection, asyncio.TaskGroup() as loops:
        served = ServedBots(settings, watched, connection, worker.store.pace, pool.clock)
        deps = replace(worker.deps, of_bot=lambda common, _: replace(common, of_bot=None))
        scheduler = SessionScheduler(deps, loops, capacity=8, paused=lambda one: not served.serves(one))
        admits = admission(served.settings_here, worker.store.people)
        message = Inbound(session=str(three), update_id=1, at=pool.clock.now(), text="hello", message_id=1)
        await pool.store.intake.accept(303, [Accept(1, inbound=message)])
        await worker.store.reminders.add(three, "tea", 60, by=7)
        pool.clock.advance(61)

        async def is_kept() -> bool:
            visited, woken = await scheduler.visit(three), scheduler.sweep([three])
            fired = await worker.store.reminders.fire(admits)
            waiting = (await worker.store.sessions.glance(three)).waiting
            held = len(await worker.store.reminders.waiting(three))
            assert (visited["outcome"], woken, fired, waiting, held) == ("elsewhere", 0, 0, 1, 1)
            return await pool.state(three) == {}

        assert await is_kept(), "a worker that started after the bot was taken out"
        written(file, "bots:\n  one: {token: $ONE}\n  three: {token: $THREE, access: allowlist, allow: [7]}\n")
        assert not watched.look()
        assert "bots.three: THREE is not set here" in str(watched.problem)
        assert await is_kept(), "no token is no try"

        written(tokens, f"ONE={ONE}\nTHREE=303:three-token\n")
        assert watched.look()
        served._take()
        assert await worker.store.reminders.fire(admits) == 1, "the bot's own settings let 7 in"
        assert scheduler.sweep([three]) == 1
        await pool.telegram.until_delivered(1)
        assert await worker.store.reminders.waiting(three) == []
    assert await pool.idle(three)
