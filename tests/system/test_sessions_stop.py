"""An operator ends the turn of one chat that hangs; others go on, and its person reads what happened."""

import asyncio

import pytest

from playground.client import PlaygroundClient
from tasks.phrases import phrase
from tests.harness.command import cohort
from tests.harness.product import ModelControl
from tests.system.conftest import Running


@pytest.mark.promise("find")
async def test_the_one_chat_that_hangs_is_found_and_its_turn_is_ended(
    running: Running, people: PlaygroundClient, model: ModelControl
) -> None:
    environ = {name: value for name, value in running.harness.environ.items() if name.startswith(("REDIS", "COHORT"))}
    told = environ | {
        "home": running.harness.home / "state",
        "TELEGRAM_BOT_TOKEN": running.harness.environ["TELEGRAM_BOT_TOKEN"],
    }

    async def said(*words: str) -> tuple[int, str]:
        done = await asyncio.to_thread(cohort, *words, **told)
        return done.returncode, done.stdout + done.stderr

    chat = (await people.chat())["id"]
    bot = (await people.call("getMe"))["result"]["id"]
    await people.say(chat, "HOLD:hangs one")
    await model.held("hangs")
    status, shown = await said("stuck")
    assert (status, f"{bot}:{chat}  " in shown, "its turn runs on " in shown) == (0, True, True)
    assert (await said("sessions", "stop", f"{bot}:{chat}"))[0] == 0
    await people.wait_for(chat, lambda ours: bool(ours) and ours[-1]["text"] == phrase("stopped"))
    await people.say(chat, "two")
    await people.wait_for(chat, lambda ours: "two" in ours[-1]["text"])
    assert "no turn runs there" in (await said("sessions", "stop", f"{bot}:{chat}"))[1]
    await model.release("hangs")
