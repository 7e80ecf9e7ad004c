"""Ringing: one Celery task for each message, many in one round trip, and remote control of a running turn."""

from collections.abc import Sequence
from typing import Any, cast

from celery import Celery
from kombu.exceptions import KombuError

from tasks.app import CANCEL
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.slots import queue_of, slot_of
from tasks.turn import NAME


class Doorbells:
    """Blocking: call it from a thread. Losing or doubling a doorbell is harmless (docs/architecture.md)."""

    def __init__(self, app: Celery, *, slots: int) -> None:
        self._app = app
        self._slots = slots
        # The transport's own errors, without knowing the transport.
        self._away: tuple[type[BaseException], ...] = (
            KombuError,
            OSError,
            *app.connection_for_write().connection_errors,
        )

    def ring(self, items: Sequence[tuple[SessionKey, int]]) -> None:
        """Ring for each (session, update id).

        Raises:
            StoreUnavailable: some may not have been rung; the owners' sweeps find their messages.
        """
        try:
            with self._app.producer_pool.acquire(block=True, timeout=5) as producer, cast("Any", producer).batch():
                for session, update_id in items:
                    self._app.send_task(
                        NAME,
                        args=(str(session), update_id),
                        task_id=f"{session.bot}-{update_id}",
                        queue=queue_of(slot_of(session, self._slots)),
                        producer=producer,
                        ignore_result=True,
                        retry=False,
                    )
        except self._away as problem:
            raise StoreUnavailable(f"no doorbell could be rung ({type(problem).__name__})") from problem

    def interrupt(self, session: SessionKey) -> None:
        """Cancel the session's running turn, wherever it runs, so that the control word behind it is seen at once.

        Raises:
            StoreUnavailable: nobody was told; the control word takes its turn.
        """
        try:
            self._app.control.broadcast(CANCEL, arguments={"session": str(session)})
        except self._away as problem:
            raise StoreUnavailable(f"nobody could be told ({type(problem).__name__})") from problem
