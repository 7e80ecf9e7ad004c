"""Storing a batch: where, and the beginning of each message's trace, with a span over all of them."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from bot.entries import Item
from tasks.doorbell import Doorbells
from tasks.session import SessionKey
from tasks.store.intake import Accept, IntakeResult
from tasks.telemetry import tracing
from tasks.telemetry.logs import session_hash
from tasks.telemetry.tracing import NO_SPAN


class Intake(Protocol):
    """Where updates are stored (``tasks.store.intake``)."""

    async def accept(self, bot: int, batch: Sequence[Accept]) -> list[IntakeResult]:
        """Accept a batch, whole or not at all."""
        ...

    async def knows(self, session: SessionKey) -> bool:
        """Whether the store holds anything of a session."""
        ...


def attach_doorbells(items: Sequence[Item], doorbells: Doorbells, *, all_of_them: bool) -> None:
    """Give each item that is stored its doorbell, or only the last one of each session."""
    last = {item.inbound.session: item for item in items if item.inbound is not None}
    for item in items:
        inbound = item.inbound
        if inbound is not None and (all_of_them or item is last[inbound.session]):
            item.accept = replace(item.accept, doorbell=doorbells.of(inbound.key, inbound.update_id))


class AcceptSpans:
    """What the store said, for the spans."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def say(self, verdicts: Sequence[IntakeResult]) -> None:
        """One for each item."""
        # Where nothing is traced there are no items.
        for item, verdict in zip(self._items, verdicts, strict=False):
            item.span.set("cohort.verdict", verdict)


@contextmanager
def accepting(items: Sequence[Item], at: float) -> Generator[AcceptSpans]:
    """Around the storing of a batch. What is stored carries its span's context: its turn goes on with that trace.

    Args:
        items: Each gets its span.
        at: When the batch came, seconds since the epoch.
    """
    if not tracing.is_on():
        yield AcceptSpans(())
        return
    for item in items:
        _begin(item, at)
    spans = [item.span for item in items if item.span is not NO_SPAN]
    if len(spans) > 1:
        spans.append(tracing.begin("accept batch", at=at, links=[span.context or "" for span in spans]))
        spans[-1].set("cohort.updates", len(items))
    try:
        yield AcceptSpans(items)
    except Exception as problem:
        for span in spans:
            span.failed(type(problem).__name__)
        raise
    finally:
        for span in spans:
            span.end()


def _begin(item: Item, at: float) -> None:
    accept = item.accept
    inbound, reply = accept.inbound, accept.reply
    session = inbound.session if inbound is not None else reply.session if reply is not None else None
    if session is None:
        return
    span = item.span = tracing.begin("accept", kind="producer", at=at)
    span.set("cohort.session", session_hash(session))
    span.set("cohort.update", accept.update_id)
    span.set("cohort.kind", inbound.kind if inbound is not None else "command")
    item.accept = replace(
        accept,
        inbound=inbound and inbound.model_copy(update={"trace": span.context}),
        reply=reply and reply.model_copy(update={"trace": span.context}),
    )
