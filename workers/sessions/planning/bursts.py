"""One burst is one turn: a paste that a client split, a text and the forward or file behind it, several (pure)."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from tasks.bursts import NEAR_S, expects_more, goes_on, near
from tasks.clock import Clock
from tasks.envelope import Inbound
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew

LONGEST_S = 5.0
"""A burst is waited for no longer than this, whatever comes."""

CLOCKS_DIFFER_S = 2.0
"""The clocks of two machines may differ by this much before a burst is cut."""


def left(at: float, now: float, quiet_s: float) -> float:
    """How many seconds of the quiet time are left that began ``at``.

    The bot's clock may be a little ahead of ours. A clock that jumped must not hold a message for ever.
    """
    seconds = at + quiet_s - now
    return min(seconds, quiet_s) if 0 < seconds <= quiet_s + CLOCKS_DIFFER_S else 0


def quiet_left(entries: Sequence[Inbound], now: float, quiet_s: float) -> float:
    """How many seconds to wait for more of the burst that ``entries`` end in; 0 where more is not likely.

    Args:
        entries: What the next turn would take, oldest first.
        now: Seconds since the epoch.
        quiet_s: How long no further message has to come (``COHORT_BURST``); 0 waits for none.
    """
    said = [entry for entry in entries if entry.kind == "message" and not entry.edited]
    if not quiet_s or not said:
        return 0
    last, begun = said[-1], _begin(said)
    likely = begun < len(said) - 1 or last.forwarded_from is not None or expects_more(last)
    return left(last.at, now, quiet_s) if likely and now - said[begun].at < LONGEST_S else 0


def _begin(said: Sequence[Inbound]) -> int:
    """The place of the first message of the burst that ``said`` end in."""
    begun = len(said) - 1
    while begun and near(said[begun - 1], said[begun]):
        begun -= 1
    return begun


class Spoken(Protocol):
    """A running turn, as far as a burst has to know it (``workers.sessions.turns.cut_turn``)."""

    @property
    def showed(self) -> bool:
        """Whether it has shown words or a question, or kept a step."""
        ...


class YoungTurn:
    """A turn that may begin again, because the rest of its burst came a moment later."""

    def __init__(self, messages: Sequence[Inbound], turn: Spoken, clock: Clock, quiet: timedelta) -> None:
        self._first, self._last = messages[_begin(messages)], messages[-1]
        self._turn = turn
        self._clock = clock
        self._quiet_s = quiet.total_seconds()

    @property
    def is_young(self) -> bool:
        """Whether it can: it has shown nothing, its message came just now, and its burst is not long under way."""
        now = self._clock.now()
        recent = now - self._last.at <= NEAR_S + self._quiet_s and now - self._first.at < LONGEST_S
        return self._quiet_s > 0 and recent and self._last.kind == "message" and not self._turn.showed

    def goes_on(self, behind: Sequence[bytes]) -> bool:
        """Whether the first entry behind its own is the rest of its burst, and it can still begin again."""
        with suppress(EnvelopeInvalid, EnvelopeTooNew, IndexError):
            return self.is_young and goes_on(self._last, Inbound.from_json(behind[0]))
        return False
