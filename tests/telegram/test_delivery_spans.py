"""The span of a delivery: in the trace of its reply, with its calls, its waits and its floods."""

import logging
import re

import pytest

from botapi.calls import Calls
from botapi.errors import Undeliverable
from botapi.pacing import Priority, RateLimited
from botapi.reply_delivery import deliver
from tasks.envelope import Reply
from tasks.telemetry import logs as telemetry
from tasks.telemetry import tracing
from tests.support.spans import kept_spans
from tests.telegram.conftest import World

SECRET = "swordfish"


@pytest.fixture
def context() -> str:
    """Of the turn that a reply comes from."""
    return f"00-{'a' * 32}-{'1' * 16}-01"


@pytest.mark.promise("traces")
async def test_a_delivery_is_in_the_trace_of_its_reply_and_says_what_it_met(world: World, context: str) -> None:
    session = await world.session()
    await world.pg.fault("429", "sendMessage", times=2, retry_after=3)
    with kept_spans() as spans:
        await world.delivery.deliver(session, Reply(text=SECRET, trace=context))
    span = spans.one("deliver")
    assert (span.trace, span.parent) == (tracing.id_of(context), "1" * 16)
    told = span.attributes
    assert (told["cohort.delivery"], told["cohort.telegram.calls"], told["cohort.telegram.floods"]) == ("message", 3, 2)
    assert span.events == ("refused flood", "refused flood")
    assert not span.failed
    assert SECRET not in repr(spans())
    assert world.settings.token not in repr(spans())


@pytest.mark.promise("traces")
async def test_a_reply_that_is_never_taken_fails_its_span_by_class(world: World, context: str) -> None:
    session = await world.session()
    await world.pg.fault("error", "sendMessage", code=403, description="Forbidden: bot was blocked by the user")
    with kept_spans() as spans, pytest.raises(Undeliverable):
        await world.delivery.deliver(session, Reply(text="x", trace=context))
    assert (spans.one("deliver").attributes["error.type"], spans.one("deliver").description) == ("Undeliverable", "")


@pytest.mark.promise("traces")
async def test_a_reply_of_the_bots_own_that_has_to_wait_has_a_span_only_when_it_goes_out(
    world: World, context: str
) -> None:
    session = await world.session()

    async def come_back(problem: Exception) -> None:
        raise problem

    queued = Calls(world.bot, priority=Priority.QUEUED)
    await world.store.punish(session.bot, session.chat, 60)
    with kept_spans() as spans:
        for _ in range(3):
            with pytest.raises(RateLimited):
                await deliver(queued, session, Reply(text="x", trace=context), wait=come_back)
    assert spans() == []


@pytest.mark.promise("logged-once")
async def test_the_line_of_a_flood_names_its_chat_by_a_hash(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    session = await world.session("group")
    telemetry.hash_sessions(b"a-key")
    await world.pg.fault("429", "sendMessage", times=1, retry_after=3)
    await world.delivery.deliver(session, Reply(text="x"))
    (line,) = [vars(record) for record in caplog.records if record.message == "telegram.flood"]
    assert re.fullmatch(r"[0-9a-f]{10}", line["chat"])
    assert line["chat"] == telemetry.session_hash(str(session), b"a-key")
