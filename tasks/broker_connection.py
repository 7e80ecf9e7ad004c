"""How Celery publishes to its broker: a command of remote control is sent or refused, and waits for no Redis."""

from typing import Any, cast

from celery.app.amqp import AMQP
from kombu import Producer

_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
"""Once more over a new connection: after a restart of Redis the one at hand is dead."""


class PromptProducer(Producer):
    """By itself kombu publishes a command until Redis is back, and holds its thread as long."""

    def publish(self, body: Any, *where: Any, **options: Any) -> Any:
        return cast("Any", super()).publish(body, *where, **({"retry_policy": _POLICY} | options))


class PromptBroker(AMQP):
    """Celery's ways to its broker, with such producers."""

    @property
    def producer_pool(self) -> Any:
        """The pool that the whole app takes its producers from."""
        pool = cast("Any", super()).producer_pool
        pool.Producer = PromptProducer
        return pool
