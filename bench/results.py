"""A file of results: written after every run, so that a crash or Ctrl-C costs one; taken up again; merged."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.machine import machine

type Runs = dict[str, list[dict[str, float]]]
"""column -> the numbers of each run."""


class Results:
    """``rows``: name -> ``runs`` (Runs), ``seeds`` and ``load`` beside them, ``failed`` (column -> why)."""

    def __init__(self, data: dict[str, Any], path: Path | None = None) -> None:
        self.data = data
        self.path = path

    @classmethod
    def new(cls, path: Path, *, quick: bool, seed: int, argv: Sequence[str]) -> "Results":
        about = {"machine": machine(), "quick": quick, "seed": seed, "command": ["python", "-m", "bench", *argv]}
        return cls({**about, "seconds": 0, "rows": {}}, path)

    @classmethod
    def of(cls, path: Path) -> "Results":
        return cls(json.loads(path.read_text()), path)

    @classmethod
    def merged(cls, paths: Sequence[Path]) -> "Results":
        """A row of a later file replaces an earlier one's: its columns were measured beside each other."""
        first, *others = [json.loads(path.read_text()) for path in paths]
        for other in others:
            first["rows"] |= other["rows"]
            first["seconds"] += other["seconds"]
            if other["machine"] != first["machine"]:
                first.setdefault("also", []).append(other["machine"])
        return cls(first)

    @property
    def rows(self) -> list[str]:
        return list(self.data["rows"])

    def runs(self, row: str) -> Runs:
        return {column: runs for column, runs in self._row(row)["runs"].items() if runs}

    def failed(self, row: str) -> dict[str, str]:
        return self._row(row)["failed"]

    def add(self, row: str, column: str, numbers: dict[str, float], *, seed: int, load: float) -> None:
        """One run."""
        place = self._row(row)
        place["runs"].setdefault(column, []).append(numbers)
        place["seeds"].setdefault(column, []).append(seed)
        place["load"].setdefault(column, []).append(load)
        place["failed"].pop(column, None)
        place["medians"] = medians(self.runs(row))

    def fail(self, row: str, column: str, why: str) -> None:
        self._row(row)["failed"][column] = why

    def save(self, seconds: float = 0) -> None:
        """Write it whole, or leave what is there; ``seconds`` were spent since it was last written."""
        assert self.path is not None
        self.data["seconds"] = round(self.data["seconds"] + seconds, 1)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.data, indent=1))
        fresh.replace(self.path)

    def _row(self, row: str) -> dict[str, Any]:
        empty: dict[str, Any] = {"runs": {}, "seeds": {}, "load": {}, "failed": {}, "medians": {}}
        return self.data["rows"].setdefault(row, empty)


def medians(runs: Runs) -> dict[str, dict[str, float]]:
    """column -> metric -> median over its runs."""
    found: dict[str, dict[str, float]] = {}
    for column, all_of_it in runs.items():
        names = dict.fromkeys(name for run in all_of_it for name in run)
        found[column] = {name: statistics.median(run[name] for run in all_of_it if name in run) for name in names}
    return found
