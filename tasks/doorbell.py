"""Doorbells: one Celery task for each message, stored together with it, and remote control of a running turn."""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, cast
from uuid import uuid4

from celery import Celery
from kombu import Connection
from kombu.exceptions import KombuError
from kombu.transport import virtual

from tasks.app import CANCEL, FORGET
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.slots import queue_of, slot_of
from tasks.store.intake import Doorbell
from tasks.telemetry.logs import session_hash
from tasks.turn import NAME
from tasks.turn_record import task_id

_ALWAYS = {"parent_id", "group"}
"""Headers that the protocol asks for, also when there is nothing to say."""
_UNREAD = {"argsrepr", "reply_to"}
"""Properties that no worker reads: the first stands in the headers, and there is no result to reply with."""


class _Paper(virtual.Channel):
    """A channel that keeps what is published to it, in the words of all of kombu's list-like transports."""

    written: dict[str, Any]

    def _put(self, queue: str, message: Any, **_: Any) -> None:
        del queue
        self.written = message

    def _new_queue(self, queue: str, **_: Any) -> None:
        del queue

    def _size(self, queue: str) -> int:
        del queue
        return 0


class _PaperTransport(virtual.Transport):
    Channel = _Paper


class Doorbells:
    """Makes doorbells and sends them. Losing or doubling one is harmless (docs/architecture.md)."""

    def __init__(self, app: Celery, *, slots: int) -> None:
        self._app = app
        self._slots = slots
        # The transport's own errors, without knowing the transport.
        self._away: tuple[type[BaseException], ...] = (
            KombuError,
            OSError,
            *app.connection_for_write().connection_errors,
        )
        with Connection(transport=cast("Any", _PaperTransport)) as paper:
            channel = cast("Any", paper).default_channel
            self._send(cast("Any", app).amqp.Producer(channel), SessionKey(0, 0), 0)
            like: dict[str, Any] = channel.written
        self._embed = json.loads(b64decode(like["body"]))[2]
        self._like = {
            **like,
            "headers": {name: value for name, value in like["headers"].items() if name in _ALWAYS or _says(value)},
            "properties": {name: value for name, value in like["properties"].items() if name not in _UNREAD},
        }

    def of(self, session: SessionKey, update_id: int) -> Doorbell:
        """The doorbell of a message, for ``tasks.store.intake.Accept``.

        Written by Celery once and then changed in what differs
        (https://docs.celeryq.dev/en/stable/internals/protocol.html, version 2): a tenth of what Celery takes for each.
        What a worker takes for granted is left out: a third of the bytes.
        """
        slot, task, name = slot_of(session, self._slots), _task(session, update_id), str(session)
        queue, shown = queue_of(slot), _shown(session, slot, update_id)
        like = self._like
        return Doorbell(
            queue,
            _packed(
                {
                    **like,
                    "body": b64encode(_packed([[name, update_id], {}, self._embed]).encode()).decode(),
                    "headers": {
                        **like["headers"],
                        "id": task,
                        "root_id": task,
                        "argsrepr": shown,
                    },
                    "properties": {
                        **like["properties"],
                        "correlation_id": task,
                        "delivery_info": {"exchange": "", "routing_key": queue},
                        "delivery_tag": str(uuid4()),
                    },
                },
            ),
        )

    def send(self, items: Sequence[tuple[SessionKey, int]]) -> None:
        """Send one for each (session, update id) that is stored already. Blocking: call it from a thread.

        Raises:
            StoreUnavailable: some may not have been sent; the owners' sweeps find their messages.
        """
        try:
            with self._app.producer_pool.acquire(block=True, timeout=5) as producer, cast("Any", producer).batch():
                for session, update_id in items:
                    self._send(producer, session, update_id)
        except self._away as problem:
            raise StoreUnavailable(f"no doorbell could be sent ({type(problem).__name__})") from problem

    def interrupt(self, session: SessionKey) -> None:
        """Cancel the session's running turn, wherever it runs, so that the control word behind it is seen at once.

        Blocking, as ``send`` is.

        Raises:
            StoreUnavailable: no worker was told; the control word takes its turn.
        """
        try:
            self._app.control.broadcast(CANCEL, arguments={"session": str(session)})
        except self._away as problem:
            raise StoreUnavailable(f"no worker could be told ({type(problem).__name__})") from problem

    def begin_again(self, session: SessionKey) -> None:
        """End the session's running turn, wherever it runs: what it answers was taken out of the inbox.

        Blocking, as ``send`` is.

        Raises:
            StoreUnavailable: no worker was told; what the turn writes is refused all the same.
        """
        try:
            told = {"sessions": [], "struck": [str(session)], "media": []}
            self._app.control.broadcast(FORGET, arguments=told)
        except self._away as problem:
            raise StoreUnavailable(f"no worker could be told ({type(problem).__name__})") from problem

    def _send(self, producer: Any, session: SessionKey, update_id: int) -> None:
        slot = slot_of(session, self._slots)
        self._app.send_task(
            NAME,
            args=(str(session), update_id),
            task_id=_task(session, update_id),
            queue=queue_of(slot),
            argsrepr=_shown(session, slot, update_id),
            producer=producer,
            ignore_result=True,
            retry=False,
        )


def _shown(session: SessionKey, slot: int, update_id: int) -> str:
    """What Flower shows of a doorbell: the session by its hash, as logs name it, and not by its chat's number."""
    return f"(session {session_hash(str(session))}, slot {slot:02d}, update {update_id})"


def _says(header: object) -> bool:
    """Whether a worker could not take it for granted: None, 0, and a pair of no time limits are what it begins with."""
    return bool(header) and header != [None, None]


def _packed(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _task(session: SessionKey, update_id: int) -> str:
    return task_id(session.bot, update_id)
