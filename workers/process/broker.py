"""Celery's transport, made to drop a message that it cannot read: by itself it ends the whole consumer."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from queue import Empty
from time import monotonic
from typing import Any, cast

from kombu.transport import redis

from tasks.store.connection.redis import NEW_CONNECTION
from tasks.telemetry.metrics import BROKEN_DOORBELLS

log = logging.getLogger("cohort.consumers")

LARGEST = 1_000_000
"""Characters of the largest message that is taken. A doorbell has less than a thousand, and Flower shows each one."""

_SAY_EVERY_S = 10.0


class UnreadableError(Exception):
    """A message that is not a task."""


class BrokenMessages:
    """Counts dropped messages in the metrics, and logs one line for many."""

    def __init__(self) -> None:
        self._said_at = float("-inf")
        self._unsaid = 0

    def note(self, why: str) -> None:
        """Count one; ``why`` must not hold anything of its content."""
        BROKEN_DOORBELLS.inc()
        self._unsaid += 1
        if monotonic() - self._said_at >= _SAY_EVERY_S:
            log.error("doorbell.broken", extra={"why": why, "messages": self._unsaid})
            self._said_at, self._unsaid = monotonic(), 0


broken = BrokenMessages()
"""One for the process, which has one consumer."""


class _Surviving:
    """A channel of kombu that survives any message it reads."""

    def _connparams(self, *given: Any, **options: Any) -> dict[str, Any]:
        # Behind Sentinel kombu gives its one argument by its place.
        return {**cast("Any", super())._connparams(*given, **options), **NEW_CONNECTION}  # noqa: SLF001 - kombu's

    def _brpop_read(self, **options: Any) -> Any:
        with self._surviving():
            return cast("Any", super())._brpop_read(**options)  # noqa: SLF001 - kombu's
        return True

    def _receive_one(self, c: Any) -> Any:
        with self._surviving():
            return cast("Any", super())._receive_one(c)  # noqa: SLF001 - kombu's
        return True

    @contextmanager
    def _surviving(self) -> Generator[None]:
        channel: Any = self
        line = channel.connection
        held = channel.qos._delivered  # noqa: SLF001 - unacknowledged messages, oldest first
        last = next(reversed(held), None)
        try:
            yield
        except (Empty, *line.connection_errors, *line.channel_errors):
            raise
        except Exception as problem:  # noqa: BLE001 - a message may raise anything, and must not end the consumer
            broken.note(str(problem) if isinstance(problem, UnreadableError) else type(problem).__name__)
            # Without this it would stay unacknowledged for ever and take a place in the pool.
            taken = next(reversed(held), None)
            if taken is not None and taken != last:
                channel.qos.ack(taken)


class Channel(_Surviving, redis.Channel):
    """kombu's channel, with that."""


class SentinelChannel(_Surviving, redis.SentinelChannel):
    """The same, to the Redis that is the master now."""


class Transport(redis.Transport):
    """kombu's transport, with that channel."""

    Channel = Channel

    def _deliver(self, message: Any, queue: Any) -> None:
        """Pass a message on, up to the pool, which begins its task.

        Raises:
            UnreadableError: it cannot be read. kombu would take the KeyError of such a message for a lost connection.
        """
        away = tuple(kind for kind in self.connection_errors if kind is not KeyError)
        try:
            _measure(message)
            super()._deliver(message, queue)
        except (UnreadableError, *away):
            raise
        except Exception as problem:
            raise UnreadableError(type(problem).__name__) from problem


class SentinelTransport(Transport):
    """The same behind Sentinel."""

    default_port = 26379
    Channel = SentinelChannel


def _measure(message: Any) -> None:
    parts = (message.get("body"), *message["headers"].values())
    if sum(len(part) for part in parts if isinstance(part, str)) > LARGEST:
        raise UnreadableError("a message is too large")
