"""What fast-agent would print, and its log events: nothing of them that may quote a chat is kept."""

import io
import logging
from collections.abc import Callable
from typing import Any

from workers.runtime.call_log import call_log_of_turn

log = logging.getLogger("cohort.runtime")
# What a turn ran into is told by its ``TurnFailed``; these say it a second time.
_EVENTS_A_TURN = 100
_LEVELS = {"error": logging.WARNING, "warning": logging.INFO}


class LogStream(io.TextIOBase):
    """Takes what fast-agent prints to a console, and logs that it did: the text may quote a chat."""

    def write(self, text: str, /) -> int:
        if text.strip():
            log.debug("fast_agent.printed", extra={"characters": len(text)})
        return len(text)

    def isatty(self) -> bool:
        return False


def log_stream(_: object) -> LogStream:
    """In place of a console's file."""
    return LogStream()


def unchanged(_: object) -> Callable[[Any, Any], None]:
    """``update_logger_settings`` that takes what an agent wants shown while it works for another, and changes nothing.

    All agents share these settings, and nothing is shown. Two such agents at once put back each other's: tools were
    shown from then on, to all chats.
    """

    def update_logger_settings(self: Any, logger_settings: Any) -> None: ...

    return update_logger_settings


def _too_many() -> bool:
    """Whether this turn has been warned of enough: each of thousands of failing calls has something to say."""
    call_log = call_log_of_turn.get()
    if call_log is None:
        return False
    call_log.events += 1
    if call_log.events == _EVENTS_A_TURN:
        log.warning("fast_agent.events_dropped", extra={"after": _EVENTS_A_TURN})
    return call_log.events >= _EVENTS_A_TURN


def event(_: object) -> Callable[..., None]:
    """``Logger.event``: warnings and errors become ours, the rest goes nowhere.

    fast-agent's own queue is unbounded and costs a task for each event.
    """
    return _event


def _event(  # noqa: PLR0913, PLR0917 - fast-agent's signature
    self: Any,
    etype: str,
    ename: str | None,  # noqa: ARG001 - fast-agent's signature
    message: str,  # noqa: ARG001 - may quote a chat
    context: object,  # noqa: ARG001
    data: dict[str, Any],
) -> None:
    level = _LEVELS.get(etype)
    if level is not None and not _too_many():
        inner: dict[str, Any] = data["data"] if isinstance(data.get("data"), dict) else {}
        kind = data.get("error_type") or inner.get("error_type")
        log.log(level, "fast_agent.event", extra={"source": self.namespace, "error": kind})
