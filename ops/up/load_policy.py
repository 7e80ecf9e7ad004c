"""How many workers the load asks for (pure).

Workers are added soon, because people wait, and taken away late, because a pause is short. The two limits stand apart:
a number that was just reached is neither too small nor too large, so a steady load never starts a worker that it
then ends.
"""

from dataclasses import dataclass
from math import ceil

from tasks.config.worker_count import WorkerCount

FULL = 0.8
"""The load above which workers are added: chats run and wait that need so much of all lanes."""
IDLE = 0.5
"""The load below which one worker is too many, counted for the workers that would be left."""
LOOKS = 2
"""Looks in a row that must find the pool full: one look may see a batch that workers take in a moment."""
CALM_S = 120.0
"""Seconds without a look that needed all workers, before one of them ends."""
AFTER_DEATH_S = 60.0
"""Seconds after a worker's death without a change: more workers would die of the same."""
STALE_S = 15.0
"""Seconds between two looks after which the earlier one says nothing: Redis was away, or this machine slept."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the pool."""

    at: float
    """Seconds on a clock that only goes forward."""
    running: int
    waiting: int
    """Chats with work that no lane has: a turn that was woken by an answer is one of them."""
    lanes: int
    """How many lanes all living workers have, on all machines."""
    own: int
    """Workers of this machine that are wanted."""
    ready: int
    """Those of them that have reported."""
    lanes_each: int
    died_s: float | None = None
    """Seconds since a worker of this machine died; None when that never happened."""
    futile: str = ""
    """Why no number of workers answers sooner: the turns are paused, the model is down. Empty: more would help."""
    room: int | None = None
    """How many more workers this machine has memory for; None when it does not tell."""


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered from look to look."""

    at: float | None = None
    full: int = 0
    """Looks in a row that found the pool full."""
    calm_since: float | None = None
    """Since when one worker less would do."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many workers there should be, and why."""

    count: int
    why: str
    history: History
    held: str = ""
    """What keeps more workers from being started: the same word as long as it is the same thing."""

    @property
    def calm(self) -> bool:
        """Whether the pool is large enough."""
        return not self.held and not self.history.full


def decide(seen: Seen, history: History, bounds: WorkerCount) -> Verdict:
    """Decide after one look.

    Args:
        seen: The look.
        history: What the last verdict gave; a new ``History`` at the beginning.
        bounds: The result is never outside of them.
    """
    if not bounds.least <= seen.own <= bounds.most:
        count = min(max(seen.own, bounds.least), bounds.most)
        return Verdict(count, f"{count} is the bound", History(seen.at))
    if history.at is None or not 0 <= seen.at - history.at <= STALE_S:
        history = History()
    if seen.ready < seen.own:
        return Verdict(seen.own, f"{seen.own - seen.ready} of them not ready", History(seen.at))
    if seen.died_s is not None and seen.died_s < AFTER_DEATH_S:
        return Verdict(seen.own, "a worker died a moment ago", History(seen.at))
    work = seen.running + seen.waiting
    full = history.full + 1 if work > FULL * seen.lanes else 0
    if full >= LOOKS:
        return _grown(seen, work, History(seen.at, full), bounds)
    if seen.waiting or work > IDLE * (seen.lanes - seen.lanes_each) or seen.own <= bounds.least:
        return Verdict(seen.own, "enough", History(seen.at, full))
    calm_since = seen.at if history.calm_since is None else history.calm_since
    if seen.at - calm_since < CALM_S:
        return Verdict(seen.own, "enough", History(seen.at, 0, calm_since))
    # One at a time, and the next one only after the same time again.
    return Verdict(seen.own - 1, f"{_load(seen, work)}, for {CALM_S:.0f} s and more", History(seen.at))


def _grown(seen: Seen, work: int, history: History, bounds: WorkerCount) -> Verdict:
    """More workers: as many as the work needs, at most twice as many as there are."""
    load = _load(seen, work)
    if seen.own >= bounds.most:
        return Verdict(seen.own, f"{load}; {bounds.most} is the bound", history, "bound")
    if seen.futile:
        return Verdict(seen.own, f"{load}, but {seen.futile}", history, seen.futile)
    others = max(0, seen.lanes - seen.own * seen.lanes_each)
    needed = ceil((work / FULL - others) / seen.lanes_each)
    count = min(max(needed, seen.own + 1), 2 * seen.own, bounds.most)
    if seen.room is not None and count > seen.own + seen.room:
        count = seen.own + max(0, seen.room)
        if count == seen.own:
            return Verdict(count, f"{load}, but there is no memory for another one", history, "memory")
    return Verdict(count, load, History(seen.at))


def _load(seen: Seen, work: int) -> str:
    return f"load {work / seen.lanes:.2f}" if seen.lanes else f"{work} chats wait"
