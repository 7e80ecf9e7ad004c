"""How many workers `cohort up` keeps: a number, or bounds between which the load decides (pure)."""

import os
import re
from dataclasses import dataclass
from typing import Self

MAX_WORKERS = 256
_NUMBER = re.compile(r"[0-9]{1,3}")
_AUTO = re.compile(r"auto(?::([0-9]{1,3})\.\.([0-9]{1,3}))?")
FORMS = f"a number from 1 to {MAX_WORKERS}, auto, or auto:LEAST..MOST (auto:1..4)"


@dataclass(frozen=True, slots=True)
class WorkerCount:
    """Between ``least`` and ``most`` workers."""

    least: int
    most: int
    auto: bool = False
    """The load decides. Otherwise both are the one number that was asked for."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read what a setting or an argument says.

        Raises:
            ValueError: it has another form, or is out of bounds.
        """
        if isinstance(value, cls):
            return value
        said = str(value).strip()
        if _NUMBER.fullmatch(said):
            found = cls(int(said), int(said))
        elif match := _AUTO.fullmatch(said):
            least, most = match.groups()
            found = cls(int(least), int(most), auto=True) if least and most else cls(1, max(2, cores()), auto=True)
        else:
            raise ValueError(f"must be {FORMS}")
        if not 1 <= found.least <= found.most <= MAX_WORKERS:
            raise ValueError(f"must be {FORMS}")
        return found

    def __str__(self) -> str:
        return f"auto:{self.least}..{self.most}" if self.auto else str(self.least)


def cores() -> int:
    """Processors that this process may use."""
    return min(MAX_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
