"""A person is forgotten while their turn runs, by real processes."""

import asyncio

import pytest
from redis.asyncio import Redis

from playground.client import PlaygroundClient
from tests.harness.command import cohort
from tests.harness.contents import everything
from tests.harness.product import ModelControl
from tests.system.conftest import Running


@pytest.mark.promise("forgotten")
async def test_a_person_is_forgotten_while_their_turn_runs_and_may_write_again(
    running: Running, people: PlaygroundClient, model: ModelControl
) -> None:
    chat = (await people.chat())["id"]
    await people.say(chat, "first annword")
    await people.wait_for(chat, lambda ours: bool(ours) and "[n=1]" in ours[-1]["text"])
    await people.say(chat, "HOLD:forget@2 second annword")
    await model.held("forget")
    environ = {name: value for name, value in running.harness.environ.items() if name.startswith(("REDIS", "COHORT"))}
    home = running.harness.home / "state"
    bot = (await people.call("getMe"))["result"]["id"]
    files = home / "sessions" / f"{bot}_{chat}"
    files.mkdir(parents=True)
    done = await asyncio.to_thread(cohort, "forget", str(chat), "--yes", **environ | {"home": home})
    assert (done.returncode, done.stderr) == (0, "")
    assert "left:" not in done.stdout
    async with Redis.from_url(running.harness.redis_url) as redis:
        left = await everything(redis)
        assert "annword" not in left
        assert f":{chat}" not in left
    assert not files.exists()
    await model.release("forget")
    await people.say(chat, "a new beginning")
    ours = await people.wait_for(chat, lambda ours: "new beginning" in ours[-1]["text"] and "[n=" in ours[-1]["text"])
    # Not [n=3]: what was said before is forgotten, and nothing wrote it back.
    assert ours[-1]["text"].endswith("[n=1]")
