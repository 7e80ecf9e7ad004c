"""What one process that loads fast-agent says of patches and cards, asked once."""

import asyncio
import json
import subprocess
from typing import Any

from ops.context import Context
from ops.environment import needed
from ops.up.plan import module

CHECK = "workers.runtime.check"


class RuntimeCheck:
    """Runs the check when it is first asked for."""

    def __init__(self, here: Context) -> None:
        self._here = here
        self._told: dict[str, Any] | None = None

    async def of(self, part: str) -> tuple[list[str], list[str]]:
        """Problems and notes of ``patches`` or ``cards``, a line each."""
        if self._told is None:
            self._told = await asyncio.to_thread(self._run)
        found = self._told[part]
        return [str(line) for line in found["problems"]], [str(line) for line in found["notes"]]

    def _run(self) -> dict[str, Any]:
        done = ran(self._here, CHECK)
        # What a card's module prints when it is imported, or a program that it starts, may stand before.
        lines = done.stdout.splitlines()
        try:
            told = json.loads(lines[-1]) if done.returncode == 0 and lines else {}
        except ValueError:
            told = {}
        if isinstance(told, dict) and {"patches", "cards"} <= told.keys():
            return told
        problems = {"problems": complaints(done)[-3:], "notes": []}
        return {"patches": problems, "cards": problems}


def ran(here: Context, check: str) -> subprocess.CompletedProcess[str]:
    """A check that loads fast-agent, run to its end in a process of its own."""
    return subprocess.run(
        module(check),
        env=needed("worker", here.environ),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What a check said that found a problem, or ended otherwise; a line at least."""
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines or [f"the check ended with status {done.returncode}"]
