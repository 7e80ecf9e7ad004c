"""The span of a turn, and those of the time that its messages waited for it."""

from dataclasses import replace

from tasks.slots import slot_of
from tasks.store.sessions import Commit
from tasks.telemetry import tracing
from tasks.telemetry.logs import session_hash
from tasks.telemetry.tracing import NO_SPAN, TraceSpan
from workers.sessions.dependencies import Dependencies
from workers.sessions.ownership.owned_session import OwnedSession
from workers.sessions.turns.outcome import Asked
from workers.sessions.turns.timeline import Timeline


def turn_span(deps: Dependencies, owned: OwnedSession, asked: Asked, timeline: Timeline) -> TraceSpan:
    """A turn begins: so do its timeline and its span.

    The span is in the trace of the first message that led to the turn; the others' traces are linked.
    A turn that runs again because its worker died goes on with the same trace. One that goes on with a person's answer
    is in the trace of that answer, and linked to the one before.

    Args:
        deps: The worker's.
        owned: The session.
        asked: What the turn is asked.
        timeline: Notes when each of its steps was done.
    """
    claimed_at = owned.take_claimed_at()
    span = _begun(deps, owned, asked, claimed_at) if tracing.is_on() else NO_SPAN
    timeline.begin(claimed_at, span)
    return span


def in_trace(commit: Commit, accepted: str | None) -> Commit:
    """The deliveries of its replies go on with the trace of this task; outside of a turn, of what was ``accepted``."""
    context = tracing.current().context or (accepted if tracing.is_on() else None)
    if context is None:
        return commit
    return replace(commit, replies=[reply.model_copy(update={"trace": context}) for reply in commit.replies])


def _begun(deps: Dependencies, owned: OwnedSession, asked: Asked, claimed_at: float | None) -> TraceSpan:
    leading = [message for message in asked.led_by if message.trace]
    others = [message for message in asked.messages if message.trace and message not in leading]
    contexts = [message.trace or "" for message in (*leading, *others)]
    parent, links = (contexts[0], contexts[1:]) if leading else (None, contexts)
    now = deps.clock.now()
    span = tracing.begin("turn", parent, "consumer", at=now, links=links)
    named = session_hash(str(owned.session))
    for message in leading:
        wait = tracing.begin("wait", message.trace, at=message.at, links=[span.context or ""])
        wait.set("cohort.session", named)
        wait.set("cohort.update", message.update_id)
        if claimed_at is not None:
            # From the doorbell to a worker that took it; the rest is what stood before it in its session.
            wait.set("cohort.claimed_after_s", round(max(0.0, claimed_at - message.at), 4))
        wait.end(now)
    span.set("cohort.session", named)
    span.set("gen_ai.conversation.id", named)
    span.set("cohort.slot", slot_of(owned.session, deps.settings.slots))
    span.set("cohort.tries", max(1, owned.tries.number))
    span.set("cohort.messages", len(asked.messages))
    span.set("cohort.kind", asked.messages[0].kind)
    span.set("cohort.resumed", asked.resumed is not None)
    return span
