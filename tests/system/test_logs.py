"""What processes say of what they could not read."""

import asyncio

from playground.client import PlaygroundClient
from tests.system.conftest import Running


async def test_an_answer_of_telegram_that_cannot_be_read_is_told_and_not_logged(
    running: Running, people: PlaygroundClient
) -> None:
    bot = running.harness.bots[-1]
    before = len(bot.lines)
    await people.fault("garbage", "getUpdates", times=1)
    chat = (await people.chat())["id"]
    await people.say(chat, "after the garbage")
    await asyncio.to_thread(bot.wait_line, "poll.failed", after=before)
    await people.wait_for(chat, lambda ours: bool(ours) and "[n=1]" in ours[-1]["text"])
    said = "\n".join(bot.lines[before:])
    assert "<html>" not in said
    assert "Traceback" not in said
