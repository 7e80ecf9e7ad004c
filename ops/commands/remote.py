"""Remote control of workers on any machine, through Celery. The calls block."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tasks.app import DRAIN, FORGET, RELOAD, make_app
from tasks.config.settings import Settings
from tasks.errors import StoreUnavailable

_PATIENCE_S = 2.0
"""For a command that a worker answers at once."""
_RELOAD_PATIENCE_S = 75.0
"""A little more than a worker's own limit (``workers.process.loop_thread``) for making an agent and its servers."""
_FORGET_PATIENCE_S = 25.0
"""A little more than a worker's own limit for ending a turn and a session's servers."""
_NOTICE_S = 3.0
"""Seconds after which the operator is told which workers have not answered yet."""


@dataclass(frozen=True, slots=True)
class WorkerAnswer:
    """What one worker answered to a command."""

    node: str
    """Its name for Celery: ``cohort-1@host``."""
    text: str
    refused: bool = False
    """The worker did not do what it was told; ``text`` says why."""

    def line(self) -> str:
        return f"{self.node}: {'refused: ' if self.refused else ''}{self.text}"


def _answer(node: str, answer: object) -> WorkerAnswer:
    said: Mapping[str, Any] = cast("Mapping[str, Any]", answer) if isinstance(answer, Mapping) else {"ok": answer}
    return WorkerAnswer(node, "; ".join(str(part) for part in said.values()), refused="error" in said)


def _broadcast(  # noqa: PLR0913 - the parameters of Celery's broadcast
    settings: Settings,
    command: str,
    destination: Sequence[str] | None,
    *,
    patience: float = _PATIENCE_S,
    count: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    heard: Callable[[WorkerAnswer], None] | None = None,
) -> list[WorkerAnswer]:
    """Send a command to workers and collect their answers.

    Args:
        settings: Of the system.
        command: One of ``tasks.app``.
        destination: The workers' node names; None sends it to all.
        patience: Seconds to wait for the next answer.
        count: The number of answers after which no more are waited for, where ``destination`` does not tell it.
        arguments: Of the command.
        heard: Called with each answer as it comes.

    Returns:
        The answers that came in time.

    Raises:
        StoreUnavailable: the broker is away.
    """
    app = make_app(settings)
    answers: list[WorkerAnswer] = []

    def take(reply: Mapping[str, Any]) -> None:
        for node, answer in reply.items():
            answers.append(_answer(node, answer))
            if heard is not None:
                heard(answers[-1])

    try:
        app.control.broadcast(
            command,
            destination=list(destination) if destination is not None else None,
            arguments=dict(arguments) if arguments is not None else None,
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
    """Have a worker finish its turns and exit; False when it did not answer."""
    return bool(_broadcast(settings, DRAIN, [node]))


def forget(
    settings: Settings,
    workers: Collection[str],
    *,
    sessions: Sequence[str],
    struck: Sequence[str],
    media: Sequence[str],
) -> list[WorkerAnswer]:
    """Have all workers end the turns of sessions that were erased, and remove the files on their machines.

    Args:
        settings: Of the system.
        workers: Incarnations of the living workers.
        sessions: Those that went whole.
        struck: Those that lost the messages of one person.
        media: Files of the cache, by name.

    Raises:
        StoreUnavailable: the broker is away.
    """
    told = {"sessions": list(sessions), "struck": list(struck), "media": list(media)}
    return _broadcast(settings, FORGET, None, patience=_FORGET_PATIENCE_S, count=len(workers), arguments=told)


def reload(
    settings: Settings,
    workers: Collection[str],
    *,
    heard: Callable[[WorkerAnswer], None],
    waiting: Callable[[Sequence[str]], None],
) -> list[str]:
    """Have all workers read the agent cards again.

    Args:
        settings: Of the system.
        workers: The living workers, by their names for Celery.
        heard: Called with each worker's answer, as it comes.
        waiting: Called once, from another thread, with the workers that take long.

    Returns:
        The workers that never answered.

    Raises:
        StoreUnavailable: the broker is away.
    """
    left = set(workers)

    def answered(answer: WorkerAnswer) -> None:
        left.discard(answer.node)
        heard(answer)

    notice = threading.Timer(_NOTICE_S, lambda: waiting(sorted(left)) if left else None)
    notice.start()
    try:
        _broadcast(settings, RELOAD, None, patience=_RELOAD_PATIENCE_S, count=len(left) or None, heard=answered)
    finally:
        notice.cancel()
    return sorted(left)
