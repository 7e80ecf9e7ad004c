"""Brings one reply to Telegram: as it is, else with less and less, until Telegram takes it or never will."""

import asyncio
import logging
from base64 import b64decode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import cast

from telegram.error import ChatMigrated as Migrated
from telegram.error import TelegramError

from botapi.calls import Calls
from botapi.errors import ChatMigrated, Undeliverable
from botapi.pacing import RateLimited
from botapi.refusals import Refusal, as_ours, classify, perhaps_done, said
from botapi.shape import Shape, is_spare, outside_all, shapes, without
from tasks.envelope import OutFile, Reply
from tasks.errors import CohortError
from tasks.phrases import language_of, speaking
from tasks.session import SessionKey
from tasks.telemetry import metrics, tracing
from tasks.telemetry.logs import session_hash
from tasks.telemetry.tracing import NO_SPAN, TraceSpan

log = logging.getLogger("cohort.delivery")

type RetryWait = Callable[[CohortError], Awaitable[None]]
"""Returns when the call that failed may be made again, or raises the error so that the caller comes back later.

The error is ``Flooded``, ``Misconfigured`` (a wrong token) or another ``TelegramAway``."""


type Read = Callable[[OutFile], bytes | None]
"""Reads a file's bytes, blocking; None when they are nowhere any more."""


def inline(file: OutFile) -> bytes | None:
    """The bytes that stand in the reply itself."""
    return b64decode(file.data) if file.data is not None else None


async def deliver(
    calls: Calls, session: SessionKey, reply: Reply, *, wait: RetryWait, read: Read = inline
) -> tuple[int, ...]:
    """Bring one reply to Telegram. A refused part of it is left out; ``wait`` decides about faults that pass.

    Returns:
        The ids of the messages that show it.

    Raises:
        Undeliverable: this chat never takes it.
        ChatMigrated: the chat has a new id.
    """
    with speaking(language_of(reply.language)), _span(session, reply) as span:
        try:
            return await _deliver(calls, session, reply, wait, read)
        except RateLimited:
            # It comes back, perhaps many times; this one made no call.
            span.discard()
            raise


def _span(session: SessionKey, reply: Reply) -> TraceSpan:
    if not tracing.is_on():
        return NO_SPAN
    span = tracing.begin("deliver", reply.trace or tracing.current().context, "producer")
    span.set("cohort.session", session_hash(str(session)))
    shown = "edit" if reply.edit is not None else "message"
    span.set("cohort.delivery", "file" if reply.file_text is not None or reply.files else shown)
    return span


async def _deliver(calls: Calls, session: SessionKey, reply: Reply, wait: RetryWait, read: Read) -> tuple[int, ...]:
    waiting = _shapes(calls, session, reply)
    delivered: list[int] = []
    while waiting:
        shape = waiting[0]
        try:
            bodies = await asyncio.to_thread(_bodies, shape.files, read) if shape.files else []
            if bodies is None:
                log.warning("delivery.file_gone", extra={"session": str(session), "reply": reply.id})
                waiting[:1] = without(shape, Refusal.NO_FILE)
                continue
            delivered += await _send(calls, session, shape, bodies)
            waiting.pop(0)
        except TelegramError as error:
            refusal = _refusal(shape, error)
            if refusal is Refusal.DONE:
                delivered.append(shape.edit or 0)
                waiting.pop(0)
                continue
            log.warning(
                "delivery.refused",
                extra={"session": str(session), "reply": reply.id, "refusal": refusal.name, "said": said(error)},
            )
            tracing.current().event(f"refused {refusal.name.lower()}")
            match refusal:
                case Refusal.AGAIN | Refusal.FLOOD | Refusal.OPERATOR:
                    if refusal is Refusal.AGAIN and shape.edit is None and perhaps_done(error):
                        # At least once: better twice than never. The chaos run counts these.
                        metrics.PERHAPS_DOUBLED.inc()
                        log.warning("delivery.perhaps_doubled", extra={"session": str(session), "reply": reply.id})
                    await wait(as_ours(error))
                case Refusal.MOVED:
                    raise ChatMigrated(cast("Migrated", error).new_chat_id) from error
                case _:
                    waiting = _left(waiting, error)
    for message_id in reply.drops:
        await _tidy(session, calls.delete(session, message_id))
    for message_id in reply.disarms:
        await _tidy(session, calls.disarm(session, message_id))
    return tuple(delivered)


def _shapes(calls: Calls, session: SessionKey, reply: Reply) -> list[Shape]:
    """The calls for the reply, without those that are known to fail: in a busy group each call waits for seconds."""
    gone = calls.lost.message(session, reply.edit)
    found = shapes(session, reply)
    if calls.lost.topic(session):
        return outside_all(found, empty=True)
    return [replace(shape, edit=None) for shape in found] if gone else found


def _refusal(shape: Shape, error: TelegramError) -> Refusal:
    """What is done. A server of before rich messages answers 404, and a chat may take none; the same with entities says
    which it is.
    """
    refusal = classify(error)
    if shape.alone and refusal is Refusal.NEW:
        # There is no other message in place of an inline one.
        return Refusal.GONE
    if refusal is Refusal.NO_RIGHT and not shape.files and shape.file_text is None:
        refusal = Refusal.GONE
    return Refusal.NOT_RICH if shape.rich and refusal in (Refusal.OPERATOR, Refusal.GONE) else refusal


async def _tidy(session: SessionKey, call: Awaitable[None]) -> None:
    """Take back what the answer no longer needs, a message or buttons; a failure leaves it, which loses nothing."""
    try:
        await call
    except TelegramError as error:
        if classify(error) is not Refusal.DONE:
            log.info("delivery.not_tidied", extra={"session": str(session), "said": said(error)})


def _bodies(files: Sequence[OutFile], read: Read) -> list[bytes | str] | None:
    """What is sent of each file: its address, or its bytes; None when those of one are gone."""
    bodies = [body for file in files if (body := file.url or read(file))]
    return bodies if len(bodies) == len(files) else None


async def _send(calls: Calls, session: SessionKey, shape: Shape, bodies: Sequence[bytes | str]) -> list[int]:
    if shape.files:
        return await calls.files(session, shape, bodies)
    if shape.file_text is not None:
        return [await calls.file(session, shape)]
    if shape.edit is not None:
        return [await calls.edit(session, shape.edit, shape)]
    return [await calls.create(session, shape)]


def _left(waiting: Sequence[Shape], error: TelegramError) -> list[Shape]:
    """What is sent in place of the first message, which was refused, and of those behind it."""
    shape, *rest = waiting
    refusal = _refusal(shape, error)
    if shape.topic is not None and refusal in (Refusal.NO_TOPIC, Refusal.LOST_TOPIC):
        return outside_all(waiting, empty=refusal is Refusal.LOST_TOPIC)
    return [*_less(shape, error, refusal), *rest]


def _less(shape: Shape, error: TelegramError, refusal: Refusal) -> list[Shape]:
    """What is sent instead of a refused message; nothing instead of a picture whose link stands in the answer.

    Raises:
        Undeliverable: nothing is, or it was spoken.
    """
    if refusal is Refusal.GONE:
        raise Undeliverable(said(error)) from error
    left = without(shape, refusal)
    if not left and (not is_spare(shape) or shape.files[0].speak):
        raise Undeliverable(said(error)) from error
    return left
