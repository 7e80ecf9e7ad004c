"""Spans that a test reads: of its own process, and those that processes send by OTLP."""

import asyncio
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from tasks.telemetry import tracing
from tasks.telemetry.span_export import Spans
from tests.support.wire import HttpServer, Request


@dataclass(frozen=True)
class Seen:
    """A span that ended."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    failed: bool = False
    description: str = ""
    links: tuple[str, ...] = ()
    """Traces."""
    events: tuple[str, ...] = ()
    service: str = ""
    scope: str = ""


class Kept:
    """The spans of this process, read when asked."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def __call__(self, *names: str) -> list[Seen]:
        """Those of these names (a name's first word is enough), in the order in which they ended."""
        found = [
            Seen(
                span.name,
                f"{span.context.trace_id:032x}",
                f"{span.context.span_id:016x}",
                f"{span.parent.span_id:016x}" if span.parent else "",
                {name: list(value) if isinstance(value, tuple) else value for name, value in span.attributes.items()},
                not span.status.is_ok and not span.status.is_unset,
                span.status.description or "",
                tuple(f"{link.context.trace_id:032x}" for link in span.links),
                tuple(event.name for event in span.events),
                scope=span.instrumentation_scope.name,
            )
            for span in self._exporter.get_finished_spans()
        ]
        return [span for span in found if not names or span.name in names or span.name.split()[0] in names]

    def one(self, name: str) -> Seen:
        (span,) = self(name)
        return span


@contextmanager
def kept_spans(*, texts: bool = False, sampler: Sampler = ALWAYS_ON) -> Generator[Kept]:
    """Traces are on in this process."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(Spans(provider.get_tracer("cohort")), texts=texts)
    try:
        yield Kept(exporter)
    finally:
        tracing.use(None)


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


@dataclass
class Receiver(HttpServer):
    """An OTLP/HTTP receiver. ``status``: what it answers; ``silent``: it takes requests and never answers."""

    status: int = 200
    silent: bool = False
    spans: list[Seen] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()
        self.asked = asyncio.Event()

    async def handle(self, request: Request) -> None:
        self.asked.set()
        self.headers.append(request.headers)
        if self.silent:
            await request.pause(60)
        body = request.body
        if request.headers.get("content-encoding") == "gzip":
            body = zlib.decompress(body, 31)
        if self.status == 200:
            self.raw.append(body)
            self._take(ExportTraceServiceRequest.FromString(body))
        await request.respond(b"", self.status, {"content-type": "application/x-protobuf"})

    def _take(self, sent: ExportTraceServiceRequest) -> None:
        for resource in sent.resource_spans:
            service = _values(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self.spans += [
                    Seen(
                        span.name,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        _values(span.attributes),
                        span.status.code == 2,
                        span.status.message,
                        tuple(link.trace_id.hex() for link in span.links),
                        tuple(event.name for event in span.events),
                        service,
                        scope.scope.name,
                    )
                    for span in scope.spans
                ]
        self._news.set()

    async def trace(self, *names: str, where: str = "", wait: float = 60) -> list[Seen]:
        """Wait for a trace that has spans of all these names (first words), one of them with this value; all of it.

        Raises:
            TimeoutError: there is none.
        """
        async with asyncio.timeout(wait):
            while True:
                traces: dict[str, list[Seen]] = {}
                for span in self.spans:
                    traces.setdefault(span.trace, []).append(span)
                for spans in traces.values():
                    has = {span.name.split()[0] for span in spans}
                    if has.issuperset(names) and (not where or any(where in s.attributes.values() for s in spans)):
                        return spans
                self._news.clear()
                await self._news.wait()
