"""What a check of ``cohort doctor`` found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

type Severity = Literal["ok", "warning", "problem"]

_MARKS: Mapping[Severity, str] = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    about: str
    severity: Severity
    seen: str
    do: str = ""
    """What to do about it; empty when there is nothing to do."""

    def line(self) -> str:
        return f"{_MARKS[self.severity]}  {self.about}: {self.seen}" + (f"; {self.do}" if self.do else "")
