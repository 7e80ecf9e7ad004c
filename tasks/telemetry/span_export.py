"""Makes spans with OpenTelemetry's SDK and sends them by OTLP, from a thread of its own; loaded where traces are on.

No global provider is set: what fast-agent and the clients of models would trace by themselves goes nowhere. A queue of
bounded length stands between a turn and the receiver (``OTEL_BSP_MAX_QUEUE_SIZE``, 2,048 spans). A receiver that is
down or slow costs spans, never a turn.
"""

import logging
import os
import threading
from asyncio import CancelledError
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Token
from types import TracebackType
from typing import Self, override

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, get_current_span, set_span_in_context
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import Tracer as OtelTracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tasks.errors import Misconfigured
from tasks.telemetry import metrics, tracing
from tasks.telemetry.tracing import NO_SPAN, Attribute, KindOfSpan, TraceSpan

log = logging.getLogger("cohort.traces")

FLUSH_S = 2.0
"""How long the end of a process waits for its last spans to be sent."""

SCOPE = "cohort"
_KINDS: Mapping[KindOfSpan, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_FORM = TraceContextTextMapPropagator()


def _nanoseconds(at: float | None) -> int | None:
    return None if at is None else int(at * 1e9)


def _remote(context: str | None) -> SpanContext | None:
    """The span that a ``traceparent`` names; None when it names none."""
    if not context:
        return None
    named = get_current_span(_FORM.extract({"traceparent": context}, Context())).get_span_context()
    return named if named.is_valid else None


class ExportedSpan(TraceSpan):
    """A span of the SDK's; one that is not sampled keeps nothing, and passes on that it is not."""

    __slots__ = ("_discarded", "_maker", "_span", "_sums", "_token")

    def __init__(self, span: OtelSpan, maker: OtelTracer) -> None:
        self._span = span
        self._maker = maker
        self._sums: dict[str, float] = {}
        self._token: Token[TraceSpan] | None = None
        self._discarded = False

    def __bool__(self) -> bool:
        return not self._discarded and self._span.is_recording()

    @property
    @override
    def trace_id(self) -> str:
        about = self._span.get_span_context()
        return f"{about.trace_id:032x}" if about.trace_flags.sampled else ""

    @property
    @override
    def context(self) -> str | None:
        said: dict[str, str] = {}
        _FORM.inject(said, set_span_in_context(self._span, Context()))
        return said.get("traceparent")

    @override
    def set(self, name: str, value: Attribute | None) -> None:
        if value is not None and self:
            self._span.set_attribute(name, value)

    @override
    def add(self, name: str, amount: float) -> None:
        self._sums[name] = self._sums.get(name, 0) + amount

    @override
    def event(self, name: str) -> None:
        if self:
            self._span.add_event(name)

    @override
    def link(self, context: str | None) -> None:
        other = _remote(context)
        if other is not None and self:
            self._span.add_link(other)

    @override
    def failed(self, kind: str) -> None:
        if self:
            self._span.set_attribute("error.type", kind)
            self._span.set_status(Status(StatusCode.ERROR))

    @override
    def end(self, at: float | None = None) -> None:
        if self:
            self._span.set_attributes(self._sums)
            self._span.end(_nanoseconds(at))

    @override
    def discard(self) -> None:
        # One that never ends is never sent.
        self._discarded = True

    @override
    def child(self, name: str, kind: KindOfSpan = "internal") -> TraceSpan:
        if not self:
            return NO_SPAN
        inside = set_span_in_context(self._span, Context())
        return ExportedSpan(self._maker.start_span(name, inside, _KINDS[kind]), self._maker)

    @override
    def __enter__(self) -> Self:
        self._token = tracing.make_current(self)
        return self

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, CancelledError):
            self.set("cohort.cancelled", value=True)
        elif error is not None and getattr(error, "is_fault", True):
            self.failed(type(error).__name__)
        self.end()
        if self._token is not None:
            tracing.restore(self._token)


class Spans:
    """Begins spans (``tracing.SpanMaker``)."""

    def __init__(self, maker: OtelTracer) -> None:
        self._maker = maker

    def begin(
        self, name: str, parent: str | None, kind: KindOfSpan, at: float | None, links: Sequence[str]
    ) -> TraceSpan:
        """Begin one (``tracing.begin``)."""
        # Never in the ambient context, which is fast-agent's.
        context = Context() if parent is None else _FORM.extract({"traceparent": parent}, Context())
        others = [Link(named) for link in links if (named := _remote(link)) is not None]
        span = self._maker.start_span(name, context, _KINDS[kind], links=others, start_time=_nanoseconds(at))
        return ExportedSpan(span, self._maker)


class _Counted(SpanExporter):
    """Sends spans and counts them; tells once when the receiver stops taking them, and when it takes them again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._fails = False

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        fails = result is not SpanExportResult.SUCCESS
        metrics.SPANS.labels("lost" if fails else "sent").inc(len(spans))
        if fails is not self._fails:
            self._fails = fails
            if fails:
                log.warning("traces.not_sent", extra={"spans": len(spans)})
            else:
                log.info("traces.sent_again")
        return result

    @override
    def shutdown(self) -> None:
        self._exporter.shutdown()

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _Batches(BatchSpanProcessor):
    """Counts the spans that end; those that are neither sent nor lost afterwards found the queue full."""

    @override
    def on_end(self, span: ReadableSpan) -> None:
        metrics.SPANS.labels("ended").inc()
        super().on_end(span)


@contextmanager
def _with_variables(environ: Mapping[str, str]) -> Generator[None]:
    """The SDK reads the process's environment, which lacks what stands in ``.env``.

    Only meanwhile: what a chat's shell starts must not get these, because headers are keys.
    """
    added = {name: value for name, value in environ.items() if name.startswith("OTEL_") and name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _opened(service: str, instance: str, environ: Mapping[str, str]) -> TracerProvider:
    """Make everything as the ``OTEL_*`` variables say.

    They are those of https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.

    Raises:
        Misconfigured: one of them cannot be.
    """
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in (None, "http/protobuf"):
        raise Misconfigured("OTEL_EXPORTER_OTLP_PROTOCOL: traces are sent by http/protobuf only; unset it")
    with _with_variables(environ):
        try:
            resource = Resource.create({"service.namespace": "cohort", "service.instance.id": instance})
            if str(resource.attributes["service.name"]).startswith("unknown_service"):
                resource = resource.merge(Resource({"service.name": service}))
            provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            provider.add_span_processor(_Batches(_Counted(OTLPSpanExporter())))
        except ValueError as problem:
            raise Misconfigured(f"OTEL_*: {type(problem).__name__}: a value cannot be read") from None
    return provider


@contextmanager
def exporting(service: str, instance: str, environ: Mapping[str, str], *, texts: bool) -> Generator[None]:
    """Make spans and send them inside of this block; its end waits ``FLUSH_S`` for the last ones.

    Args:
        service: The service's name, where no variable says another.
        instance: Which of its processes this is.
        environ: The variables, with those of ``.env``.
        texts: Spans have what people, models and tools say.

    Raises:
        Misconfigured: a variable is wrong.
    """
    # Its lines quote addresses, which may hold keys; what they tell is in our own events.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    provider = _opened(service, instance, environ)
    tracing.use(Spans(provider.get_tracer(SCOPE)), texts=texts)
    try:
        yield
    finally:
        tracing.use(None)
        # A receiver that does not answer must not keep a process from ending: the SDK itself would wait for 30 s.
        last = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
        last.start()
        last.join(FLUSH_S)
