"""The Celery app: doorbells go through it, and Flower and remote control look at the workers through it."""

from typing import Any

from celery import Celery

from tasks.broker_connection import PromptBroker
from tasks.config.redis_url import Sentinels, sentinels
from tasks.config.settings import Settings

CANCEL = "cohort_cancel"
"""Remote control: cancel the running turn of ``session``, so that a control word is seen at once."""
CONSUME = "cohort_consume"
"""Remote control: serve exactly these ``queues``."""
DRAIN = "cohort_drain"
"""Remote control: take no new turns and end when the running ones have."""
RELOAD = "cohort_reload"
"""Remote control: check the agent cards and let them in."""

FORGET = "cohort_forget"
"""Remote control: ``sessions`` were erased, ``struck`` in part: end their turns, remove their files and ``media``."""

IDLE_QUEUE = "cohort.idle"
"""A worker without slots still consumes something; nothing is ever sent here."""


def make_app(settings: Settings) -> Celery:
    """A configured app; it connects when first used."""
    app = Celery("cohort", set_as_current=False, amqp=PromptBroker)
    watched = sentinels(settings.redis_url) if settings.redis_url else None
    url = watched.broker_url() if watched else settings.redis_url
    app.conf.update(
        # Not `broker_url`, which CELERY_BROKER_URL would overrule: doorbells are stored where their messages are.
        broker_read_url=url,
        broker_write_url=url,
        include=["tasks.turn"],
        task_default_queue=IDLE_QUEUE,
        task_create_missing_queues=True,
        # A doorbell is acked when it is taken: what must be answered stands in the inbox (docs/architecture.md).
        task_acks_late=False,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_serializer="json",
        accept_content=["json"],
        # Flower shows every task.
        worker_send_task_events=True,
        task_send_sent_event=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_enable_remote_control=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # Refusals too: a Redis that fails over, or is full, is one that comes back; Celery's default is to end.
        broker_channel_error_retry=True,
        broker_transport_options=_transport_options(watched),
        broker_use_ssl=dict(watched.tls) if watched and watched.tls is not None else False,
        # Events and answers to remote control whose reader is gone.
        event_queue_expires=60,
        event_queue_ttl=30,
        control_queue_expires=30,
        broker_connection_timeout=3,
        # Of tasks that are acknowledged late, and a doorbell is none; unset, Celery warns with each lost connection.
        worker_cancel_long_running_tasks_on_connection_loss=True,
    )
    app.conf.task_routes = None
    return app


def _transport_options(watched: Sentinels | None) -> dict[str, Any]:
    return {
        # One priority: otherwise each queue is four keys.
        "priority_steps": [0],
        # No book of what was taken: two transactions a doorbell, for a redelivery that the inbox makes needless.
        "ack_emulation": False,
        # A flood in one slot must not delay another slot's doorbell.
        "queue_order_strategy": "round_robin",
        "socket_keepalive": True,
        "socket_connect_timeout": 3,
        "health_check_interval": 15,
        **(_sentinel_options(watched) if watched else {}),
    }


def _sentinel_options(watched: Sentinels) -> dict[str, Any]:
    own = {"password": watched.sentinel_password, "socket_timeout": 1, "socket_connect_timeout": 1}
    return {"master_name": watched.master, "sentinel_kwargs": own | watched.connection_options}
