"""The Celery side of a worker: which queues it consumes, its remote-control commands, and its signals."""

import logging
import os
import signal
import warnings
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import Any, cast

from celery import Celery
from celery.apps.worker import Worker
from celery.exceptions import SecurityWarning
from celery.worker import state as celery_state
from celery.worker.consumer import Consumer
from celery.worker.control import control_command, inspect_command
from kombu.asynchronous.hub import Hub
from vine import promise

from tasks.app import CANCEL, CONSUME, DRAIN, FORGET, IDLE_QUEUE, RELOAD
from tasks.errors import CohortError, StoreUnavailable
from tasks.process import title
from tasks.process.ending import ending_signals
from tasks.session import SessionKey
from workers.process.broker import broken
from workers.process.loop_thread import LoopThreadPort
from workers.process.reconnects import Reconnects

log = logging.getLogger("cohort.consumers")


_EVENTS_S = 0.5
"""Seconds for which events are collected for Flower: publishing each by itself takes a twentieth of a busy worker."""


_DOORBELLS = "a doorbell only says that a chat has work; the message is answered all the same"
_QUEUES = "a worker consumes the queues of its slots, which the workers share out among themselves"
_WITHOUT_MEANING = {
    "pool_grow": "lanes bound the work (COHORT_LANES); add workers with `cohort scale`",
    "pool_shrink": "lanes bound the work (COHORT_LANES); remove workers with `cohort scale`",
    "autoscale": "lanes bound the work (COHORT_LANES); set workers with `cohort scale`",
    "pool_restart": "`cohort drain` ends a worker when its turns have ended, and its supervisor starts it again",
    "add_consumer": _QUEUES,
    "cancel_consumer": f"{_QUEUES}; `cohort drain` moves all of them",
    "rate_limit": f"{_DOORBELLS}: limit people with COHORT_BUDGET_USER and COHORT_BUDGET_CHAT",
    "time_limit": f"{_DOORBELLS}: limit turns with COHORT_TURN_TIMEOUT",
    "revoke": f"{_DOORBELLS}: end a turn with /stop in its chat",
    "revoke_by_stamped_headers": _DOORBELLS,
    "terminate": f"{_DOORBELLS}: end a turn with /stop in its chat",
}
"""Commands of Celery that mean nothing here, and what Flower shows instead."""


class CohortConsumer(Consumer):
    """Celery's consumer, which here collects task events and publishes them together."""

    hub: Hub | None
    _flush_events: Callable[[], None]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._gathering = promise(self._gather)
        self._flush_at = 0.0
        self._reconnects = Reconnects()

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """A connection is lost: let go of it, and rest before the next one (``Reconnects``)."""
        cast("Any", super()).on_connection_error_after_connected(exc)
        self._reconnects.lost(exc)

    def connect(self) -> Any:
        """Open the connection for tasks (Celery calls this at start and whenever the last connection was lost)."""
        connection = cast("Any", super()).connect()
        # kombu would put back the doorbells that were taken and not begun. The sweep finds their sessions anyway, and
        # putting back fails when it matters, after a lost connection: each try waits for Redis, and the rest goes to a
        # file.
        connection.default_channel.do_restore = False
        return connection

    def connection_for_read(self, heartbeat: float | None = None) -> Any:
        """The same, with a transport that survives any message it reads."""
        watched = str(self.app.conf.broker_read_url).startswith("sentinel://")
        transport = f"workers.process.broker:{'SentinelTransport' if watched else 'Transport'}"
        connection = self.app.connection_for_read(heartbeat=heartbeat, transport=transport)
        return self.ensure_connected(connection)

    # Celery's own handlers for messages that it cannot read put the whole message into the log.

    def on_unknown_message(self, body: object, message: Any) -> None:
        del body
        self._drop(message, "no task")

    def on_unknown_task(self, body: object, message: Any, exc: Exception) -> None:
        del body, exc
        self._drop(message, "an unknown task")

    def on_invalid_task(self, body: object, message: Any, exc: Exception) -> None:
        del body
        self._drop(message, type(exc).__name__)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        self._drop(message, type(exc).__name__)

    def _drop(self, message: Any, why: str) -> None:
        broken.note(why)
        message.reject_log_error(log, cast("Any", self).connection_errors)

    def shutdown(self) -> None:
        """Called when the pool has ended: how its last tasks went is still to be published."""
        dispatcher = cast("Any", self).event_dispatcher
        if dispatcher is not None:
            dispatcher.flush()
        cast("Any", super()).shutdown()

    def on_send_event_buffered(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - its stub is wrong
        """Called from any thread, for each event (``celery.events.EventDispatcher``)."""
        if self.hub is not None:
            self.hub.call_soon(self._gathering)

    def _gather(self) -> None:
        now = monotonic()
        # A timer may be lost with the connection. Then the next event sets another one.
        if self.hub is not None and not now <= self._flush_at <= now + _EVENTS_S:
            self._flush_at = now + _EVENTS_S
            self.hub.call_later(_EVENTS_S, self._flush_events)


class CohortWorker(Worker):
    """Celery's worker with our signals: the first SIGTERM, SIGINT or SIGHUP drains, the second one exits at once."""

    def __init__(self, *, loop_port: LoopThreadPort, **options: Any) -> None:
        self._cohort_loop_port = loop_port
        self._cohort_stopping = False
        super().__init__(**options)

    def install_platform_tweaks(self, worker: Any) -> None:
        """Install our signal handlers; Celery's own ones know nothing of running turns."""
        del worker
        for number in ending_signals():
            signal.signal(number, self._on_signal)

    def set_process_status(self, info: object) -> None:
        """Say in the command line which worker this is; Celery's own words are those of any Celery worker."""
        del info
        title.show(f"worker {str(cast('Any', self).hostname).partition('@')[0]}")

    def begin_drain(self) -> None:
        """Take no more doorbells and let the running turns end."""
        self._cohort_stopping = True
        self._cohort_loop_port.drain()
        # What Celery's own warm shutdown does: the consumer ends, the pool waits for its tasks.
        celery_state.should_stop = 0

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._cohort_stopping and number == signal.SIGHUP:
            return  # a terminal that closes may send it twice, and means no haste
        if self._cohort_stopping:
            os._exit(128 + number)
        self.begin_drain()


class Consumers:
    """Consumes exactly the queues of the slots that this worker serves, and changes them while it runs."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._worker: CohortWorker | None = None

    def bind(self, worker: CohortWorker) -> None:
        """Set the worker that consumes. Until then ``serve`` does nothing."""
        self._worker = worker

    def serve(self, queues: frozenset[str]) -> None:
        """Consume these queues and no others. Blocks; the change takes milliseconds.

        Raises:
            StoreUnavailable: the broker cannot be reached. Call it again.
        """
        if self._worker is None or self._consumed() == queues:
            return
        node = cast("Any", self._worker).hostname
        try:
            # Remote control wakes Celery's event loop, which owns the consumers; a call would be in the wrong thread.
            self._app.control.broadcast(CONSUME, arguments={"queues": sorted(queues)}, destination=[node])
        except Exception as problem:
            raise StoreUnavailable(f"the broker cannot be reached ({type(problem).__name__})") from problem

    def _consumed(self) -> frozenset[str]:
        consumer = cast("Any", self._worker).consumer
        task_consumer = getattr(consumer, "task_consumer", None)
        if task_consumer is None:
            return frozenset()
        return frozenset(queue.name for queue in list(task_consumer.queues)) - {IDLE_QUEUE}


def bind_commands(loop_port: LoopThreadPort, worker: Callable[[], CohortWorker | None]) -> None:
    """Register our remote-control commands with the Celery worker of this process."""

    def cancel(state: Any, session: str, **_: Any) -> dict[str, str]:
        del state
        loop_port.cancel(SessionKey.parse(session))
        return {"ok": "told"}

    def consume(state: Any, queues: list[str], **_: Any) -> dict[str, str]:
        consumer = state.consumer
        wanted, now = set(queues), {queue.name for queue in list(consumer.task_consumer.queues)} - {IDLE_QUEUE}
        for name in sorted(now - wanted):
            consumer.call_soon(consumer.cancel_task_queue, name)
        for name in sorted(wanted - now):
            consumer.call_soon(consumer.add_task_queue, name, None, "direct", None)
        return {"ok": f"{len(wanted)} queues"}

    def drain(state: Any, **_: Any) -> dict[str, str]:
        del state
        if (running := worker()) is not None:
            running.begin_drain()
        return {"ok": "draining"}

    def reload(state: Any, **_: Any) -> dict[str, str]:
        del state
        try:
            return {"ok": f"agents: {', '.join(loop_port.reload())}"}
        except CohortError as problem:
            return {"error": str(problem)}

    commands = {
        CANCEL: (cancel, [("session", str)]),
        CONSUME: (consume, [("queues", list)]),
        DRAIN: (drain, []),
        # Flower's button: Celery's own ends the consumer and leaves the sessions' side at work.
        "shutdown": (drain, []),
        FORGET: (_forgetter(loop_port), [("sessions", list), ("struck", list), ("media", list)]),
        RELOAD: (reload, []),
    }
    for name, (command, args) in commands.items():
        cast("Any", control_command)(name=name, args=args)(command)
    cast("Any", inspect_command)(name="reserved", alias="dump_reserved")(_reserved)
    _refuse_the_others()


def _reserved(state: Any, **_: Any) -> list[dict[str, Any]]:
    """Doorbells that wait here, as they may be shown: Celery's own shows their arguments, which name chats."""
    waiting = state.tset(celery_state.reserved_requests) - state.tset(celery_state.active_requests)
    return [request.info(safe=True) for request in waiting]


def _refuse_the_others() -> None:
    for name, why in _WITHOUT_MEANING.items():
        cast("Any", control_command)(name=name)(_refuser(why))


def _refuser(why: str) -> Callable[..., dict[str, str]]:
    def refuse(state: Any, **_: Any) -> dict[str, str]:
        del state
        return {"error": why}

    return refuse


def _forgetter(loop_port: LoopThreadPort) -> Callable[..., dict[str, str]]:
    def forget(state: Any, sessions: list[str], struck: list[str], media: list[str], **_: Any) -> dict[str, str]:
        del state
        try:
            whole, groups = ([SessionKey.parse(session) for session in some] for some in (sessions, struck))
            return {"ok": str(loop_port.forget(whole, groups, media))}
        except (TimeoutError, RuntimeError) as problem:
            return {"error": f"a turn or an MCP server of it does not end ({type(problem).__name__})"}

    return forget


def quiet_celery() -> None:
    """Turn off Celery's own log lines: it logs each task twice and its heartbeat, and our events say more."""
    # As root (in a container, say) it warns of pickle, which is not accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    for name in (
        "celery.worker.strategy",
        "celery.app.trace",
        "celery.apps.worker",
        "celery.worker.consumer.connection",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It warns of each lost connection; `Reconnects` tells of each outage.
    logging.getLogger("celery.worker.consumer.consumer").setLevel(logging.ERROR)
