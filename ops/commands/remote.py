"""Remote control of workers anywhere, through Celery: one at a time, blocking."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tasks.app import DRAIN, RELOAD, make_app
from tasks.errors import StoreUnavailable
from tasks.settings import Settings

_PATIENCE_S = 2.0
"""For what a worker does at once."""
_RELOAD_PATIENCE_S = 75.0
"""Somewhat more than a worker gives itself (``workers.process.loop_thread``): it makes an agent and its servers."""
REFUSED = "refused: "
"""How an answer begins that is none of the wished."""
_NOTICE_S = 3.0
"""After which whoever waits is told for whom."""


def _broadcast(  # noqa: PLR0913 - the parameters of Celery's broadcast
    settings: Settings,
    command: str,
    destination: Sequence[str] | None,
    *,
    patience: float = _PATIENCE_S,
    count: int | None = None,
    heard: Callable[[str, str], None] | None = None,
) -> dict[str, str]:
    """Tell workers (None: all); gives what each of those answered that did in time.

    ``patience``: seconds between two answers. ``count``: as many answers are all. ``heard``: called with each.

    Raises:
        StoreUnavailable: the broker is away.
    """
    app = make_app(settings)
    answers: dict[str, str] = {}

    def take(reply: Mapping[str, Any]) -> None:
        for node, answer in reply.items():
            said: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {"ok": answer}
            words = "; ".join(str(word) for word in said.values())
            answers[node] = f"{REFUSED}{words}" if "error" in said else words
            if heard is not None:
                heard(node, answers[node])

    try:
        app.control.broadcast(
            command,
            destination=list(destination) if destination is not None else None,
            reply=True,
            timeout=patience,
            limit=len(destination) if destination is not None else count,
            callback=take,
        )
    except Exception as problem:
        raise StoreUnavailable(f"the workers cannot be reached ({type(problem).__name__})") from problem
    finally:
        app.close()
    return answers


def drain(settings: Settings, node: str) -> bool:
    """Have a worker finish and go; False when it did not answer."""
    return bool(_broadcast(settings, DRAIN, [node]))


def reload(
    settings: Settings,
    workers: Collection[str],
    *,
    heard: Callable[[str, str], None],
    waiting: Callable[[Sequence[str]], None],
) -> list[str]:
    """Have all workers let the agent cards in again.

    Args:
        settings: Of the system.
        workers: The incarnations that are there.
        heard: Called with each worker's name and answer, as it comes.
        waiting: Called, from another thread, with those that take long.

    Returns:
        Those that never answered.

    Raises:
        StoreUnavailable: the broker is away.
    """
    left = set(workers)

    def answered(node: str, answer: str) -> None:
        left.discard(node.partition("@")[0])
        heard(node, answer)

    notice = threading.Timer(_NOTICE_S, lambda: waiting(sorted(left)) if left else None)
    notice.start()
    try:
        _broadcast(settings, RELOAD, None, patience=_RELOAD_PATIENCE_S, count=len(left) or None, heard=answered)
    finally:
        notice.cancel()
    return sorted(left)
