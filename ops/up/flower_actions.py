"""Actions of Flower's that mean nothing to doorbells: each is refused with what to do instead.

Flower sends these without waiting for what a worker says of them, or does them by itself: a revoked task would be shown
as revoked while its message is answered, an applied one would be sent for a chat that has no work, and the answer to a
time limit would not be shown.
"""

from collections.abc import Callable
from typing import Any

from flower.api import control, tasks
from tornado.web import HTTPError, authenticated

_DOORBELLS = "a doorbell only says that a chat has work; the message is answered all the same"
_ANSWERED = f"{_DOORBELLS}: end a turn with /stop in its chat"
_SENT = "a doorbell is sent for a message of its chat, and by the sweep: write to the bot in the chat"
_WITHOUT_MEANING: dict[tuple[type[Any], str], str] = {
    (control.TaskRevoke, "post"): _ANSWERED,
    # The page takes this one for HTML, and shows nothing of words without an element.
    (control.TaskTimout, "post"): f"<p>{_DOORBELLS}: limit turns with COHORT_TURN_TIMEOUT</p>",
    (tasks.TaskAbort, "post"): _ANSWERED,
    (tasks.TaskApply, "post"): _SENT,
    (tasks.TaskAsyncApply, "post"): _SENT,
    (tasks.TaskSend, "post"): _SENT,
    (tasks.TaskResult, "get"): "results stand in the task's page; `cohort find` shows the way of its message",
}


def refuse_the_meaningless() -> None:
    """Put the refusals in the place of Flower's own handling."""
    for (handler, method), instead in _WITHOUT_MEANING.items():
        setattr(handler, method, _refusing(instead))


def _refusing(instead: str) -> Callable[..., Any]:
    @authenticated
    async def refuse(handler: Any, _name: str) -> None:
        if handler.application.options.read_only:
            raise HTTPError(403, "Read only mode is enabled")
        raise HTTPError(403, instead)

    return refuse
