"""What a run comes to, a line for each kind of fault."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.harness.checker import Verdict


@dataclass(slots=True)
class Figures:
    """``recovery``: seconds from a fault's end until all that waited then was answered."""

    times: Counter[str] = field(default_factory=Counter)
    recovery: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    lines: Counter[str] = field(default_factory=Counter)

    def table(self, verdict: Verdict) -> list[str]:
        """Kind, how often, recovery (median, longest), legal duplicates."""
        rows = [("fault", "times", "recovery p50 s", "max s", "doubled")]
        for kind in sorted(self.times | verdict.doubled):
            took = self.recovery.get(kind, [])
            middle, most = (f"{median(took):.1f}", f"{max(took):.1f}") if took else ("-", "-")
            rows.append((kind, str(self.times[kind]), middle, most, str(verdict.doubled[kind])))
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

    @property
    def kills(self) -> int:
        """SIGKILLs of our processes and of Redis."""
        return sum(count for kind, count in self.times.items() if kind.startswith(("kill-", "report-", "step-")))


def percentiles(values: Sequence[float]) -> Mapping[str, float]:
    """p50, p95 and the largest."""
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        "p50": ordered[len(ordered) // 2],
        "p95": ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)],
        "max": ordered[-1],
    }
