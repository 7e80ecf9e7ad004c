"""The only place that asks what time it is; all other code is handed a Clock."""

import time
from typing import ClassVar, Protocol

_TOLERATED_S = 1.0
"""By less than this a machine's clock may differ from Redis's: it is nothing that a person notices."""
_HOLDS_S = 30.0
"""So long a comparison holds; processes compare every two seconds while Redis answers."""
_SINCE_BOOT: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps, as the lives of keys in Redis do."""


class Clock(Protocol):
    """A source of time, so that tests decide what time it is."""

    def now(self) -> float:
        """Seconds since the epoch (UTC)."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's clock, put right by that of Redis: what one machine writes down, others compare with their time.

    All instances of a process go by the last ``agree``. For half a minute a step of the machine's clock counts for
    nothing.
    """

    _ahead: ClassVar[float] = 0.0
    _boot: ClassVar[float | None] = None
    """The time at which ``monotonic`` was 0; None: not compared yet."""
    _agreed: ClassVar[float] = 0.0

    def now(self) -> float:
        boot, since_boot = SystemClock._boot, time.clock_gettime(_SINCE_BOOT)
        if boot is None or since_boot - SystemClock._agreed > _HOLDS_S:
            return self.local() + SystemClock._ahead
        return boot + since_boot

    def monotonic(self) -> float:
        return time.clock_gettime(_SINCE_BOOT)

    @staticmethod
    def local() -> float:
        """What the machine's clock says, right or wrong."""
        return time.time()  # noqa: TID251 - this is the place

    @classmethod
    def agree(cls, ahead: float) -> None:
        """From here on follow Redis, whose clock is ``ahead`` of the machine's by these seconds; a second is borne."""
        borne = _TOLERATED_S / 2 if cls._ahead else _TOLERATED_S
        cls._ahead = ahead if abs(ahead) > borne else 0.0
        cls._agreed = time.clock_gettime(_SINCE_BOOT)
        cls._boot = cls.local() + cls._ahead - cls._agreed

    @classmethod
    def put_right_by(cls) -> float:
        """Seconds that are added to what the machine's clock says."""
        return cls._ahead
