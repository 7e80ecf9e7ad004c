"""``cohort broadcast``: each chat has it once, whatever ends the command."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from ops.commands.broadcast.broadcasting import chats_of
from playground.client import PlaygroundClient
from playground.server import serving
from playground.state.world import State
from tasks import keys
from tasks.chats.access import Person
from tasks.errors import Misconfigured
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.connection.erasure_scope import ErasureScope
from tests.conftest import BOT
from tests.harness.command import clean, cohort
from tests.harness.processes import ROOT
from tests.support.redis_of import redis_of

TOKEN = f"{BOT}:broadcast-token"
TEXT = "We are *closed* tomorrow.\n"

pytestmark = pytest.mark.promise("broadcast-once")


@pytest.fixture
async def people(redis_url: str) -> AsyncIterator[tuple[PlaygroundClient, Mapping[str, str]]]:
    """A Bot API server, and what a command needs to reach it and Redis."""
    playground = State(token=TOKEN)
    async with serving(playground) as url, PlaygroundClient(url, token=TOKEN, key=playground.key) as client:
        yield client, {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": url}


async def has(people: PlaygroundClient, chat: int) -> int:
    return sum("closed" in message["text"] for message in await people.messages(chat))


async def test_all_chats_get_it_once_and_those_that_blocked_the_bot_are_counted(
    people: tuple[PlaygroundClient, Mapping[str, str]], store: Store, tmp_path: Path
) -> None:
    client, environ = people
    file = tmp_path / "text.md"
    file.write_text(TEXT)
    chats = [(await client.chat())["id"] for _ in range(4)]
    for chat in chats:
        # Topics of one chat are one chat.
        await redis_of(store).hset(keys.state(SessionKey(BOT, chat)), "touched", "1800000000")
        await redis_of(store).hset(keys.state(SessionKey(BOT, chat, 7)), "touched", "1800000000")
    await client.block(chats[3])

    async def command(*arguments: str) -> tuple[int, str]:
        done = await asyncio.to_thread(cohort, "broadcast", *arguments, home=tmp_path, **environ)
        return done.returncode, done.stdout + done.stderr

    to = (str(file), "--to", "all")
    status, said = await command(*to, "--dry-run")
    assert (status, said) == (0, "4 chats would get it, in 0 s at least; nothing was sent\n")
    assert [await has(client, chat) for chat in chats] == [0, 0, 0, 0]
    status, said = await command(*to)
    assert (status, said.splitlines()[-1]) == (0, "3 of 4 chats have it, 1 cannot get it (blocked, or gone)")
    assert [await has(client, chat) for chat in chats] == [1, 1, 1, 0]
    status, said = await command(*to)
    assert status == 2
    assert "was sent to these chats already" in said
    assert [await has(client, chat) for chat in chats] == [1, 1, 1, 0]
    (status, said) = await command("--stop")
    assert (status, said) == (2, "cohort: no broadcast is under way\n")


async def test_one_that_is_killed_goes_on_and_at_most_one_chat_has_it_twice(
    people: tuple[PlaygroundClient, Mapping[str, str]], store: Store, tmp_path: Path
) -> None:
    client, environ = people
    file = tmp_path / "text.md"
    file.write_text(TEXT)
    chats = [(await client.chat())["id"] for _ in range(30)]
    to = [str(file), *(f"--to={chat}" for chat in chats)]
    command = (sys.executable, "-m", "ops.cli", "broadcast", *to)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env={**clean(tmp_path), **environ})
    await client.wait_for(chats[5], bool, timeout=60)
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    (lease,) = [name async for name in redis_of(store).scan_iter(match="cohort:broadcast-lease:*")]
    assert await redis_of(store).pttl(lease) > 0
    await redis_of(store).delete(lease)  # its time is over
    done = await asyncio.to_thread(cohort, "broadcast", *to, home=tmp_path, **environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("goes on: ")
    got = [await has(client, chat) for chat in chats]
    assert min(got) == 1, "the one that was cut off is sent again, and no other"
    assert sum(got) <= len(chats) + 1


async def test_a_broadcast_that_is_stopped_sends_nothing_more_and_may_go_on(store: Store) -> None:
    broadcasts = store.broadcasts
    await broadcasts.begin("one", [1, 2, 3, 2], BOT)
    assert await broadcasts.first("one") == 1
    await broadcasts.told("one", 1, "sent")
    await broadcasts.told("one", 1, "sent")  # its answer was lost, and the call is sent again
    assert await broadcasts.stop() == 1
    assert await broadcasts.first("one") is None
    await broadcasts.resume("one")
    assert await broadcasts.first("one") == 2
    assert await broadcasts.lead("one", "me")
    assert not await broadcasts.lead("one", "another")
    assert await broadcasts.forget({3}) == 1
    progress = await broadcasts.progress("one")
    assert progress is not None
    assert (progress.total, progress.left) == (3, 1)


async def test_a_broadcast_of_another_bot_goes_on_where_one_is_stopped_or_forgotten(store: Store) -> None:
    broadcasts = store.broadcasts
    for ident, bot in (("one", 1), ("two", 2)):
        await broadcasts.begin(ident, [7, 8], bot)
    await broadcasts.begin("older", [7, 8], 1)
    await redis_of(store).hdel(keys.broadcast("older"), "bot")
    assert await broadcasts.stop(1) == 2
    assert [await broadcasts.first(ident) for ident in ("one", "two", "older")] == [None, 7, None]
    assert await broadcasts.forget({7}, 1) == 2
    assert await broadcasts.first("two") == 7
    for bot in (1, 2):
        await store.closed.close(bot, 7, "blocked")
    assert await store.closed.forget({7}, 1) == 1
    assert [(one.bot, one.chat) for one in await store.closed.look()] == [(2, 7)]
    # What a session or a bot leaves is that bot's; what a person leaves is everywhere.
    scopes = (ErasureScope(session=SessionKey(1, 7)), ErasureScope(bot=2), ErasureScope(user=7))
    assert [scope.within for scope in scopes] == [1, 2, None]


@pytest.mark.parametrize("text", ["", " \n", "x" * 5000])
def test_a_text_that_is_not_one_message_is_refused(text: str, tmp_path: Path, redis_url: str) -> None:
    file = tmp_path / "text.md"
    file.write_text(text)
    environ = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN}
    done = cohort("broadcast", str(file), "--to", "all", home=tmp_path, **environ)
    assert done.returncode == 2
    assert "has to be one message" in done.stderr


async def test_those_whom_an_admin_keeps_out_get_none_unless_they_are_named(store: Store) -> None:
    for chat in (5, 6, -7):
        await redis_of(store).hset(keys.state(SessionKey(BOT, chat)), "touched", "1800000000")
    for chat in (6, -7):
        await store.people.put(BOT, chat, Person(role="denied"))
    assert await chats_of(store, ["all"], BOT, 1_800_000_000.0) == [5]
    assert sorted(await chats_of(store, ["active:1", "6"], BOT, 1_800_000_000.0)) == [5, 6]
    with pytest.raises(Misconfigured, match="expected all"):
        await chats_of(store, ["active:\u00b2"], BOT, 0.0)
