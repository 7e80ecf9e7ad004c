"""Remote control of workers anywhere, through Celery: one at a time, blocking."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.app import DRAIN, RELOAD, make_app
from tasks.errors import StoreUnavailable
from tasks.settings import Settings

_PATIENCE_S = 2.0


def _broadcast(settings: Settings, command: str, destination: Sequence[str] | None) -> dict[str, str]:
    """Tell workers (None: all); gives what each of those answered that did in time.

    Raises:
        StoreUnavailable: the broker is away.
    """
    app = make_app(settings)
    try:
        replies: Sequence[Mapping[str, Any]] | None = app.control.broadcast(
            command,
            destination=list(destination) if destination is not None else None,
            reply=True,
            timeout=_PATIENCE_S,
            limit=len(destination) if destination is not None else None,
        )
    except Exception as problem:
        raise StoreUnavailable(f"the workers cannot be reached ({type(problem).__name__})") from problem
    finally:
        app.close()
    answers: dict[str, str] = {}
    for reply in replies or []:
        for node, answer in reply.items():
            words = answer.values() if isinstance(answer, Mapping) else [answer]
            answers[node] = "; ".join(str(word) for word in words)
    return answers


def drain(settings: Settings, node: str) -> bool:
    """Have a worker finish and go; False when it did not answer."""
    return bool(_broadcast(settings, DRAIN, [node]))


def reload(settings: Settings) -> dict[str, str]:
    """Have all workers let the agent cards in again; gives their answers."""
    return _broadcast(settings, RELOAD, None)
