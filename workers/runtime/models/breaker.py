"""A circuit breaker per model: an outage of a provider must not use up the attempts of every chat."""

from dataclasses import dataclass, field
from typing import NamedTuple

from tasks.clock import Clock
from tasks.status.worker import ModelTrouble
from workers.interfaces import TurnRequest

# Five chats of five people within two minutes are no accident; ten seconds is what a provider's hiccup takes, a minute
# the longest that a recovered provider goes unused.
CHATS_TO_OPEN = 5
WINDOW_S = 120.0
FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 60.0
# A turn that waits for the probe looks again this soon.
LOOK_AGAIN_S = 1.0
# A refused key is told for so long, unless the model works again before.
TOLD_S = 86_400.0


class Caller(NamedTuple):
    """Who asks: a chat with all its topics, and the person. A person in several chats counts once."""

    chat: int
    sender: int

    @classmethod
    def of(cls, request: TurnRequest) -> "Caller":
        sender = request.messages[-1].sender
        return cls(request.session.chat, sender.id if sender is not None else request.session.chat)


@dataclass(slots=True)
class _Circuit:
    """The state of one key."""

    since: float
    """When the first fault came since the key last worked."""
    failed: dict[Caller, float] = field(default_factory=dict[Caller, float])
    """When each caller last failed."""
    pause: float = 0.0
    """How long the circuit opens; 0.0 while it is closed."""
    open_until: float = 0.0
    asked: bool = False
    """A caller that has not failed was turned away since the circuit opened."""
    probe: Caller | None = None
    """Who tries the model now."""
    probe_until: float = 0.0
    """Until then only the probe may try: a turn may take many minutes."""


class _Refusal(NamedTuple):
    since: float
    last: float
    reason: str


class Breaker:
    """Counts, per key (a model's name), the chats that met a passing fault. An open circuit lets one probe through."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}
        self._refusals: dict[str, _Refusal] = {}

    def wait(self, key: str, caller: Caller) -> float:
        """Seconds to wait before this key may be used; 0.0 lets the caller through, as the probe if it was open.

        The probe is a chat that did not fail, because a fault that one chat's own message provokes must not keep the
        circuit open. Where no other chat has asked, a chat that failed is the probe.
        """
        circuit = self._circuits.get(key)
        if circuit is None or circuit.pause == 0:
            return 0.0
        failed = caller in circuit.failed
        circuit.asked = circuit.asked or not failed
        # Those that were turned away come back within half a pause of its end.
        turn = circuit.open_until + (circuit.pause / 2 if failed and circuit.asked else 0.0)
        now = self._clock.monotonic()
        if turn > now:
            return turn - now
        if circuit.probe is not None and circuit.probe_until > now:
            return LOOK_AGAIN_S
        circuit.probe, circuit.probe_until = caller, now + LONGEST_PAUSE_S
        return 0.0

    def succeeded(self, key: str) -> None:
        """Note that the model answered, if only to refuse this request."""
        self._circuits.pop(key, None)
        self._refusals.pop(key, None)

    def refused(self, key: str, reason: str) -> None:
        """Note that the provider refuses until its operator acts. Turns need not wait for that: they fail at once."""
        self._circuits.pop(key, None)
        now = self._clock.monotonic()
        before = self._refusals.get(key)
        self._refusals[key] = _Refusal(before.since if before is not None else now, now, reason)

    def failed(self, key: str, caller: Caller) -> None:
        """Note a passing fault of the provider."""
        now = self._clock.monotonic()
        circuit = self._circuits.setdefault(key, _Circuit(now))
        circuit.failed = {who: at for who, at in circuit.failed.items() if now - at <= WINDOW_S} | {caller: now}
        # A turn that was on its way when the key closed changes nothing.
        if circuit.probe == caller or (circuit.pause == 0 and _several(circuit.failed)):
            # Not a `Backoff`, whose jitter spreads callers that each count for themselves: this pause is one for all of
            # the key's chats, and `wait` spreads them.
            circuit.pause = min(max(circuit.pause * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            circuit.open_until = now + circuit.pause
            circuit.asked = False
            circuit.probe = None

    def abandoned(self, key: str, caller: Caller) -> None:
        """Note that a turn ended without a result for the provider (cancelled): another turn may be the probe."""
        circuit = self._circuits.get(key)
        if circuit is not None and circuit.probe == caller:
            circuit.probe = None

    @property
    def failing(self) -> dict[str, ModelTrouble]:
        """The keys with a recent fault, or whose circuit has opened and no probe has worked since, or refused ones."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        refused = {
            key: ModelTrouble(since=round(now - monotonic + refusal.since, 1), reason=refusal.reason)
            for key, refusal in self._refusals.items()
            if monotonic - refusal.last <= TOLD_S
        }
        return refused | {
            key: ModelTrouble(since=round(now - monotonic + circuit.since, 1), open=bool(circuit.pause))
            for key, circuit in self._circuits.items()
            if circuit.pause or any(monotonic - at <= WINDOW_S for at in circuit.failed.values())
        }

    @property
    def open(self) -> tuple[str, ...]:
        """The keys whose circuit is open now, for status and alerts."""
        now = self._clock.monotonic()
        return tuple(key for key, circuit in self._circuits.items() if circuit.pause and circuit.open_until > now)


def _several(failed: dict[Caller, float]) -> bool:
    chats, senders = {who.chat for who in failed}, {who.sender for who in failed}
    return min(len(chats), len(senders)) >= CHATS_TO_OPEN
