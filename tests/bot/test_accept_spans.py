"""The begin of a trace: each update that is stored has a span, and a batch has one that is linked to all of them."""

import logging

import pytest

from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable
from tasks.store import Store
from tasks.telemetry import tracing
from tasks.turn_record import reference
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.stand_ins import AwaySometimes
from tests.bot.updates import BEN, GROUP, said
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of
from tests.support.spans import kept_spans

SECRET = "swordfish"


@pytest.mark.promise("traces")
async def test_an_update_that_is_stored_begins_a_trace_that_its_message_carries(
    bot: BotUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with kept_spans() as spans:
        await bot.intake.take([said(SECRET, update_id=5)])
    accept = spans.one("accept")
    (entry,) = await bot.inbox("4242:700")
    assert (tracing.id_of(entry.trace), accept.parent) == (accept.trace, "")
    assert {name: accept.attributes[name] for name in ("cohort.update", "cohort.kind", "cohort.verdict")} == {
        "cohort.update": 5,
        "cohort.kind": "message",
        "cohort.verdict": "accepted",
    }
    (line,) = [vars(record) for record in caplog.records if record.message == "message.accepted"]
    assert (line["trace"], line["ref"]) == (accept.trace, reference(4242, 5))
    assert SECRET not in repr(spans())


@pytest.mark.promise("traces")
async def test_a_batch_is_linked_to_each_of_its_updates_and_what_is_not_stored_has_no_span(bot: BotUnderTest) -> None:
    with kept_spans() as spans:
        await bot.intake.take([said("one", update_id=5), said("psst", chat=GROUP, sender=BEN, update_id=6)])
        assert [span.name for span in spans()] == ["accept"]
        await bot.intake.take([said("one", update_id=5), said("two", update_id=7), said("/help", update_id=8)])
    batch = spans.one("accept batch")
    accepts = spans("accept")[1:4]
    assert batch.links == tuple(span.trace for span in accepts)
    assert batch.trace not in batch.links
    assert [(span.attributes["cohort.update"], span.attributes["cohort.verdict"]) for span in accepts] == [
        (5, "seen"),
        (7, "accepted"),
        (8, "accepted"),
    ]
    ((_, reply),) = await own_replies(bot.store, 4242)
    assert tracing.id_of(reply.trace) == accepts[2].trace


@pytest.mark.promise("traces")
async def test_a_batch_that_cannot_be_stored_fails_its_spans(store: Store, settings: Settings) -> None:
    intake = AwaySometimes(store)
    intake.away = True
    with kept_spans() as spans, pytest.raises(StoreUnavailable):
        await make_bot(settings, store, intake=intake).intake.take([said("one", update_id=5)])
    assert spans.one("accept").attributes["error.type"] == "StoreUnavailable"


async def test_without_traces_a_message_is_stored_as_before(bot: BotUnderTest) -> None:
    await bot.intake.take([said("one", update_id=5)])
    raw = await redis_of(bot.store).lrange("cohort:s:4242:700:inbox", 0, -1)
    assert b"trace" not in raw[0]
