"""A turn's span: in the trace of the message that led to it, over crashes and questions, and linked to the others."""

import io
import json
import logging

import pytest

from tasks.telemetry import tracing
from tasks.telemetry.logs import JsonFormat
from tests.support.spans import kept_spans
from tests.workers.asking import AUTHOR, Asking, press
from tests.workers.pool import Pool, session
from workers.interfaces import TurnFailed

ONE = session(1)


def accepted() -> str:
    """The context of a message that the bot has accepted."""
    with tracing.begin("accept", kind="producer") as span:
        assert span.context is not None
        return span.context


@pytest.mark.promise("traces")
async def test_a_turn_is_in_the_trace_of_its_message_and_so_is_its_answer(pool: Pool) -> None:
    with kept_spans() as spans:
        worker, context = await pool.worker("w-one"), accepted()
        await pool.say(1, "hello", trace=context)
        pool.clock.advance(2)
        await worker.answer(ONE)
    turn, wait = spans.one("turn"), spans.one("wait")
    assert turn.trace == wait.trace == tracing.id_of(context)
    assert turn.parent == wait.parent == spans.one("accept").id
    told = turn.attributes
    assert (told["cohort.outcome"], told["cohort.tries"], told["cohort.messages"]) == ("answered", 1, 1)
    assert told["cohort.session"] == told["gen_ai.conversation.id"]
    assert {"cohort.slot", "gen_ai.usage.input_tokens"} <= told.keys()
    ((_, reply),) = pool.telegram.delivered
    assert tracing.id_of(reply.trace) == turn.trace


@pytest.mark.promise("traces")
@pytest.mark.parametrize("kind", ["stop", "new", "undo", "retry", "choose"])
async def test_what_is_told_without_a_turn_is_in_the_trace_of_the_control_word(pool: Pool, kind: str) -> None:
    with kept_spans():
        worker, context = await pool.worker("w-one"), accepted()
        await pool.say(1, kind=kind, last=True, choice={"agent": ""} if kind == "choose" else {}, trace=context)
        await worker.answer(ONE)
    ((_, reply),) = pool.telegram.delivered
    assert tracing.id_of(reply.trace) == tracing.id_of(context)


@pytest.mark.promise("traces")
async def test_messages_that_are_answered_together_are_linked(pool: Pool) -> None:
    with kept_spans() as spans:
        worker = await pool.worker("w-one")
        contexts = [accepted() for _ in range(3)]
        await pool.say_all(1, *({"text": f"part {n}", "trace": context} for n, context in enumerate(contexts)))
        await worker.answer(ONE)
    first, *others = map(tracing.id_of, contexts)
    assert (spans.one("turn").trace, spans.one("turn").links) == (first, tuple(others))
    assert [(wait.trace, wait.links) for wait in spans("wait")] == [(trace, (first,)) for trace in (first, *others)]
    (record,) = worker.deps.trail.take()
    assert record.traces == (first, *others)


@pytest.mark.promise("traces")
async def test_a_turn_that_runs_again_after_a_crash_goes_on_with_its_trace(pool: Pool) -> None:
    with kept_spans() as spans:
        first, context, hold = await pool.worker("w-one"), accepted(), pool.model.hold("hello")
        await pool.say(1, "hello", trace=context)
        pool.doorbell(first, ONE)
        await hold.reached()
        await first.kill()
        hold.go.set()
        heir = await pool.worker("w-two")
        await heir.answer(ONE)
    turns = spans("turn")
    assert {turn.trace for turn in turns} == {tracing.id_of(context)}
    assert (turns[-1].attributes["cohort.outcome"], turns[-1].attributes["cohort.tries"]) == ("answered", 2)


@pytest.mark.promise("traces")
async def test_a_turn_that_goes_on_with_an_answer_is_in_the_answers_trace_and_linked_to_its_own(pool: Pool) -> None:
    with kept_spans() as spans:
        asked, said = accepted(), accepted()
        worker = await pool.worker("w-one", real=Asking())
        await pool.say(1, "please", sender=AUTHOR, trace=asked)
        await worker.answer(ONE)
        await press(pool, "once", trace=said)
        await worker.answer(ONE)
    before, after = spans("turn")
    assert (before.trace, before.attributes["cohort.outcome"]) == (tracing.id_of(asked), "parked")
    assert not before.failed
    assert (after.trace, after.links) == (tracing.id_of(said), (tracing.id_of(asked),))
    assert (after.attributes["cohort.resumed"], after.attributes["cohort.outcome"]) == (True, "answered")


@pytest.mark.promise("traces")
async def test_a_turn_that_ends_without_a_commit_ends_its_span_with_the_class_of_the_error(pool: Pool) -> None:
    with kept_spans() as spans:
        worker, hold = await pool.worker("w-one"), pool.model.hold("hello")
        await pool.say(1, "hello", trace=accepted())
        pool.doorbell(worker, ONE)
        await hold.reached()
        worker.cancel_turns()
        await worker.stop()
    assert spans.one("turn").attributes["cohort.cancelled"] is True


@pytest.mark.promise("traces")
async def test_lines_of_a_turn_carry_its_trace_where_traces_are_on_and_nothing_elsewhere(pool: Pool) -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonFormat())
    logging.getLogger("cohort").addHandler(handler)
    logging.getLogger("cohort").setLevel(logging.INFO)
    try:
        worker = await pool.worker("w-one")
        for chat in (1, 2):
            pool.model.fail(f"hello {chat}", TurnFailed("retry", "busy", "503"))
        with kept_spans() as spans:
            await pool.say(1, "hello 1", trace=accepted())
            await worker.answer(ONE)
        await pool.say(2, "hello 2")
        await worker.answer(session(2))
    finally:
        logging.getLogger("cohort").removeHandler(handler)
        logging.getLogger("cohort").setLevel(logging.NOTSET)
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    names = ("turn.failed", "turn.ended", "reply.delivered")
    told = [(line["event"], line.get("trace")) for line in said if line["event"] in names]
    trace = spans.one("turn").trace
    assert told == [*((name, trace) for name in names), *((name, None) for name in names)]


@pytest.mark.promise("logged-once")
async def test_the_line_of_a_turn_has_the_tokens_that_it_cost(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    worker = await pool.worker("w-one")
    for text in ("one", "two"):
        await pool.say(1, text)
        await worker.answer(ONE)
    ended = [vars(record)["tokens"] for record in caplog.records if record.message == "turn.ended"]
    assert ended == [15, 15]
