"""What the console's plots are drawn from: a worker's counts by minute for an hour, by quarter of an hour for a day."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.telemetry import metrics


@dataclass(frozen=True, slots=True)
class PlotSpan:
    """A stretch of time that is plotted: its buckets, all of one width."""

    name: str
    width_s: int
    buckets: int

    def start(self, now: float) -> int:
        """When the bucket of this moment begins, seconds since the epoch."""
        return int(now) // self.width_s * self.width_s

    def starts(self, now: float) -> list[int]:
        """When each bucket of the stretch begins, the oldest first; the last one is not over yet."""
        last = self.start(now)
        return [last - self.width_s * back for back in reversed(range(self.buckets))]

    @property
    def kept_s(self) -> int:
        """How long a bucket is kept: until it is out of the stretch."""
        return self.width_s * (self.buckets + 1)


HOUR, DAY = PlotSpan("hour", 60, 60), PlotSpan("day", 900, 96)
SPANS = (HOUR, DAY)


class Bucket(BaseModel):
    """What one worker did within one bucket, in all; written again it counts once."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    turns: dict[str, float] = {}
    """Turns ended, by outcome."""
    first: dict[str, float] = {}
    """Times to the first text: how many were at most so many seconds, and above the next smaller bound."""
    tokens: dict[str, float] = {}
    """By model, in and out together."""
    oldest_s: float = 0.0
    """The longest that anything has waited, as it was seen."""
    running: int = 0
    """The most turns at a time."""
    lanes: int = 0

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """What cannot be read counts nothing."""
        try:
            return cls.model_validate_json(raw)
        except ValidationError:
            return cls()


@dataclass(frozen=True, slots=True)
class Together:
    """What all workers did within one bucket."""

    workers: int
    turns: Mapping[str, float]
    first: Mapping[str, float]
    tokens: Mapping[str, float]
    oldest_s: float
    running: int
    lanes: int

    def first_s(self, share: float) -> float | None:
        """The time to the first text that so great a share of the turns did not exceed; None without a turn."""
        total, seen = sum(self.first.values()), 0.0
        for bound in sorted(self.first, key=_seconds):
            seen += self.first[bound]
            if seen >= total * share:
                return min(_seconds(bound), metrics.FIRST_TEXT_BOUNDS[-1])
        return None


def together(buckets: Iterable[Bucket]) -> Together:
    """Of all workers."""
    found = list(buckets)
    return Together(
        workers=len(found),
        turns=_sum(bucket.turns for bucket in found),
        first=_sum(bucket.first for bucket in found),
        tokens=_sum(bucket.tokens for bucket in found),
        oldest_s=max((bucket.oldest_s for bucket in found), default=0.0),
        running=sum(bucket.running for bucket in found),
        lanes=sum(bucket.lanes for bucket in found),
    )


def _sum(counts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for some in counts:
        total.update(some)  # pyright: ignore[reportArgumentType, reportCallIssue] - counts may be fractions
    return dict(total)


def _seconds(bound: str) -> float:
    try:
        return float(bound)
    except ValueError:
        return 0.0


class MetricCounts(BaseModel):
    """What the metrics of this process say at one moment, since it started."""

    model_config = ConfigDict(frozen=True)

    turns: dict[str, float] = Field(default_factory=dict)
    first: dict[str, float] = Field(default_factory=dict)
    tokens: dict[str, float] = Field(default_factory=dict)

    @classmethod
    def now(cls) -> "MetricCounts":
        """Read them."""
        turns = {labels["outcome"]: value for labels, value in _samples(metrics.TURNS, "_total")}
        tokens: Counter[str] = Counter()
        for labels, value in _samples(metrics.TOKENS, "_total"):
            tokens[labels["model"]] += int(value)
        heaps = sorted(
            (_seconds(labels["le"]), value) for labels, value in _samples(metrics.FIRST_TEXT_SECONDS, "_bucket")
        )
        first = {f"{bound:g}": more - less for (_, less), (bound, more) in pairwise([(0.0, 0.0), *heaps])}
        return cls(turns=turns, first=first, tokens=dict(tokens))


def _samples(metric: MetricWrapperBase, suffix: str) -> Iterator[tuple[Mapping[str, str], float]]:
    for family in metric.collect():
        for sample in family.samples:
            if sample.name.endswith(suffix):
                yield sample.labels, sample.value


class Rollups:
    """MetricCounts for this process: what its metrics say more than before goes into the buckets of this moment."""

    def __init__(self, counts: MetricCounts | None = None) -> None:
        """``counts``: where it begins; None: now."""
        self._last = counts or MetricCounts.now()
        self._buckets: dict[tuple[PlotSpan, int], Bucket] = {}
        self._unwritten: set[tuple[PlotSpan, int]] = set()

    def note(self, now: float, counts: MetricCounts, *, oldest_s: float, running: int, lanes: int) -> None:
        """Count what came since the last call."""
        last, self._last = self._last, counts
        for span in SPANS:
            place = (span, span.start(now))
            bucket = self._buckets.setdefault(place, Bucket())
            before = bucket.model_copy(deep=True)
            for name in ("turns", "first", "tokens"):
                _add(getattr(bucket, name), getattr(counts, name), getattr(last, name))
            bucket.oldest_s = round(max(bucket.oldest_s, oldest_s), 1)
            bucket.running, bucket.lanes = max(bucket.running, running), lanes
            if bucket != before:
                self._unwritten.add(place)
        oldest = {span: span.start(now) - span.kept_s for span in SPANS}
        self._buckets = {place: bucket for place, bucket in self._buckets.items() if place[1] > oldest[place[0]]}
        self._unwritten &= self._buckets.keys()

    def unwritten(self) -> dict[tuple[PlotSpan, int], Bucket]:
        """The buckets that have changed since they were written."""
        return {place: self._buckets[place] for place in self._unwritten}

    def written(self, places: Iterable[tuple[PlotSpan, int]]) -> None:
        """These are written as they are now. Those that are over are not needed any more."""
        self._unwritten -= set(places)
        newest = {span: max(start for of, start in self._buckets if of == span) for span, _ in self._buckets}
        for place in [place for place in self._buckets if place[1] < newest[place[0]]]:
            if place not in self._unwritten:
                del self._buckets[place]


def _add(into: dict[str, Any], counts: Mapping[str, float], last: Mapping[str, float]) -> None:
    for name, count in counts.items():
        if more := count - last.get(name, 0.0):
            into[name] = into.get(name, 0.0) + more
