"""An operator pauses turns, then the intake, of a running system: nothing is lost, and what waits is answered later."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from playground.client import PlaygroundClient
from tasks.clock import SystemClock
from tasks.config.settings import load
from tasks.session import SessionKey
from tasks.store import connect
from tests.harness.command import cohort
from tests.harness.processes import Process
from tests.harness.product import ModelControl
from tests.system.conftest import Running


async def order(running: Running, *words: str, heard: str, by: Process) -> str:
    """A command, and its effect in a process."""
    before = len(by.lines)
    environ = {name: value for name, value in running.harness.environ.items() if name.startswith(("REDIS", "COHORT"))}
    done = await asyncio.to_thread(cohort, *words, **environ | {"home": running.harness.home / "state"})
    assert (done.returncode, done.stderr) == (0, "")
    await asyncio.to_thread(by.wait_line, heard, after=before)
    return done.stdout


@pytest.fixture
async def nothing_paused(running: Running) -> AsyncIterator[None]:
    yield
    async with connect(load({"REDIS_URL": running.harness.redis_url, "TELEGRAM_BOT_TOKEN": "1:t"})) as store:
        for what in ("intake", "turns"):
            await store.pauses.resume(what)  # type: ignore[arg-type]


@pytest.mark.promise("paused")
@pytest.mark.usefixtures("nothing_paused")
async def test_while_turns_are_paused_the_running_one_ends_and_messages_are_kept(
    running: Running, people: PlaygroundClient, model: ModelControl
) -> None:
    chat, other = [(await people.chat())["id"] for _ in range(2)]
    await people.say(chat, "HOLD:paused@1 one")
    await model.held("paused")
    alive = [process for process in running.harness.workers.values() if process.alive]
    said = await order(running, "pause", "turns", heard="turns.paused", by=alive[0])
    assert "messages are kept" in said
    for worker in alive[1:]:
        await asyncio.to_thread(worker.wait_line, "turns.paused")
    await people.say(chat, "two")
    await people.say(other, "three")
    await people.wait_confirmed()
    await model.release("paused")
    await people.wait_for(chat, lambda ours: bool(ours) and "[n=1]" in ours[-1]["text"])
    bot = (await people.call("getMe"))["result"]["id"]
    async with connect(load({"REDIS_URL": running.harness.redis_url, "TELEGRAM_BOT_TOKEN": "1:t"})) as store:
        for session in (SessionKey(bot, chat), SessionKey(bot, other)):
            assert (await store.sessions.glance(session)).waiting == 1
        work = await store.sessions.sweep(range(64), 100, SystemClock().now())
        assert {SessionKey(bot, chat), SessionKey(bot, other)} <= {one for slot in work for one in slot.sessions}
    await order(running, "resume", "turns", heard="turns.resumed", by=alive[0])
    await people.wait_for(chat, lambda ours: "[n=2]" in ours[-1]["text"])
    await people.wait_for(other, lambda ours: bool(ours) and "[n=1]" in ours[-1]["text"])


@pytest.mark.promise("paused")
@pytest.mark.usefixtures("nothing_paused")
async def test_while_the_intake_is_paused_updates_stay_with_telegram(
    running: Running, people: PlaygroundClient
) -> None:
    chat = (await people.chat())["id"]
    bot = running.harness.bots[-1]
    said = await order(running, "pause", "intake", heard="intake.paused", by=bot)
    assert "updates stay with Telegram" in said
    await people.say(chat, "kept by Telegram")
    number = (await people.call("getMe"))["result"]["id"]
    async with connect(load({"REDIS_URL": running.harness.redis_url, "TELEGRAM_BOT_TOKEN": "1:t"})) as store:
        assert not await store.intake.knows(SessionKey(number, chat))
    assert (await people.call("getWebhookInfo"))["result"]["pending_update_count"] >= 1
    await order(running, "resume", "intake", heard="intake.resumed", by=bot)
    await people.wait_for(chat, lambda ours: bool(ours) and "[n=1]" in ours[-1]["text"])
