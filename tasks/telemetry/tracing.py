"""Traces: one trace from an update to its delivery, in spans of OpenTelemetry; off unless COHORT_TRACES says otherwise.

Off, nothing of OpenTelemetry's SDK is loaded, and one object stands for all spans. On, ``tasks.telemetry.span_export``
makes them.

Which span is current is kept in a variable of ours: fast-agent and the clients of models look for OpenTelemetry's own,
and so neither add spans to a trace (theirs quote what people wrote) nor pass its id on to servers.
"""

import re
from collections.abc import Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Literal, Protocol, Self

type KindOfSpan = Literal["internal", "client", "producer", "consumer"]
type Attribute = str | int | float | bool | Sequence[str]


class TraceSpan:
    """A step that is not traced: it takes everything and keeps nothing. False, so that costly attributes are not made.

    Used as a context manager a span is the current one of its task, and of the tasks that are begun inside.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits; empty when the trace is not kept."""
        return ""

    @property
    def context(self) -> str | None:
        """What names the span to other processes: W3C's ``traceparent`` (https://www.w3.org/TR/trace-context/)."""
        return None

    def set(self, name: str, value: Attribute | None) -> None:
        """Set an attribute; None sets none."""

    def add(self, name: str, amount: float) -> None:
        """Add to an attribute that is a sum."""

    def event(self, name: str) -> None:
        """Note that something happened now."""

    def link(self, context: str | None) -> None:
        """Link a span of another trace."""

    def failed(self, kind: str) -> None:
        """It failed by an error of this class. The error's words stay out: they may quote people, tokens, addresses."""

    def end(self, at: float | None = None) -> None:
        """It ends (``at``: seconds since the epoch). Later ends change nothing."""

    def discard(self) -> None:
        """What it stands for was not done: it is not kept."""

    def child(self, name: str, kind: KindOfSpan = "internal") -> "TraceSpan":
        """Begin a span inside of this one."""
        del name, kind
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Note the class of an error that passes."""


NO_SPAN = TraceSpan()

_current: ContextVar[TraceSpan] = ContextVar("_current", default=NO_SPAN)


def current() -> TraceSpan:
    """The span of this task."""
    return _current.get()


def step(name: str, kind: KindOfSpan = "internal") -> TraceSpan:
    """Begin a span inside of the current one; without one the step is not traced."""
    return _current.get().child(name, kind)


def make_current(span: TraceSpan) -> Token[TraceSpan]:
    """Make it this task's span, until ``restore``."""
    return _current.set(span)


def restore(token: Token[TraceSpan]) -> None:
    """Undo ``make_current``."""
    _current.reset(token)


_SAMPLED = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f][13579bdf]")


def id_of(context: str | None) -> str:
    """The id of the trace that a ``context`` is of; empty when that is not kept."""
    named = _SAMPLED.fullmatch(context or "")
    return named[1] if named else ""


class SpanMaker(Protocol):
    """Makes spans (``tasks.telemetry.span_export``)."""

    def begin(
        self, name: str, parent: str | None, kind: KindOfSpan, at: float | None, links: Sequence[str]
    ) -> TraceSpan:
        """Begin one."""
        ...


class _Tracing:
    """What this process does about traces."""

    maker: SpanMaker | None = None
    has_texts = False


def is_on() -> bool:
    """Whether this process makes spans."""
    return _Tracing.maker is not None


def has_texts() -> bool:
    """Whether spans may have what people, models and tools say."""
    return _Tracing.has_texts


def begin(
    name: str,
    parent: str | None = None,
    kind: KindOfSpan = "internal",
    *,
    at: float | None = None,
    links: Sequence[str] = (),
) -> TraceSpan:
    """Begin a span that is not inside of the current one.

    Args:
        name: What it is; few different ones.
        parent: The ``context`` of the span that led to it; None begins a trace. One that cannot be read counts as None.
        kind: OpenTelemetry's.
        at: When it began, seconds since the epoch; None is now.
        links: Contexts of further spans that led to it.
    """
    maker = _Tracing.maker
    return NO_SPAN if maker is None else maker.begin(name, parent, kind, at, links)


def use(maker: SpanMaker | None, *, texts: bool = False) -> None:
    """Have spans made from now on; None: no more."""
    _Tracing.maker, _Tracing.has_texts = maker, texts
