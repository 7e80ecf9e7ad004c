"""When each step of a turn was done: the times are logged, and kept for `cohort find`."""

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

from tasks.clock import Clock
from tasks.envelope import Inbound
from tasks.session import SessionKey
from tasks.telemetry import metrics, tracing
from tasks.telemetry.tracing import NO_SPAN, TraceSpan
from tasks.turn_record import MOST_STEPS, CallStep, ToolStep, TurnRecord, reference, task_id
from workers.sessions.trail import Trail
from workers.usage import CallSeen, Usage

log = logging.getLogger("cohort.turns")

_NAME = 100
"""Characters of a name that a provider may have chosen."""


class Timeline:
    """The times of one turn."""

    def __init__(
        self, session: SessionKey, worker: str, messages: Sequence[Inbound], answers: Sequence[int], clock: Clock
    ) -> None:
        """Prepare the timeline of a turn on ``messages``; ``answers``: the update ids that it answers."""
        self._session = session
        self._worker = worker
        self._messages = messages
        self._updates = tuple(dict.fromkeys([*answers, *(message.update_id for message in messages)]))
        self._clock = clock
        self._accepted = self._begun = min(message.at for message in messages)
        self._committed: float | None = None
        self._outcome = self._refused = self._unheard = ""
        self.stands_for: tuple[int, ...] = ()
        """The updates of messages in the place of whose apologies its own stands."""
        self.used: Callable[[], Usage] = Usage
        """What its model calls have cost."""
        self.span: TraceSpan = NO_SPAN
        self._first_at: Callable[[], float | None] = lambda: None
        self._steps: Mapping[str, ToolStep] = {}
        self._calls: list[CallStep] = []

    def watch(self, first_at: Callable[[], float | None], steps: Mapping[str, ToolStep]) -> None:
        """Where this try of the turn notes when the model's first text came, and its tool calls."""
        self._first_at, self._steps = first_at, steps

    def called(self, call: CallSeen) -> None:
        """A model call has ended."""
        if len(self._calls) < MOST_STEPS:
            now = self._clock.now()
            step = CallStep(
                agent=call.agent[:_NAME],
                model=call.model[:_NAME],
                begun=round(now - max(0.0, call.seconds), 3),
                ended=round(now, 3),
                input_tokens=call.input_tokens,
                output_tokens=call.output_tokens,
                failed=call.failed,
            )
            self._calls.append(step)

    def begin(self, claimed_at: float | None, span: TraceSpan) -> None:
        """The turn begins.

        Args:
            claimed_at: When the session was claimed, of its first turn since then.
            span: The turn's; it ends with the commit.
        """
        self.span = span
        self._begun = self._clock.now()
        if claimed_at is not None:
            metrics.DOORBELL_SECONDS.observe(max(0.0, claimed_at - self._accepted))
        for message in self._messages:
            metrics.WAIT_SECONDS.observe(max(0.0, self._begun - message.at))

    def set_aside(self, trail: Trail) -> None:
        """Its user stopped it."""
        self._outcome = "set_aside"
        self.committed()
        self._keep(trail, delivered=None)

    @contextmanager
    def ending(self, outcome: str, trail: Trail, refused: Callable[[], tuple[str, str]]) -> Generator[None]:
        """Around the commit and the delivery of what it gave.

        ``refused``: why Telegram does not take it, and why not what was spoken of it; empty where it does.
        """
        self._outcome = outcome
        delivered: float | None = None
        try:
            yield
            self._refused, self._unheard = refused()
            delivered = None if self._refused else self._clock.now()
            if self._committed is not None and delivered is not None:
                seconds = round(max(0.0, delivered - self._committed), 3)
                log.info("reply.delivered", extra={**self._names(), "seconds": seconds})
        finally:
            self._keep(trail, delivered)

    def committed(self) -> None:
        """Its commit is written."""
        now, first = self._clock.now(), self._first_at()
        self._committed = now
        metrics.series(metrics.TURNS, self._outcome).inc()
        metrics.of_bot(metrics.BOT_TURNS, self._session.bot, self._outcome)
        metrics.series(metrics.TURN_SECONDS, self._outcome).observe(max(0.0, now - self._begun))
        if first is not None:
            metrics.FIRST_TEXT_SECONDS.observe(max(0.0, first - self._begun))
        first_s, used = None if first is None else round(max(0.0, first - self._begun), 3), self.used()
        log.info(
            "turn.ended",
            extra={
                **self._names(),
                "outcome": self._outcome,
                "messages": len(self._updates),
                "wait_s": round(max(0.0, self._begun - self._accepted), 3),
                "first_s": first_s,
                "turn_s": round(max(0.0, now - self._begun), 3),
                "tokens": used.input_tokens + used.output_tokens,
            },
        )
        self.span.set("cohort.outcome", self._outcome)
        self.span.set("cohort.first_text_s", first_s)
        self.span.set("gen_ai.usage.input_tokens", used.input_tokens)
        self.span.set("gen_ai.usage.output_tokens", used.output_tokens)
        self.span.end(now)

    def _keep(self, trail: Trail, delivered: float | None) -> None:
        record = TurnRecord(
            session=str(self._session),
            updates=self._updates,
            stands_for=self.stands_for,
            worker=self._worker,
            outcome=self._outcome,
            accepted=self._accepted,
            begun=self._begun,
            first=self._first_at(),
            committed=self._committed,
            delivered=delivered,
            refused=self._refused,
            unheard=self._unheard,
            steps=tuple(self._steps.values()),
            calls=tuple(self._calls),
            traces=self._traces(),
        )
        trail.add([record])

    def _traces(self) -> tuple[str, ...]:
        ids = (self.span.trace_id, *(tracing.id_of(message.trace) for message in self._messages))
        return tuple(dict.fromkeys(filter(None, ids)))

    def _names(self) -> dict[str, str]:
        bot, first = self._session.bot, self._updates[0]
        names = {"session": str(self._session), "task": task_id(bot, first), "ref": reference(bot, first)}
        # The line about the delivery comes when the span has ended.
        return {**names, "trace": self.span.trace_id} if self.span.trace_id else names
