"""Traces off cost nothing; on, spans reach the receiver, and one that fails costs nothing but spans."""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tasks.config.settings import Settings, load
from tasks.envelope import Inbound, Reply
from tasks.errors import Misconfigured
from tasks.telemetry import metrics, tracing
from tasks.telemetry.logs import traced
from tasks.telemetry.tracing import NO_SPAN
from tests.support.spans import Receiver, kept_spans

QUEUE = 64


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with Receiver() as served:
        yield served


def given(receiver: Receiver, monkeypatch: pytest.MonkeyPatch, traces: str = "on", **variables: str) -> Settings:
    """The settings of a process whose spans go there."""
    said = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "20", "NO_PROXY": "127.0.0.1"}
    for name, value in {**said, **variables}.items():
        monkeypatch.setenv(name, value)
    return load({"COHORT_TRACES": traces})


@pytest.mark.promise("traces-cost-nothing")
def test_where_traces_are_off_one_object_stands_for_all_spans_and_envelopes_are_as_before() -> None:
    assert load({}).traces == "off"
    with traced(load({}), "bot"), tracing.begin("accept") as span:
        assert span is tracing.step("chat") is tracing.current() is NO_SPAN
        assert not tracing.is_on()
        assert "trace" not in Inbound(session="1:2", update_id=3, at=0.0, trace=span.context).to_json()
        assert "trace" not in Reply(text="x", trace=span.context).to_json()


@pytest.mark.promise("traces")
async def test_spans_reach_the_receiver_under_the_names_and_headers_that_variables_say(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = given(receiver, monkeypatch, OTEL_EXPORTER_OTLP_HEADERS="x-key=abc", OTEL_SERVICE_NAME="mine")

    def process() -> str:
        with traced(settings, "worker", "w-1"), tracing.begin("turn") as span:
            tracing.step("chat").end()
            tracing.step("tool").end()
        return span.trace_id

    trace = await asyncio.to_thread(process)
    spans = await receiver.trace("turn", "chat", "tool")
    assert {(seen.trace, seen.service, seen.scope) for seen in spans} == {(trace, "mine", "cohort")}
    assert receiver.headers[0]["x-key"] == "abc"
    assert not tracing.is_on()


async def test_a_service_without_a_name_is_called_after_its_process(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def process() -> None:
        with traced(given(receiver, monkeypatch), "bot"):
            tracing.begin("accept").end()

    await asyncio.to_thread(process)
    assert [span.service for span in await receiver.trace("accept")] == ["cohort-bot"]


@pytest.mark.promise("needed-only")
async def test_keys_of_the_receiver_that_stand_in_a_file_are_used_and_come_into_no_environment(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = given(receiver, monkeypatch)
    (tmp_path / "env").write_text("OTEL_EXPORTER_OTLP_HEADERS=x-key=sesame\n")
    monkeypatch.setenv("COHORT_ENV_FILE", str(tmp_path / "env"))

    def process() -> str | None:
        with traced(settings, "worker"):
            tracing.begin("turn").end()
            return os.environ.get("OTEL_EXPORTER_OTLP_HEADERS")

    assert await asyncio.to_thread(process) is None
    assert receiver.headers[0]["x-key"] == "sesame"


@pytest.mark.promise("traces")
async def test_what_other_libraries_trace_by_themselves_goes_nowhere(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def process() -> None:
        theirs = otel.get_tracer("fast_agent").start_as_current_span("Agent: 'x' generate")
        with traced(given(receiver, monkeypatch), "worker"), tracing.begin("turn") as span, theirs as quoting:
            assert not quoting.is_recording()
            assert not quoting.get_span_context().is_valid
            assert tracing.current() is span

    await asyncio.to_thread(process)
    assert [seen.name for seen in await receiver.trace("turn")] == ["turn"]


@pytest.mark.promise("traces-cost-nothing")
@pytest.mark.parametrize("breaks", ["down", "slow", "refuses"])
async def test_a_receiver_that_fails_holds_up_nothing_and_a_bounded_number_of_spans(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, breaks: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    receiver.silent, receiver.status = breaks == "slow", 403 if breaks == "refuses" else 200
    limits = {"OTEL_BSP_MAX_QUEUE_SIZE": str(QUEUE), "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "16"}
    settings = given(receiver, monkeypatch, OTEL_EXPORTER_OTLP_HEADERS="x-key=sesame", **limits)
    if breaks == "down":
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9/?key=sesame")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    before = {thread.name for thread in threading.enumerate()}
    ended = metrics.SPANS.labels("ended")._value.get()

    def process() -> None:
        with traced(settings, "worker"):
            for _ in range(10 * QUEUE):
                tracing.begin("turn").end()

    async with asyncio.timeout(60):
        await asyncio.to_thread(process)
    assert receiver.asked.is_set() is (breaks != "down")
    assert metrics.SPANS.labels("ended")._value.get() == ended + 10 * QUEUE
    # The end waited no longer than it says; a thread that still waits for the receiver ends with the process.
    names = ("asyncio", *before)
    left = [thread for thread in threading.enumerate() if not thread.name.startswith(names)]
    assert all(thread.daemon for thread in left)
    said = [record for record in caplog.records if record.name.startswith(("cohort", "opentelemetry"))]
    assert "sesame" not in repr([vars(record) for record in said])
    assert [record.message for record in said if record.message == "traces.not_sent"][1:] == []


@pytest.mark.promise("traces")
def test_a_context_goes_on_in_another_process_sampled_or_not() -> None:
    with kept_spans() as spans:
        with tracing.begin("accept") as accept:
            context = accept.context
        with tracing.begin("turn", context, links=[context or "", "junk"]):
            pass
        tracing.begin("alone", "no context").end()
    turn = spans.one("turn")
    assert (turn.trace, turn.parent) == (spans.one("accept").trace, spans.one("accept").id)
    assert turn.links == (tracing.id_of(context),)
    assert spans.one("alone").parent == ""
    with kept_spans(sampler=ALWAYS_OFF) as spans, tracing.begin("accept") as accept:
        assert (accept.trace_id, tracing.id_of(accept.context)) == ("", "")
        assert accept.context is not None
        assert tracing.step("chat") is NO_SPAN
    assert spans() == []


@pytest.mark.promise("traces")
def test_an_error_is_noted_by_its_class_alone() -> None:
    with kept_spans() as spans, pytest.raises(ValueError, match="swordfish"), tracing.begin("turn"):
        raise ValueError("swordfish")
    assert (spans.one("turn").attributes, spans.one("turn").description) == ({"error.type": "ValueError"}, "")
    assert spans.one("turn").events == ()


@pytest.mark.parametrize(
    "variables", [{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, {"OTEL_BSP_MAX_QUEUE_SIZE": "-1"}], ids=["protocol", "queue"]
)
def test_a_variable_that_cannot_be_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match="OTEL_"), traced(load({"COHORT_TRACES": "on"}), "bot"):
        pass
