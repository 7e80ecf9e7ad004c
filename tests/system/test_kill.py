"""SIGKILL in the middle of things loses nothing, doubles nothing, and keeps the order."""

import re
from collections import Counter

import pytest

from playground.client import PlaygroundClient
from tasks.session import SessionKey
from tasks.store import connect
from tests.harness.processes import Process
from tests.harness.product import BOT, ModelControl
from tests.system.conftest import Running


async def owner_of(running: Running, chat: int) -> Process:
    """The worker that runs this chat's turn."""
    async with connect(running.harness.settings()) as store:
        glance = await store.sessions.glance(SessionKey(BOT, chat))
    assert glance.running_on is not None
    return running.harness.workers[glance.running_on]


@pytest.mark.promise("worker-killed")
async def test_a_worker_killed_in_the_middle_of_a_turn_loses_nothing_and_doubles_nothing(
    running: Running, people: PlaygroundClient, model: ModelControl
) -> None:
    chat = (await people.chat())["id"]
    await people.say(chat, "before")
    await people.wait_for(chat, lambda ours: bool(ours) and "[n=1]" in ours[-1]["text"])
    await people.say(chat, "HOLD:kill@2 a fateful message")
    await model.held("kill")
    await people.wait_for(chat, 2)  # it streams already
    await running.harness.text_is_known(chat)
    (await owner_of(running, chat)).kill()
    running.harness.worker(ready=False)
    await model.release("kill")

    ours = await people.wait_for(chat, lambda ours: "[n=2]" in ours[-1]["text"])
    # The partial answer that was on the screen became the answer: not one message more.
    assert len(ours) == 2
    await people.say(chat, "after")
    await people.wait_for(chat, lambda ours: len(ours) == 3 and "[n=3]" in ours[-1]["text"])


@pytest.mark.promise("worker-stopped")
async def test_a_worker_that_was_paused_past_its_heartbeat_commits_nothing_stale(
    running: Running, people: PlaygroundClient, model: ModelControl
) -> None:
    import signal

    chat = (await people.chat())["id"]
    await people.say(chat, "HOLD:pause@1 said once")
    await model.held("pause")
    paused = await owner_of(running, chat)
    paused.signal(signal.SIGSTOP)
    await model.held("pause", count=2)  # the heir runs it again
    said_before = len(paused.lines)
    paused.signal(signal.SIGCONT)
    await model.release("pause")
    await people.wait_for(chat, lambda ours: bool(ours) and "[n=1]" in ours[-1]["text"])
    paused.wait_line("claim.lost", after=said_before)

    await people.say(chat, "and now")
    ours = await people.wait_for(chat, lambda ours: "[n=2]" in ours[-1]["text"])
    finals = Counter(found for message in ours for found in re.findall(r"\[n=\d+\]", message["text"]))
    assert finals == {"[n=1]": 1, "[n=2]": 1}


@pytest.mark.soak  # A process of the bot alone is killed in a flood in tests/bot.
@pytest.mark.promise("bot-killed")
async def test_a_bot_killed_in_the_middle_of_batches_loses_nothing_and_doubles_nothing(
    running: Running, people: PlaygroundClient
) -> None:
    made = await people.bulk(400, chats=20, text="word-{n}.")
    for _ in range(3):
        running.harness.bots[-1].kill()
        running.harness.bot()
    for chat in made.chats:
        theirs = [message["text"] for message in await people.messages(chat) if not message["from"]["is_bot"]]

        def answered(ours: list[dict[str, object]], theirs: list[str] = theirs) -> bool:
            return theirs[-1] in str(ours[-1]["text"]) and "[n=" in str(ours[-1]["text"]) if ours else False

        ours = await people.wait_for(chat, answered, timeout=90)
        words = re.findall(r"word-\d+\.", "\n".join(message["text"] for message in ours))
        assert words == theirs
