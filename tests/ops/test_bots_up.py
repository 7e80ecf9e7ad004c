"""`cohort up` with several bots: one pool of workers, a process a bot, and a file that changes meanwhile."""

import asyncio
import json
from pathlib import Path

import pytest

from playground.client import PlaygroundClient
from tests.harness.command import cohort
from tests.ops.test_up import System, system
from tests.support.several_bots import several_bots

ONE, TWO, THREE = "101:one-secret-token", "202:two-secret-token", "303:three-secret-token"


async def answered(people: PlaygroundClient, chat: int, text: str) -> list[str]:
    """Say it, and wait for its echo; all that the bot wrote there."""
    await people.say(chat, text)
    ours = await people.wait_for(chat, lambda ours: any(text in one.get("text", "") for one in ours), timeout=60)
    return [one["text"].splitlines()[1] for one in ours]


async def told(up: System, since: int, *parts: str) -> None:
    """Wait until all of it was said since then, in whatever order."""
    for part in parts:
        if not any(part in line for line in up.lines[since:]):
            await asyncio.to_thread(up.wait_line, part)


@pytest.mark.timeout(300)
@pytest.mark.promise("many-bots")
@pytest.mark.promise("bots-live")
async def test_bots_share_workers_and_one_is_added_paused_and_taken_out_while_others_answer(
    redis_url: str, tmp_path: Path
) -> None:
    file, tokens = tmp_path / "bots.yaml", tmp_path / "tokens"
    both = "bots:\n  one: {token: $ONE, access: open}\n  two: {token: $TWO, access: open"
    file.write_text(f"{both}}}\n")
    tokens.write_text(f"THREE={THREE}\n")
    given = {"COHORT_BOTS": str(file), "COHORT_BOTS_ENV": str(tokens), "ONE": ONE, "TWO": TWO, "REDIS_URL": redis_url}
    async with several_bots(ONE, TWO, THREE) as telegram:
        given["TELEGRAM_BASE_URL"] = telegram.url
        one, two, three = telegram.people.values()
        chats = [(await people.chat())["id"] for people in (one, two, three)]
        assert len(set(chats)) == 1, "one person, and so one number, in the private chats of all bots"
        chat = chats[0]
        with system(tmp_path / "home", **given) as up:
            await asyncio.to_thread(up.wait_line, "Telegram", "one (101), two (202)")
            await asyncio.to_thread(up.wait_line, "Logs")

            assert await answered(one, chat, "to one") == ["to one"]
            assert await answered(two, chat, "to two") == ["to two"], "another session, and another token"
            # A broken file changes nothing; a paused bot takes nothing, and a new one answers.
            file.write_text(f"{both}\n")
            await asyncio.to_thread(up.wait_line, "the bots stay as they were")
            since = len(up.lines)
            file.write_text(f"{both}, paused: true}}\n  three: {{token: $THREE, access: open}}\n")
            await told(up, since, "bot-three: added", "intake.paused")
            await two.say(chat, "while paused")
            assert await answered(three, chat, "to three") == ["to three"]
            assert len(await two.bot_messages(chat)) == 1

            file.write_text(f"{both}}}\n")
            await two.wait_confirmed()
            await two.wait_for(chat, lambda ours: any("while paused" in one["text"] for one in ours), timeout=60)
            await told(up, since, "bot-three: taken out")
            assert "bot-three" not in await asyncio.to_thread(up.pids)
            gone = await asyncio.to_thread(cohort, "bots", "forget", "303", "--yes", home=tmp_path / "home", **given)
            assert (gone.returncode, gone.stderr) == (0, "")
            assert "erased: " in gone.stdout, "its data was kept until now"
            listed = await asyncio.to_thread(cohort, "bots", "--json", home=tmp_path / "home", **given)
            stands = [(bot["bot"], bot["name"], bot["stands"]) for bot in json.loads(listed.stdout)]
            assert stands == [(101, "one", "polling"), (202, "two", "polling")], "303 was known, and is forgotten"
            assert not any("secret-token" in line for line in up.lines)
