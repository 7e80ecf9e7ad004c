"""A circuit breaker per model, so that an outage does not burn every chat's attempts."""

from dataclasses import dataclass

from tasks.clock import Clock

# Five failures in a row are no accident; ten seconds is what a provider's hiccup takes, a minute the longest we let a
# recovered provider go unused.
FAILURES_TO_OPEN = 5
FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 60.0


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    pause: float = 0.0
    open_until: float = 0.0
    probing: bool = False


class Breaker:
    """Counts passing faults in a row per key (a model's name). While a key is open, only one probe goes through."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}

    def wait(self, key: str) -> float:
        """Seconds to wait before this key may be used; 0.0 lets the caller through, as the probe if it was open."""
        circuit = self._circuits.get(key)
        if circuit is None or circuit.pause == 0:
            return 0.0
        remaining = circuit.open_until - self._clock.monotonic()
        if remaining > 0:
            return remaining
        if circuit.probing:
            return 1.0
        circuit.probing = True
        return 0.0

    def succeeded(self, key: str) -> None:
        """The model answered (if only to refuse): it is there."""
        self._circuits.pop(key, None)

    def failed(self, key: str) -> None:
        """A passing fault of the provider."""
        circuit = self._circuits.setdefault(key, _Circuit())
        circuit.failures += 1
        if circuit.probing or circuit.failures >= FAILURES_TO_OPEN:
            circuit.pause = min(max(circuit.pause * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            circuit.open_until = self._clock.monotonic() + circuit.pause
            circuit.probing = False

    def abandoned(self, key: str) -> None:
        """The turn ended without telling anything about the provider (cancelled); another may probe."""
        circuit = self._circuits.get(key)
        if circuit is not None:
            circuit.probing = False

    @property
    def open(self) -> tuple[str, ...]:
        """The keys that are closed to turns now, for status and alerts."""
        now = self._clock.monotonic()
        return tuple(key for key, circuit in self._circuits.items() if circuit.pause and circuit.open_until > now)
