"""A worker that is killed right after a message that joined its turn was given to the model: it is answered once."""

import asyncio
from pathlib import Path

import pytest

from playground import PLAYGROUND_TOKEN
from playground.client import PlaygroundClient
from tasks import keys
from tasks.session import SessionKey
from tasks.slots import queue_of, slot_of
from tasks.store import connect
from tests.harness.nursery import nursery
from tests.harness.product import Harness, ModelControl, durable_valkey
from tests.support.redis_of import redis_of
from tests.support.until import until
from tests.system.test_steps import CARD, COUNTER

BOT = int(PLAYGROUND_TOKEN.split(":")[0])


@pytest.mark.promise("steers")
async def test_a_message_that_was_given_to_the_model_of_a_killed_worker_is_answered_once(tmp_path: Path) -> None:
    with (
        durable_valkey(tmp_path / "valkey") as valkey,
        Harness(tmp_path / "h", valkey.connection_url, nursery()) as own,
    ):
        cards = own.home / "cards"
        (cards / "counter.py").write_text(COUNTER)
        (cards / "assistant.md").write_text(CARD)
        own.environ |= {"COHORT_QUEUE_MODE": "steer", "COHORT_HEARTBEAT_TTL": "60"}
        playground, url = own.playground(), own.model()
        own.worker(ready=False)
        own.bot()
        async with (
            PlaygroundClient(playground) as people,
            ModelControl(url) as model,
            asyncio.timeout(90),
            connect(own.settings()) as store,
        ):
            chat = (await people.chat())["id"]
            session = SessionKey(BOT, chat)
            queue = queue_of(slot_of(session, own.settings().slots))

            async def called() -> bool:
                return (cards / "counter.log").exists()

            async def heard() -> bool:
                return await redis_of(store).llen(keys.inbox(session)) > 1 and not await redis_of(store).llen(queue)

            async def at_rest() -> bool:
                return not await redis_of(store).exists(keys.inbox(session), keys.outbox(session))

            await people.say(chat, 'CALL:count{"name": "held"}')
            await until(called)
            await people.say(chat, "make it blue HOLD:gate")
            await until(heard)
            (cards / "counter.go").touch()
            await model.held("gate")
            # The model call, the tool's call, and its result, which is written beside the model call that is held.
            await until(lambda: redis_of(store).lindex(keys.journal(session), 2))
            ((name, worker),) = own.workers.items()
            worker.kill()
            await store.members.report_death(name)
            own.worker(ready=False)
            await model.release("gate")
            ours = await people.wait_for(chat, lambda ours: bool(ours) and "blue" in ours[-1]["text"], timeout=60)
            await until(at_rest)
            assert ["make it blue" in message["text"] for message in ours] == [True], "one answer for both"
            assert (cards / "counter.log").read_text().count("held") == 1
