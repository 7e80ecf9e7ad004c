"""What the Celery task needs of the worker around it (Protocols); the worker binds one at boot."""

from typing import Protocol, TypedDict

from tasks.session import SessionKey


class TurnReport(TypedDict):
    """A doorbell's result, for Flower. ``outcome``: joined | elsewhere | idle | answered."""

    outcome: str
    turns: int
    messages: int
    tokens: int
    seconds: float
    """Since the doorbell woke the session."""


def report(outcome: str) -> TurnReport:
    """The result of a doorbell that nothing was answered for, so far."""
    return {"outcome": outcome, "turns": 0, "messages": 0, "tokens": 0, "seconds": 0.0}


ELSEWHERE = report("elsewhere")
"""Not answered here: the message stays where it is, and the owner of its session finds it."""


class Host(Protocol):
    """The worker process as the task sees it."""

    async def visit(self, session: SessionKey) -> TurnReport:
        """Wake the session and wait until its loop has nothing left to do.

        Returns at once with ``joined`` when its loop is already running here, or waits for others of its chat.
        """
        ...
