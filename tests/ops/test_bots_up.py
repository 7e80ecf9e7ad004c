"""`cohort up` with several bots: one pool of workers, a process a bot, and a file that changes meanwhile."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from playground.client import PlaygroundClient
from tests.harness.command import cohort
from tests.ops.whole_system import System, system
from tests.support.several_bots import several_bots

ONE, TWO = "101:one-secret-token", "202:two-secret-token"


async def answered(people: PlaygroundClient, chat: int, text: str) -> int:
    """Say it, and wait for its echo; how many messages the bot has written there."""
    await people.say(chat, text)
    ours = await people.wait_for(chat, lambda ours: any(text in one.get("text", "") for one in ours), timeout=60)
    return len(ours)


async def told(up: System, since: int, *parts: str) -> None:
    """Wait until all of it was said since then, in whatever order."""
    for part in parts:
        if not any(part in line for line in up.lines[since:]):
            await asyncio.to_thread(up.wait_line, part)


@pytest.mark.soak  # It starts a whole `cohort up`, and begins and ends bots: 10 s of processor time.
@pytest.mark.timeout(300)
@pytest.mark.promise("many-bots")
@pytest.mark.promise("bots-live")
async def test_bots_share_workers_and_one_is_added_paused_and_taken_out_while_others_answer(
    redis_url: str, tmp_path: Path
) -> None:
    file, tokens = tmp_path / "bots.yaml", tmp_path / "tokens"
    first = "bots:\n  one: {token: $ONE, access: open}\n"
    both = f"{first}  two: {{token: $TWO, access: open"
    file.write_text(first)
    tokens.write_text(f"TWO={TWO}\n")
    given = {"COHORT_BOTS": str(file), "COHORT_BOTS_ENV": str(tokens), "ONE": ONE, "REDIS_URL": redis_url}
    async with several_bots(ONE, TWO) as telegram:
        given["TELEGRAM_BASE_URL"] = telegram.url
        one, two = telegram.people.values()
        chats = [(await people.chat())["id"] for people in (one, two)]
        assert len(set(chats)) == 1, "one person, and so one number, in the private chats of all bots"
        chat = chats[0]
        with system(tmp_path / "home", **given) as up:
            await asyncio.to_thread(up.wait_line, "Telegram", "one (101)")
            await asyncio.to_thread(up.wait_line, "Logs")
            # A broken file changes nothing.
            file.write_text(f"{both}\n")
            await asyncio.to_thread(up.wait_line, "the bots stay as they were")
            assert await answered(one, chat, "to one") == 1
            # A new bot answers, in another session and by another token; a paused one takes nothing.
            since = len(up.lines)
            file.write_text(f"{both}}}\n")
            await told(up, since, "bot-two: added")
            assert await answered(two, chat, "to two") == 1
            file.write_text(f"{both}, paused: true}}\n")
            await told(up, since, "intake.paused")
            await two.say(chat, "while paused")
            assert await answered(one, chat, "to one again") == 2
            assert len(await two.bot_messages(chat)) == 1

            file.write_text(f"{both}}}\n")
            await two.wait_confirmed()
            await two.wait_for(chat, lambda ours: any("while paused" in one["text"] for one in ours), timeout=60)
            file.write_text(first)
            await told(up, since, "bot-two: taken out")
            assert "bot-two" not in await asyncio.to_thread(up.pids)
            gone = await asyncio.to_thread(cohort, "bots", "forget", "202", "--yes", home=tmp_path / "home", **given)
            assert (gone.returncode, gone.stderr) == (0, "")
            assert "erased: " in gone.stdout, "its data was kept until now"
            listed = await asyncio.to_thread(cohort, "bots", "--json", home=tmp_path / "home", **given)
            stands = [(bot["bot"], bot["name"], bot["stands"]) for bot in json.loads(listed.stdout)]
            assert stands == [(101, "one", "polling")], "202 was known, and is forgotten"
            assert not any("secret-token" in line for line in up.lines)
            # A second signal, of whatever kind, ends it at once, and well.
            up.process.send_signal(signal.SIGTERM)
            up.process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(up.process.wait, 60) == 0
