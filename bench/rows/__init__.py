"""The rows of the table, one module each: ``ABOUT``, ``GOAL``, ``COLUMNS``, ``BASE``, ``measure``.

``measure(column, size)`` gives named numbers of one run. ``BASE`` is the column that ratios are taken to.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """``quick``: a smoke test, not a measurement. ``seed``: of everything random in a run."""

    quick: bool = False
    seed: int = 1

    def of(self, full: int, quick: int) -> int:
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Goal:
    """``metric`` of ``column`` against ``at_most`` or ``at_least``: a number, or a ratio to ``to``'s."""

    column: str
    metric: str
    at_most: float | None = None
    at_least: float | None = None
    to: str | None = None
    says: str = ""
