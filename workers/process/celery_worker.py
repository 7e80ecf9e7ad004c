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
from celery.worker.control import control_command
from kombu.asynchronous.hub import Hub
from vine import promise

from tasks.app import CANCEL, CONSUME, DRAIN, IDLE_QUEUE, RELOAD
from tasks.errors import CohortError, StoreUnavailable
from tasks.session import SessionKey
from workers.process.broker import broken
from workers.process.loop_thread import LoopThreadPort

log = logging.getLogger("cohort.consumers")


_EVENTS_S = 0.25
"""Seconds for which events are collected for Flower: publishing each by itself takes a twentieth of a busy worker."""


class CohortConsumer(Consumer):
    """Celery's consumer, whose task events go out together."""

    hub: Hub | None
    _flush_events: Callable[[], None]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._gathering = promise(self._gather)
        self._flush_at = 0.0

    def connect(self) -> Any:
        """The connection that tasks come by (Celery asks for it at start and whenever the last one was lost)."""
        connection = cast("Any", super()).connect()
        # What was taken and not begun is not put back: its sessions are found by the sweep. Putting back fails where it
        # matters, when the connection was lost: each try takes as long as Redis is silent, and the rest goes to a file.
        connection.default_channel.do_restore = False
        return connection

    def connection_for_read(self, heartbeat: float | None = None) -> Any:
        """The same, with a transport that survives what it reads."""
        watched = str(self.app.conf.broker_read_url).startswith("sentinel://")
        transport = f"workers.process.broker:{'SentinelTransport' if watched else 'Transport'}"
        connection = self.app.connection_for_read(heartbeat=heartbeat, transport=transport)
        return self.ensure_connected(connection)

    # Celery's own answers to what it cannot read put the whole message into the log.

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

    def on_send_event_buffered(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - its stub is wrong
        """Called from any thread, for each event (``celery.events.EventDispatcher``)."""
        if self.hub is not None:
            self.hub.call_soon(self._gathering)

    def _gather(self) -> None:
        now = monotonic()
        # A timer may be lost with the connection; then the next event sets another.
        if self.hub is not None and not now <= self._flush_at <= now + _EVENTS_S:
            self._flush_at = now + _EVENTS_S
            self.hub.call_later(_EVENTS_S, self._flush_events)


class CohortWorker(Worker):
    """Celery's worker with our signals: the first SIGTERM or SIGINT drains, the second ends at once."""

    def __init__(self, *, host: LoopThreadPort, **options: Any) -> None:
        self._cohort_host = host
        self._cohort_stopping = False
        super().__init__(**options)

    def install_platform_tweaks(self, worker: Any) -> None:
        """Instead of Celery's own handlers, which know nothing of running turns."""
        del worker
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def begin_drain(self) -> None:
        """Take no more doorbells and let the running turns end."""
        self._cohort_stopping = True
        self._cohort_host.drain()
        # What Celery's own warm shutdown does: the consumer ends, the pool waits for its tasks.
        celery_state.should_stop = 0

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._cohort_stopping:
            os._exit(128 + number)
        self.begin_drain()


class Consumers:
    """Serving exactly the queues of our slots, changed live."""

    def __init__(self, app: Celery, hostname: str) -> None:
        self._app = app
        self._hostname = hostname
        self._worker: CohortWorker | None = None

    def bind(self, worker: CohortWorker) -> None:
        """The worker whose consumers these are; before it, ``serve`` does nothing."""
        self._worker = worker

    def serve(self, queues: frozenset[str]) -> None:
        """Consume these queues and no others. Blocking; the change happens within milliseconds.

        Raises:
            StoreUnavailable: the broker cannot be reached; ask again.
        """
        if self._worker is None or self._consumed() == queues:
            return
        try:
            # Through remote control and not by a call: this wakes Celery's event loop, which owns the consumers.
            self._app.control.broadcast(CONSUME, arguments={"queues": sorted(queues)}, destination=[self._hostname])
        except Exception as problem:
            raise StoreUnavailable(f"the broker cannot be reached ({type(problem).__name__})") from problem

    def _consumed(self) -> frozenset[str]:
        consumer = cast("Any", self._worker).consumer
        task_consumer = getattr(consumer, "task_consumer", None)
        if task_consumer is None:
            return frozenset()
        return frozenset(queue.name for queue in list(task_consumer.queues)) - {IDLE_QUEUE}


def bind_commands(host: LoopThreadPort, worker: Callable[[], CohortWorker | None]) -> None:
    """Register our remote-control commands with this process's Celery worker."""

    def cancel(state: Any, session: str, **_: Any) -> dict[str, str]:
        del state
        host.cancel(SessionKey.parse(session))
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
            return {"ok": f"agents: {', '.join(host.reload())}"}
        except CohortError as problem:
            return {"error": str(problem)}

    commands = {
        CANCEL: (cancel, [("session", str)]),
        CONSUME: (consume, [("queues", list)]),
        DRAIN: (drain, []),
        RELOAD: (reload, []),
    }
    for name, (command, args) in commands.items():
        cast("Any", control_command)(name=name, args=args)(command)


def quiet_celery() -> None:
    """Celery logs each task twice and its heartbeat; our own events say more with less."""
    # As root (in a container, say) it warns of pickle, which is not accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    for name in ("celery.worker.strategy", "celery.app.trace", "celery.worker.consumer.consumer", "celery.apps.worker"):
        logging.getLogger(name).setLevel(logging.WARNING)
