"""The Celery task: a doorbell. It says "this session has work"; the work itself stands in the inbox."""

from typing import Any, cast

from celery import Celery, Task

from tasks.errors import EnvelopeInvalid
from tasks.ports import Host, TurnReport
from tasks.session import SessionKey

NAME = "chat.turn"


def bind(app: Celery, host: Host) -> None:
    """Register the task with the worker that it wakes sessions in.

    It is a coroutine, run in the loop thread by the worker's own pool (``workers.process.celery_pool``).
    It returns when its session's loop has nothing left to do, so Flower shows how long a session was at work. A
    doorbell for a session that is already at work, or that waits for others of its chat, ends at once (``joined``).
    """

    async def turn(_task: "Task[Any, Any]", session: str, update_id: int) -> TurnReport:
        del update_id  # for Flower's eyes
        try:
            key = SessionKey.parse(session)
        except (ValueError, TypeError) as problem:
            raise EnvelopeInvalid(f"{type(problem).__name__}: a doorbell without a session") from None
        return await host.visit(key)

    cast("Any", app).task(turn, name=NAME, bind=True, ignore_result=True, acks_late=False, shared=False)
