"""The rows of the table, one module each: ``ABOUT``, ``COLUMNS``, ``BASE``, ``GOALS``, ``measure``.

``measure(column, size)`` gives named numbers of one run. ``BASE`` is the column that ratios are taken to. A row
some of whose columns are measured less often than asked for says so in ``TIMES`` (column -> at most so often), and why
in ``WHY``.
"""

from dataclasses import dataclass

NAMES = (
    "cost",
    "latency",
    "throughput",
    "scale",
    "turn",
    "steps",
    "intake",
    "flood",
    "limits",
    "kill",
    "resume",
    "join",
    "start",
    "memory",
    "own",
)
"""In the order in which they run: what is quick and most asked for comes first."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a run measures."""

    quick: bool = False
    """A smoke test, not a measurement."""
    seed: int = 1
    """Of everything random in a run."""

    def of(self, full: int, quick: int) -> int:
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Goal:
    """``metric`` of ``column`` against ``at_most`` or ``at_least``, a number or a ratio to ``to``'s."""

    column: str
    metric: str
    at_most: float | None = None
    at_least: float | None = None
    to: str | None = None
    worst: bool = False
    """Of all runs, not their median; where one loss in five runs is a loss."""
    says: str = ""
