"""Logs: a constant event name and fields, as text for people or JSON for machines; never message text or tokens."""

import json
import logging
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2s
from itertools import islice
from typing import Any, Literal
from uuid import uuid4

from tasks.config import environ
from tasks.config.settings import Settings
from tasks.telemetry import tracing
from tasks.telemetry.log_rate_limit import LogRateLimit
from tasks.text import printable

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_MADE_WITH = len(vars(logging.makeLogRecord({})))
"""Attributes of a record as it is made; a line's own fields come behind them."""


_NO_FIELDS: Mapping[str, object] = {}
_bound: ContextVar[Mapping[str, object]] = ContextVar("bound", default=_NO_FIELDS)


def bind_fields(**fields: object) -> None:
    """Add fields to every log line that this task writes from now on, and the tasks that it starts.

    A task binds for itself (its caller's lines do not change): a process its incarnation, a session's loop the session
    and the claim's epoch. A field that a line names itself wins.
    """
    _bound.set({**_bound.get(), **fields})


_SESSIONS = ("session", "moved", "renamed")
"""Fields that name a session, and so a chat."""


class _SessionHashing:
    """The key with which lines name sessions; a line before it is known has the session's own name."""

    key: bytes | None = None


def hash_sessions(key: bytes | None) -> None:
    """Have the lines of this process name sessions by a hash: logs go where a chat's number must not. None: by name."""
    if key != _SessionHashing.key:
        _SessionHashing.key = key
        session_hash.cache_clear()


@lru_cache(maxsize=4096)
def session_hash(session: str, key: bytes | None = None) -> str:
    """What stands for a session in logs; `cohort find` finds it."""
    secret = key or _SessionHashing.key
    return session if secret is None else blake2s(session.encode(), key=secret[:32], digest_size=5).hexdigest()


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    own = islice(vars(record).items(), _MADE_WITH, None)
    said = {name: value for name, value in own if name not in _STANDARD and not name.startswith("_")}
    fields = {**_bound.get(), **said}
    if "trace" not in fields and (span := tracing.current()):
        fields["trace"] = span.trace_id
    for name in _SESSIONS:
        if name in fields:
            fields[name] = session_hash(str(fields[name]))
    return fields


@lru_cache(maxsize=2)
def _time_of_day(second: int) -> str:
    """The same for all lines of a second."""
    return datetime.fromtimestamp(second, UTC).strftime("%H:%M:%S")


class TextFormat(logging.Formatter):
    """``12:30:01 info  cohort.turns  turn.failed  session=1:5 action=retry``."""

    def format(self, record: logging.LogRecord) -> str:
        at = _time_of_day(int(record.created))
        fields = " ".join([f"{name}={_in_one_line(value)}" for name, value in _fields(record).items()])
        line = f"{at} {record.levelname.lower():<8}{record.name}  {record.getMessage()}  {fields}".rstrip()
        return f"{line}\n{printable(self.formatException(record.exc_info))}" if record.exc_info else line


def _in_one_line(value: Any) -> str:
    """What a person wrote must not pass for a line of its own, nor act on the operator's terminal."""
    said = str(value)
    return said if said.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in said)


class JsonFormat(logging.Formatter):
    """One object a line: at, level, logger, event, and the event's fields."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return printable(json.dumps(entry, default=str, ensure_ascii=False))


def configure_logging(settings: Settings) -> None:
    """Everything of this process goes to stderr in the chosen form. Call once, first."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormat() if settings.log_format == "json" else TextFormat())
    handler.addFilter(LogRateLimit())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    # No line shows them, and to look them up is a third of its cost (the logging HOWTO's "Optimization").
    logging._srcfile = None  # noqa: SLF001 - the HOWTO names it  # pyright: ignore[reportPrivateUsage]
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # pyright: ignore[reportAttributeAccessIssue] - no stub has it
    # These name URLs, and a Bot API URL holds the token; what they tell is in our own events.
    for name in ("httpx", "httpx2", "httpcore", "httpcore2", "telegram", "urllib3", "openai", "anthropic", "mcp"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # An answer that it cannot read it logs in full, and that may hold what people wrote; we log that the call failed.
    logging.getLogger("telegram.request").setLevel(logging.CRITICAL)


def traced(
    settings: Settings, process: Literal["bot", "worker"], instance: str | None = None
) -> AbstractContextManager[None]:
    """Around the life of a process: where traces are on, its spans are made and sent (``tasks.telemetry.span_export``).

    Raises:
        Misconfigured: a variable of OpenTelemetry's is wrong.
    """
    if settings.traces == "off":
        return nullcontext()
    # OpenTelemetry's SDK takes a fifth of a second and 10 MiB, for nothing where traces are off.
    from tasks.telemetry.span_export import exporting  # noqa: PLC0415

    return exporting(
        f"cohort-{process}",
        instance or f"{process}-{uuid4().hex[:10]}",
        environ.merged(),
        texts=settings.traces == "text",
    )
